"""A stream read as a browser reads it, and the rounds in which it is asked anew who may listen."""

from __future__ import annotations

import json
import threading
import time

from rse_core.live.allowed import topics
from rse_core.live.hub import Hub, Opening
from rse_core.live.rounds import Rounds


def events(text):
    """Name and data of each event of a stream."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


class Reader:
    """Reads a stream in a thread, as a browser does."""

    def __init__(self, chunks):
        self.text, self.over = "", threading.Event()
        threading.Thread(target=self._read, args=(chunks,), daemon=True).start()

    def _read(self, chunks):
        for chunk in chunks:
            self.text += chunk.decode()
        self.over.set()

    @property
    def events(self):
        return events(self.text)

    def until(self, name, count=1, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [data for kind, data in self.events if kind == name]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(f"{name} did not come: {self.text}")


def opening(person=1, *names, text="", again=False):
    return Opening(person, text, {name: frozenset([name]) for name in names}, again)


def listen(core, person, *names, text=""):
    hub = Hub(total=10, quiet=0)
    with core.db.read() as session:
        heard = topics(core, session, person.id, names)
    return hub, Rounds(core, hub), Reader(hub.open(Opening(person.id, text, heard)))


def go_round(rounds, seconds=6):
    """The rounds of some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rounds.go()
        time.sleep(0.2)
        yield
