"""What the adapter contributes to the core: one source for each that is configured."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rse_core.api import HealthCheck, HealthResult, LegacySource, Manifest, Plugin, Publication, Translations, hookimpl
from rse_core.settings import Settings

from .config import SECRET, SourceConfig, read_section
from .i18n import _, lazy

HERE = Path(__file__).parent
Reader = Callable[[SourceConfig, Mapping[str, Any]], Generator[Publication, None, Mapping[str, Any]]]


class Content(Plugin):
    """The intranet's own news and pages: RSS and Atom, WordPress, MediaWiki, DokuWiki, sitemaps."""

    manifest = Manifest(
        name="content",
        label=lazy("Content of the intranet"),
        description=lazy("News and pages that the intranet publishes, read where it offers them."),
        kind="adapter",
    )

    def __init__(self) -> None:
        self.sources: tuple[SourceConfig, ...] = ()

    @hookimpl
    def rse_configure(self, settings: Settings) -> None:
        self.sources = read_section(settings)

    @hookimpl
    def rse_legacy_sources(self) -> Iterable[LegacySource]:
        return [
            LegacySource(
                f"content.{source.name}", source.label or source.name, partial(_reader(source.kind), source),
                every=source.every, first_days=source.first_days, max_items=max(source.max_items * 2, 1000),
            )
            for source in self.sources
        ]  # fmt: skip

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_content")

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        return [HealthCheck("content.configuration", lambda session: self._check())]

    def _check(self) -> HealthResult:
        plain = [
            f"{source.name}: {header}" for source in self.sources for header in source.headers if SECRET.search(header)
        ]  # fmt: skip
        unsafe = [source.name for source in self.sources if source.verify is False]
        if plain:
            return HealthResult(
                False, _("A secret stands in the configuration file (%(list)s).", list=", ".join(plain)),
                _("Put it into an environment variable and name that in secret_headers."),
            )  # fmt: skip
        if unsafe:
            return HealthResult(
                False, _("Certificates are not checked (%(list)s).", list=", ".join(unsafe)),
                _("Set verify to the file of the organisation's own authority."),
            )  # fmt: skip
        return HealthResult(True)


def _reader(kind: str) -> Reader:
    # What parses and asks is loaded when a source of the kind exists.
    if kind == "rss":
        from .rss import read
    elif kind == "wordpress":
        from .wordpress import read
    elif kind == "mediawiki":
        from .mediawiki import read
    elif kind == "dokuwiki":
        from .dokuwiki import read
    else:
        from .sitemap import read
    return read
