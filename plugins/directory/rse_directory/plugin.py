"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rse_core.api import (
    Asset,
    Capability,
    Cli,
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
    TourStep,
    Translations,
    Viewer,
    hookimpl,
    translator,
)

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import DeclarativeBase, Session

    from rse_core.api import Core

HERE = Path(__file__).parent
_t = translator(__file__, "rse_directory")
_, lazy = _t.gettext, _t.lazy


class Directory(Plugin):
    """The directory of people."""

    manifest = Manifest(
        name="directory",
        label=lazy("Directory"),
        description=lazy("Find people, what they do and what they know."),
    )

    @hookimpl
    def rse_capabilities(self) -> Iterable[Capability]:
        return [
            Capability(
                "directory.see", lazy("See the directory"), Level.INFORM, writes=False,
                description=lazy("Search people and see their profiles."),
            ),
            Capability(
                "directory.edit", lazy("Fill in one's profile"), Level.INFORM,
                description=lazy("Write what one does and knows, and choose to whom it is shown."),
            ),
            Capability(
                "directory.endorse", lazy("Confirm expertise"), Level.REACT,
                description=lazy("Confirm what a colleague says they know."),
            ),
            Capability(
                "directory.ask", lazy("Ask an expert"), Level.COMMENT,
                description=lazy("Ask somebody a question for their expertise."),
            ),
            Capability(
                "directory.export", lazy("Take out lists of people"), Level.INFORM, writes=False,
                description=lazy("For those who administer the site or an entity: the directory as a file."),
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_content_types(self) -> Iterable[ContentType]:
        from . import access, objects, photos, skills

        return [
            ContentType(
                "directory.person", lazy("person"), objects.resolve, searchable=True, refs=objects.listed,
                reads="directory.see", among=access.among, beyond=access.beyond,
            ),
            ContentType(
                photos.PHOTO, lazy("photo"), photos.resolve_photos, moderated=False, reads="directory.see"
            ),
            ContentType(skills.QUESTION, lazy("question"), objects.resolve_questions, moderated=False),
        ]  # fmt: skip

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from .models import Base

        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_directory")

    @hookimpl
    def rse_blueprints(self) -> Iterable[Blueprint]:
        from .views import blueprint

        return [blueprint]

    @hookimpl
    def rse_rest_blueprints(self) -> Iterable[Any]:
        from .rest import blueprint

        return [blueprint]

    @hookimpl
    def rse_nav_items(self) -> Iterable[NavItem]:
        return [
            NavItem("rse_directory.page", lazy("Directory"), order=40, capability="directory.see", icon="contact"),
            NavItem("rse_directory.edit", lazy("My profile"), order=20, capability="directory.edit", icon="user", area="me"),
        ]

    @hookimpl
    def rse_assets(self) -> Iterable[Asset]:
        return [Asset("rse_directory.static", "directory.css")]

    @hookimpl
    def rse_settings_forms(self) -> Iterable[Setting]:
        from .options import settings

        return settings()

    @hookimpl
    def rse_consumers(self) -> Iterable[Consumer]:
        from . import indexing

        return [Consumer("directory.people", ("people.disabled", "people.enabled"), indexing.told)]

    @hookimpl
    def rse_jobs(self) -> Iterable[Job]:
        from . import indexing, limits

        return [
            Job("directory.follow", indexing.follow, every=120),
            Job("directory.follow_more", indexing.follow),
            Job("directory.prune", limits.prune, every=3600),
        ]

    @hookimpl
    def rse_notification_types(self) -> Iterable[NotificationType]:
        from .options import notification_types

        return notification_types()

    @hookimpl
    def rse_indicators(self) -> Iterable[Indicator]:
        return [
            Indicator(
                "directory.completion", lazy("Profiles filled in"),
                lazy("People who have filled in at least half of their profile by the end of the period: a text, "
                     "experience, projects, languages, expertise. What was emptied later still counts."),
                ("directory.profile_filled",), ever=True,
            )
        ]  # fmt: skip

    @hookimpl
    def rse_search_documents(self, session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
        from .objects import documents

        return documents(session, refs)

    @hookimpl
    def rse_people_offered(self, session: Session, viewer_id: int) -> ColumnElement[bool] | None:
        from .access import offered

        return offered(session, viewer_id)

    @hookimpl
    def rse_photos(self, core: Core, source: str, photos: Mapping[int, bytes]) -> Mapping[int, str]:
        from .photos_taken import take

        return take(core, source, photos)

    @hookimpl
    def rse_slot_items(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
        from .slots import items

        return items(slot, refs, viewer, session)

    @hookimpl
    def rse_cli(self) -> Iterable[Cli]:
        from .cli import directory

        return [Cli(directory)]

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        from .health import check, repair

        return [HealthCheck("directory.index", check, repair)]

    @hookimpl
    def rse_tour_steps(self) -> Iterable[TourStep]:
        from .guiding import steps

        return steps()

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from .personal import erase, export

        return [
            PersonalData(
                "directory.profile",
                lazy("Profile, expertise and questions"),
                lazy("To be found by colleagues for what one does and knows; whose profiles one opens is kept for a day."),
                export,
                erase,
                retention=lazy("Until the person removes it or is erased."),
            )
        ]
