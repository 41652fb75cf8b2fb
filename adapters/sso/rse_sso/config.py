"""The section ``[sso]`` of ``rse.toml``: read once, strictly, into frozen rules."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlsplit

from marshmallow import RAISE, Schema, fields

from rse_core.api import ConfigError

from .headers import ANONYMOUS, HeaderRules
from .keys import valid_kid, weakness
from .peers import Peers
from .text import Encoding
from .token import MAX_AGE, TokenRules

if TYPE_CHECKING:
    from .cas_config import CasConfig
    from .oidc_config import OidcConfig
    from .saml.config import SamlConfig

SOURCES = ("header", "handoff", "oidc", "cas", "saml")
MAX_SKEW = 120

_TOP = (
    "sources", "login_url", "logout_url", "header", "handoff", "oidc", "cas", "saml",
    "proxy_secrets", "handoff_keys", "oidc_client_secret",
)  # fmt: skip
_HEADER = (
    "issuer", "user", "username", "name", "email", "attributes", "secret_header", "secrets", "peers",
    "in_process", "encoding", "anonymous",
)  # fmt: skip
_HANDOFF = (
    "issuer", "audience", "max_age", "clock_skew", "keys",
    "accept_header", "accept_cookie", "allow_cross_site",
)  # fmt: skip
_ENCODINGS = ("auto", "utf-8", "latin-1", "percent")
_HEADER_NAME = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_.]*", re.ASCII)


class SsoSchema(Schema):
    """The keys of ``[sso]``; its tables are read by :func:`parse_config`.

    ``proxy_secrets`` and ``handoff_keys`` repeat ``header.secrets`` and ``handoff.keys`` so that the
    environment can hold them: ``RSE_SSO_PROXY_SECRETS=a,b`` and ``RSE_SSO_HANDOFF_KEYS={"2026-11" = "…"}``.
    """

    class Meta:
        unknown = RAISE

    sources = fields.List(fields.String())
    login_url = fields.String()
    logout_url = fields.String()
    header = fields.Dict(keys=fields.String())
    handoff = fields.Dict(keys=fields.String())
    proxy_secrets = fields.List(fields.String())
    handoff_keys = fields.Dict(keys=fields.String(), values=fields.String())
    oidc = fields.Dict(keys=fields.String())
    cas = fields.Dict(keys=fields.String())
    saml = fields.Dict(keys=fields.String())
    oidc_client_secret = fields.String()


@dataclass(frozen=True)
class HandoffConfig:
    """The rules of tokens, and by which ways beside ``/rse/handoff`` they may come.

    :param allow_cross_site: follow hand-off links from foreign sites, for a sign-in portal on another domain.
    """

    rules: TokenRules
    accept_header: bool = False
    accept_cookie: bool = False
    allow_cross_site: bool = False


@dataclass(frozen=True)
class SsoConfig:
    """What is switched on. With nothing on, nobody is ever recognised.

    :param login_url: address of the intranet's sign-in; ``{return_to}`` stands for the way back.
    """

    header: HeaderRules | None = None
    handoff: HandoffConfig | None = None
    oidc: OidcConfig | None = None
    cas: CasConfig | None = None
    saml: SamlConfig | None = None
    login_url: str | None = None
    logout_url: str | None = None


def fill_url(template: str | None, return_to: str) -> str | None:
    """``https://portal/login?url={return_to}`` with the way back written in, percent-encoded."""
    return None if template is None else template.replace("{return_to}", quote(return_to, safe=""))


def parse_config(section: Mapping[str, Any]) -> SsoConfig:
    """Read ``[sso]``.

    :raises ConfigError: one sentence that names the key and the remedy; never the value of a secret.
    """
    _known(section, _TOP, "sso")
    sources = _texts(section, "sources", "sso")
    for source in sources:
        if source not in SOURCES:
            raise _wrong("sso.sources", f"names “{source}”", _nearest(source, SOURCES))
    header = _merged(_table(section, "header", "sso"), "secrets", section.get("proxy_secrets"))
    handoff = _merged(_table(section, "handoff", "sso"), "keys", section.get("handoff_keys"))
    return SsoConfig(
        oidc=_oidc(section) if "oidc" in sources else None,
        cas=_cas(section) if "cas" in sources else None,
        saml=_saml(section) if "saml" in sources else None,
        header=_header(header) if "header" in sources else None,
        handoff=_handoff(handoff) if "handoff" in sources else None,
        login_url=_url(section, "login_url"),
        logout_url=_url(section, "logout_url"),
    )


def read_section(settings: Any) -> SsoConfig:
    """Read ``[sso]`` of the core's settings, with ``RSE_SSO_*`` of the environment over it.

    :raises ConfigError: see :func:`parse_config`.
    """
    return parse_config(settings.section("sso", SsoSchema))


def _merged(table: Mapping[str, Any], key: str, value: Any) -> Mapping[str, Any]:
    # The environment's secrets take the place of the file's, they do not join them.
    return {**table, key: value} if value else table


def _oidc(section: Mapping[str, Any]) -> OidcConfig:
    from .oidc_config import parse_oidc

    return parse_oidc(_merged(_table(section, "oidc", "sso"), "client_secret", section.get("oidc_client_secret")))


def _cas(section: Mapping[str, Any]) -> CasConfig:
    from .cas_config import parse_cas

    return parse_cas(_table(section, "cas", "sso"))


def _saml(section: Mapping[str, Any]) -> SamlConfig:
    from .saml.config import parse_saml

    return parse_saml(_table(section, "saml", "sso"))


def _header(table: Mapping[str, Any]) -> HeaderRules:
    where = "sso.header"
    _known(table, _HEADER, where)
    in_process = _flag(table, "in_process", where)
    defaults = HeaderRules()
    names = {key: _text(table, key, where, None) for key in ("username", "name", "email")}
    attributes = {str(key): str(value) for key, value in _table(table, "attributes", where).items()}
    user = _text(table, "user", where, "REMOTE_USER" if in_process else defaults.user) or defaults.user
    secret_header = _text(table, "secret_header", where, None) or defaults.secret_header
    for name in filter(None, [user, *names.values(), *attributes.values(), secret_header]):
        _check_name(name, in_process and name != secret_header, where)
    encoding = _text(table, "encoding", where, "auto")
    if encoding not in _ENCODINGS:
        raise _wrong(f"{where}.encoding", f"is “{encoding}”", "Write auto, utf-8, latin-1 or percent.")
    try:
        peers = Peers.parse(_texts(table, "peers", where))
    except ValueError as error:
        raise _wrong(f"{where}.peers", "cannot be used", f"{error}.") from None
    secrets = tuple(_texts(table, "secrets", where))
    if in_process and (secrets or peers.networks or peers.unix):
        raise _wrong(
            f"{where}.in_process",
            "is set beside peers or secrets",
            "Keep in_process where RSE runs inside the web server or the host application, and peers with "
            "secrets where a proxy stands before it; the two exclude each other.",
        )
    if not in_process:
        if not secrets:
            raise _wrong(f"{where}.secrets", "is empty", "Make one with python -m rse_sso secret.")
        if not peers.networks and not peers.unix:
            raise _wrong(f"{where}.peers", "is empty", 'Name the proxy: peers = ["127.0.0.1"] or ["unix"].')
    for number, secret in enumerate(secrets, 1):
        _check_secret(secret, f"{where}.secrets (number {number})")
    return HeaderRules(
        issuer=_issuer(table, where, defaults.issuer),
        user=user,
        username=names["username"],
        name=names["name"],
        email=names["email"],
        attributes=attributes,
        secret_header=secret_header,
        secrets=secrets,
        peers=peers,
        in_process=in_process,
        encoding=cast(Encoding, encoding),
        anonymous=tuple(_texts(table, "anonymous", where)) if "anonymous" in table else ANONYMOUS,
    )


def _handoff(table: Mapping[str, Any]) -> HandoffConfig:
    where = "sso.handoff"
    _known(table, _HANDOFF, where)
    keys = {str(kid): secret for kid, secret in _table(table, "keys", where).items()}
    if not keys:
        raise _wrong(f"{where}.keys", "is empty", 'Add "2026-11" = "…", made with python -m rse_sso secret.')
    for kid, secret in keys.items():
        if not valid_kid(kid):
            raise _wrong(f"{where}.keys", "has a name that cannot be a kid", "Use letters, digits, . _ and -.")
        _check_secret(secret, f"{where}.keys.{kid}")
    if len(set(keys.values())) != len(keys):
        raise _wrong(f"{where}.keys", "has the same secret twice", "Each kid needs a secret of its own.")
    rules = TokenRules(
        keys=keys,
        issuer=_issuer(table, where, None),
        audience=_text(table, "audience", where, "rse") or "rse",
        max_age=_number(table, "max_age", where, MAX_AGE, low=5, high=MAX_AGE),
        clock_skew=_number(table, "clock_skew", where, 30, low=0, high=MAX_SKEW),
    )
    return HandoffConfig(
        rules=rules,
        accept_header=_flag(table, "accept_header", where),
        accept_cookie=_flag(table, "accept_cookie", where),
        allow_cross_site=_flag(table, "allow_cross_site", where),
    )


def _wrong(key: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(f"The setting {key} {what}.", remedy=remedy, plugin="sso")


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(known)}."


def _known(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise _wrong(f"{where}.{key}", "is not known", _nearest(str(key), known))


def _table(table: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, Mapping):
        raise _wrong(f"{where}.{key}", "is not a table", f"Write it under [{where}.{key}].")
    return value


def _texts(table: Mapping[str, Any], key: str, where: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise _wrong(f"{where}.{key}", "is not a list of texts", f'Write {key} = ["…"].')
    return list(value)


def _text(table: Mapping[str, Any], key: str, where: str, default: str | None) -> str | None:
    value = table.get(key, default)
    if value is not None and not isinstance(value, str):
        raise _wrong(f"{where}.{key}", "is not a text", f'Write {key} = "…".')
    return value.strip() or None if isinstance(value, str) else None


def _flag(table: Mapping[str, Any], key: str, where: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise _wrong(f"{where}.{key}", "is neither true nor false", f"Write {key} = true or {key} = false.")
    return value


def _number(table: Mapping[str, Any], key: str, where: str, default: int, *, low: int, high: int) -> int:
    value = table.get(key, default)
    if type(value) is not int or not low <= value <= high:
        raise _wrong(f"{where}.{key}", f"is not from {low} to {high} seconds", f"Write {key} = {default}.")
    return value


def _issuer(table: Mapping[str, Any], where: str, default: str | None) -> str:
    issuer = _text(table, "issuer", where, default)
    if issuer is None:
        raise _wrong(f"{where}.issuer", "is missing", 'Name who signs: issuer = "https://intranet.example".')
    if len(issuer) > 200 or not issuer.isprintable():
        raise _wrong(f"{where}.issuer", "is too long or not printable", "Write a short name or address.")
    return issuer


def _check_name(name: str, in_process: bool, where: str) -> None:
    if in_process:
        if _VARIABLE.fullmatch(name) is None or name.upper().startswith("HTTP_"):
            raise _wrong(
                where,
                f"names the variable “{name}”, which a client can write",
                "Name a variable of the server.",
            )
    elif _HEADER_NAME.fullmatch(name) is None:
        raise _wrong(
            where,
            f"names the header “{name}”",
            "Use letters, digits and hyphens: servers drop a name with an underscore, or merge it.",
        )
    elif name.lower() in _FORBIDDEN_HEADERS:
        raise _wrong(where, f"names the header “{name}”, which clients write", "Choose one of your own.")


_FORBIDDEN_HEADERS = frozenset(
    [
        "authorization", "cookie", "forwarded", "from", "host", "referer", "user-agent", "x-forwarded-for",
        "x-forwarded-host", "x-real-ip",
    ]
)  # fmt: skip


def _check_secret(secret: Any, where: str) -> None:
    problem = weakness(secret) if isinstance(secret, str) else "is not a text"
    if problem:
        message = f"The secret {where} {problem}."
        raise ConfigError(message, remedy="Make one with python -m rse_sso secret.", plugin="sso")


def _url(section: Mapping[str, Any], key: str) -> str | None:
    value = _text(section, key, "sso", None)
    if value is None:
        return None
    parts = urlsplit(value)
    local = value.startswith("/") and not value.startswith("//")
    if not local and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise _wrong(f"sso.{key}", "is no address", f'Write {key} = "https://portal.example/?url={{return_to}}".')
    return value
