"""What the plugin contributes. Modules are imported where they are needed, so that the command line stays quick."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rse_core.api import (
    Asset,
    Capability,
    Level,
    Manifest,
    Migrations,
    NavItem,
    ObjectRef,
    PersonalData,
    Plugin,
    SlotItem,
    Translations,
    Viewer,
    hookimpl,
    translator,
)

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase, Session

HERE = Path(__file__).parent
lazy = translator(__file__, "rse_bookmarks").lazy


class Bookmarks(Plugin):
    """A button under a page, and a list of what was kept."""

    manifest = Manifest(
        name="bookmarks",
        label=lazy("Bookmarks"),
        description=lazy("Keep pages of the intranet, and what people write, for later."),
    )

    @hookimpl
    def rse_capabilities(self) -> Iterable[Capability]:
        # It leaves no trace that others see: no charter is asked for, and reading goes on when a check fails.
        return [Capability("bookmarks.keep", lazy("Keep a page"), Level.REACT, writes=False)]

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from .models import Base

        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_bookmarks")

    @hookimpl
    def rse_blueprints(self) -> Iterable[Blueprint]:
        from .views import blueprint

        return [blueprint]

    @hookimpl
    def rse_assets(self) -> Iterable[Asset]:
        return [Asset("rse_bookmarks.static", "bookmarks.css")]

    @hookimpl
    def rse_nav_items(self) -> Iterable[NavItem]:
        return [NavItem("rse_bookmarks.index", lazy("Bookmarks"), order=70, icon="bookmark", area="me")]

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from .personal import erase, export

        return [
            PersonalData(
                "bookmarks.kept",
                lazy("Bookmarks"),
                lazy("To find again what a person wanted to keep; nobody else sees it."),
                export,
                erase,
                retention=lazy("Until it is removed or the account is erased."),
            )
        ]

    @hookimpl
    def rse_slot_items(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
        from .slots import items

        return items(slot, refs, viewer, session)
