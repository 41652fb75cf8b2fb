"""The section ``[content]`` of ``rse.toml``: a list of sources, each checked by the schema of its kind."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, validate
from marshmallow import fields as f

from rse_core.api import ConfigError
from rse_core.settings import Settings, check_origin, load_checked

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}\Z")
AUDIENCE = re.compile(r"everyone\Z|(?:entity|group):.{1,120}\Z")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
#: What a header whose value should not stand in a file is called.
SECRET = re.compile(r"authorization|cookie|token|secret|api-?key", re.IGNORECASE)


@dataclass(frozen=True)
class SourceConfig:
    """One source as configured.

    :param url: address of the feed, of the sitemap, or of the wiki or site.
    :param every: seconds between two readings.
    :param audience: ``everyone``, ``entity:KEY`` or ``group:KEY``; None makes links only.
    :param entity: key of the entity that publishes all of it; ``entities`` maps names of authors and categories to keys.
    :param section: path of the section that its pages stand in.
    :param secret_headers: header → environment variable that holds its value.
    :param timeout: seconds that one answer may take from the first byte sent to the last received.
    :param max_items: most pages taken in one pass.
    :param max_bytes: longest answer, unpacked.
    :param verify: False trusts any certificate; a path is a file of trusted authorities.
    :param first_days: older than this when first read is not news.
    :param site: name of the legacy site that its pages are of; "" is the main intranet.
    :param origins: further origins by which the intranet calls itself in this source, or redirects to.
    """

    name: str
    kind: str
    url: str
    label: str = ""
    every: int = 300
    audience: str | None = None
    entity: str | None = None
    entities: Mapping[str, str] = field(default_factory=dict)
    section: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, str] = field(default_factory=dict)
    timeout: int = 20
    max_items: int = 2000
    max_bytes: int = 4_000_000
    verify: bool | str = True
    first_days: int = 30
    site: str = ""
    origins: tuple[str, ...] = ()
    types: tuple[str, ...] = ("posts", "pages")
    namespaces: tuple[Any, ...] = ()
    under: tuple[str, ...] = ()
    not_under: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Of what decides how a page is taken in: when it changes, everything is read anew."""
        names = ("kind", "url", "audience", "entity", "entities", "section", "site", "origins", "types", "namespaces",
                 "under", "not_under")  # fmt: skip
        told = json.dumps([getattr(self, name) for name in names], default=list, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


class SourceSchema(Schema):
    """What sources of every kind take."""

    class Meta:
        unknown = RAISE

    name = f.String(required=True, validate=validate.Regexp(NAME, error="Use lower-case letters, digits, - and _."))
    kind = f.String(required=True)
    url = f.String(required=True)
    label = f.String()
    every = f.Integer(validate=validate.Range(30, 7 * 86_400))
    audience = f.String(validate=validate.Regexp(AUDIENCE, error="Write everyone, entity:KEY or group:KEY."))
    entity = f.String(validate=validate.Length(1, 120))
    entities = f.Dict(keys=f.String(), values=f.String())
    section = f.String(validate=validate.Regexp(r"/", error="Write it as a path, /news."))
    headers = f.Dict(keys=f.String(), values=f.String())
    secret_headers = f.Dict(keys=f.String(), values=f.String())
    timeout = f.Integer(validate=validate.Range(1, 120))
    max_items = f.Integer(validate=validate.Range(1, 100_000))
    max_bytes = f.Integer(validate=validate.Range(1_000, 100_000_000))
    verify = f.Raw()
    first_days = f.Integer(validate=validate.Range(0, 3650))
    site = f.String()
    origins = f.List(f.String())


class RssSchema(SourceSchema):
    """RSS and Atom."""


class WordPressSchema(SourceSchema):
    """WordPress: which types of its REST interface are read."""

    types = f.List(f.String(validate=validate.Regexp(r"[a-z0-9_-]{1,40}\Z")), validate=validate.Length(1, 10))


class MediaWikiSchema(SourceSchema):
    """MediaWiki: numbers of the namespaces that are read, 0 when not said."""

    namespaces = f.List(f.Integer(validate=validate.Range(0, 10_000)), validate=validate.Length(1, 20))


class DokuWikiSchema(SourceSchema):
    """DokuWiki: the namespaces that are read, each without those below it; the root when not said."""

    namespaces = f.List(f.String(validate=validate.Regexp(r"[\w.:-]{0,100}\Z")), validate=validate.Length(1, 50))


class SitemapSchema(SourceSchema):
    """Sitemap: beginnings of the paths that are taken, and of those that are not."""

    under = f.List(f.String(validate=validate.Regexp(r"/", error="Begin it with /.")))
    not_under = f.List(f.String(validate=validate.Regexp(r"/", error="Begin it with /.")))


KINDS: Mapping[str, type[SourceSchema]] = {
    "rss": RssSchema, "wordpress": WordPressSchema, "mediawiki": MediaWikiSchema, "dokuwiki": DokuWikiSchema,
    "sitemap": SitemapSchema,
}  # fmt: skip


class ContentSchema(Schema):
    """The keys of ``[content]``."""

    class Meta:
        unknown = RAISE

    sources = f.List(f.Dict(keys=f.String()), load_default=list)


def read_section(settings: Settings) -> tuple[SourceConfig, ...]:
    """The sources that ``[content]`` names.

    :raises ConfigError: names the source, the key and the nearest known one.
    """
    section = settings.section("content", ContentSchema)
    found: dict[str, SourceConfig] = {}
    for number, raw in enumerate(section["sources"], 1):
        source = _source(raw, number)
        if source.name in found:
            raise _wrong(source.name, "name", "stands twice", "Give each source a name of its own.")
        if source.site and source.site not in settings.legacy_sites:
            known = ", ".join(settings.legacy_sites) or "none"
            raise _wrong(source.name, "site", f"names “{source.site}”", f"Name one of legacy_sites: {known}.")
        # By the intranet's own origins it may call itself anywhere.
        own = settings.legacy_sites[source.site] if source.site else settings.legacy_origins
        found[source.name] = replace(source, origins=tuple(dict.fromkeys((*source.origins, *own))))
    return tuple(found.values())


def _source(raw: Mapping[str, Any], number: int) -> SourceConfig:
    name = str(raw.get("name") or f"number {number}")
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, n=1)
        hint = f"Did you mean “{near[0]}”?" if near else f"Use one of {', '.join(KINDS)}."
        raise _wrong(name, "kind", f"is “{kind}”" if kind else "is missing", hint)
    data = load_checked(KINDS[kind], raw, where=f"[[content.sources]] {name}")
    _check_url(name, data["url"])
    for origin in data.get("origins", ()):
        check_origin(origin)
    for header, variable in data.get("secret_headers", {}).items():
        if not VARIABLE.match(variable):
            raise _wrong(
                name, "secret_headers", f"gives {header} something that is no name of an environment variable",
                "Write the variable's name, and put the secret into the variable.",
            )  # fmt: skip
    verify = data.get("verify", True)
    if not isinstance(verify, bool) and not (isinstance(verify, str) and Path(verify).is_file()):
        raise _wrong(name, "verify", f"is “{verify}”", "Write true, false or the path of a file of certificates.")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
    return SourceConfig(**values)


def _check_url(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        ok = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        ok = False
    if not ok:
        raise _wrong(name, "url", f"is “{url[:100]}”", "Write the whole address, https://intranet.example/feed.")
    if parts.username or parts.password:
        raise _wrong(
            name, "url", "holds a name or a password", 'Use secret_headers = {Authorization = "NAME_OF_A_VARIABLE"}.'
        )


def _wrong(name: str, key: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(f"[[content.sources]] {name}: “{key}” {what}.", remedy=remedy)


__all__ = ["KINDS", "SECRET", "SourceConfig", "read_section"]
