"""What RSE calls a session that began by SAML, so that the provider's word ends the right ones.

The name has two halves of equal length, the person's and the session's: those of one person stand side by side in the
core's index, where a sign-out that names no session finds them all.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import sessions
from rse_core.models.runtime import SignedSession

from .response import NameId


def session_name(issuer: str, name_id: NameId, index: str) -> str:
    """The name of a session. The provider may use one index for two people, so that neither half would do alone."""
    return _digest(issuer, name_id.value) + _digest("index", index)


def end(session: Session, issuer: str, name_id: NameId, indexes: tuple[str, ...]) -> int:
    """End the sessions of these indexes, or all of the person's; how many."""
    if indexes:
        names = {session_name(issuer, name_id, index) for index in indexes}
    else:
        half = _digest(issuer, name_id.value)
        # No hexadecimal digit comes after "f", in whatever order the database sorts.
        known = select(SignedSession.sid).where(
            SignedSession.issuer == issuer, SignedSession.sid >= half, SignedSession.sid < f"{half}g",
            SignedSession.ended_at.is_(None),
        )  # fmt: skip
        names = set(session.scalars(known))
    return sum(sessions.end(session, issuer=issuer, sid=sid) for sid in sorted(names))


def _digest(*parts: str) -> str:
    # The qualifiers of a name are left out, which providers write or omit at will; the length before each part keeps
    # ("a", "bc") and ("ab", "c") apart.
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in ("saml", *parts)).encode()).hexdigest()
