"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rse_core.api import (
    Activity,
    Asset,
    Capability,
    Consumer,
    ContentType,
    HealthCheck,
    Indicator,
    Level,
    Manifest,
    Migrations,
    NotificationType,
    ObjectRef,
    Participation,
    PersonalData,
    Plugin,
    SearchDocument,
    Setting,
    SlotItem,
    TourStep,
    Translations,
    Viewer,
    hookimpl,
    translator,
)

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase, Session

HERE = Path(__file__).parent
_t = translator(__file__, "rse_comments")
_, lazy = _t.gettext, _t.lazy


class Comments(Plugin):
    """Comments with replies, mentions, moderation and history."""

    manifest = Manifest(
        name="comments",
        label=lazy("Comments"),
        description=lazy("Comment on pages of the intranet and on what people write, answer, and name colleagues."),
    )

    @hookimpl
    def rse_capabilities(self) -> Iterable[Capability]:
        return [
            Capability(
                "comments.write",
                lazy("Comment"),
                Level.COMMENT,
                description=lazy("Write comments and answers, edit and delete one's own."),
                reviewed=True,
            )
        ]

    @hookimpl
    def rse_content_types(self) -> Iterable[ContentType]:
        from .handling import HANDLING
        from .objects import below, ids, resolve

        return [
            ContentType(
                "comments.comment", lazy("comment"), resolve, likable=True, searchable=True, refs=ids, below=below,
                reads="comments.write", handling=HANDLING,
            )
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
        return Translations(HERE / "translations", "rse_comments")

    @hookimpl
    def rse_blueprints(self) -> Iterable[Blueprint]:
        from .views import blueprint

        return [blueprint]

    @hookimpl
    def rse_rest_blueprints(self) -> Iterable[Any]:
        from .rest import blueprint

        return [blueprint]

    @hookimpl
    def rse_assets(self) -> Iterable[Asset]:
        return [Asset("rse_comments.static", "comments.css")]

    @hookimpl
    def rse_settings_forms(self) -> Iterable[Setting]:
        return [
            Setting(
                "comments.edit_minutes",
                lazy("Minutes within which a comment can be edited"),
                15,
                lambda value: _number(value, 0, 60 * 24 * 31),
                help=lazy("0 sets no limit. Every edit is marked and keeps its history."),
                kind="number",
            ),
            Setting(
                "comments.max_length",
                lazy("Greatest length of a comment, in characters"),
                4000,
                lambda value: _number(value, 100, 20_000),
                kind="number",
            ),
        ]

    @hookimpl
    def rse_consumers(self) -> Iterable[Consumer]:
        from . import consumers

        return [
            Consumer("comments.tell", ("comments.published",), consumers.tell),
            Consumer("comments.take_back", ("comments.deleted", "comments.withdrawn"), consumers.take_back),
            Consumer("comments.decided", ("moderation.approved", "moderation.refused"), consumers.decided),
            Consumer("comments.scored", ("likes.reacted", "likes.withdrawn"), consumers.scored),
        ]

    @hookimpl
    def rse_notification_types(self) -> Iterable[NotificationType]:
        from . import consumers

        return [
            NotificationType(
                "comments.mentioned", lazy("Somebody names you in a comment"), consumers.render_mentioned, mail="immediate",
                personal=True,
            ),
            NotificationType(
                "comments.replied", lazy("Somebody answers your comment"), consumers.render_replied, personal=True
            ),
            NotificationType("comments.commented", lazy("Somebody comments on what you wrote"), consumers.render_commented),
            NotificationType(
                "comments.refused", lazy("Your comment was not published"), consumers.render_refused, mail="immediate"
            ),
        ]

    @hookimpl
    def rse_indicators(self) -> Iterable[Indicator]:
        return [
            Indicator(
                "comments.published",
                lazy("People who commented"),
                lazy("People with at least one published comment in the period; each counts once."),
                ("comments.published",),
            )
        ]

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        from .health import check, repair

        return [HealthCheck("comments.counters", check, repair)]

    @hookimpl
    def rse_tour_steps(self) -> Iterable[TourStep]:
        from .guiding import steps

        return steps()

    @hookimpl
    def rse_participation(self) -> Iterable[Participation]:
        from .guiding import participation

        return participation()

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from .personal import erase, export

        return [
            PersonalData(
                "comments.comments",
                lazy("Comments"),
                lazy("To show what was written, by whom, to those who may read the page."),
                export,
                erase,
                retention=lazy("Until it is deleted; after the account is erased the text stays without a name."),
            )
        ]

    @hookimpl
    def rse_activities(self) -> Iterable[Activity]:
        return [Activity("comments.published", bump=True)]

    @hookimpl
    def rse_search_documents(self, session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
        from .objects import documents

        return documents(session, refs)

    @hookimpl
    def rse_slot_items(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
        from .slots import items

        return items(slot, refs, viewer, session)


def _number(value: Any, least: int, most: int) -> int:
    from rse_core.api import BadInput

    try:
        number = int(value)
    except (TypeError, ValueError):
        number = least - 1
    if not least <= number <= most:
        raise BadInput(_("Give a number from %(least)s to %(most)s.", least=str(least), most=str(most)))
    return number
