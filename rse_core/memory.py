"""What a process remembers of the policy: one snapshot, and the facts of the people met lately, never older than 2 s.

It reads through a small pool of its own: a caller's transaction may be minutes old (on SQLite it would show the past),
and may hold the last connection of the application's pool.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import math
import os
import threading
import time
import weakref
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

from .cursor import PersonFacts, Snapshot
from .db import Database
from .freshness import HOLDS, PAGES, Watcher, changes_since
from .snapshot import load_people, load_snapshot

MAX_PEOPLE = 20_000
#: Decisions remembered in all; past it they are all forgotten, which costs a moment's recomputing and no query.
MAX_DECISIONS = 200_000


class Known:
    """One person: the facts (None: there is nobody of this id) and the decisions made from them.

    A decision is kept with the span of the clock, in seconds since 1970, in which no dated row can change it.
    """

    __slots__ = ("facts", "memo")

    def __init__(self, facts: PersonFacts | None) -> None:
        self.facts = facts
        self.memo: dict[tuple[Any, ...], tuple[float, float, Any, Any]] = {}


class Memory:
    """See the module. Safe to share between threads; survives a fork."""

    def __init__(self, database: Database) -> None:
        self.db = Database(database.url, pool_size=2)
        self.people: dict[int, Known] = {}
        self.confirmed = -math.inf
        self.watcher = Watcher(lambda: self.confirm(look=True))
        self._watched = False
        self._snapshot: Snapshot | None = None
        self._structure = 0
        self._marked = 0
        self._kept = 0
        self._lock = threading.RLock()
        _memories.add(self)

    # -- freshness -------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Look for changes in the background from now on (a server; the command line needs none)."""
        self._watched = True
        self.watcher.start()

    def close(self) -> None:
        """Stop looking and close the connections."""
        self._watched = False
        self.watcher.stop()
        self.db.dispose()

    def stale(self) -> None:
        """This process has committed a change: look again before the next answer."""
        with self._lock:
            self._marked += 1
            self.confirmed = -math.inf

    def forget(self) -> None:
        """Drop everything (which plugins run has changed)."""
        with self._lock:
            self._snapshot = None
            self.people = {}
            self.stale()

    @property
    def fresh(self) -> bool:
        """Whether the last confirmation still holds."""
        return 0.0 <= time.monotonic() - self.confirmed < HOLDS

    def snapshot(self) -> Snapshot:
        """The structure, confirmed within the last two seconds.

        :raises sqlalchemy.exc.SQLAlchemyError: when it cannot be confirmed.
        """
        found = self._snapshot
        return found if found is not None and self.fresh else self.confirm()

    @property
    def structure(self) -> int:
        """A number that grows with every change of the structure, for caches of what hangs on it."""
        self.snapshot()
        return self._structure

    def confirm(self, *, look: bool = False) -> Snapshot:
        """Compare with the database and take over what changed.

        :param look: ask even when the last confirmation still holds.
        """
        with self._lock:
            if self._watched:
                self.watcher.start()
            while True:
                found = self._snapshot
                if found is not None and self.fresh and not look:
                    return found
                # The clock is read before the query: the answer is at least as young as that.
                marked, began = self._marked, time.monotonic()
                found = self._compare(found)
                if marked == self._marked:
                    self.confirmed = began
                    return found

    def _compare(self, known: Snapshot | None) -> Snapshot:
        with self.db.read() as session:
            version, people = (0, None) if known is None else changes_since(session, known.version)
            if known is None or people is None:
                found = load_snapshot(session)
                self.people, self._kept = {}, 0
                self._structure += 1
            elif version == known.version:
                return known
            else:
                found = dataclasses.replace(known, version=version)
                for person in people:
                    self.people.pop(person, None)
                if PAGES in people:
                    self._structure += 1
                    self._forget_decisions()
        self._snapshot = found
        return found

    # -- people ----------------------------------------------------------------------------------------------

    def person(self, person_id: int, snapshot: Snapshot) -> Known:
        """What is known of a person, loaded when first needed."""
        known = self.people.get(person_id)
        if known is None:
            known = self.load([person_id], snapshot)[person_id]
        return known

    def load(self, ids: Iterable[int], snapshot: Snapshot) -> dict[int, Known]:
        """Load many people at once; remembers them unless something changed meanwhile."""
        found = {person: self.people.get(person) for person in set(ids)}
        missing = [person for person, known in found.items() if known is None]
        with self.db.read() as session:
            facts = load_people(session, missing)
        loaded = {person: Known(facts.get(person)) for person in missing}
        with self._lock:
            if self._snapshot is snapshot:
                if len(self.people) + len(loaded) > MAX_PEOPLE:
                    # The eldest quarter goes; who is still about is loaded again.
                    for person in list(itertools.islice(self.people, max(MAX_PEOPLE // 4, len(loaded)))):
                        self.people.pop(person, None)
                self.people.update(loaded)
        return {**{person: known for person, known in found.items() if known is not None}, **loaded}

    def keep(self, known: Known, key: tuple[Any, ...], snapshot: Snapshot, at: dt.datetime, *answer: Any) -> None:
        """Remember a decision until the next dated row may change it; not when it was made from what is now past."""
        since, until = _span(snapshot, known.facts, at)
        with self._lock:
            if self._snapshot is not snapshot:
                return
            self._kept += 1
            if self._kept > MAX_DECISIONS:
                self._forget_decisions()
            known.memo[key] = (since, until, answer[0], answer[1])

    def _forget_decisions(self) -> None:
        for known in list(self.people.values()):
            known.memo.clear()
        self._kept = 0

    def _reset_after_fork(self) -> None:
        # The lock may have been held by a thread that does not exist here; the sockets belong to the parent.
        self._lock = threading.RLock()
        self.confirmed = -math.inf
        self.db.engine.dispose(close=False)


def _span(snapshot: Snapshot, person: PersonFacts | None, at: dt.datetime) -> tuple[float, float]:
    bounds = snapshot.boundaries
    index = bisect_right(bounds, at)
    before, after = list(bounds[max(index - 1, 0) : index]), list(bounds[index : index + 1])
    if person is not None:
        own = [moment for span in person.suspensions for moment in span if moment is not None]
        if person.disabled_at is not None:
            own.append(person.disabled_at)
        before += [moment for moment in own if moment <= at]
        after += [moment for moment in own if moment > at]
    return (
        max(before).timestamp() if before and max(before).year > 1 else -math.inf,
        min(after).timestamp() if after else math.inf,
    )


_memories: weakref.WeakSet[Memory] = weakref.WeakSet()


def _after_fork() -> None:
    for memory in list(_memories):
        memory._reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
