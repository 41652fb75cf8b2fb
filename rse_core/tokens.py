"""Tokens of the REST API: made for a person, only their SHA-256 is kept, each with scopes."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from .audit import Actor, record
from .db import utcnow
from .errors import BadInput, NotFound
from .i18n import _
from .models.organisation import Person
from .models.runtime import Token

PREFIX = "rse_"
#: ``read`` reads what its owner may read; ``write`` also acts as them; ``admin`` also administers, as far as they may;
#: ``metrics`` reads the figures of the machine and nothing else.
SCOPES = ("read", "write", "admin", "metrics")


def create_token(
    session: Session, person: Person, name: str, scopes: tuple[str, ...], actor: Actor, *, days: int | None = None
) -> str:
    """Make a token of this person; its text is given back once and never again.

    :raises BadInput: for a scope that does not exist, a name that is none, or a lifetime of no length.
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise BadInput(
            _("“%(scope)s” is not a scope.", scope=", ".join(unknown)),
            remedy=_("Use one of: %(scopes)s.", scopes=", ".join(SCOPES)),
        )
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise BadInput(_("Say in 1 to 200 characters what the token is for."))
    if days is not None and days < 1:
        raise BadInput(_("A token lasts at least one day."))
    text = PREFIX + secrets.token_urlsafe(32)
    session.add(
        Token(
            digest=digest(text),
            name=name.strip(),
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


def find_token(session: Session, text: str) -> Token | None:
    """The token of this text, while it is in use."""
    token = session.scalar(select(Token).where(Token.digest == digest(text)))
    if token is None or token.revoked_at is not None:
        return None
    if token.expires_at is not None and token.expires_at <= utcnow():
        return None
    return token


def digest(text: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
