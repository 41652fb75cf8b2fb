"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rse_core.api import (
    Asset,
    Capability,
    Consumer,
    ContentType,
    DigestLine,
    HealthCheck,
    Indicator,
    Job,
    Level,
    LiveTopic,
    Manifest,
    Migrations,
    NavItem,
    NotificationType,
    ObjectRef,
    Participation,
    PersonalData,
    Plugin,
    Responsibility,
    SearchDocument,
    Setting,
    SlotItem,
    SpaceChange,
    TourStep,
    Translations,
    Tutorial,
    Viewer,
    hookimpl,
    translator,
)

if TYPE_CHECKING:
    import datetime as dt

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
        from . import act_views, composing, subscription_views, topic_views, views

        assert composing is not None  # noqa: S101  its forms are on the same blueprint
        return [views.blueprint, act_views.blueprint, topic_views.blueprint, subscription_views.blueprint]

    @hookimpl
    def rse_rest_blueprints(self) -> Iterable[Any]:
        from .rest import blueprint
        from .rest_acts import blueprints

        return [blueprint, *blueprints]

    @hookimpl
    def rse_nav_items(self) -> Iterable[NavItem]:
        from .announcements import waiting

        return [
            NavItem("rse_feed.feed", lazy("Feed"), order=10, capability="feed.read", icon="newspaper"),
            NavItem(
                "rse_feed_acts.to_read", lazy("To read"), order=20, capability="feed.read", icon="check-check", area="me",
                badge=waiting,
            ),
            NavItem("rse_feed_topics.index", lazy("Topics"), order=30, capability="feed.read", icon="tag", area="me"),
            NavItem(
                "rse_feed_subscriptions.index", lazy("Feed in other programs"), order=40, capability="feed.read",
                icon="link", area="me",
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_assets(self) -> Iterable[Asset]:
        return [Asset("rse_feed.static", "feed.css")]

    @hookimpl
    def rse_slot_items(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
        from .slots import items

        return items(slot, refs, viewer, session)

    @hookimpl
    def rse_ready(self, app: Any) -> None:
        from .markup import article

        app.jinja_env.globals["feed_article"] = article

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_feed")

    @hookimpl
    def rse_content_types(self) -> Iterable[ContentType]:
        from .handling import HANDLING
        from .objects import ids, resolve

        return [
            ContentType(
                "feed.post", lazy("post"), resolve, likable=True, commentable=True, searchable=True, refs=ids,
                reads="feed.read", handling=HANDLING,
            )
        ]  # fmt: skip

    @hookimpl
    def rse_settings_forms(self) -> Iterable[Setting]:
        from .options import settings

        return settings()

    @hookimpl
    def rse_jobs(self) -> Iterable[Job]:
        from . import confirmations, following, publishing, telling

        return [
            Job("feed.publish_due", publishing.publish_due, every=60),
            Job("feed.tell", telling.tell),
            Job(following.TELL, following.tell),
            Job(confirmations.REMIND, confirmations.remind_now),
        ]

    @hookimpl
    def rse_consumers(self) -> Iterable[Consumer]:
        from . import announcements, entries, following, telling

        changes = ("edited", "withdrawn", "deleted", "moved", "shown", "archived", "unarchived")
        return [
            Consumer("feed.followers", ("feed.published",), following.posted),
            Consumer("feed.announcements", tuple(f"feed.{change}" for change in changes), announcements.follow),
            Consumer("feed.entries", ("*",), entries.follow),
            Consumer("feed.decided", ("moderation.approved", "moderation.refused"), telling.decided),
        ]

    @hookimpl
    def rse_notification_types(self) -> Iterable[NotificationType]:
        from . import following, telling

        return [
            NotificationType(
                "feed.topic", lazy("Somebody posts on a topic that you follow"), following.render_topic,
                capability="feed.read",
            ),
            NotificationType(
                "feed.announced", lazy("An announcement is made to you"), following.render_announced, mail="immediate",
                capability="feed.read",
            ),
            NotificationType(
                "feed.to_read", lazy("An announcement waits for your confirmation"), following.render_to_read,
                mail="immediate", capability="feed.read",
            ),
            NotificationType(
                "feed.hidden", lazy("Your post was taken down"), following.render_hidden, mail="immediate", personal=True
            ),
            NotificationType("feed.moved", lazy("Your post was moved"), following.render_moved, personal=True),
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
    def rse_live_topics(self) -> Iterable[LiveTopic]:
        from .news import MINE, may_listen, signs

        return [LiveTopic(MINE, may_listen, stands_for=signs)]

    @hookimpl
    def rse_indicators(self) -> Iterable[Indicator]:
        from .asked import asked_in

        return [
            Indicator(
                "feed.published",
                lazy("People who posted"),
                lazy("People with at least one published post in the period; each counts once."),
                ("feed.published",),
            ),
            Indicator(
                "feed.acknowledged",
                lazy("People who confirmed an announcement"),
                lazy("People who confirmed at least one announcement in the period; each counts once."),
                ("feed.acknowledged",),
                denominator=lazy("People whom an announcement published in the period asks to confirm it."),
                eligible=asked_in,
            ),
        ]

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        from .counting import check, repair

        return [HealthCheck("feed.posts", check, repair)]

    @hookimpl
    def rse_tour_steps(self) -> Iterable[TourStep]:
        from .guiding import steps

        return steps()

    @hookimpl
    def rse_tutorials(self) -> Iterable[Tutorial]:
        from .guiding import tutorials

        return tutorials()

    @hookimpl
    def rse_participation(self) -> Iterable[Participation]:
        from .guiding import participation

        return participation()

    @hookimpl
    def rse_responsibilities(self) -> Iterable[Responsibility]:
        from . import handing

        return [Responsibility("feed.posts", lazy("Posts and announcements"), handing.left, handing.give, handing.take_back)]

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from . import personal_choices as choices
        from .personal import erase, export

        return [
            PersonalData(
                "feed.topics", lazy("Topics followed"), lazy("To tell of what is posted on them."),
                choices.export_topics, choices.erase_topics, retention=lazy("Until they are no longer followed."),
            ),
            PersonalData(
                "feed.acknowledgements", lazy("Announcements confirmed"), lazy("To show who has read what must be read."),
                choices.export_confirmed, choices.erase_confirmed, retention=lazy("As long as the announcement."),
            ),
            PersonalData(
                "feed.subscriptions", lazy("Addresses of the feed for programs"), lazy("To let a program read the feed."),
                choices.export_subscriptions, choices.erase_subscriptions, retention=lazy("As long as the account."),
            ),
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
    def rse_digest(self, session: Session, person_id: int, since: dt.datetime) -> Iterable[DigestLine]:
        from .digest import lines

        return lines(session, person_id, since)

    @hookimpl
    def rse_space_changed(self, change: SpaceChange, session: Session) -> None:
        from .spaces import changed

        changed(session, change)

    @hookimpl
    def rse_search_documents(self, session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
        from .objects import documents

        return documents(session, refs)
