"""What follows from the facts that decisions are made from, remembered with them: for one person, or for everybody."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.orm import Session

from .db import utcnow
from .freshness import DIRTY
from .memory import Memory

if TYPE_CHECKING:
    from .runtime import Core

T = TypeVar("T")


class Remembered:
    """The part of the policy that others keep their own conclusions in."""

    def __init__(self, core: Core, memory: Memory) -> None:
        self.core = core
        self.memory = memory
        self._shared: tuple[int, dict[Hashable, Any]] = (-1, {})

    def version(self) -> int:
        """Grows in this process whenever the structure changed, for caches that hang on it; at most 2 s behind."""
        return self.memory.structure

    def special_spaces(self) -> tuple[int, ...]:
        """Public spaces that have a rule, a switch, a level or a cap of their own: what stands there is for everyone, and
        may still be decided otherwise than elsewhere."""
        return self._of_structure("special_spaces", self._special_spaces)

    def _special_spaces(self) -> tuple[int, ...]:
        snapshot = self.memory.snapshot()
        switched = {ident for places in snapshot.switches.values() for scope, ident in places if scope == "space"}
        return tuple(
            ident for ident, space in snapshot.spaces.items()
            if space.visibility == "public" and (
                space.rules or ident in switched
                or ("cap", "space", ident) in snapshot.assignments or ("level", "space", ident) in snapshot.assignments
            )
        )  # fmt: skip

    def _of_structure(self, key: Hashable, make: Callable[[], T]) -> T:
        version = self.version()
        if self._shared[0] != version:
            self._shared = (version, {})
        known = self._shared[1]
        if key not in known:
            known[key] = make()
        found: T = known[key]
        return found

    def kept(self, session: Session, person_id: int, key: Hashable, make: Callable[[], T]) -> T:
        """What follows from the structure and one person's facts alone: made once, forgotten with them.

        :param key: begins with a word of the caller's own; together with the person it says what ``make`` makes.
        :param make: asks only decisions that no plugin has a say in. What it gives is shared: nobody may change it.
        """
        if DIRTY in session.info:
            return make()
        snapshot = self.memory.snapshot()
        known = self.memory.person(person_id, snapshot)
        hit = known.memo.get(("kept", key))
        if hit is not None and hit[0] <= time.time() < hit[1]:
            found: T = hit[2]
            return found
        moment, value = utcnow(), make()
        self.memory.keep(known, ("kept", key), snapshot, moment, value, None)
        return value

    def shared(self, session: Session, key: Hashable, make: Callable[[Session], T]) -> T:
        """What is the same for everybody until the structure changes: read once, forgotten at the next :func:`touch`.

        :param key: begins with a word of the caller's own.
        :param make: reads it, with a session younger than the version it is kept for; nobody may change what it gives.
        """
        if DIRTY in session.info:
            return make(session)

        def read() -> T:
            with self.core.db.read() as fresh:
                return make(fresh)

        return self._of_structure(key, read)
