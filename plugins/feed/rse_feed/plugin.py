"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rse_core.api import (
    Asset,
    Capability,
    Consumer,
    ContentType,
    HealthCheck,
    Indicator,
    Job,
    Level,
    Manifest,
    Migrations,
    NavItem,
    NotificationType,
    ObjectRef,
    PersonalData,
    Plugin,
    SearchDocument,
    Setting,
    SlotItem,
    SpaceChange,
    Translations,
    Viewer,
    hookimpl,
    translator,
)

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase, Session

HERE = Path(__file__).parent
_t = translator(__file__, "rse_feed")
_, lazy = _t.gettext, _t.lazy


class Feed(Plugin):
    """Posts, announcements and what happens elsewhere, in one feed for each person."""

    manifest = Manifest(
        name="feed",
        label=lazy("Feed"),
        description=lazy("What colleagues post and what happens where one belongs, newest or most active first."),
    )

    @hookimpl
    def rse_capabilities(self) -> Iterable[Capability]:
        return [
            Capability("feed.read", lazy("Read the feed"), Level.REACT, writes=False),
            Capability(
                "feed.post", lazy("Post"), Level.CONTRIBUTE, reviewed=True, default_who="members",
                description=lazy("Write posts, edit and delete one's own."),
            ),
            Capability(
                "feed.announce", lazy("Announce"), Level.CONTRIBUTE, reviewed=True, default_who="managers",
                description=lazy("Post announcements, which tell a whole audience and may ask to be confirmed."),
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from .models import Base

        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_blueprints(self) -> Iterable[Blueprint]:
        from .views import blueprint

        return [blueprint]

    @hookimpl
    def rse_nav_items(self) -> Iterable[NavItem]:
        return [NavItem("rse_feed.feed", lazy("Feed"), order=10, capability="feed.read", icon="newspaper")]

    @hookimpl
    def rse_assets(self) -> Iterable[Asset]:
        return [Asset("rse_feed.static", "feed.css")]

    @hookimpl
    def rse_slot_items(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
        from .slots import items

        return items(slot, refs, viewer, session)

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_feed")

    @hookimpl
    def rse_content_types(self) -> Iterable[ContentType]:
        from .objects import ids, resolve

        return [
            ContentType(
                "feed.post", lazy("post"), resolve, likable=True, commentable=True, searchable=True, refs=ids,
                reads="feed.read",
            )
        ]  # fmt: skip

    @hookimpl
    def rse_settings_forms(self) -> Iterable[Setting]:
        from .options import settings

        return settings()

    @hookimpl
    def rse_jobs(self) -> Iterable[Job]:
        from . import publishing, telling

        return [Job("feed.publish_due", publishing.publish_due, every=60), Job("feed.tell", telling.tell)]

    @hookimpl
    def rse_consumers(self) -> Iterable[Consumer]:
        from . import entries, telling

        return [
            Consumer("feed.entries", ("*",), entries.follow),
            Consumer("feed.decided", ("moderation.approved", "moderation.refused"), telling.decided),
        ]

    @hookimpl
    def rse_notification_types(self) -> Iterable[NotificationType]:
        from . import telling

        return [
            NotificationType(
                "feed.mentioned", lazy("Somebody names you in a post"), telling.render_mentioned, mail="immediate",
                capability="feed.read", personal=True,
            ),
            NotificationType(
                "feed.called", lazy("A post calls everybody of a space or an audience"), telling.render_called,
                capability="feed.read",
            ),
            NotificationType(
                "feed.posted", lazy("Somebody posts in a space of yours"), telling.render_posted, capability="feed.read"
            ),
            NotificationType(
                "feed.refused", lazy("Your post was not published"), telling.render_refused, mail="immediate", personal=True
            ),
            NotificationType(
                "feed.scheduled_refused", lazy("Your scheduled post did not appear"), telling.render_scheduled_refused,
                mail="immediate", personal=True,
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_indicators(self) -> Iterable[Indicator]:
        return [
            Indicator(
                "feed.published",
                lazy("People who posted"),
                lazy("People with at least one published post in the period; each counts once."),
                ("feed.published",),
            )
        ]

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        from .counting import check, repair

        return [HealthCheck("feed.posts", check, repair)]

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from .personal import erase, export

        return [
            PersonalData(
                "feed.posts",
                lazy("Posts"),
                lazy("To show what was posted, by whom, to those for whom it is."),
                export,
                erase,
                retention=lazy("Until it is deleted; after the account is erased published posts stay without a name."),
            )
        ]

    @hookimpl
    def rse_space_changed(self, change: SpaceChange, session: Session) -> None:
        from .spaces import changed

        changed(session, change)

    @hookimpl
    def rse_search_documents(self, session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
        from .objects import documents

        return documents(session, refs)
