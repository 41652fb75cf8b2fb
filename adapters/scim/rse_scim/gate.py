"""Who may provision: the bearer of a token with the scope, made for an administrator of the site who is still one."""

from __future__ import annotations

from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter
from scim2_models import ForbiddenException, UnauthorizedException

from rse_core import people, roles
from rse_core.api import Actor, Core
from rse_core.tokens import accept

from .config import SCOPE
from .errors import TooManyRequests
from .i18n import _


@dataclass(frozen=True, slots=True)
class Caller:
    """The program that calls; ``actor`` as the audit log names it."""

    token_id: int
    actor: Actor


class Gate:
    """Counts the requests of each token where the core counts its own (``rate_limit_storage``)."""

    def __init__(self, core: Core, rate: int) -> None:
        self.core = core
        self._limiter = FixedWindowRateLimiter(storage_from_string(core.settings.rate_limit_storage))
        self._rate = RateLimitItemPerMinute(rate)

    def admit(self, header: str) -> Caller:
        """The caller of a request.

        :raises UnauthorizedException: without a token that is in use.
        :raises ForbiddenException: when it lacks the scope, or its owner no longer runs the site.
        :raises TooManyRequests: for too many in a minute.
        """
        kind, _space, text = header.partition(" ")
        if kind.lower() != "bearer" or not text.strip():
            raise UnauthorizedException(detail=_("Send a bearer token with the scope “%(scope)s”.", scope=SCOPE))
        token = accept(self.core, text.strip())
        if token is None:
            raise UnauthorizedException(detail=_("This token is unknown, expired or revoked."))
        if SCOPE not in token.scopes.split():
            raise ForbiddenException(detail=_("This token does not have the scope “%(scope)s”.", scope=SCOPE))
        with self.core.db.read() as session:
            owner = people.card(session, token.person_id)
            runs = owner is not None and owner.active and roles.is_site_admin(session, token.person_id)
        if not runs:
            raise ForbiddenException(detail=_("The owner of this token does not administer the site."))
        if not self._limiter.hit(self._rate, "rse_scim", str(token.id)):
            raise TooManyRequests(_("More than %(count)s requests in a minute.", count=self._rate.amount), retry_after=60)
        return Caller(token.id, Actor(f"scim:{token.name}"[:200], token.person_id))
