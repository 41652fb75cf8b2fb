"""The plugin alone on the core, with an organisation around it, and beside a plugin that writes in spaces."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rse_communities import creating, framing, plugin
from rse_core.api import Capability, Level, Manifest, Plugin, hookimpl
from rse_core.i18n import use_locale
from rse_core.models.organisation import Space
from rse_core.testing import browsers
from rse_core.testing.organisation import make_person, set_level


class Wall(Plugin):
    """Something that people do in spaces, and what a space's page shows of it."""

    manifest = Manifest("wall", "Wall")

    @hookimpl
    def rse_capabilities(self):
        yield Capability("wall.read", "Read the wall", Level.REACT, writes=False)
        yield Capability("wall.write", "Write on the wall", Level.CONTRIBUTE, default_who="members")
        yield Capability("wall.paint", "Paint the wall", Level.COCREATE, default_who="managers")


SHEET = {
    "posts": "members", "likes": "members", "comments": "members", "moderates": "after", "purpose": "To meet",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _in_english():
    with use_locale("en"):
        yield


@pytest.fixture
def wall():
    return Wall()


@pytest.fixture
def rse_plugins(wall):
    return [plugin, wall]


@pytest.fixture
def site(core):
    """A core whose site stands at the highest level."""
    set_level(core, "cocreate")
    return core


@pytest.fixture
def people(site):
    """Four colleagues by name."""
    return {name: make_person(site, name, name=label) for name, label in (
        ("olga", "Olga Owner"), ("mia", "Mïa Member"), ("sam", "Sam Stranger"), ("ada", "Ada Admin"),
    )}  # fmt: skip


@pytest.fixture
def open_space(site, people):
    """``open_space("Name", visibility="listed", members=["mia"])``: a space that olga opened; its key."""

    def open_space(name="The garden", *, kind="team", visibility="listed", members=(), owner="olga", policy=None):
        with site.db.write() as session:
            made = creating.create(session, people[owner].id, name=name, kind=kind, visibility=visibility)
            key = made.key
            framing.save(session, people[owner].id, key, {**SHEET, "contact": owner})
            framing.open_space(session, people[owner].id, key)
            if policy is not None:
                creating.change(session, people[owner].id, key, join_policy=policy)
        for username in members:
            add(site, people[owner], key, username)
        return key

    return open_space


def add(core, owner, key, username, role="member"):
    from rse_communities import members

    with core.db.write() as session:
        return members.add(session, owner.id, key, username, role)


@pytest.fixture
def sheet():
    """Answers of a complete framing sheet, but for who animates."""
    return dict(SHEET)


@pytest.fixture
def space_of(site):
    """``space_of(key)``: the core's row."""

    def space_of(key):
        with site.db.read() as session:
            return session.scalars(select(Space).where(Space.key == key)).one()

    return space_of


@pytest.fixture
def client(site):
    """``client(person)``: a browser in English."""
    return browsers(site)
