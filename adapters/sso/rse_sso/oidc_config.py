"""The table ``[sso.oidc]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .config import _flag, _issuer, _known, _number, _table, _text, _texts, _wrong
from .outgoing import Limits, may_be_asked

ALGORITHMS = ("RS256", "ES256", "PS256", "RS384", "RS512", "ES384", "ES512")
KEYS = (
    "issuer", "client_id", "client_secret", "client_secret_file", "private_key_file", "private_key_id", "redirect_uri",
    "scopes", "algorithms", "identifier", "name", "email", "attributes", "clock_skew", "timeout", "ca_file",
    "end_session", "auth_method",
)  # fmt: skip
_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")


@dataclass(frozen=True)
class OidcConfig:
    """What is known of the provider and of ourselves there.

    :param identifier: the claim that names the imported person at a first visit, ``None``: the subject itself.
    :param end_session: signing out here signs out there too, where the provider offers it.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    auth_method: str
    client_secret: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    private_key_id: str | None = None
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    algorithms: tuple[str, ...] = ("RS256",)
    identifier: str | None = "preferred_username"
    name: str | None = "name"
    email: str | None = "email"
    attributes: Mapping[str, str] = field(default_factory=dict)
    clock_skew: int = 60
    limits: Limits = field(default_factory=Limits)
    end_session: bool = True


def parse_oidc(table: Mapping[str, Any]) -> OidcConfig:
    """Read the table.

    :raises ConfigError: one sentence that names the key and the remedy.
    """
    where = "sso.oidc"
    _known(table, KEYS, where)
    issuer = _issuer(table, where, None)
    if not may_be_asked(issuer):
        raise _wrong(f"{where}.issuer", "is no https address", "Write the issuer exactly as its discovery document does.")
    client_id = _required(table, "client_id", where, "the name that the provider gave to RSE")
    algorithms = tuple(_texts(table, "algorithms", where)) or OidcConfig.algorithms
    for algorithm in algorithms:
        if algorithm not in ALGORITHMS:
            raise _wrong(
                f"{where}.algorithms",
                f"holds “{algorithm}”",
                f"Name signatures with a public key: {', '.join(ALGORITHMS)}. None and HS256 are never accepted.",
            )
    secret = _text(table, "client_secret", where, None) or _file(table, "client_secret_file", where)
    key = _file(table, "private_key_file", where)
    method = _text(table, "auth_method", where, None) or (
        "private_key_jwt" if key else "client_secret_basic" if secret else "none"
    )
    if method not in _METHODS:
        raise _wrong(f"{where}.auth_method", f"is “{method}”", f"Write one of {', '.join(_METHODS)}.")
    if method == "private_key_jwt" and not key:
        raise _wrong(f"{where}.private_key_file", "is missing", "Name the PEM file of RSE's private key.")
    if method.startswith("client_secret") and not secret:
        raise _wrong(
            f"{where}.client_secret_file", "is missing", "Name the file of the secret, or set RSE_SSO_OIDC_CLIENT_SECRET."
        )
    scopes = tuple(_texts(table, "scopes", where)) or OidcConfig.scopes
    if "openid" not in scopes:
        raise _wrong(f"{where}.scopes", "lacks openid", 'Write scopes = ["openid", "profile", "email"].')
    return OidcConfig(
        issuer=issuer,
        client_id=client_id,
        redirect_uri=own_address(table, "redirect_uri", where, "/rse/oidc/callback"),
        auth_method=method,
        client_secret=secret,
        private_key=key,
        private_key_id=_text(table, "private_key_id", where, None),
        scopes=scopes,
        algorithms=algorithms,
        identifier=_text(table, "identifier", where, OidcConfig.identifier),
        name=_text(table, "name", where, OidcConfig.name),
        email=_text(table, "email", where, OidcConfig.email),
        attributes={str(key): str(value) for key, value in _table(table, "attributes", where).items()},
        clock_skew=_number(table, "clock_skew", where, 60, low=0, high=300),
        limits=read_limits(table, where),
        end_session=_flag(table, "end_session", where) if "end_session" in table else True,
    )


def read_limits(table: Mapping[str, Any], where: str) -> Limits:
    """``timeout`` and ``ca_file``."""
    ca_file = _text(table, "ca_file", where, None)
    if ca_file is not None and not Path(ca_file).is_file():
        raise _wrong(f"{where}.ca_file", "names no file", "Name a PEM file of certificates.")
    return Limits(timeout=_number(table, "timeout", where, 5, low=1, high=30), ca_file=ca_file)


def own_address(table: Mapping[str, Any], key: str, where: str, path: str) -> str:
    """An address of RSE that the sign-in server knows: fixed, since the ``Host`` of a request is the client's word."""
    value = _required(table, key, where, f"https://intranet.example{path}")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise _wrong(f"{where}.{key}", "is no address of RSE", f'Write {key} = "https://intranet.example{path}".')
    if not parts.path.endswith(path.removeprefix("/rse")):
        raise _wrong(f"{where}.{key}", f"does not end with {path.removeprefix('/rse')}", f"RSE answers at {path}.")
    return value


def _required(table: Mapping[str, Any], key: str, where: str, what: str) -> str:
    value = _text(table, key, where, None)
    if value is None:
        raise _wrong(f"{where}.{key}", "is missing", f"Write {key}: {what}.")
    return value


def _file(table: Mapping[str, Any], key: str, where: str) -> str | None:
    name = _text(table, key, where, None)
    if name is None:
        return None
    try:
        text = Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise _wrong(f"{where}.{key}", "names a file that cannot be read", "Check its path and who may read it.") from None
    if not text:
        raise _wrong(f"{where}.{key}", "names an empty file", "Put the secret into it.")
    return text
