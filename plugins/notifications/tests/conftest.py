"""The plugin beside one that has something to tell and one that carries it away."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from rse_core import notify
from rse_core.api import ObjectRef
from rse_core.audiences import everyone
from rse_core.models.organisation import Person
from rse_core.testing.organisation import make_person, set_level
from rse_notifications import plugin, sending

_spec = importlib.util.spec_from_file_location("rse_notifications_bulletin", Path(__file__).with_name("bulletin.py"))
kit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(kit)

NOTE = ObjectRef("bulletin.note", "1")
ORIGIN = "https://intranet.example"


@pytest.fixture
def bulletin():
    made = kit.Bulletin()
    made.notes["1"] = {}
    return made


@pytest.fixture
def post():
    return kit.Post()


@pytest.fixture
def rse_plugins(bulletin, post):
    return [plugin, bulletin, post]


@pytest.fixture
def site(rse_core, rse_plugins):
    """A site at REACT with one note for everyone."""
    core = rse_core(rse_plugins, legacy_origins=(ORIGIN,), site_name="Intranet")
    set_level(core, "react")
    return core


def with_address(core, person, address=None):
    with core.db.write() as session:
        session.get(Person, person.id).email = address or f"{person.username}@example.org"
    return person


@pytest.fixture
def reader(site):
    """``reader("anna", …)``: somebody with an address."""

    def make(username, **values):
        return with_address(site, make_person(site, username, **{"locale": "en", **values}))

    return make


@pytest.fixture
def anna(reader):
    return reader("anna", name="Anna Sérès")


@pytest.fixture
def ben(reader):
    return reader("ben", name="Benoît Œuvrard")


@pytest.fixture
def tell(site):
    """``tell(anna, …)``: notify one person."""

    def tell(person, kind="bulletin.noted", *, ref=NOTE, actor=None, cause="c:1", **values):
        with site.db.write() as session:
            actor_id = actor.id if actor else None
            notify.notify(session, person.id, kind, ref, actor_id=actor_id, cause=cause, **values)

    return tell


@pytest.fixture
def announce(site):
    """``announce(…)``: tell everyone, or an audience."""

    def announce(audience_id=None, kind="bulletin.noted", *, ref=NOTE, actor=None, cause="b:1", **values):
        with site.db.write() as session:
            where = audience_id or everyone(session)
            notify.broadcast(session, where, kind, ref, actor_id=actor.id if actor else None, cause=cause, **values)

    return announce


@pytest.fixture
def run(site, post):
    """``run()``: let the jobs run; the messages that left meanwhile."""

    def run():
        before = len(post.sent)
        site.jobs.run_due()
        sending.send_due(site)
        return post.sent[before:]

    return run
