"""Live: pages are told at once that something changed, and ask again; what changed never travels this way.

A service calls :func:`say_changed` in its transaction. On PostgreSQL the word leaves with the commit (``pg_notify``) and
reaches ``rse live``, a process of its own, which tells the browsers that listen. On SQLite it stays within the one process
that serves. Where live is off, nothing of this costs anything and pages ask from time to time.

A topic is ``<plugin>.<kind>:<id>``, ``kanban.board:7``. Plugins say who may listen to theirs by
:class:`~rse_core.contributions.LiveTopic`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, text
from sqlalchemy.orm import Session

from ..errors import RseError

if TYPE_CHECKING:
    from ..runtime import Core
    from .hub import Hub

CHANNEL = "rse_live"
#: Bytes of one NOTIFY; PostgreSQL takes fewer than 8,000.
PAYLOAD = 7_900
#: Characters of a topic.
LONGEST = 120
#: Streams that the server of a development site or of the demo holds, each by a thread.
HERE = 48
_TOPIC = re.compile(r"[a-z][a-z0-9]*\.[a-z][a-z0-9_]*:[!-~]+\Z")
_PENDING = "rse_live_pending"


def is_topic(name: str) -> bool:
    """Whether a text has the form of a topic: printable ASCII, at most :data:`LONGEST` characters."""
    return len(name) <= LONGEST and _TOPIC.match(name) is not None


def say_changed(session: Session, *topics: str) -> None:
    """Say, in the caller's transaction, that these have changed; those who listen hear of it after the commit, or never.

    .. code-block:: python

        say_changed(session, f"kanban.board:{board.id}")

    It costs nothing where live is off, and one small statement on PostgreSQL where it is on. Say one topic for what many
    look at, not one for each of them.

    :raises RseError: for a text that is no topic, or in a session that only reads.
    """
    from ..runtime import core_of

    live = core_of(session).live
    if live.on and topics:
        live.say(session, topics)


class Live:
    """What the running core knows of live: whether anybody listens, and the streams of this very process."""

    #: The streams that this process serves; None in every other.
    hub: Hub | None = None

    def __init__(self, core: Core) -> None:
        self.core = core
        #: another process listens to the database
        self.notifies = core.settings.live and not core.db.is_sqlite
        self._thread: threading.Thread | None = None
        self._hooked = False

    @property
    def on(self) -> bool:
        """Whether a change is told to anybody."""
        return self.notifies or self.hub is not None

    def say(self, session: Session, topics: Iterable[str]) -> None:
        """See :func:`say_changed`."""
        wanted = list(dict.fromkeys(topics))
        for topic in wanted:
            if not is_topic(topic):
                raise RseError(f"“{topic[:LONGEST]}” is not a topic.", remedy="Write plugin.kind:id, in printable ASCII.")
        if session.info.get("rse_reading"):
            raise RseError("A session that only reads has changed nothing.", remedy="Call say_changed in a writing one.")
        if self.notifies:
            # By the connection: what waits in the session is not sent to the database for this.
            connection = session.connection()
            for payload in payloads(wanted):
                connection.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})
        else:
            inner = session.get_nested_transaction() or session.get_transaction()
            session.info.setdefault(_PENDING, []).extend((topic, inner) for topic in wanted)

    # -- within one process, on SQLite -------------------------------------------------------------------------------

    def serve_here(self, total: int = HERE, *, alive: Callable[[], bool] = lambda: True, **limits: Any) -> Hub:
        """Serve streams by threads of this process, which must be the only one that writes; on SQLite alone.

        :param total: streams at once; the server must have as many threads to spare.
        :param alive: asked every two seconds; once it says no, the streams end.
        :param limits: of :class:`~rse_core.live.hub.Hub`.
        :raises RseError: on PostgreSQL, where ``rse live`` serves them.
        """
        from .hub import Hub
        from .rounds import Rounds

        if not self.core.db.is_sqlite:
            raise RseError("On PostgreSQL the streams are served by a process of their own.", remedy="Run: rse live")
        if self.hub is not None:
            return self.hub
        if not self._hooked:
            self._hooked = True
            event.listen(self.core.db.sessions, "after_commit", self._committed)
            event.listen(self.core.db.sessions, "after_soft_rollback", _rolled_back)
        hub = self.hub = Hub(total=total, **limits)
        hub.listening = True
        rounds = Rounds(self.core, hub)

        def look() -> None:
            while not hub.stopped:
                rounds.wait()
                if not alive():
                    hub.stop()
                rounds.go()

        self._thread = threading.Thread(target=look, name="rse-live", daemon=True)
        self._thread.start()
        return hub

    def stop(self) -> None:
        """End the streams of this process."""
        if self.hub is not None:
            self.hub.stop()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self.hub = self._thread = None

    def _committed(self, session: Session) -> None:
        if session.in_nested_transaction():
            return  # a savepoint was released: nothing is committed yet
        said = session.info.pop(_PENDING, None)
        if said and self.hub is not None:
            self.hub.tell(dict.fromkeys(topic for topic, _inner in said))


_NOTIFY = text("SELECT pg_notify(:channel, :payload)")


def payloads(topics: Iterable[str]) -> Iterator[str]:
    """The topics, a line each, in as few texts as PostgreSQL takes."""
    lines: list[str] = []
    size = 0
    for topic in topics:
        if size + len(topic) + 1 > PAYLOAD:
            yield "\n".join(lines)
            lines, size = [], 0
        lines.append(topic)
        size += len(topic) + 1
    if lines:
        yield "\n".join(lines)


def _rolled_back(session: Session, ended: Any) -> None:
    """A transaction, or a savepoint in it, was undone: nothing of it is told."""
    said = session.info.get(_PENDING)
    if said:
        session.info[_PENDING] = [one for one in said if not _within(one[1], ended)]


def _within(inner: Any, outer: Any) -> bool:
    while inner is not None:
        if inner is outer:
            return True
        inner = inner.parent
    return False
