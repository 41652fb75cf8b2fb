"""Settings that an administrator changes while the site runs, and the kinds of notification."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from rse_core import search_again
from rse_core.api import BadInput, LazyText, NotificationType, Setting, translator

from .fields import EVERYONE, KEPT, Field, parse_fields, parse_kept
from .indexing import TYPE

_t = translator(__file__, "rse_directory")
_, ngettext, lazy = _t.gettext, _t.ngettext, _t.lazy


def settings() -> Iterable[Setting]:
    """Every setting of the directory."""
    return [
        Setting(
            "directory.fields", lazy("Fields of a profile"), {}, parse_fields, kind="json", changed=_fields_changed,
            help=lazy(
                "What differs from the usual: to whom a field is shown (everyone, entity, managers, nobody), whether that "
                "is imposed, whether it stands on cards; and fields of your own with a label."
            ),
        ),
        Setting(
            "directory.kept", lazy("Fields that a source keeps"), KEPT, parse_kept, kind="json",
            help=lazy("By source; people cannot change these here. A source that is not named keeps all of them."),
        ),
        Setting(
            "directory.may_leave", lazy("People may leave the list"), True, _boolean, kind="boolean", changed=_list_changed,
            help=lazy("When this is taken back, those who left are shown again."),
        ),
        Setting(
            "directory.open_vocabulary", lazy("People may add words of expertise"), True, _boolean, kind="boolean",
            help=lazy("Otherwise they choose from the vocabulary."),
        ),
        Setting(
            "directory.isolated", lazy("Entities whose people see only each other"), [], _names, kind="json",
            changed=_places_changed,
            help=lazy("Keys of entities, as a JSON list; each with all below it."),
        ),
        Setting(
            "directory.services", lazy("Entities that serve all others"), [], _names, kind="json", changed=_places_changed,
            help=lazy("Keys of entities whose people are seen by everybody and see everybody, where others are isolated."),
        ),
        _whole("newcomer_days", lazy("Days for which somebody is new"), 60, 1, 365),
        _whole("profiles_an_hour", lazy("Profiles that one person may open within an hour"), 200, 10, 100_000),
        _whole("pages_an_hour", lazy("Pages of lists that one person may open within an hour"), 300, 10, 100_000),
        _whole("export_most", lazy("People in one exported file, at most"), 20_000, 1, 200_000),
    ]  # fmt: skip


def notification_types() -> Iterable[NotificationType]:
    """Kinds of notification."""
    return [
        NotificationType(
            "directory.asked", lazy("Somebody asks you for your expertise"),
            lambda count, data: lazy("Somebody asks you for your expertise"),
            mail="immediate", personal=True, stays=True,
        ),
        NotificationType(
            "directory.endorsed", lazy("Somebody confirms your expertise"),
            _endorsed, stays=True,
        ),
        NotificationType(
            "directory.reported", lazy("A profile was reported"), lambda count, data: lazy("A profile was reported"),
            stays=True,
        ),
        NotificationType(
            "directory.cleared", lazy("A text of your profile was removed"),
            lambda count, data: lazy("A text of your profile was removed by moderation"), stays=True,
        ),
    ]  # fmt: skip


def _endorsed(count: int, data: Mapping[str, Any]) -> LazyText:
    return LazyText(
        lambda: ngettext("%(num)s person confirmed your expertise", "%(num)s people confirmed your expertise", count)
    )


# -- search everywhere holds documents that were made by these rules ----------------------------------------------------


def _fields_changed(session: Session, before: Mapping[str, Field], now: Mapping[str, Field]) -> None:
    """Of the fields, the job alone stands in documents; see :func:`~rse_directory.objects.documents`."""
    old, new = before["job_title"], now["job_title"]
    if (old.audience, old.imposed) != (new.audience, new.imposed):
        _again(session, withhold=not (new.imposed and new.audience == EVERYONE))


def _list_changed(session: Session, before: bool, now: bool) -> None:
    """Where leaving counts again, those who left go out; where it no longer does, they only come in."""
    if before != now:
        _again(session, withhold=now)


def _places_changed(session: Session, before: list[str], now: list[str]) -> None:
    """Other people see each other now."""
    if set(before) != set(now):
        _again(session, withhold=True)


def _again(session: Session, *, withhold: bool) -> None:
    search_again.begin(session, TYPE, withhold=withhold)


def _boolean(value: Any) -> bool:
    return value in (True, 1, "1", "true", "on")


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadInput(_("Give the names as a JSON list."), remedy='["entity-a", "entity-b"]')
    return value


def _whole(name: str, label: Any, default: int, least: int, most: int) -> Setting:
    def parse(value: Any) -> int:
        try:
            number = int(value)
        except (TypeError, ValueError):
            number = least - 1
        if not least <= number <= most:
            raise BadInput(_("Give a number from %(least)s to %(most)s.", least=str(least), most=str(most)))
        return number

    return Setting(f"directory.{name}", label, default, parse, kind="number")
