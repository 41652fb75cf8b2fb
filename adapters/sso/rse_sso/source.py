"""The identity source: what the core asks on every request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from rse_core.api import Identity

from .config import SsoConfig, fill_url
from .handoff import Handoff, ambient_token, log_refusal, peer_for_log
from .headers import HeaderIdentity, TrustedHeader
from .messages import as_page
from .reasons import Reason, SsoRefused
from .token import Claims

SIGNED_IN = "rse_sso.signed_in"
"""Key in the WSGI environ: the :class:`Identity` that a hand-off cookie brought; a session is due."""

COOKIE_DONE = "rse_sso.cookie_done"
"""Key in the WSGI environ: the hand-off cookie was looked at and must go."""

_ANSWER = "rse_sso.answer"


class SsoSource:
    """Trusted header first, then a hand-off token that came with the request.

    :param config: what is switched on.
    :param handoff: the hand-off at work, ``None`` when it is off.
    """

    name = "sso"

    def __init__(self, config: SsoConfig, handoff: Handoff | None = None) -> None:
        self.config = config
        self.handoff = handoff
        # Set by the plugin when a sign-in server is configured: paths of ours that lead there.
        self.start: Callable[[str], str | None] = lambda _return_to: None
        self.leave: Callable[[], str | None] = lambda: None
        self.leave_origins: Callable[[], tuple[str, ...]] = lambda: ()
        self._header = TrustedHeader(config.header) if config.header is not None else None

    def identify(self, environ: Mapping[str, Any]) -> Identity | None:
        """Who is asking. Asked twice for one request, it answers the same: a token serves once.

        :raises IdentityRefused: for what the proxy or the intranet sent and cannot be believed.
        """
        known = environ.get(_ANSWER)
        if isinstance(known, tuple):
            return known[0]
        try:
            identity = self._from_header(environ) or self._from_token(environ)
        except SsoRefused as refusal:
            raise as_page(refusal) from None
        if isinstance(environ, dict):
            environ[_ANSWER] = (identity,)
        return identity

    def login_url(self, return_to: str) -> str | None:
        """The intranet's own sign-in, told the way back; ``None`` when none is configured."""
        return fill_url(self.config.login_url, return_to) or self.start(return_to)

    def logout_url(self, return_to: str) -> str | None:
        """The sign-out of the server that signed the person in, else the intranet's own; ``None`` without either."""
        return self.leave() or fill_url(self.config.logout_url, return_to)

    @property
    def sign_out_origins(self) -> tuple[str, ...]:
        """The other origins that :meth:`logout_url` may lead to; the form of the sign-out must be let go there."""
        parts = urlsplit(self.config.logout_url or "")
        own = (f"{parts.scheme}://{parts.netloc}",) if parts.netloc else ()
        return tuple(dict.fromkeys((*own, *self.leave_origins())))

    def _from_header(self, environ: Mapping[str, Any]) -> Identity | None:
        if self._header is None:
            return None
        try:
            found = self._header.identify(environ)
        except SsoRefused as refusal:
            log_refusal(refusal, peer_for_log(environ))
            raise
        return None if found is None else header_identity(self._header.rules.issuer, found)

    def _from_token(self, environ: Mapping[str, Any]) -> Identity | None:
        options = self.config.handoff
        if options is None or self.handoff is None:
            return None
        carried = ambient_token(environ, header=options.accept_header, cookie=options.accept_cookie)
        if carried is None:
            return None
        token, carrier = carried
        try:
            identity = claims_identity(self.handoff.accept(token, peer=peer_for_log(environ)))
        except SsoRefused as refusal:
            if carrier == "cookie" and refusal.reason is not Reason.NONCE_STORE:
                # A cookie stays after it has served. Refusing the page for it would lock the person out.
                _note(environ, COOKIE_DONE, True)
                return None
            raise
        if carrier == "cookie":
            _note(environ, COOKIE_DONE, True)
            _note(environ, SIGNED_IN, identity)
        return identity


def header_identity(issuer: str, found: HeaderIdentity) -> Identity:
    """The core's words for what the proxy said; without a user name the subject is one."""
    return Identity(
        issuer=issuer,
        subject=found.subject,
        username=found.username or found.subject,
        display_name=found.name,
        email=found.email,
        attributes=dict(found.attributes),
    )


def claims_identity(claims: Claims) -> Identity:
    """The core's words for what a token said."""
    return Identity(
        issuer=claims.issuer,
        subject=claims.subject,
        username=claims.username or claims.subject,
        display_name=claims.name,
        email=claims.email,
        attributes=dict(claims.attributes),
    )


def _note(environ: Mapping[str, Any], key: str, value: Any) -> None:
    if isinstance(environ, dict):
        environ[key] = value
