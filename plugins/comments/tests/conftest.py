"""The plugin alone on the core, and beside objects of another plugin."""

from __future__ import annotations

import pytest

from rse_comments import plugin, service
from rse_core.api import Capability, ContentInfo, ContentType, Level, Manifest, ObjectRef, Plugin, hookimpl
from rse_core.testing.organisation import make_person, set_level

PAGE = ObjectRef("page", "/news/1")


class Notes(Plugin):
    """Objects of a plugin: authored, some in a space, in any state."""

    manifest = Manifest(name="notes", label="Notes")

    def __init__(self):
        self.notes = {}

    @hookimpl
    def rse_capabilities(self):
        return [Capability("notes.read", "Read", Level.REACT, writes=False)]

    @hookimpl
    def rse_content_types(self):
        def resolve(session, ids):
            from rse_core.audiences import everyone

            found = {}
            for ident in ids:
                if ident in self.notes:
                    values = {"audience_id": everyone(session)} | self.notes[ident]
                    found[ident] = ContentInfo(ObjectRef("notes.note", ident), f"Note {ident}", f"/notes/{ident}", **values)
            return found

        return [
            ContentType("notes.note", "note", resolve, commentable=True, reads="notes.read"),
            ContentType("notes.other", "other", resolve),
        ]


@pytest.fixture
def rse_plugins():
    return [plugin]


@pytest.fixture
def site(core):
    """A core whose site stands at COMMENT."""
    set_level(core, "comment")
    return core


@pytest.fixture
def noted(rse_core):
    """A core with the notes of another plugin, and those notes."""
    notes = Notes()
    core = rse_core([plugin, notes])
    set_level(core, "comment")
    return core, notes.notes


@pytest.fixture
def anna(site):
    return make_person(site, "anna", name="Anna Sérès")


@pytest.fixture
def ben(site):
    return make_person(site, "ben", name="Benoît Œuvrard")


@pytest.fixture
def write():
    def write(core, person, body="Bonjour", ref=PAGE, **values):
        with core.db.write() as session:
            return service.write(session, person.id, ref, body, **values)

    return write
