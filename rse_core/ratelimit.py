"""Rate limit of a person's acts, kept in the database so that it holds across processes."""

from __future__ import annotations

from sqlalchemy.orm import Session

from .db import dialect_insert, utcnow
from .errors import TooMany
from .i18n import _
from .models.runtime import RateMark


def limit(session: Session, person_id: int, what: str, *, most: int, seconds: int) -> None:
    """Count one act; part of the caller's transaction, so that a refused act is not counted.

    :param most: acts allowed within each window of ``seconds``.
    :raises TooMany: beyond that; its ``retry_after`` is when the window ends.
    """

    now = int(utcnow().timestamp())
    window = now // seconds
    statement = dialect_insert(session, RateMark).values(
        person_id=person_id, what=what, window=window, count=1
    )
    count = session.scalar(
        statement.on_conflict_do_update(
            index_elements=["person_id", "what", "window"], set_={"count": RateMark.count + 1}
        ).returning(RateMark.count)
    )
    if (count or 0) > most:
        raise TooMany(
            _("That was a lot in a short time; please wait a moment and try again."),
            retry_after=(window + 1) * seconds - now,
        )
