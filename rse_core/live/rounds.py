"""Going round: whether those who listen still may. Every minute each, and soon after something about them changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from ..freshness import HOLDS, changes_since
from ..snapshot import read_version
from .allowed import examine
from .hub import Hub

if TYPE_CHECKING:
    from ..runtime import Core

log = logging.getLogger("rse.live")
#: Seconds between two rounds; after which a stream is looked at in any case.
EVERY, RECHECK = 2.0, 60.0


class Rounds:
    """Looks after the streams of one hub.

    :param call: runs what asks the database; gevent's server hands it to a thread, so that nobody else waits.
    """

    def __init__(self, core: Core, hub: Hub, *, call: Callable[[Callable[[], Any]], Any] | None = None) -> None:
        self.core, self.hub = core, hub
        self._call = call or (lambda work: work())
        self._known: int | None = None
        self._changed: tuple[float, frozenset[int] | None] | None = None

    def wait(self) -> None:
        """Until the next round: shorter when a session ended."""
        self.hub.alarm.wait(EVERY)

    def go(self) -> None:
        """One round. When the database is away, nobody hears anything anyway: the next round looks again."""
        try:
            people = self._call(self._people)
            for stream in self.hub.due(people, RECHECK):
                look = partial(examine, self.core, stream.opening, tuple(stream.topics))
                self.hub.settle(stream, self._call(look))
        except DBAPIError:
            log.warning("the streams could not be looked at: the database does not answer")
            # Not only those of this round: who was to be looked at is no longer known.
            self._changed = (time.monotonic(), None)
        except Exception:  # isolation point: the next round must come
            log.exception("the streams could not be looked at")

    def _people(self) -> frozenset[int] | None:
        """Whose rights changed a moment ago (None: perhaps everybody's).

        What is decided from memory is right within two seconds of a change, so that asking at once would ask too early.
        """
        due: frozenset[int] | None = frozenset()
        if self._changed is not None and time.monotonic() - self._changed[0] >= HOLDS:
            due, self._changed = self._changed[1], None
        with self.core.db.read() as session:
            if self._known is None:
                # Who began to listen before the first round was decided on earlier facts.
                self._known, self._changed = read_version(session), (time.monotonic(), None)
                return due
            version, people = changes_since(session, self._known)
        if version != self._known:
            self._known = version
            if self._changed is not None:
                before = self._changed[1]
                people = None if before is None or people is None else before | people
            self._changed = (time.monotonic(), people)
        return due
