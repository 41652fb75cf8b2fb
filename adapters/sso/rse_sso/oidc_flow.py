"""The authorisation code flow with PKCE: the address to send the person to, and what their return is worth."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc7523 import private_key_jwt_sign
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from rse_core.api import Identity

from .attempts import new_state
from .handoff import NonceStore
from .oidc_config import OidcConfig
from .oidc_provider import Provider, _shown
from .oidc_token import MAX_TOKEN, verify_id_token, verify_logout_token
from .reasons import Reason, SsoRefused
from .text import MAX_ATTRIBUTE, MAX_EMAIL, MAX_NAME, MAX_SUBJECT, first_control

_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Begun:
    """An attempt: where to send the person, and what to keep in their browser."""

    url: str
    state: str
    kept: Mapping[str, str]


@dataclass(frozen=True)
class SignedIn:
    """Somebody whom the provider vouches for."""

    identity: Identity
    sid: str
    id_token: str


class OidcFlow:
    """Sign-in at one provider.

    :param store: remembers which attempts and logout tokens have served.
    :param clock: seconds since 1970.
    """

    def __init__(self, provider: Provider, store: NonceStore, *, clock: Callable[[], float] = time.time) -> None:
        self.provider = provider
        self._store = store
        self._clock = clock

    @property
    def config(self) -> OidcConfig:
        """The settings."""
        return self.provider.config

    def begin(self, return_to: str) -> Begun:
        """Start an attempt.

        :raises SsoRefused: when the provider cannot be asked where its sign-in is.
        """
        state, nonce, verifier = new_state(), new_state(), secrets.token_urlsafe(48)
        query = {
            "response_type": "code", "client_id": self.config.client_id, "redirect_uri": self.config.redirect_uri,
            "scope": " ".join(self.config.scopes), "state": state, "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        url = _with_query(self.provider.metadata().authorization, query)
        return Begun(url, state, {"nonce": nonce, "verifier": verifier, "return_to": return_to})

    def finish(self, answer: Mapping[str, str], kept: Mapping[str, str]) -> SignedIn:
        """What the return is worth.

        :param answer: the query that came.
        :param kept: what this browser kept of the attempt.
        :raises SsoRefused: with the reason.
        """
        metadata = self.provider.metadata()
        issuer = answer.get("iss")
        if (issuer is not None or metadata.answers_with_issuer) and issuer != self.config.issuer:
            # The answer of another provider, mixed up with ours.
            raise SsoRefused(Reason.OIDC_ISSUER, f"iss of the answer {_shown(issuer)}")
        if "error" in answer:
            raise _failure(answer["error"])
        code = answer.get("code", "")
        if not 0 < len(code) <= 4096:
            raise SsoRefused(Reason.OIDC_MALFORMED, "no code")
        self._use_up(f"state:{kept['state']}", Reason.OIDC_REPLAYED, 3600)
        tokens = self._exchange(metadata.token, code, kept["verifier"])
        access_token = tokens.get("access_token")
        access_token = access_token if isinstance(access_token, str) else None
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise SsoRefused(Reason.PROVIDER_ANSWER, "no id_token")
        claims = verify_id_token(
            id_token, self.provider, nonce=kept["nonce"], access_token=access_token, now=self._clock()
        )  # fmt: skip
        told = self._more(claims, metadata.userinfo, access_token)
        sid = claims.get("sid")
        return SignedIn(_identity(self.config, claims, told), sid if isinstance(sid, str) else "", id_token)

    def logout(self, token: str) -> tuple[str, str]:
        """Who signed out at the provider: subject and ``sid``, either may be empty.

        :raises SsoRefused: for a token that is not to be believed, or served before.
        """
        claims = verify_logout_token(token, self.provider, now=self._clock())
        self._use_up(f"logout:{claims['jti']}", Reason.OIDC_REPLAYED, 3600)
        return str(claims.get("sub") or ""), str(claims.get("sid") or "")

    def end_session_url(self, id_token: str | None, back: str) -> str | None:
        """Where the person signs out of the provider too; ``None`` when it offers nothing or does not answer."""
        if not self.config.end_session:
            return None
        try:
            address = self.provider.metadata().end_session
        except SsoRefused:
            return None
        if address is None:
            return None
        query = {"client_id": self.config.client_id, "post_logout_redirect_uri": back}
        if id_token:
            query["id_token_hint"] = id_token
        return _with_query(address, query)

    def _exchange(self, address: str, code: str, verifier: str) -> dict[str, Any]:
        config = self.config
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": config.redirect_uri, "code_verifier": verifier,
        }  # fmt: skip
        basic = None
        if config.auth_method == "client_secret_basic":
            from urllib.parse import quote

            basic = (quote(config.client_id, safe=""), quote(config.client_secret or "", safe=""))
        else:
            form["client_id"] = config.client_id
        if config.auth_method == "client_secret_post":
            form["client_secret"] = config.client_secret or ""
        if config.auth_method == "private_key_jwt":
            form |= {"client_assertion_type": ASSERTION, "client_assertion": self._assertion(address)}
        answer = self.provider.outgoing.post(address, form, basic=basic)
        if answer.status >= 500:
            raise SsoRefused(Reason.PROVIDER_DOWN, f"the token endpoint: status {answer.status}")
        found = answer.json()
        if answer.status != 200:
            error = found.get("error")
            reason = {"invalid_client": Reason.OIDC_CLIENT, "unauthorized_client": Reason.OIDC_CLIENT}.get(
                error if isinstance(error, str) else "", Reason.OIDC_CODE
            )
            raise SsoRefused(reason, f"status {answer.status}, {_shown(error)}")
        if str(found.get("token_type", "")).lower() != "bearer":
            raise SsoRefused(Reason.PROVIDER_ANSWER, f"token_type {_shown(found.get('token_type'))}")
        return found

    def _assertion(self, address: str) -> str:
        config = self.config
        key, algorithm = _private_key(config.private_key or "")
        header = {"kid": config.private_key_id} if config.private_key_id else None
        made = private_key_jwt_sign(key, config.client_id, address, alg=algorithm, header=header)
        return made.decode() if isinstance(made, bytes) else str(made)

    def _more(self, claims: Mapping[str, Any], address: str | None, access_token: str | None) -> Mapping[str, Any]:
        """The claims, with those of the userinfo endpoint where the ID token lacks one that is wanted."""
        config = self.config
        wanted = [config.identifier, config.name, config.email, *config.attributes.values()]
        if address is None or access_token is None or all(name is None or name in claims for name in wanted):
            return claims
        answer = self.provider.outgoing.get(address, bearer=access_token)
        if answer.status != 200:
            raise SsoRefused(Reason.PROVIDER_ANSWER, f"userinfo: status {answer.status}")
        found = answer.json()
        if found.get("sub") != claims["sub"]:
            raise SsoRefused(Reason.OIDC_SUBJECT, "userinfo speaks of somebody else")
        return {**found, **claims}

    def _use_up(self, what: str, reason: Reason, life: int) -> None:
        now = self._clock()
        try:
            first = self._store.consume(self.config.issuer, what, expires_at=now + life, now=now)
        except Exception:
            # Without a record of its use it could serve twice.
            raise SsoRefused(Reason.NONCE_STORE) from None
        if not first:
            raise SsoRefused(reason)


def _private_key(pem: str) -> tuple[Key, str]:
    """The key, and the algorithm that goes with it: a curve has its own."""
    for kind in ("RSA", "EC"):
        # Both kinds may stand under the same words, "BEGIN PRIVATE KEY": the one that can be read is it.
        try:
            key = JWKRegistry.import_key(pem, kind)
        except (JoseError, ValueError, TypeError):
            continue
        algorithm = "RS256" if kind == "RSA" else _CURVES.get(str(key.as_dict(private=False).get("crv")))
        if key.is_private and algorithm is not None:
            return key, algorithm
    raise SsoRefused(Reason.OIDC_CLIENT, "the private key cannot be read, or its curve is none of P-256, P-384 and P-521")


def _identity(config: OidcConfig, claims: Mapping[str, Any], told: Mapping[str, Any]) -> Identity:
    subject = str(claims["sub"])
    username = subject
    if config.identifier is not None:
        found = _text(told, config.identifier, MAX_SUBJECT, identifier=True)
        if found is None:
            # The subject in its place could be somebody else's user name.
            raise SsoRefused(Reason.OIDC_CLAIM, f"no {config.identifier}")
        username = found
    attributes = {key: _text(told, name, MAX_ATTRIBUTE) for key, name in config.attributes.items()}
    return Identity(
        issuer=config.issuer,
        subject=subject,
        username=username,
        display_name=_text(told, config.name, MAX_NAME),
        email=_text(told, config.email, MAX_EMAIL),
        attributes={key: value for key, value in attributes.items() if value is not None},
    )


def _text(told: Mapping[str, Any], name: str | None, most: int, *, identifier: bool = False) -> str | None:
    value = told.get(name) if name else None
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        return None
    return None if first_control(value, identifier=identifier) else value.strip()


def _failure(error: str) -> SsoRefused:
    if hmac.compare_digest(error.encode("utf-8", "replace"), b"access_denied"):
        return SsoRefused(Reason.CANCELLED)
    if error in ("temporarily_unavailable", "server_error"):
        return SsoRefused(Reason.PROVIDER_DOWN, error)
    return SsoRefused(Reason.OIDC_ANSWER, _shown(error))


def _with_query(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


__all__ = ["MAX_TOKEN", "Begun", "OidcFlow", "SignedIn"]
