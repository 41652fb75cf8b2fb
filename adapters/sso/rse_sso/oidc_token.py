"""The provider's two kinds of signed statements: who somebody is, and that somebody signed out."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, extract_compact

from .oidc_config import OidcConfig
from .oidc_provider import Provider, _shown
from .reasons import Reason, SsoRefused

MAX_TOKEN = 64 * 1024
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_AGE = 300
"""Seconds after which a logout token without ``exp`` is too old."""


def verify_id_token(
    token: str, provider: Provider, *, nonce: str, access_token: str | None, now: float
) -> dict[str, Any]:  # fmt: skip
    """The claims of an ID token of this provider, for us, for this attempt.

    :raises SsoRefused: with the first thing that is wrong.
    """
    header, claims = _signed(token, provider)
    config = provider.config
    _party(claims, config)
    issued, expires = _time(claims, "iat"), _time(claims, "exp")
    if expires <= now - config.clock_skew:
        raise SsoRefused(Reason.OIDC_EXPIRED, f"by {int(now - expires)} s")
    _not_future(claims, issued, now, config.clock_skew)
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode("utf-8", "replace"), nonce.encode()):
        raise SsoRefused(Reason.OIDC_NONCE)
    _at_hash(claims, access_token, str(header["alg"]))
    _subject(claims)
    return claims


def verify_logout_token(token: str, provider: Provider, *, now: float) -> dict[str, Any]:
    """The claims of a logout token: OpenID Connect Back-Channel Logout, section 2.6, except the replay of ``jti``.

    :raises SsoRefused: with the first thing that is wrong.
    """
    header, claims = _signed(token, provider)
    config = provider.config
    if str(header.get("typ", "logout+jwt")).lower() not in ("logout+jwt", "jwt"):
        raise SsoRefused(Reason.OIDC_LOGOUT, f"typ {_shown(header.get('typ'))}")
    _party(claims, config)
    issued = _time(claims, "iat")
    expires = _time(claims, "exp") if "exp" in claims else issued + LOGOUT_AGE
    if min(expires, issued + LOGOUT_AGE) <= now - config.clock_skew:
        raise SsoRefused(Reason.OIDC_EXPIRED, "a logout token")
    _not_future(claims, issued, now, config.clock_skew)
    events = claims.get("events")
    if not isinstance(events, Mapping) or not isinstance(events.get(LOGOUT_EVENT), Mapping):
        raise SsoRefused(Reason.OIDC_LOGOUT, "no event of a logout")
    if "nonce" in claims:
        # An ID token must not pass for a logout token.
        raise SsoRefused(Reason.OIDC_LOGOUT, "it has a nonce")
    for name in ("sub", "sid", "jti"):
        value = claims.get(name)
        if value is not None and not (isinstance(value, str) and 0 < len(value) <= 300):
            raise SsoRefused(Reason.OIDC_LOGOUT, f"{name} is no short text")
    if not claims.get("sub") and not claims.get("sid"):
        raise SsoRefused(Reason.OIDC_LOGOUT, "neither sub nor sid")
    if not claims.get("jti"):
        raise SsoRefused(Reason.OIDC_LOGOUT, "no jti")
    return claims


def _signed(token: str, provider: Provider) -> tuple[dict[str, Any], dict[str, Any]]:
    if not isinstance(token, str) or not token or len(token) > MAX_TOKEN or token.count(".") != 2:
        raise SsoRefused(Reason.OIDC_MALFORMED)
    try:
        header = dict(extract_compact(token.encode("utf-8", "replace")).headers())
    except (JoseError, ValueError, TypeError, RecursionError, AttributeError):
        raise SsoRefused(Reason.OIDC_MALFORMED) from None
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in provider.config.algorithms:
        raise SsoRefused(Reason.OIDC_ALGORITHM, f"alg {_shown(algorithm)}")
    if kid is not None and not isinstance(kid, str):
        raise SsoRefused(Reason.OIDC_MALFORMED, "kid is no text")
    key = provider.key(kid)
    algorithms = list(provider.config.algorithms)
    try:
        # The registry's own limits are meant for small tokens; ours was checked above.
        registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
        registry.max_payload_length = MAX_TOKEN
        found = jwt.decode(token, key, algorithms=algorithms, registry=registry)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise SsoRefused(Reason.OIDC_SIGNATURE, f"kid {_shown(kid)}, {type(error).__name__}") from None
    if not isinstance(found.claims, dict):
        raise SsoRefused(Reason.OIDC_MALFORMED)
    return header, found.claims


def _party(claims: Mapping[str, Any], config: OidcConfig) -> None:
    if claims.get("iss") != config.issuer:
        raise SsoRefused(Reason.OIDC_ISSUER, f"iss {_shown(claims.get('iss'))}")
    audience = claims.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    if config.client_id not in several:
        raise SsoRefused(Reason.OIDC_AUDIENCE, f"aud {_shown(audience)}")
    party = claims.get("azp")
    # Another audience beside us needs the word of whom the token is for.
    if (len(several) > 1 and party is None) or (party is not None and party != config.client_id):
        raise SsoRefused(Reason.OIDC_AUDIENCE, f"azp {_shown(party)}")


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        raise SsoRefused(Reason.OIDC_MALFORMED, f"{name} is no time")
    return float(value)


def _not_future(claims: Mapping[str, Any], issued: float, now: float, skew: int) -> None:
    begins = max(issued, _time(claims, "nbf") if "nbf" in claims else 0)
    if begins > now + skew:
        raise SsoRefused(Reason.OIDC_FUTURE, f"by {int(begins - now)} s")


def _at_hash(claims: Mapping[str, Any], access_token: str | None, algorithm: str) -> None:
    given = claims.get("at_hash")
    if given is None or access_token is None:
        return
    expected = create_half_hash(access_token, algorithm)
    if not isinstance(given, str) or not hmac.compare_digest(given.encode("utf-8", "replace"), bytes(expected)):
        raise SsoRefused(Reason.OIDC_AT_HASH)


def _subject(claims: Mapping[str, Any]) -> None:
    from .text import MAX_SUBJECT, first_control

    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or first_control(subject, identifier=True):
        raise SsoRefused(Reason.OIDC_SUBJECT)
