"""A plugin whose boards open pages listen to, somebody who may, and an ear on what is said."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, select

from rse_core import audiences
from rse_core.api import Capability, Level, LiveTopic, Manifest, NotificationType, Plugin, hookimpl
from rse_core.live import CHANNEL
from rse_core.models.organisation import Person

# Test files are no package here: what they share is loaded under a name of its own.
_spec = importlib.util.spec_from_file_location("live_reading", Path(__file__).with_name("reading.py"))
assert _spec is not None
assert _spec.loader is not None
sys.modules[_spec.name] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules[_spec.name])


class Boards(Plugin):
    """Boards of spaces: who is in the space's audience may listen."""

    manifest = Manifest("boards", "Boards")
    broken = False

    @hookimpl
    def rse_capabilities(self):
        return [Capability("boards.read", "Read", Level.REACT, writes=False)]

    @hookimpl
    def rse_notification_types(self):
        return [NotificationType("boards.moved", "Moved", lambda _count, _data: "Moved", stays=True)]

    @hookimpl
    def rse_live_topics(self):
        return [
            LiveTopic("boards.board", self.may_listen),
            LiveTopic("boards.mine", lambda _session, person_id, ident: ident == str(person_id), stands_for=self.signs),
        ]

    def may_listen(self, session, person_id, ident):
        if self.broken:
            raise RuntimeError("broken")
        return ident.isdecimal() and audiences.sees(session, person_id, int(ident))

    def signs(self, session, person_id, _ident):
        return [f"boards.board:{one}" for one in audiences.of_person(session, person_id)]


@pytest.fixture
def boards():
    return Boards()


@pytest.fixture
def rse_plugins(boards):
    return [boards]


@pytest.fixture
def space(core, make_space, make_person):
    """A private space with Anna in it; the id of its audience."""
    made = make_space("garden", visibility="secret", members=[make_person("anna")])
    with core.db.write() as session:
        return made, audiences.of_space(session, made.id)


@pytest.fixture
def anna(core, space):
    with core.db.read() as session:
        return session.scalar(select(Person).where(Person.username == "anna"))


class Heard:
    """What is said on this database, whichever it is."""

    def __init__(self, core):
        self.core, self.topics = core, []
        if core.db.is_sqlite:
            hub = core.live.serve_here(10)
            tell = hub.tell
            hub.tell = lambda said: (self.topics.extend(said), tell(said))
        else:
            core.live.notifies = True
            url = make_url(core.settings.database_url).set(drivername="postgresql")
            self.connection = psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)
            self.connection.execute(f"LISTEN {CHANNEL}")

    def __call__(self):
        if not self.core.db.is_sqlite:
            self.connection.execute("SELECT 1")
            for notice in self.connection.notifies(timeout=0.2):
                self.topics.extend(notice.payload.split("\n"))
        found, self.topics[:] = list(self.topics), []
        return found


@pytest.fixture
def heard(core):
    made = Heard(core)
    yield made
    if not core.db.is_sqlite:
        made.connection.close()
