"""The streams of one process: who listens to what, and what each has not been told yet.

It knows neither the database nor the web server. The same hub serves threads (the demo) and gevent's greenlets
(``rse live``): they differ in what waits, which is handed in.
"""

from __future__ import annotations

import json
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: Seconds between two signs of life on a silent stream; proxies give up on longer silence, and a client that went is found.
BEAT = 15.0
#: Seconds within which many changes are one event.
QUIET = 1.0
#: Seconds after which a stream ends, so that whoever vouches for the person is asked anew; the browser comes back at once.
LIFE = 900.0
#: Seconds that a client may take to receive what was written.
SLOW = 20.0
#: Streams of one person; when there is one more, the oldest ends.
PER_PERSON = 8
#: So many are told without delay; of more, each is asked to wait a while, so that not all ask the site in one moment.
FEW, PACE, LATEST = 25, 10, 30_000
#: What says that a session of this person has ended.
SESSION = "core.session"


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody begins to listen.

    :param text: that of their session, "" for whom the intranet vouches.
    :param topics: each topic, with the topics by whose changes it changes.
    :param again: they listened before and may have missed something.
    """

    person_id: int
    text: str
    topics: Mapping[str, frozenset[str]]
    again: bool = False


class Stream:
    """One connection; iterated by the web server, closed by it at the end."""

    __slots__ = (
        "again", "began", "checked", "event", "gone", "greenlet", "hub", "opening", "over", "pending", "reason", "sent",
        "topics", "writing",
    )  # fmt: skip

    def __init__(self, hub: Hub, opening: Opening) -> None:
        self.hub, self.opening = hub, opening
        self.topics = dict(opening.topics)
        self.event = hub.make_event()
        self.pending: dict[str, int] = {}
        self.gone: list[str] = []
        self.again: int | None = random.randrange(3_000) if opening.again else None  # noqa: S311  spreads, hides nothing
        self.began = self.checked = hub.clock()
        self.sent, self.writing = 0.0, 0.0
        self.over, self.reason = False, ""
        #: what to end when the client does not read
        self.greenlet: Any = None

    def __iter__(self) -> Iterator[bytes]:
        hub = self.hub
        life = LIFE * (0.8 + 0.4 * random.random())  # noqa: S311
        yield from self._write(self._first())
        while True:
            arrived = self.event.wait(hub.beat)
            if arrived and not self.over:
                # The first change is told at once, those that follow within a second together.
                pause = self.sent + hub.quiet - hub.clock()
                if pause > 0:
                    hub.sleep(pause)
            lines = hub.take(self)
            if lines or not self.over:
                yield from self._write(lines or b": beat\n\n")
            if self.over or hub.clock() - self.began > life:
                return

    def _write(self, lines: bytes) -> Iterator[bytes]:
        self.writing = self.hub.clock()
        yield lines
        self.sent, self.writing = self.hub.clock(), 0.0

    def _first(self) -> bytes:
        # After a restart they do not all come back in one moment.
        retry = random.randrange(1_000, 5_000)  # noqa: S311
        return f"retry: {retry}\n".encode() + self.hub.line("ready", {"topics": sorted(self.topics)}) + self.hub.take(self)

    def close(self) -> None:
        """The connection has ended."""
        self.hub.close(self)


class Hub:
    """All streams of this process. Safe to share between threads.

    :param total: streams at once.
    :param make_event: makes what a stream waits on: ``threading.Event``, or gevent's.
    :param sleep: of the same kind.
    """

    def __init__(
        self, *, total: int, per_person: int = PER_PERSON, beat: float = BEAT, quiet: float = QUIET,
        make_event: Callable[[], Any] = threading.Event, sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.total, self.per_person, self.beat, self.quiet = total, per_person, beat, quiet
        self.make_event, self.sleep, self.clock = make_event, sleep, clock
        self.boot = secrets.token_hex(4)
        self.number = 0
        self.stopped = False
        #: whether changes reach this process
        self.listening = False
        #: somebody must be looked at before the next round
        self.alarm = make_event()
        self.streams: set[Stream] = set()
        #: numbers for the metrics
        self.opened = self.told = self.dropped = self.refused = self.lost = 0
        self._lock = threading.RLock()
        self._by_signal: dict[str, set[Stream]] = {}
        self._by_person: dict[int, list[Stream]] = {}
        self._suspects: set[int] = set()

    @property
    def full(self) -> bool:
        """Whether no further stream is taken."""
        return self.stopped or len(self.streams) >= self.total

    def open(self, opening: Opening) -> Stream | None:
        """Begin a stream; None when there are too many already."""
        with self._lock:
            if self.full:
                self.refused += 1
                return None
            stream = Stream(self, opening)
            own = self._by_person.setdefault(opening.person_id, [])
            # The oldest is most likely that of a page which was left and has not been found out yet.
            while len(own) >= self.per_person:
                self._end(own.pop(0), "full")
            own.append(stream)
            self.streams.add(stream)
            self._index(stream)
            self.opened += 1
            return stream

    def close(self, stream: Stream) -> None:
        """Forget a stream; again does no harm."""
        with self._lock:
            stream.over = True
            if stream not in self.streams:
                return
            self.streams.discard(stream)
            self._unindex(stream)
            own = self._by_person.get(stream.opening.person_id, [])
            if stream in own:
                own.remove(stream)
            if not own:
                self._by_person.pop(stream.opening.person_id, None)

    def tell(self, signals: Iterable[str]) -> None:
        """These have changed: whoever listens is told, each topic once however often it is said in the meantime."""
        with self._lock:
            self.number += 1
            for signal in signals:
                kind, _colon, ident = signal.partition(":")
                if kind == SESSION and ident.isdecimal():
                    self._suspects.add(int(ident))
                    self.alarm.set()
                    continue
                streams = self._by_signal.get(signal, ())
                within = self._within(len(streams))
                for stream in streams:
                    for topic, signs in stream.topics.items():
                        if signal in signs:
                            stream.pending[topic] = max(within, stream.pending.get(topic, 0))
                    stream.event.set()

    def look_again(self) -> None:
        """Something may have been missed: everybody looks."""
        with self._lock:
            self.lost += 1
            within = self._within(len(self.streams))
            for stream in self.streams:
                stream.again = within
                stream.event.set()

    def take(self, stream: Stream) -> bytes:
        """What this stream has not been told yet."""
        with self._lock:
            stream.event.clear()
            lines = []
            if stream.gone:
                lines.append(self.line("gone", {"topics": stream.gone}))
            if stream.again is not None:
                lines.append(self.line("again", {"within": stream.again}))
            for topic, within in stream.pending.items():
                lines.append(self.line("changed", {"topic": topic, "number": self.number, "within": within}))
                self.told += 1
            if stream.over and stream.reason:
                lines.append(self.line("end", {"reason": stream.reason}))
            stream.gone, stream.again, stream.pending = [], None, {}
            return b"".join(lines)

    def line(self, name: str, data: Mapping[str, Any]) -> bytes:
        """One event as it goes over the wire."""
        body = json.dumps(data, separators=(",", ":"))
        return f"id: {self.boot}-{self.number}\nevent: {name}\ndata: {body}\n\n".encode()

    # -- who may go on listening ------------------------------------------------------------------------------------

    def due(self, people: frozenset[int] | None, every: float) -> list[Stream]:
        """The streams to be looked at: of these people (None: of everybody), of those whose session ended, and those that
        nobody has looked at for ``every`` seconds."""
        with self._lock:
            self.alarm.clear()
            suspects, self._suspects = self._suspects, set()
            before = self.clock() - every
            return [
                stream
                for stream in self.streams
                if people is None or stream.opening.person_id in people or stream.opening.person_id in suspects
                or stream.checked <= before
            ]  # fmt: skip

    def settle(self, stream: Stream, topics: Mapping[str, frozenset[str]]) -> None:
        """From now on it hears of these alone; with none it ends."""
        with self._lock:
            stream.checked = self.clock()
            if stream not in self.streams or stream.topics == topics:
                return
            if not topics:
                self._end(stream, "over")
                return
            lost = sorted(stream.topics.keys() - topics.keys())
            self._unindex(stream)
            stream.topics = dict(topics)
            self._index(stream)
            stream.pending = {topic: within for topic, within in stream.pending.items() if topic in topics}
            if lost:
                stream.gone += lost
                stream.event.set()

    def slow(self) -> list[Stream]:
        """Those whose client has not received what was written; they are to be dropped."""
        before = self.clock() - SLOW
        return [stream for stream in list(self.streams) if 0 < stream.writing < before]

    def stop(self) -> None:
        """End all streams; browsers come back when the next process is there."""
        with self._lock:
            self.stopped = True
            for stream in list(self.streams):
                self._end(stream, "")
            self.alarm.set()

    def _end(self, stream: Stream, reason: str) -> None:
        # Silent at once: the last word is all that it still says.
        self._unindex(stream)
        stream.over, stream.reason, stream.pending, stream.again = True, reason, {}, None
        stream.event.set()

    def _within(self, count: int) -> int:
        return 0 if count <= FEW else min(LATEST, count * PACE)

    def _index(self, stream: Stream) -> None:
        for signs in stream.topics.values():
            for signal in signs:
                self._by_signal.setdefault(signal, set()).add(stream)

    def _unindex(self, stream: Stream) -> None:
        for signs in stream.topics.values():
            for signal in signs:
                found = self._by_signal.get(signal)
                if found is not None:
                    found.discard(stream)
                    if not found:
                        del self._by_signal[signal]
