"""What a site administrator sets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from rse_core.api import BadInput, Core, Setting, option, translator

_t = translator(__file__, "rse_notifications")
_, lazy = _t.gettext, _t.lazy

HOUR, BASE = "notifications.digest_hour", "notifications.address"
KEEP_READ, KEEP_ALL = "notifications.keep_read_days", "notifications.keep_days"


def settings() -> Iterable[Setting]:
    """The plugin's settings; which type goes by which channel has a page of its own."""
    return [
        Setting(
            HOUR, lazy("Hour of the digest"), 8, lambda value: _number(value, 0, 23),
            help=lazy("0 to 23, in each person's time zone; weekly digests leave on Mondays. A person may choose another."),
            kind="number",
        ),
        Setting(
            BASE, lazy("Address of the intranet in mails"), "", _address,
            help=lazy("As in https://intranet.example; empty: the first of legacy_origins."),
        ),
        Setting(
            KEEP_READ, lazy("Days that read notifications are kept"), 90, lambda value: _number(value, 1, 3650),
            kind="number",
        ),
        Setting(
            KEEP_ALL, lazy("Days that any notification is kept"), 365, lambda value: _number(value, 7, 3650), kind="number",
        ),
    ]  # fmt: skip


def origin(session: Session, core: Core) -> str:
    """Scheme and host of links in messages; "" when neither the setting nor ``legacy_origins`` says."""
    chosen = str(option(session, BASE))
    if chosen:
        return chosen
    known = core.settings.legacy_origins
    return known[0].rstrip("/") if known else ""


def absolute(base: str, url: str) -> str:
    """An address that works outside the site. What is absolute already, in http or https, stays."""
    if re.match(r"https?://", url):
        return url
    return base + url if url.startswith("/") and not url.startswith("//") else base + "/"


def _number(value: Any, least: int, most: int) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = least - 1
    if not least <= number <= most:
        raise BadInput(_("Give a number from %(least)s to %(most)s.", least=str(least), most=str(most)))
    return number


def _address(value: Any) -> str:
    text = str(value or "").strip().rstrip("/")
    try:
        parts = urlsplit(text)
        good = not text or (
            parts.scheme in ("http", "https") and parts.hostname and not (parts.path or parts.query or parts.fragment)
            and not parts.username and text.isprintable() and " " not in text
        )  # fmt: skip
    except ValueError:
        good = False
    if not good:
        raise BadInput(_("“%(text)s” is not the address of a site.", text=text[:80]),
                       remedy=_("Write https://intranet.example, without a path."))  # fmt: skip
    return text
