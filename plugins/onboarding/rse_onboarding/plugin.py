"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rse_core.api import (
    Asset,
    Capability,
    ContentType,
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
    Translations,
    Tutorial,
    Viewer,
    hookimpl,
    translator,
)

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase, Session

HERE = Path(__file__).parent
_t = translator(__file__, "rse_onboarding")
_, lazy = _t.gettext, _t.lazy


class Onboarding(Plugin):
    """A tour when a level opens, tutorials, and figures for those who accompany their colleagues."""

    manifest = Manifest(
        name="onboarding",
        label=lazy("First steps"),
        description=lazy("What a newly opened level lets people do: a tour, tutorials, figures for those who accompany."),
    )

    @hookimpl
    def rse_capabilities(self) -> Iterable[Capability]:
        from .tutorials import READS

        tour = Capability(
            "onboarding.tour", lazy("Be shown what has opened"), Level.REACT, writes=False,
            description=lazy("A short tour when a level opens, and the page “What I can do”."),
        )  # fmt: skip
        return [
            tour,
            *(
                Capability(key, lazy("Read the tutorials of the level “%(level)s”", level=level.label), level, writes=False)
                for level, key in READS.items()
            ),
        ]

    @hookimpl
    def rse_content_types(self) -> Iterable[ContentType]:
        from .objects import types

        return types()

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from .models import Base

        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_onboarding")

    @hookimpl
    def rse_blueprints(self) -> Iterable[Blueprint]:
        from .editing_views import blueprint as editing
        from .tutorial_views import blueprint as tutorials
        from .views import blueprint

        return [blueprint, tutorials, editing]

    @hookimpl
    def rse_rest_blueprints(self) -> Iterable[Any]:
        from .rest import blueprint

        return [blueprint]

    @hookimpl
    def rse_assets(self) -> Iterable[Asset]:
        return [
            Asset("rse_onboarding.static", "onboarding.css"),
            Asset("rse_onboarding.static", "tour.js", kind="js"),
        ]

    @hookimpl
    def rse_nav_items(self) -> Iterable[NavItem]:
        return [
            NavItem(
                "rse_onboarding.index", lazy("What I can do"), order=10, capability="onboarding.tour", icon="lightbulb",
                area="me",
            ),
            NavItem(
                "rse_onboarding_tutorials.index", lazy("Tutorials"), order=15, capability="onboarding.tour",
                icon="book-open", area="me",
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_settings_forms(self) -> Iterable[Setting]:
        from .options import settings

        return settings()

    @hookimpl
    def rse_jobs(self) -> Iterable[Job]:
        from .telling import jobs

        return jobs()

    @hookimpl
    def rse_notification_types(self) -> Iterable[NotificationType]:
        from .telling import notification_types

        return notification_types()

    @hookimpl
    def rse_tutorials(self) -> Iterable[Tutorial]:
        return [
            Tutorial("onboarding.levels", Level.REACT, HERE / "tutorials", order=10),
            Tutorial("onboarding.good_comment", Level.COMMENT, HERE / "tutorials", order=20),
        ]

    @hookimpl
    def rse_search_documents(self, session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
        from .objects import documents

        return documents(session, refs)

    @hookimpl
    def rse_slot_items(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
        from .slots import items

        return items(slot, refs, viewer, session)

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from .personal import erase, export

        return [
            PersonalData(
                "onboarding.notes",
                lazy("Tutorials"),
                lazy("To find again what one has done. Others see numbers alone."),
                export,
                erase,
                retention=lazy("Until the person removes it or is erased."),
            )
        ]
