"""Bearer tokens: made by ``rse token create``, only their SHA-256 is kept, each with scopes."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, request
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..audit import Actor, record
from ..db import utcnow
from ..errors import BadInput, Forbidden, NotFound, SignInNeeded
from ..i18n import _
from ..models.organisation import Person
from ..models.runtime import Token
from ..web.state import core, session_write

V = TypeVar("V", bound=Callable[..., Any])
PREFIX = "rse_"
#: ``read`` reads what its owner may read; ``write`` also acts as them; ``admin`` also administers, as far as they may.
SCOPES = ("read", "write", "admin")


def create_token(
    session: Session, person: Person, name: str, scopes: tuple[str, ...], actor: Actor, *, days: int | None = None
) -> str:
    """Make a token of this person; its text is given back once and never again.

    :raises BadInput: for a scope that does not exist, or a lifetime that has no end before it begins.
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise BadInput(
            _("“%(scope)s” is not a scope.", scope=", ".join(unknown)), remedy=_("Use read, write or admin.")
        )
    if days is not None and days < 1:
        raise BadInput(_("A token lasts at least one day."))
    text = PREFIX + secrets.token_urlsafe(32)
    session.add(
        Token(
            digest=_digest(text),
            name=name[:200],
            person_id=person.id,
            scopes=" ".join(scopes),
            expires_at=None if days is None else utcnow() + dt.timedelta(days=days),
        )
    )
    record(session, actor, "token.create", f"person:{person.username}", after={"name": name, "scopes": list(scopes)})
    return text


def revoke_token(session: Session, token_id: int, actor: Actor) -> None:
    """:raises NotFound: when there is no such token, or it was revoked before."""
    token = session.get(Token, token_id)
    if token is None or token.revoked_at is not None:
        raise NotFound(_("There is no token number %(id)s in use.", id=token_id), remedy=_("See rse token list."))
    token.revoked_at = utcnow()
    record(session, actor, "token.revoke", f"token:{token_id}", before={"name": token.name})


def bearer() -> None:
    """Take ``Authorization: Bearer`` of an API request; its owner is then who asks, whatever else the request brings.

    :raises SignInNeeded: for a token that is unknown, revoked or expired.
    """
    header = request.headers.get("Authorization", "")
    if not request.path.startswith("/api/") or not header.lower().startswith("bearer "):
        return
    digest = _digest(header[7:].strip())
    today = utcnow().date()
    with core().db.read() as session:
        token = session.scalar(select(Token).where(Token.digest == digest))
        good = (
            token is not None
            and token.revoked_at is None
            and (token.expires_at is None or token.expires_at > utcnow())
        )
    if token is None or not good:
        raise SignInNeeded(
            _("This token is unknown, expired or revoked."), remedy=_("Make another with rse token create.")
        )
    if token.last_used != today:
        with session_write() as session:
            session.execute(update(Token).where(Token.id == token.id).values(last_used=today))
    g.rse_token_person_id = token.person_id
    g.rse_token_scopes = frozenset(token.scopes.split())


def require_scope(scope: str) -> None:
    """:raises Forbidden: when the request came with a token that lacks this scope (a session has every scope)."""
    scopes = g.get("rse_token_scopes")
    if scopes is not None and scope not in scopes:
        raise Forbidden(
            _("This token does not have the scope “%(scope)s”.", scope=scope), remedy=_("Make one that does.")
        )


def scope(name: str) -> Callable[[V], V]:
    """Decorator of a REST view: see :func:`require_scope`."""

    def wrap(view: V) -> V:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            require_scope(name)
            return view(*args, **kwargs)

        return checked  # type: ignore[return-value]

    return wrap


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
