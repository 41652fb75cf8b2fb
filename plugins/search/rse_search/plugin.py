"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rse_core.api import (
    Asset,
    Capability,
    Cli,
    Consumer,
    ContentType,
    HealthCheck,
    Job,
    Level,
    Manifest,
    Migrations,
    NavItem,
    ObjectRef,
    PersonalData,
    Plugin,
    SearchDocument,
    SlotItem,
    SpaceChange,
    TourStep,
    Translations,
    Viewer,
    hookimpl,
    translator,
)

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase, Session

    from rse_core.search import SearchBackend

HERE = Path(__file__).parent
_t = translator(__file__, "rse_search")
_, lazy = _t.gettext, _t.lazy


class Search(Plugin):
    """Search in posts, comments, spaces, people and pages, trimmed to what one may see."""

    manifest = Manifest(
        name="search",
        label=lazy("Search"),
        description=lazy("Find what one may see, as one types it."),
    )

    @hookimpl
    def rse_capabilities(self) -> Iterable[Capability]:
        return [
            Capability(
                "search.use",
                lazy("Search"),
                Level.REACT,
                description=lazy("Search in posts, comments, communities, people and pages that one may see."),
                writes=False,
            )
        ]

    @hookimpl
    def rse_content_types(self) -> Iterable[ContentType]:
        from .people import ids, resolve

        return [ContentType("search.person", lazy("person"), resolve, searchable=True, moderated=False, refs=ids)]

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from .models import Base

        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_search")

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
        return [NavItem("rse_search.page", lazy("Search"), order=80, capability="search.use", icon="search")]

    @hookimpl
    def rse_assets(self) -> Iterable[Asset]:
        return [Asset("rse_search.static", "search.css")]

    @hookimpl
    def rse_search_backend(self) -> SearchBackend:
        from .backend import TextSearch

        return TextSearch()

    @hookimpl
    def rse_consumers(self) -> Iterable[Consumer]:
        from . import indexing

        return [Consumer("search.index", ("*",), indexing.told)]

    @hookimpl
    def rse_jobs(self) -> Iterable[Job]:
        from . import indexing, people, rebuild

        return [
            Job("search.rebuild", rebuild.work),
            Job("search.look", indexing.look),
            Job("search.below", indexing.below),
            Job("search.again", indexing.again),
            Job("search.people", people.follow, every=120),
        ]

    @hookimpl
    def rse_space_changed(self, change: SpaceChange, session: Session) -> None:
        from .indexing import space_changed

        space_changed(session, change)

    @hookimpl
    def rse_search_documents(self, session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
        from .people import documents

        return documents(session, refs)

    @hookimpl
    def rse_slot_items(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
        from .slots import items

        return items(slot, refs, viewer, session)

    @hookimpl
    def rse_cli(self) -> Iterable[Cli]:
        from .cli import search

        return [Cli(search)]

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        from .health import check, repair

        return [HealthCheck("search.index", check, repair)]

    @hookimpl
    def rse_tour_steps(self) -> Iterable[TourStep]:
        from .guiding import steps

        return steps()

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from .personal import erase, export

        return [
            PersonalData(
                "search.documents",
                lazy("Search index"),
                lazy("To find people, and what they wrote, by those who may see it. What people search for is not kept."),
                export,
                erase,
                retention=lazy("As long as what it was made from."),
            )
        ]
