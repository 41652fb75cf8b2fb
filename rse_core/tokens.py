"""Tokens of the REST API: made for a person, only their SHA-256 is kept, each with scopes."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from .audit import Actor, record
from .db import utcnow
from .errors import BadInput, Conflict, Forbidden, NotFound
from .i18n import _
from .models.organisation import Person
from .models.runtime import Token

if TYPE_CHECKING:
    from .runtime import Core

PREFIX = "rse_"
#: ``read`` reads what its owner may read; ``write`` also acts as them; ``admin`` also administers, as far as they may;
#: ``metrics`` reads the figures of the machine and nothing else.
SCOPES = ("read", "write", "admin", "metrics")
#: Scopes that may be given for one plugin's resources alone: ``feed:read``.
PARTIAL = ("read", "write")
#: Tokens that a person may have for themselves at once, and how long each may last at most.
MOST, LONGEST = 20, 366


def create_token(
    session: Session, person: Person, name: str, scopes: tuple[str, ...], actor: Actor, *, days: int | None = None
) -> str:
    """Make a token of this person; its text is given back once and never again.

    :raises BadInput: for a scope that does not exist, a name that is none, or a lifetime of no length.
    """
    known = (*SCOPES, *partial_scopes(session), *granted_scopes(session))
    unknown = [scope for scope in scopes if scope not in known]
    if unknown or not scopes:
        raise BadInput(
            _("“%(scope)s” is not a scope.", scope=", ".join(unknown)),
            remedy=_("Use one of: %(scopes)s.", scopes=", ".join(known)),
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


def create_own(session: Session, person_id: int, name: str, scopes: tuple[str, ...], *, days: int) -> str:
    """A person makes one for themselves: it ends within a year, and never administers.

    :raises Forbidden: where the site leaves that to its administrators.
    :raises BadInput: names the field.
    :raises Conflict: for one too many.
    """
    from .runtime import core_of

    if not core_of(session).settings.personal_tokens:
        raise Forbidden(
            _("On this site only administrators make access tokens."), remedy=_("Ask them, and say what it is for.")
        )
    if not 1 <= days <= LONGEST:
        raise BadInput(_("A token lasts 1 to %(days)s days.", days=LONGEST), fields={"days": "1–366"})
    person = session.get_one(Person, person_id)
    granted = granted_scopes(session)
    if any(scope in granted or (scope not in PARTIAL and ":" not in scope) for scope in scopes):
        raise BadInput(_("A token of your own reads and writes; it does not administer."))
    # One row of the person's is locked, so that two forms sent at once cannot both be the last one.
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    if len(own_tokens(session, person_id)) >= MOST:
        raise Conflict(_("You have %(count)s tokens already.", count=MOST), remedy=_("Revoke one that you do not need."))
    return create_token(session, person, name, scopes, Actor(person.username, person.id), days=days)


def own_tokens(session: Session, person_id: int) -> list[Token]:
    """A person's tokens that are in use, the newest first."""
    rows = session.scalars(
        select(Token)
        .where(Token.person_id == person_id, Token.revoked_at.is_(None))
        .where((Token.expires_at.is_(None)) | (Token.expires_at > utcnow()))
        .order_by(Token.id.desc())
    )
    return list(rows)


def revoke_own(session: Session, person_id: int, token_id: int, actor: Actor) -> None:
    """:raises NotFound: for another's token, as for one that there is not."""
    token = session.get(Token, token_id)
    if token is None or token.person_id != person_id:
        raise NotFound(_("There is no such token."), remedy=_("It may be revoked already."))
    revoke_token(session, token_id, actor)


def partial_scopes(session: Session) -> list[str]:
    """The scopes for one plugin's resources alone, of those that have any."""
    from .runtime import core_of

    plugins = sorted({plugin for plugin, _blueprint in core_of(session).plugins.rest_blueprints})
    return [f"{plugin}:{scope}" for plugin in plugins for scope in PARTIAL]


def granted_scopes(session: Session) -> list[str]:
    """The scopes that plugins ask for by themselves; administrators alone give them."""
    from .runtime import core_of

    return core_of(session).plugins.token_scopes()


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


def accept(core: Core, text: str) -> Token | None:
    """The token of this text while it is in use, with the day of its last use noted."""
    with core.db.read() as session:
        token = find_token(session, text)
    today = utcnow().date()
    if token is not None and token.last_used != today:
        with core.db.write() as session:
            session.execute(update(Token).where(Token.id == token.id).values(last_used=today))
    return token


def digest(text: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
