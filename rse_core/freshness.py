"""Keeps what :mod:`rse_core.policy` holds in memory younger than two seconds, whatever writes elsewhere.

Every service that changes a fact calls :func:`touch` in its transaction: a new version, and a row that says whose facts
changed. A reader asks for the version; when it moved, it drops what the rows between name, or everything.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from sqlalchemy import delete, event, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from .db import utcnow
from .models.levels import PolicyChange, PolicyVersion
from .snapshot import VERSION_ROW, read_version

logger = logging.getLogger("rse.policy")

#: Seconds for which a confirmation holds; under the two that are promised, with room for the query itself.
HOLDS = 1.8
#: Seconds between two looks of the watcher.
EVERY = 0.7
#: Changes kept, so that a reader can drop single people; one further behind reloads everything.
KEEP = 5_000
DIRTY = "rse_policy_dirty"
#: In place of a person's id: where a page stands has changed, and nothing else; nobody's facts are loaded again.
PAGES = -1


def touch(session: Session, person_id: int | None = None) -> int:
    """Note, in the caller's transaction, that facts which decisions are made from have changed; the new version.

    Call it late in a long transaction: until the commit, other writers of such facts wait on its row.

    :param person_id: whose facts, when only theirs; None for the structure, or for many people at once.
    """
    session.flush()
    raised = update(PolicyVersion).where(PolicyVersion.id == VERSION_ROW).values(value=PolicyVersion.value + 1)
    version = session.execute(raised.returning(PolicyVersion.value)).scalar()
    if version is None:
        try:
            with session.begin_nested():
                session.execute(insert(PolicyVersion).values(id=VERSION_ROW, value=0))
        except IntegrityError:
            pass  # another process has just written the first row
        version = session.execute(raised.returning(PolicyVersion.value)).scalar_one()
    session.execute(insert(PolicyChange).values(version=version, person_id=person_id, at=utcnow()))
    if version % 256 == 0:
        session.execute(delete(PolicyChange).where(PolicyChange.version <= version - KEEP))
    session.info[DIRTY] = True
    return int(version)


def touch_pages(session: Session) -> int:
    """As :func:`touch`, when only a page's address, section, audience or lock changed: much cheaper for the readers."""
    return touch(session, PAGES)


def changes_since(session: Session, known: int) -> tuple[int, frozenset[int] | None]:
    """The present version, and the people whose facts changed since ``known``; None when everything may have."""
    version = read_version(session)
    if version == known:
        return version, frozenset()
    rows = session.execute(
        select(PolicyChange.version, PolicyChange.person_id).where(PolicyChange.version > known).limit(KEEP + 1)
    ).all()
    within = {number: person for number, person in rows if number <= version}
    # A hole: pruned, restored from a backup, or the version went back.
    if version < known or len(within) != version - known or None in within.values():
        return version, None
    return version, frozenset(person for person in within.values() if person is not None)


def listen(sessions: sessionmaker[Session], stale: Callable[[], None]) -> None:
    """Call ``stale`` once a session that touched has committed; forget it when the transaction ends otherwise."""

    def committed(session: Session) -> None:
        if session.info.get(DIRTY):
            stale()

    def ended(session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None:
            session.info.pop(DIRTY, None)

    event.listen(sessions, "after_commit", committed)
    event.listen(sessions, "after_transaction_end", ended)


class Watcher:
    """A daemon thread that looks for changes, so that no request has to wait for the query.

    It is a comfort, not a guarantee: when it stalls, the reader confirms for itself.
    """

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = 0

    def start(self) -> None:
        """Start it, unless it runs in this very process (a fork takes no threads along)."""
        if self._pid == os.getpid() and self._thread is not None and self._thread.is_alive():
            return
        self._pid = os.getpid()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._stop,), name="rse-policy", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop it and wait for its end."""
        self._stop.set()
        if self._thread is not None and self._pid == os.getpid():
            self._thread.join(timeout=5)
        self._thread = None

    def _run(self, stop: threading.Event) -> None:
        quiet_until = 0.0
        while not stop.wait(EVERY):
            try:
                self._look()
            except Exception:  # isolation point: the database may be away for a while; readers refuse meanwhile
                if time.monotonic() > quiet_until:
                    logger.exception("the policy's version cannot be read; decisions are refused until it can")
                    quiet_until = time.monotonic() + 60
