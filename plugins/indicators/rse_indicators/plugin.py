"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rse_core.api import (
    BadInput,
    Cli,
    Manifest,
    Migrations,
    NavItem,
    Plugin,
    Setting,
    Translations,
    hookimpl,
    translator,
)

from . import access

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase

HERE = Path(__file__).parent
_t = translator(__file__, "rse_indicators")
_, lazy = _t.gettext, _t.lazy
NEXT_STEPS = "indicators.next_steps"


class Indicators(Plugin):
    """Figures of who comes and who takes part: pages, files, REST, the command ``rse indicators``."""

    manifest = Manifest(
        name="indicators",
        label=lazy("Indicators"),
        description=lazy("Who comes and who takes part, by entity, wave, level, group and space; nobody is found out."),
    )

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from .models import Base

        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_indicators")

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
            NavItem(
                "rse_indicators.overview", lazy("Indicators"), order=90, icon="layers", area="admin",
                shown=access.administers,
            ),
            NavItem(
                "rse_indicators.mine", lazy("Figures of my spaces and my wave"), order=80, icon="layers", area="me",
                shown=access.sees_something,
            ),
            NavItem("rse_indicators.space", lazy("Figures"), order=90, icon="layers", area="space", shown_in=access.runs),
        ]  # fmt: skip

    @hookimpl
    def rse_settings_forms(self) -> Iterable[Setting]:
        return [
            Setting(
                access.AMBASSADORS, lazy("Group of the ambassadors"), "ambassadors", _key,
                help=lazy("The id of the group whose members see the counts of their wave, as managers do."),
            ),
            Setting(
                NEXT_STEPS, lazy("What managers and ambassadors can do next"), [], _steps, kind="json",
                help=lazy("A list of {\"label\": …, \"url\": …}: a webinar, a tutorial, a message that is ready to send."),
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_cli(self) -> Iterable[Cli]:
        from .commands import indicators

        return [Cli(indicators)]


def _key(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 120:
        raise BadInput(_("Give the id of a group."))
    return value.strip()


def _steps(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list) or len(value) > 20:
        raise BadInput(_("Give a list of at most 20 steps."))
    found = []
    for one in value:
        label, url = (one.get("label"), one.get("url")) if isinstance(one, dict) else (None, None)
        if not isinstance(label, str) or not isinstance(url, str) or not label.strip():
            raise BadInput(_("Each step has a label and a url."))
        if not url.startswith(("https://", "http://", "/", "mailto:")) or url.startswith("//"):
            raise BadInput(_("“%(url)s” is no address that can be opened.", url=url[:80]))
        found.append((label.strip()[:200], url))
    return tuple(found)
