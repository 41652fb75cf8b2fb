"""Which sessions a provider's name for a person stands for: kept so that its word ends the right ones."""

from __future__ import annotations

import datetime as dt
import hashlib

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rse_core import sessions

from ..models import SamlSession
from .response import NameId


def name_digest(issuer: str, name_id: NameId) -> str:
    """Stands for the person at the provider; qualifiers are left out, which providers write or omit at will."""
    return _digest(issuer, name_id.value)


def session_name(issuer: str, name_id: NameId, index: str) -> str:
    """What RSE calls the session: the provider may use one index for two people."""
    return _digest(issuer, name_id.value, index)


def remember(session: Session, issuer: str, name_id: NameId, index: str, *, until: dt.datetime) -> None:
    """Note that a session of this name has begun."""
    sid = session_name(issuer, name_id, index)
    session.add(SamlSession(name_digest=name_digest(issuer, name_id), sid=sid, expires_at=until))


def end(session: Session, issuer: str, name_id: NameId, indexes: tuple[str, ...]) -> int:
    """End the sessions of these indexes, or all of the person's; how many."""
    if indexes:
        names = {session_name(issuer, name_id, index) for index in indexes}
    else:
        known = select(SamlSession.sid).where(SamlSession.name_digest == name_digest(issuer, name_id))
        names = set(session.scalars(known))
    count = sum(sessions.end(session, issuer=issuer, sid=sid) for sid in sorted(names))
    if names:
        session.execute(delete(SamlSession).where(SamlSession.sid.in_(names)))
    return count


def _digest(*parts: str) -> str:
    # The length before each part keeps ("a", "bc") and ("ab", "c") apart.
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in ("saml", *parts)).encode()).hexdigest()
