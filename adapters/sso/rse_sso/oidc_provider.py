"""The provider as it describes itself: its discovery document and its keys, kept for a while and fetched again in time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from .oidc_config import OidcConfig
from .outgoing import Outgoing, may_be_asked
from .reasons import Reason, SsoRefused

logger = logging.getLogger(__name__)

FRESH = 3600
"""Seconds that the document and the keys are used before they are fetched again."""

STALE = 24 * 3600
"""Seconds that they may still serve while the provider does not answer."""

APART = 30
"""Seconds between two fetches of keys because of a key that is not known: a client may invent such names at will."""


@dataclass(frozen=True)
class Metadata:
    """What RSE uses of the discovery document."""

    authorization: str
    token: str
    jwks: str
    userinfo: str | None
    end_session: str | None
    answers_with_issuer: bool


class Provider:
    """One provider, shared by the threads of this server.

    :param clock: seconds that only grow.
    """

    def __init__(
        self, config: OidcConfig, outgoing: Outgoing | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.config = config
        self.outgoing = outgoing or Outgoing(config.limits)
        self._clock = clock
        self._lock = threading.Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, dict[str | None, Key]] | None = None
        self._asked_for_unknown = float("-inf")

    def metadata(self) -> Metadata:
        """The discovery document, checked.

        :raises SsoRefused: when it cannot be had, or is another issuer's.
        """
        with self._lock:
            return self._fresh_metadata()

    def key(self, kid: str | None) -> Key:
        """The key of that name.

        :raises SsoRefused: ``oidc_key_unknown``, also after the keys were fetched once more.
        """
        with self._lock:
            keys = self._fresh_keys()
            found = _pick(keys, kid)
            now = self._clock()
            if found is None and now - self._asked_for_unknown >= APART:
                self._asked_for_unknown = now
                self._keys = None
                try:
                    found = _pick(self._fresh_keys(), kid)
                finally:
                    self._keys = self._keys or (now, keys)
        if found is None:
            raise SsoRefused(Reason.OIDC_KEY_UNKNOWN, f"kid {_shown(kid)}")
        return found

    def key_names(self) -> list[str]:
        """The names of the keys in use, for an administrator."""
        with self._lock:
            return [str(kid) for kid in self._fresh_keys()]

    def _fresh_metadata(self) -> Metadata:
        now = self._clock()
        if self._metadata is not None and now - self._metadata[0] < FRESH:
            return self._metadata[1]
        try:
            self._metadata = (now, self._fetch_metadata())
        except SsoRefused as refusal:
            if self._metadata is None or now - self._metadata[0] > STALE:
                raise
            logger.warning("The discovery document could not be renewed, the known one serves on: %s", refusal)
        return self._metadata[1]

    def _fetch_metadata(self) -> Metadata:
        answer = self.outgoing.get(self.config.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if answer.status != 200:
            raise SsoRefused(Reason.PROVIDER_ANSWER, f"the discovery document: status {answer.status}")
        found = answer.json()
        if found.get("issuer") != self.config.issuer:
            raise SsoRefused(Reason.OIDC_DISCOVERY_ISSUER, f"it says {_shown(found.get('issuer'))}")
        return Metadata(
            authorization=_address(found, "authorization_endpoint"),
            token=_address(found, "token_endpoint"),
            jwks=_address(found, "jwks_uri"),
            userinfo=_address(found, "userinfo_endpoint") if found.get("userinfo_endpoint") else None,
            end_session=_address(found, "end_session_endpoint") if found.get("end_session_endpoint") else None,
            answers_with_issuer=found.get("authorization_response_iss_parameter_supported") is True,
        )

    def _fresh_keys(self) -> dict[str | None, Key]:
        now = self._clock()
        if self._keys is not None and now - self._keys[0] < FRESH:
            return self._keys[1]
        try:
            self._keys = (now, self._fetch_keys())
        except SsoRefused as refusal:
            if self._keys is None or now - self._keys[0] > STALE:
                raise
            logger.warning("The provider's keys could not be renewed, the known ones serve on: %s", refusal)
        return self._keys[1]

    def _fetch_keys(self) -> dict[str | None, Key]:
        answer = self.outgoing.get(self._fresh_metadata().jwks)
        found = answer.json() if answer.status == 200 else {}
        listed = found.get("keys")
        if not isinstance(listed, list):
            raise SsoRefused(Reason.PROVIDER_ANSWER, f"the keys: status {answer.status}")
        keys: dict[str | None, Key] = {}
        for each in listed[:50]:
            # Only public keys that sign: a shared secret in this list would let anybody sign.
            if not isinstance(each, dict) or each.get("kty") not in ("RSA", "EC") or each.get("use", "sig") != "sig":
                continue
            try:
                (key,) = KeySet.import_key_set({"keys": [each]}).keys
            except (JoseError, ValueError, TypeError, KeyError):
                continue
            keys[each.get("kid") if isinstance(each.get("kid"), str) else None] = key
        if not keys:
            raise SsoRefused(Reason.PROVIDER_ANSWER, "no usable key")
        return keys


def _pick(keys: dict[str | None, Key], kid: str | None) -> Key | None:
    if kid is None:
        return next(iter(keys.values())) if len(keys) == 1 else None
    return keys.get(kid)


def _address(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str):
        raise SsoRefused(Reason.PROVIDER_ANSWER, f"the discovery document has no {key}")
    if not may_be_asked(value):
        raise SsoRefused(Reason.PROVIDER_INSECURE, f"{key} is not https")
    return value


def _shown(value: object) -> str:
    """Something that the other side chose, short and on one line."""
    return repr(value)[:80]
