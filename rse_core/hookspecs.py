"""Every hook, typed, on one page.

*At start* the core asks one plugin at a time, into a staging object: an error quarantines that plugin and those that
need it. *At run time* each implementation is called on its own; one that raises is logged and skipped, one that keeps
failing is muted for a while. Implementations may leave out arguments that they do not use.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .plugin import hookspec

if TYPE_CHECKING:
    from flask import Blueprint
    from flask_smorest import Blueprint as RestBlueprint
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import DeclarativeBase, Session

    from .content import ObjectRef
    from .contributions import (
        Activity,
        Asset,
        Capability,
        Cli,
        Consumer,
        ContentType,
        DigestLine,
        DirectorySource,
        HealthCheck,
        Indicator,
        Job,
        LegacySource,
        LiveTopic,
        Migrations,
        NavItem,
        NotificationTransport,
        NotificationType,
        PersonalData,
        Review,
        SearchDocument,
        Setting,
        SlotItem,
        SpaceChange,
        TokenScope,
        Translations,
        Veto,
        Viewer,
    )
    from .guiding import Participation, TourStep, Tutorial
    from .identity import IdentitySource
    from .policy import Question
    from .responsibilities import Responsibility
    from .runtime import Core
    from .search import SearchBackend
    from .settings import Settings
    from .writings import Discarded, Finding, Writing


class Start:
    """Asked once, at start, of one plugin at a time."""

    @hookspec
    def rse_configure(self, settings: Settings) -> None:
        """Read your section of the configuration. Called first; raise ConfigError to be quarantined with that sentence."""

    @hookspec
    def rse_capabilities(self) -> Iterable[Capability]:
        """What people may do with this plugin."""

    @hookspec
    def rse_content_types(self) -> Iterable[ContentType]:
        """Kinds of object this plugin keeps."""

    @hookspec
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        """The plugin's declarative bases (usually one, from ``plugin_base``); imports the modules that define its tables."""

    @hookspec
    def rse_migrations(self) -> Migrations:
        """Where its Alembic scripts are."""

    @hookspec
    def rse_blueprints(self) -> Iterable[Blueprint]:
        """Pages, mounted below RSE's prefix; endpoint names begin with ``rse_<name>``."""

    @hookspec
    def rse_rest_blueprints(self) -> Iterable[RestBlueprint]:
        """REST resources (flask-smorest), mounted below ``api/v1``."""

    @hookspec
    def rse_nav_items(self) -> Iterable[NavItem]:
        """Entries of RSE's own navigation."""

    @hookspec
    def rse_assets(self) -> Iterable[Asset]:
        """Stylesheets and scripts."""

    @hookspec
    def rse_translations(self) -> Translations:
        """Its catalogue."""

    @hookspec
    def rse_settings_forms(self) -> Iterable[Setting]:
        """Settings a site administrator may change at run time."""

    @hookspec
    def rse_cli(self) -> Iterable[Cli]:
        """Commands added under ``rse``."""

    @hookspec
    def rse_jobs(self) -> Iterable[Job]:
        """Background jobs."""

    @hookspec
    def rse_consumers(self) -> Iterable[Consumer]:
        """Consumers of events."""

    @hookspec
    def rse_notification_types(self) -> Iterable[NotificationType]:
        """Kinds of notification it sends."""

    @hookspec
    def rse_notification_transports(self) -> Iterable[NotificationTransport]:
        """Ways by which notifications leave (mail, push)."""

    @hookspec
    def rse_activities(self) -> Iterable[Activity]:
        """Events that a feed may tell of."""

    @hookspec
    def rse_legacy_sources(self) -> Iterable[LegacySource]:
        """Sources of the intranet's own content; asked after ``rse_configure``, read by a job of the core."""

    @hookspec
    def rse_directory_sources(self) -> Iterable[DirectorySource]:
        """Directories of people, entities and groups; asked after ``rse_configure``, read by a command or by a job."""

    @hookspec
    def rse_token_scopes(self) -> Iterable[TokenScope]:
        """Scopes of access tokens for what is neither a page nor a REST resource; only administrators give them."""

    @hookspec
    def rse_live_topics(self) -> Iterable[LiveTopic]:
        """Kinds of thing whose changes pages may listen to."""

    @hookspec
    def rse_indicators(self) -> Iterable[Indicator]:
        """Indicators it defines."""

    @hookspec
    def rse_tour_steps(self) -> Iterable[TourStep]:
        """Steps of the tour that tells people what a level has opened to them."""

    @hookspec
    def rse_tutorials(self) -> Iterable[Tutorial]:
        """Short pages in Markdown that it brings, in French and in English."""

    @hookspec
    def rse_participation(self) -> Iterable[Participation]:
        """Ways to take part that it counts, for those who accompany an entity or a wave."""

    @hookspec
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        """Checks for ``rse doctor`` and ``/rse/readyz``."""

    @hookspec
    def rse_personal_data(self) -> Iterable[PersonalData]:
        """What it keeps about a person, for export and erasure."""

    @hookspec
    def rse_responsibilities(self) -> Iterable[Responsibility]:
        """What people answer for, and how it goes to somebody else once they have left."""

    @hookspec(firstresult=True)
    def rse_identity_source(self) -> IdentitySource | None:
        """Who is asking: the first plugin that answers decides."""

    @hookspec(firstresult=True)
    def rse_search_backend(self) -> SearchBackend | None:
        """What keeps the search index: the first plugin that answers."""

    @hookspec(firstresult=True)
    def rse_host_injector(self) -> Any | None:
        """How slots reach the intranet's pages: an object with ``wrap(wsgi_app) -> wsgi_app``."""


class Run:
    """Called while serving; each implementation isolated."""

    @hookspec
    def rse_slot_items(
        self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session
    ) -> Sequence[SlotItem]:
        """Markup for a batch of objects in one slot (``reactions``, ``comments`` …). Never called once per row."""

    @hookspec
    def rse_decide(self, question: Question) -> Veto | None:
        """Refuse an act that every rule of the core allows. Must not query the database. An error refuses writing."""

    @hookspec
    def rse_review(self, question: Question) -> Review | None:
        """Ask that what is written be held for a moderator. An error holds it."""

    @hookspec
    def rse_examine(self, writing: Writing, session: Session) -> Finding | None:
        """Look at a text that somebody writes or edits: hold it, refuse it, or note it. An error holds it."""

    @hookspec
    def rse_discarded(self, discarded: Discarded, session: Session) -> bool | None:
        """An object was deleted: True keeps it restorable for a time. An error lets it go."""

    @hookspec
    def rse_search_documents(self, session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
        """What the index should keep of these objects; none for those that must not be found."""

    @hookspec
    def rse_people_offered(self, session: Session, viewer_id: int) -> ColumnElement[bool] | None:
        """Whom somebody is offered where people are chosen (mentions, invitations): a condition on ``Person``, or None for
        all. Asked once for each list. An error offers nobody."""

    @hookspec
    def rse_photos(self, core: Core, source: str, photos: Mapping[int, bytes]) -> Mapping[int, str] | None:
        """The photos that a directory has of these few people, by id, ``b""`` where it has none; asked outside of any
        transaction. The answer: of those whose photo is another now ``""``, of those that cannot be used why. An error
        leaves them until everything is read again."""

    @hookspec
    def rse_digest(self, session: Session, person_id: int, since: dt.datetime) -> Iterable[DigestLine]:
        """What is worth reading since then, for this person's digest: only what they may see, the best first, few."""

    @hookspec
    def rse_space_changed(self, change: SpaceChange, session: Session) -> None:
        """What stands in a space has another audience now, or another space: change your rows, in this transaction and
        set by set. An error undoes the whole change, so that nothing stays visible to whom it no longer is for."""

    @hookspec
    def rse_enabled(self, session: Session) -> None:
        """The plugin was switched on for the site."""

    @hookspec
    def rse_disabled(self, session: Session) -> None:
        """The plugin was switched off for the site; its data stays."""

    @hookspec
    def rse_purge(self, session: Session) -> None:
        """Its data has been exported and is about to be dropped."""

    @hookspec
    def rse_ready(self, app: Any) -> None:
        """Everything is assembled; called once, before the first request."""
