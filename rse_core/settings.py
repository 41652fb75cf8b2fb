"""Configuration: ``RSE_*`` environment variables over ``rse.toml``; an unknown key is an error that names the nearest.

The file is ``rse.toml`` in the working folder, or the one that ``RSE_CONFIG`` names. A plugin's own keys stand in a table
of its name, ``[sso]``; the plugin checks them with :meth:`Settings.section`.
"""

from __future__ import annotations

import datetime as dt
import difflib
import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from .errors import ConfigError
from .workdays import CALENDARS

INFORM_SHOWS = ("nothing", "counts", "all")
JOBS = ("auto", "embedded", "procrastinate")


class _Day(fields.Date):
    """A date as TOML writes it, or as text."""

    def _deserialize(self, value: Any, *arguments: Any, **more: Any) -> dt.date:
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        return super()._deserialize(value, *arguments, **more)


class SettingsSchema(Schema):
    """Every key of the core, in ``rse.toml`` as written and in the environment as ``RSE_<KEY>``."""

    class Meta:
        unknown = RAISE

    database_url = fields.String(load_default="sqlite:///rse.db")
    secret_key = fields.String(load_default="")
    url_prefix = fields.String(load_default="/rse")
    legacy_origins = fields.List(fields.String(), load_default=list)
    #: further intranets beside the main one: name → origins; their pages are ``page:<name>:<address>``
    legacy_sites = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), load_default=dict)
    #: query parameters that do name a page (``p`` of WordPress, ``id_article`` of SPIP …); all others are dropped
    page_parameters = fields.List(
        fields.String(),
        load_default=lambda: ["p", "page_id", "id", "id_article", "id_rubrique", "page", "title", "curid", "oldid"],
    )
    default_locale = fields.String(load_default="fr", validate=validate.OneOf(("fr", "en")))
    timezone = fields.String(load_default="Europe/Paris")
    site_name = fields.String(load_default="")
    inform_shows = fields.String(load_default="nothing", validate=validate.OneOf(INFORM_SHOWS))
    identity_key = fields.String(load_default="username", validate=validate.OneOf(("username", "external_id", "none")))
    strict = fields.Boolean(load_default=False)
    safe_mode = fields.Boolean(load_default=False)
    disabled_plugins = fields.List(fields.String(), load_default=list)
    jobs = fields.String(load_default="auto", validate=validate.OneOf(JOBS))
    worker = fields.Boolean(load_default=True)
    #: ``rse live`` runs on PostgreSQL, and the web server passes ``/rse/live`` on to it
    live = fields.Boolean(load_default=False)
    rate_limit_storage = fields.String(load_default="memory://")
    session_cookie = fields.String(load_default="rse_session")
    session_hours = fields.Integer(load_default=12, validate=validate.Range(1, 24 * 31))
    #: whether people make access tokens for themselves; administrators make them by command in any case
    personal_tokens = fields.Boolean(load_default=True)
    secure_cookies = fields.Boolean(load_default=True)
    max_body = fields.Integer(load_default=1_048_576, validate=validate.Range(1024))
    #: what people bring is kept below it (``files/``); empty: in a folder beside the SQLite database
    data_dir = fields.String(load_default="")
    #: megabytes of one file, files of one object, megabytes that one person may bring within a day
    max_file = fields.Integer(load_default=20, validate=validate.Range(1, 200))
    max_files = fields.Integer(load_default=10, validate=validate.Range(1, 50))
    file_quota = fields.Integer(load_default=200, validate=validate.Range(1, 10_000))
    #: the intranet's look around our own pages: an address on the intranet (``{lang}`` is the language) or a file, the place
    #: of our content in it, and the other origins that its stylesheets, scripts, pictures and fonts come from
    layout = fields.String(load_default="")
    layout_marker = fields.String(load_default="")
    layout_sources = fields.List(fields.String(), load_default=list)
    #: a stylesheet of ``--rse-*`` properties, linked last; a table ``[theme]`` does the same
    theme = fields.String(load_default="")
    #: months for which what single people did is kept, under pseudonyms, to count from; finished figures stay
    indicator_months = fields.Integer(load_default=36, validate=validate.Range(2, 120))
    #: which days are no working days beside Saturdays and Sundays: a calendar of public holidays, and days of one's own
    holiday_calendar = fields.String(load_default="none", validate=validate.OneOf(CALENDARS))
    holidays = fields.List(_Day(), load_default=list)


#: tables of the file that are the core's own; every other is a plugin's
OWN_TABLES = frozenset({"theme"})
_LISTS = ("legacy_origins", "page_parameters", "disabled_plugins", "layout_sources", "holidays")


@dataclass(frozen=True)
class Settings:
    """The configuration in force; attributes as in :class:`SettingsSchema`, plugins' tables in ``sections``."""

    database_url: str = "sqlite:///rse.db"
    secret_key: str = ""
    url_prefix: str = "/rse"
    legacy_origins: tuple[str, ...] = ()
    legacy_sites: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    page_parameters: tuple[str, ...] = ("p", "page_id", "id", "id_article", "id_rubrique", "page", "title", "curid", "oldid")
    default_locale: str = "fr"
    timezone: str = "Europe/Paris"
    site_name: str = ""
    inform_shows: str = "nothing"
    identity_key: str = "username"
    strict: bool = False
    safe_mode: bool = False
    disabled_plugins: tuple[str, ...] = ()
    jobs: str = "auto"
    worker: bool = True
    live: bool = False
    rate_limit_storage: str = "memory://"
    session_cookie: str = "rse_session"
    session_hours: int = 12
    personal_tokens: bool = True
    secure_cookies: bool = True
    max_body: int = 1_048_576
    data_dir: str = ""
    max_file: int = 20
    max_files: int = 10
    file_quota: int = 200
    layout: str = ""
    layout_marker: str = ""
    layout_sources: tuple[str, ...] = ()
    theme: str = ""
    indicator_months: int = 36
    holiday_calendar: str = "none"
    holidays: tuple[dt.date, ...] = ()
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def section(self, name: str, schema: type[Schema] | None = None) -> dict[str, Any]:
        """A plugin's own table, checked by its schema; ``RSE_<NAME>_<KEY>`` in the environment comes over the file.

        :raises ConfigError: names the key and the nearest known one.
        """
        found = dict(self.sections.get(name, {}))
        if schema is None:
            return found
        known = schema().fields
        for key in known:
            variable = f"RSE_{name}_{key}".upper()
            if variable in os.environ:
                found[key] = _from_environment(known[key], os.environ[variable])
        return load_checked(schema, found, where=f"[{name}]")

    @classmethod
    def load(
        cls, environ: Mapping[str, str] | None = None, path: str | Path | None = None, **overrides: Any
    ) -> Settings:
        """Read the file, then the environment, then ``overrides`` (keyword arguments, for tests and embedding).

        :raises ConfigError: for a file that cannot be read, an unknown key or a bad value.
        """
        environ = os.environ if environ is None else environ
        raw = _read_file(environ, path)
        tables = {k: v for k, v in raw.items() if isinstance(v, dict) and k != "legacy_sites"}
        plain = {k: v for k, v in raw.items() if k not in tables}
        known = SettingsSchema().fields
        for key in known:
            if (text := environ.get(f"RSE_{key}".upper())) is not None and text != "":
                plain[key] = _from_environment(known[key], text)
        plain.update(overrides)
        data = load_checked(SettingsSchema, plain, where="rse.toml")
        for name in _LISTS:
            data[name] = tuple(data[name])
        data["legacy_sites"] = {k: tuple(v) for k, v in data["legacy_sites"].items()}
        data["url_prefix"] = _prefix(data["url_prefix"])
        for origin in (*data["legacy_origins"], *(o for some in data["legacy_sites"].values() for o in some)):
            check_origin(origin)
        for origin in data["layout_sources"]:
            check_origin(origin, "layout_sources")
        return cls(**data, sections=tables)

    def key(self) -> bytes:
        """The secret that signs sessions.

        :raises ConfigError: when none is set; there is no default, so that none can be guessed.
        """
        if len(self.secret_key) < 16:
            raise ConfigError(
                "RSE_SECRET_KEY is missing or shorter than 16 characters.",
                remedy=f"Set it to a long random text, for example RSE_SECRET_KEY={secrets.token_urlsafe(32)}",
            )
        return self.secret_key.encode()


def load_checked(schema: type[Schema], data: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """Load by a schema; errors become one ConfigError that names the key and the nearest known one."""
    known = list(schema().fields)
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"Did you mean “{near[0]}”?" if near else f"Known keys: {', '.join(sorted(known)) or 'none'}."
            raise ConfigError(f"{where}: the key “{key}” is unknown.", remedy=hint)
    try:
        return dict(schema().load(data))
    except ValidationError as error:
        key, messages = next(iter(dict(error.messages_dict).items()))
        text = messages[0] if isinstance(messages, list) else str(messages)
        raise ConfigError(f"{where}: the value of “{key}” cannot be used: {text}") from None


def check_origin(origin: str, key: str = "legacy_origins") -> None:
    """:raises ConfigError: unless it is ``scheme://host[:port]`` with nothing behind."""
    try:
        parts = urlsplit(origin)
        ok = parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/")
        ok = ok and not (parts.query or parts.fragment or parts.username) and (parts.port is None or parts.port > 0)
        # It is written into the header that says what a page may load.
        ok = ok and not any(char in origin for char in " ;,*'\"\t\r\n")
    except ValueError:
        ok = False
    if not ok:
        raise ConfigError(
            f"{key}: “{origin}” is not an origin.", remedy="Write https://intranet.example, without a path."
        )


def _prefix(text: str) -> str:
    cleaned = "/" + text.strip("/")
    if any(c in cleaned for c in "?#%\\ \"'<>") or cleaned == "/":
        raise ConfigError(f"url_prefix: “{text}” cannot be used.", remedy="Write a path such as /rse.")
    return cleaned


def _read_file(environ: Mapping[str, str], path: str | Path | None) -> dict[str, Any]:
    named = path or environ.get("RSE_CONFIG")
    file = Path(named) if named else Path("rse.toml")
    if not file.exists():
        if named:
            raise ConfigError(f"The configuration file {file} does not exist.", remedy="Check RSE_CONFIG.")
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {file} cannot be read: {error}.") from None


def _from_environment(kind: fields.Field[Any], text: str) -> Any:
    if isinstance(kind, fields.List):
        return [part.strip() for part in text.split(",") if part.strip()]
    if isinstance(kind, fields.Dict):
        return tomllib.loads(f"value = {text}")["value"]
    return text
