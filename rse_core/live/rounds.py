"""Going round: whether those who listen still may. Every minute each, and soon after something about them changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ..freshness import HOLDS, changes_since
from ..snapshot import read_version
from .allowed import examine
from .hub import Hub, Stream

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
        #: when it was seen that rights changed, and whose (None: perhaps everybody's)
        self._changes: list[tuple[float, frozenset[int] | None]] = []

    def wait(self) -> None:
        """Until the next round: shorter when a session ended."""
        self.hub.alarm.wait(EVERY)

    def go(self) -> None:
        """One round. When the database is away, nobody hears anything anyway: a later round looks at everybody."""
        try:
            people = self._call(self._people)
            for stream in self.hub.due(people, RECHECK):
                self.hub.settle(stream, self._heard(stream))
        except Exception:  # isolation point: the next round must come
            log.exception("the streams could not be looked at; they are looked at again")
            # Whoever was to be looked at in this round is no longer known.
            self._changes.append((time.monotonic(), None))

    def _heard(self, stream: Stream) -> Mapping[str, frozenset[str]]:
        """What it may go on hearing. What cannot be said is taken to be nothing, unless it is the database that is away."""
        try:
            heard: Mapping[str, frozenset[str]] = self._call(
                partial(examine, self.core, stream.opening, tuple(stream.topics))
            )
        except Exception:
            self._call(self._version)
            log.exception("what a page may hear cannot be said; its stream ends")
            return {}
        return heard

    def _version(self) -> int:
        with self.core.db.read() as session:
            return read_version(session)

    def _people(self) -> frozenset[int] | None:
        """Whose rights changed a moment ago (None: perhaps everybody's).

        What is decided from memory is right within two seconds of a change, so that asking at once would ask too early.
        """
        now = time.monotonic()
        ripe = [people for at, people in self._changes if now - at >= HOLDS]
        self._changes = [one for one in self._changes if now - one[0] < HOLDS]
        with self.core.db.read() as session:
            if self._known is None:
                # Who began to listen before the first round was decided on earlier facts.
                version, people = read_version(session), None
            else:
                version, people = changes_since(session, self._known)
        if version != self._known:
            self._known = version
            self._changes.append((now, people))
        return None if None in ripe else frozenset().union(*(some for some in ripe if some is not None))
