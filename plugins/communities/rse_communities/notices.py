"""The sentences of notifications. They name the space as it was called; nothing of what people wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rse_core.api import LazyText, NotificationType, translator

from .kinds import ROLES

_t = translator(__file__, "rse_communities")
_, lazy = _t.gettext, _t.lazy
Render = Callable[[int, Mapping[str, Any]], LazyText]


def types() -> list[NotificationType]:
    """Every kind that this plugin sends."""
    return [
        NotificationType("communities.requested", lazy("Somebody asks to be let in"), _requested, mail="immediate"),
        _personal("accepted", lazy("You were let in"), _named(lambda: _("You are a member of “%(space)s” now."))),
        _personal("refused", lazy("You were not let in"), _refused),
        _personal("invited", lazy("You are invited to a space"), _named(lambda: _("You are invited to “%(space)s”."))),
        NotificationType("communities.came", lazy("Somebody accepts your invitation"), _came),
        _personal("added", lazy("You were added to a space"), _named(lambda: _("You were added to “%(space)s”."))),
        _personal("role", lazy("You have another role in a space"), _role),
        NotificationType(
            "communities.archived", lazy("A space is archived"),
            _plain(_named(lambda: _("“%(space)s” is archived: what is in it can be read."))),
        ),
        _personal("entered", lazy("A site administrator looks into your space"), _entered),
        _personal("succeeded", lazy("You own a space now"), _named(lambda: _("You are the owner of “%(space)s” now."))),
        _personal("orphaned", lazy("A space has no owner"), _named(lambda: _("“%(space)s” has no owner any more."))),
    ]  # fmt: skip


def _named(sentence: Callable[[], str]) -> Callable[[str, Mapping[str, Any]], str]:
    return lambda space, _data: sentence() % {"space": space}


def _plain(say: Callable[[str, Mapping[str, Any]], str]) -> Render:
    def render(_count: int, data: Mapping[str, Any]) -> LazyText:
        space = str(data.get("space", ""))
        return LazyText(lambda: say(space, data))

    return render


def _personal(name: str, label: LazyText, say: Callable[[str, Mapping[str, Any]], str]) -> NotificationType:
    return NotificationType(f"communities.{name}", label, _plain(say), mail="immediate", personal=True, stays=True)


def _requested(count: int, data: Mapping[str, Any]) -> LazyText:
    space = str(data.get("space", ""))
    return LazyText(
        lambda: _t.ngettext(
            "%(num)s person asks to be let into “%(space)s”.", "%(num)s people ask to be let into “%(space)s”.", count,
            space=space,
        )
    )  # fmt: skip


def _came(count: int, data: Mapping[str, Any]) -> LazyText:
    space = str(data.get("space", ""))
    return LazyText(
        lambda: _t.ngettext(
            "%(num)s person accepted your invitation to “%(space)s”.",
            "%(num)s people accepted your invitation to “%(space)s”.", count, space=space,
        )
    )  # fmt: skip


def _refused(space: str, data: Mapping[str, Any]) -> str:
    return _("You were not let into “%(space)s”. Reason: %(reason)s", space=space, reason=str(data.get("reason") or "–"))


def _entered(space: str, data: Mapping[str, Any]) -> str:
    return _(
        "A site administrator looks into “%(space)s” for an hour. Reason: %(reason)s", space=space,
        reason=str(data.get("reason") or "–"),
    )  # fmt: skip


def _role(space: str, data: Mapping[str, Any]) -> str:
    role = str(data.get("role", ""))
    return _("Your role in “%(space)s” is now: %(role)s.", space=space, role=str(ROLES.get(role, role)))
