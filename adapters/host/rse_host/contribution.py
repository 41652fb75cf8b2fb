"""What the adapter contributes to the core."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rse_core.api import Cli, Manifest, Plugin, Translations, hookimpl

from .config import HostConfig, read_section
from .i18n import lazy

if TYPE_CHECKING:
    from flask import Blueprint

    from .injector import Injector

HERE = Path(__file__).parent


class Host(Plugin):
    """Slots in the intranet's pages."""

    manifest = Manifest(
        name="host",
        label=lazy("In the intranet's pages"),
        description=lazy(
            "Brings reactions, comments and other slots to the pages of the existing intranet: "
            "one script tag, or fragments for readers without JavaScript."
        ),
        kind="adapter",
    )

    def __init__(self) -> None:
        self.config = HostConfig()
        self.prefix = "/rse"

    @hookimpl
    def rse_configure(self, settings: Any) -> None:
        self.config = read_section(settings)
        self.prefix = settings.url_prefix

    @hookimpl
    def rse_blueprints(self) -> Iterable[Blueprint]:
        from .views import make_blueprint

        return [make_blueprint()]

    @hookimpl
    def rse_host_injector(self) -> Injector:
        from .injector import Injector

        return Injector(self.config, self.prefix)

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_host")

    @hookimpl
    def rse_cli(self) -> Iterable[Cli]:
        from .cli import make_group

        return [Cli(make_group(lambda: (self.config, self.prefix)))]


plugin = Host()
