"""What a site administrator sets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from rse_core.api import BadInput, Setting, translator

_t = translator(__file__, "rse_onboarding")
_, lazy = _t.gettext, _t.lazy

AMBASSADORS, MANAGERS_SEE, TELL = (f"onboarding.{name}" for name in ("ambassadors", "managers_see", "tell"))
WEBINAR, ADVICE_WEBINAR = "onboarding.webinar", "onboarding.advice_webinar"
ADVICE_TUTORIAL, ADVICE_MESSAGE = "onboarding.advice_tutorial", "onboarding.advice_message"
#: What managers may be told figures of.
SCOPES = ("entity", "team", "nothing")


def settings() -> Iterable[Setting]:
    """The plugin's settings."""
    return [
        Setting(
            AMBASSADORS, lazy("Group of the ambassadors"), "ambassadeurs", _key,
            help=lazy("Key of a group; its members see the figures of their entity. Empty: nobody."),
        ),
        Setting(
            MANAGERS_SEE, lazy("Figures for managers"), "entity", _scope,
            help=lazy("entity: of their entity with all below it; team: of the people whom they manage; nothing."),
        ),
        Setting(
            TELL, lazy("Tell people that a level has opened"), True, _boolean, kind="boolean",
            help=lazy("By a notification, once for each person and level. The bar on their pages does not depend on it."),
        ),
        Setting(WEBINAR, lazy("Address of the next webinar"), "", address),
        Setting(ADVICE_WEBINAR, lazy("What to do next: webinar"), "", _advice, help=_kept()),
        Setting(ADVICE_TUTORIAL, lazy("What to do next: tutorials"), "", _advice, help=_kept()),
        Setting(ADVICE_MESSAGE, lazy("What to do next: message"), "", _advice, help=_kept()),
    ]  # fmt: skip


def _kept() -> Any:
    return lazy("For ambassadors and managers, in Markdown. Empty: the text that comes with the plugin.")


def _boolean(value: Any) -> bool:
    return value in (True, 1, "1", "true", "on")


def _key(value: Any) -> str:
    text = str(value or "").strip()
    if len(text) > 120 or not text.isprintable():
        raise BadInput(_("“%(text)s” is not the key of a group.", text=text[:40]))
    return text


def _scope(value: Any) -> str:
    if value not in SCOPES:
        raise BadInput(_("Managers cannot see “%(what)s”.", what=str(value)[:40]),
                       remedy=_("Use one of %(list)s.", list=", ".join(SCOPES)))  # fmt: skip
    return str(value)


def _advice(value: Any) -> str:
    text = str(value or "").strip()
    if len(text) > 2_000 or "\x00" in text:
        raise BadInput(_("The text is longer than %(most)s characters, or not a text.", most="2000"))
    return text


def address(value: Any) -> str:
    """An address of the web, or "".

    :raises BadInput: for anything else.
    """
    text = str(value or "").strip()
    try:
        parts = urlsplit(text)
        good = not text or (parts.scheme in ("http", "https") and parts.hostname and text.isprintable() and " " not in text)
    except ValueError:
        good = False
    if not good or len(text) > 500:
        raise BadInput(_("“%(text)s” is not an address.", text=text[:80]), remedy=_("Write https://…, or leave it empty."))
    return text
