"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rse_core.api import (
    Asset,
    BadInput,
    Capability,
    Consumer,
    ContentType,
    Discarded,
    Finding,
    Job,
    Level,
    Manifest,
    Migrations,
    NavItem,
    NotificationType,
    ObjectRef,
    PersonalData,
    Plugin,
    Setting,
    SlotItem,
    SpaceChange,
    Translations,
    Viewer,
    Writing,
    hookimpl,
    translator,
)

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase, Session

HERE = Path(__file__).parent
_t = translator(__file__, "rse_governance")
_, lazy = _t.gettext, _t.lazy


class Governance(Plugin):
    """Moderation before and after publication, charters, and what is kept about people."""

    manifest = Manifest(
        name="governance",
        label=lazy("Moderation and charters"),
        description=lazy("What waits for a moderator, reports, word rules, charters, suspensions and personal data."),
    )

    @hookimpl
    def rse_capabilities(self) -> Iterable[Capability]:
        return [
            Capability(
                "governance.report", lazy("Report"), Level.REACT, writes=False,
                description=lazy("Tell the moderators of something that should not stand here."),
            ),
            Capability(
                "governance.mine", lazy("My texts and moderation"), Level.INFORM, writes=False,
                description=lazy("See what became of one's own texts, appeal, export and erase one's own data."),
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_content_types(self) -> Iterable[ContentType]:
        from . import objects

        return [
            ContentType(objects.DESK, lazy("list of moderation"), objects.desks, moderated=False),
            ContentType(objects.CASE, lazy("decision of moderation"), objects.cases, moderated=False),
        ]

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from .models import Base

        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_governance")

    @hookimpl
    def rse_blueprints(self) -> Iterable[Blueprint]:
        from .views import blueprints

        return blueprints

    @hookimpl
    def rse_rest_blueprints(self) -> Iterable[Any]:
        from . import rest, rest_running

        assert rest_running is not None  # noqa: S101  its resources are on the same blueprint
        return [rest.blueprint]

    @hookimpl
    def rse_nav_items(self) -> Iterable[NavItem]:
        from .access import moderates_something
        from .badge import count

        return [
            NavItem("rse_governance.queue", lazy("Moderation"), order=80, icon="shield", badge=count, area="running",
                    shown=moderates_something),
            NavItem("rse_governance.mine", lazy("My texts and moderation"), order=60, area="me", icon="shield-check"),
            NavItem("rse_governance.data", lazy("My data"), order=70, area="me", icon="download"),
        ]  # fmt: skip

    @hookimpl
    def rse_assets(self) -> Iterable[Asset]:
        return [Asset("rse_governance.static", "governance.css")]

    @hookimpl
    def rse_settings_forms(self) -> Iterable[Setting]:
        return [
            Setting(
                "governance.hide_after", lazy("Reports after which something is taken down until a moderator decides"), 5,
                lambda value: _number(value, 0, 1_000), help=lazy("0 takes nothing down by itself."), kind="number",
            ),
            Setting(
                "governance.bin_days", lazy("Days for which moderators can show again what was deleted"), 30,
                lambda value: _number(value, 0, 365), help=lazy("0 keeps nothing."), kind="number",
            ),
            Setting(
                "governance.appeal_days", lazy("Days within which the author of what was taken down or deleted may appeal"),
                30, lambda value: _number(value, 1, 365), kind="number",
                help=lazy("What a moderator deletes can be shown again for at least as long."),
            ),
            Setting(
                "governance.self_erase", lazy("People may erase their own account here"), True,
                lambda value: value in (True, 1, "1", "true", "on"), kind="boolean",
                help=lazy("Who still is in the organisation's directory comes back as a new person."),
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_jobs(self) -> Iterable[Job]:
        from . import appeals, bin, keeping

        return [
            Job(bin.JOB, bin.empty, every=3_600), Job(keeping.JOB, keeping.apply, every=86_400),
            Job(appeals.JOB, appeals.hand_over, every=3_600),
        ]  # fmt: skip

    @hookimpl
    def rse_consumers(self) -> Iterable[Consumer]:
        from . import telling

        return [
            Consumer("governance.waiting", ("moderation.held",), telling.waiting),
            Consumer("governance.decided", ("moderation.approved", "moderation.refused"), telling.decided),
            Consumer("governance.amended", ("moderation.amended",), telling.amended),
            Consumer("governance.reported", ("governance.reported", "governance.appealed"), telling.reported),
            Consumer("governance.hidden", ("governance.hidden",), telling.hidden),
            Consumer("governance.taken_down", ("moderation.taken_down",), telling.taken_down),
            Consumer("governance.undeleted", ("governance.undeleted",), telling.undeleted),
            Consumer(
                "governance.case_decided", ("governance.decided", "governance.appeal_decided"), telling.case_decided
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_notification_types(self) -> Iterable[NotificationType]:
        from .telling import types

        return list(types())

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from .personal import erase, export, prune

        return [
            PersonalData(
                "governance.cases", lazy("Reports, decisions and appeals"),
                lazy("To apply the charter: to look at what is reported, to decide, and to answer for it."), export, erase,
                retention=lazy("Two years after the decision."), prune=prune, days=730,
            )
        ]  # fmt: skip

    @hookimpl
    def rse_examine(self, writing: Writing, session: Session) -> Finding | None:
        from .wording import examine

        return examine(session, writing)

    @hookimpl
    def rse_discarded(self, discarded: Discarded, session: Session) -> bool | None:
        from .bin import take

        return take(session, discarded)

    @hookimpl
    def rse_space_changed(self, change: SpaceChange, session: Session) -> None:
        from .bin import moved

        moved(session, change)

    @hookimpl
    def rse_slot_items(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
        from .slots import items

        return items(slot, refs, viewer, session)


def _number(value: Any, least: int, most: int) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = least - 1
    if not least <= number <= most:
        raise BadInput(_("Give a number from %(least)s to %(most)s.", least=str(least), most=str(most)))
    return number
