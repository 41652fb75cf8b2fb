"""The hand-off token: a JSON Web Token signed with HS256, made by the intranet, read strictly here.

The format is a small part of RFC 7519 so that any language makes it with a JSON and an HMAC function::

    base64url({"alg":"HS256","typ":"JWT","kid":"2026-11"})
    . base64url({"iss":…, "aud":…, "sub":…, "iat":…, "exp":…, "jti":…, "name":…})
    . base64url(HMAC-SHA256(secret, the two parts before, with their dot))

Reading follows RFC 8725: the algorithm is pinned, the signature is checked before the payload is looked at,
and whatever is not expected in the header is refused rather than ignored.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .keys import valid_kid
from .reasons import Reason, SsoRefused
from .text import MAX_ATTRIBUTE, MAX_EMAIL, MAX_NAME, MAX_SUBJECT, first_control

MAX_TOKEN = 4096
"""Characters. A token travels in addresses, cookies and headers, which servers cut near 8 KB."""

MAX_AGE = 120
"""Seconds between ``iat`` and ``exp``, at most."""

_PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_JTI = re.compile(r"[A-Za-z0-9._-]{16,128}", re.ASCII)
_HEADER_MEMBERS = frozenset({"alg", "typ", "kid"})
# A NumericDate beyond the year 9999 is a mistake (milliseconds, most often), not a date.
_LAST_DATE = 253_402_300_799
_MAX_ATTRIBUTES = 20


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. Dates are seconds since 1970, UTC."""

    issuer: str
    subject: str
    jti: str
    issued_at: int
    expires_at: int
    username: str | None = None
    name: str | None = None
    email: str | None = None
    return_to: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must satisfy.

    :param keys: secret by ``kid``; a token without ``kid`` is accepted only while there is a single key.
    :param max_age: longest life, seconds, 1 to 120.
    :param clock_skew: tolerated difference between the two clocks, seconds.
    """

    keys: Mapping[str, str]
    issuer: str
    audience: str
    max_age: int = MAX_AGE
    clock_skew: int = 30


def encode(claims: Mapping[str, Any], secret: str, *, kid: str | None = None) -> str:
    """Sign ``claims`` as they are. For ``rse sso token`` and tests; the intranet has its own few lines."""
    header = {"alg": "HS256", "typ": "JWT"} | ({} if kid is None else {"kid": kid})
    signed = f"{_write(header)}.{_write(claims)}"
    return f"{signed}.{_b64(_mac(secret, signed))}"


def make_claims(rules: TokenRules, subject: str, *, now: int, life: int = 60, **more: Any) -> dict[str, Any]:
    """The claims of a new token for ``subject``, with a fresh nonce; ``more`` adds ``name`` and so on."""
    return {
        "iss": rules.issuer,
        "aud": rules.audience,
        "sub": subject,
        "iat": now,
        "exp": now + life,
        "jti": secrets.token_urlsafe(18),
        **{name: value for name, value in more.items() if value is not None},
    }


def verify(token: str, rules: TokenRules, *, now: float) -> Claims:
    """Check everything about ``token`` but its single use, which needs a database (:mod:`rse_sso.nonces`).

    :param now: the present time, seconds since 1970.
    :raises SsoRefused: and nothing else, whatever ``token`` holds.
    """
    if not token:
        raise SsoRefused(Reason.TOKEN_MISSING)
    if len(token) > MAX_TOKEN:
        raise SsoRefused(Reason.TOKEN_TOO_LONG, f"{len(token)} characters")
    parts = token.split(".")
    if len(parts) != 3:
        raise SsoRefused(Reason.TOKEN_MALFORMED, f"{len(parts)} parts")
    header = _read(parts[0], Reason.TOKEN_HEADER)
    secret = _secret_for(header, rules)
    signature = _unb64(parts[2], Reason.TOKEN_MALFORMED)
    if not hmac.compare_digest(signature, _mac(secret, f"{parts[0]}.{parts[1]}")):
        raise SsoRefused(Reason.TOKEN_SIGNATURE)
    return _claims(_read(parts[1], Reason.TOKEN_CLAIMS), rules, now)


def _secret_for(header: Mapping[str, Any], rules: TokenRules) -> str:
    algorithm = header.get("alg")
    if algorithm != "HS256":
        raise SsoRefused(Reason.TOKEN_ALGORITHM)
    unknown = header.keys() - _HEADER_MEMBERS
    if unknown:
        # jwk, jku, x5u, crit…: members by which a token would tell us how to believe it.
        raise SsoRefused(Reason.TOKEN_HEADER, f"{len(unknown)} member(s) besides alg, typ and kid")
    if header.get("typ") != "JWT":
        raise SsoRefused(Reason.TOKEN_HEADER, "typ is not JWT")
    if "kid" not in header:
        if len(rules.keys) != 1:
            raise SsoRefused(Reason.TOKEN_KEY_MISSING)
        return next(iter(rules.keys.values()))
    kid = header["kid"]
    if not isinstance(kid, str) or not valid_kid(kid) or kid not in rules.keys:
        raise SsoRefused(Reason.TOKEN_KEY_UNKNOWN)
    return rules.keys[kid]


def _claims(payload: Mapping[str, Any], rules: TokenRules, now: float) -> Claims:
    if payload.get("iss") != rules.issuer:
        raise SsoRefused(Reason.TOKEN_ISSUER)
    audience = payload.get("aud")
    # Some libraries always write a list; one with a second member was made for somebody else too.
    if audience != rules.audience and audience != [rules.audience]:
        raise SsoRefused(Reason.TOKEN_AUDIENCE)
    issued_at, expires_at = _date(payload, "iat"), _date(payload, "exp")
    if not 0 < expires_at - issued_at <= min(rules.max_age, MAX_AGE):
        raise SsoRefused(Reason.TOKEN_LIFETIME, f"exp - iat = {expires_at - issued_at} s")
    not_before = _date(payload, "nbf") if "nbf" in payload else issued_at
    if max(issued_at, not_before) > now + rules.clock_skew:
        raise SsoRefused(Reason.TOKEN_FUTURE, f"by {round(max(issued_at, not_before) - now)} s")
    if expires_at <= now - rules.clock_skew:
        raise SsoRefused(Reason.TOKEN_EXPIRED, f"{round(now - expires_at)} s ago")
    jti = payload.get("jti")
    if not isinstance(jti, str) or _JTI.fullmatch(jti) is None:
        raise SsoRefused(Reason.TOKEN_NONCE)
    subject = payload.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or subject != subject.strip():
        raise SsoRefused(Reason.TOKEN_SUBJECT)
    if first_control(subject, identifier=True):
        raise SsoRefused(Reason.TOKEN_SUBJECT, "holds a control character")
    return Claims(
        issuer=rules.issuer,
        subject=subject,
        jti=jti,
        issued_at=issued_at,
        expires_at=expires_at,
        username=_text(payload, "username", MAX_SUBJECT, identifier=True),
        name=_text(payload, "name", MAX_NAME),
        email=_text(payload, "email", MAX_EMAIL, identifier=True),
        return_to=_text(payload, "return_to", 2000, identifier=True),
        attributes=_attributes(payload),
    )


def _date(payload: Mapping[str, Any], name: str) -> int:
    value = payload.get(name)
    # bool is an int in Python; true is no date.
    if type(value) is not int or not 0 <= value <= _LAST_DATE:
        raise SsoRefused(Reason.TOKEN_CLAIMS, f"{name} is no whole number of seconds since 1970")
    return value


def _text(payload: Mapping[str, Any], name: str, limit: int, *, identifier: bool = False) -> str | None:
    value = payload.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > limit:
        raise SsoRefused(Reason.TOKEN_CLAIMS, f"{name} is no text of at most {limit} characters")
    control = first_control(value, identifier=identifier)
    if control:
        raise SsoRefused(Reason.TOKEN_CLAIMS, f"{name} holds {control}")
    return value


def _attributes(payload: Mapping[str, Any]) -> dict[str, str]:
    given = payload.get("attributes", {})
    if not isinstance(given, dict) or len(given) > _MAX_ATTRIBUTES:
        raise SsoRefused(Reason.TOKEN_CLAIMS, f"attributes is no object of at most {_MAX_ATTRIBUTES} members")
    read = {name: _text(given, name, MAX_ATTRIBUTE) for name in given if len(name) <= 64}
    return {name: text for name, text in read.items() if text is not None}


def _read(part: str, reason: Reason) -> dict[str, Any]:
    """One JSON object out of one part: no duplicate member, no NaN, no other encoding than UTF-8."""
    raw = _unb64(part, Reason.TOKEN_MALFORMED)
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        # UnicodeDecodeError, JSONDecodeError and too many digits are ValueErrors; deep nesting is the other.
        raise SsoRefused(reason, "not one JSON object in UTF-8, each member once") from None
    if not isinstance(value, dict):
        raise SsoRefused(reason, "not a JSON object")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers that keep different ones of two "sub" members would see two different persons.
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate member")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _write(value: Mapping[str, Any]) -> str:
    return _b64(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))


def _mac(secret: str, signed: str) -> bytes:
    return hmac.new(secret.encode("utf-8"), signed.encode("ascii", "replace"), hashlib.sha256).digest()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _unb64(part: str, reason: Reason) -> bytes:
    if _PART.fullmatch(part) is None:
        raise SsoRefused(reason, "not base64url without padding")
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (ValueError, binascii.Error):
        raise SsoRefused(reason, "not base64url without padding") from None
    if _b64(raw) != part:
        # Spare bits that are not zero would let one token be written in several ways.
        raise SsoRefused(reason, "not in canonical base64url")
    return raw
