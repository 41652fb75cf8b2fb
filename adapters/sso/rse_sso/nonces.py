"""Single use: a token's nonce is recorded in the database, which alone can tell the first of two."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rse_core.api import utcnow

from .models import Nonce

MARGIN = dt.timedelta(hours=1)
"""How much longer than needed a nonce is kept: servers' clocks differ, and a row costs nothing."""

Writer = Callable[[], AbstractContextManager[Session]]


def digest(issuer: str, jti: str) -> str:
    """SHA-256 of the pair, in hexadecimal; the length in front keeps ("a", "bc") and ("ab", "c") apart."""
    return hashlib.sha256(f"{len(issuer)}:{issuer}{jti}".encode()).hexdigest()


class DatabaseNonces:
    """A :class:`~rse_sso.handoff.NonceStore` shared by all servers of the site.

    :param write: opens a writing transaction that commits at its end, ``core.db.write``.
    """

    def __init__(self, write: Writer) -> None:
        self._write = write

    def consume(self, issuer: str, jti: str, *, expires_at: float, now: float) -> bool:
        """Record the use; False when the primary key says that another request was first."""
        row = Nonce(digest=digest(issuer, jti), expires_at=dt.datetime.fromtimestamp(expires_at, dt.UTC))
        try:
            with self._write() as session:
                session.add(row)
        except IntegrityError:
            return False
        return True


def prune(session: Session) -> int:
    """Forget the nonces of tokens that expired more than :data:`MARGIN` ago; the number of rows."""
    result = session.execute(delete(Nonce).where(Nonce.expires_at < utcnow() - MARGIN))
    return int(result.rowcount)  # type: ignore[attr-defined]


def prune_job(session: Session) -> None:
    """:func:`prune` as a background job."""
    prune(session)
