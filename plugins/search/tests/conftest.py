"""The plugin beside a vendor's objects: notes in any state, audience and space, with answers that stand on them."""

from __future__ import annotations

import datetime as dt

import pytest

from rse_core import search as port
from rse_core.api import (
    Capability,
    ContentInfo,
    ContentType,
    Event,
    Level,
    Manifest,
    ObjectRef,
    Plugin,
    SearchDocument,
    emit,
    hookimpl,
)
from rse_core.audiences import everyone
from rse_core.objects import SHOWN
from rse_core.testing.organisation import make_person, set_level
from rse_search import people, plugin, service
from rse_search.asking import Asked
from rse_search.indexing import refresh

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)


class Notes(Plugin):
    """A vendor's plugin: a note is a dictionary, an answer is one with a parent."""

    manifest = Manifest(name="notes", label="Notes")

    def __init__(self):
        self.notes = {}

    @hookimpl
    def rse_capabilities(self):
        return [
            Capability("notes.answer", "Answer", Level.COMMENT),
            Capability("notes.read", "Read", Level.REACT, writes=False),
        ]

    @hookimpl
    def rse_content_types(self):
        def of(name):
            return lambda session, ids: self.resolve(name, session, ids)

        def listed(name):
            return lambda session, after, limit: [
                ident for ident in sorted(self.notes) if self.type_of(ident) == name and ident > (after or "")
            ][:limit]

        def below(session, ref, after, limit):
            there = [ident for ident in sorted(self.notes) if self.notes[ident].get("parent") == ref.id]
            return [ident for ident in there if ident > (after or "")][:limit]

        return [
            ContentType(
                "notes.note", "note", of("notes.note"), searchable=True, refs=listed("notes.note"), reads="notes.read"
            ),
            ContentType(
                "notes.answer",
                "answer",
                of("notes.answer"),
                searchable=True,
                refs=listed("notes.answer"),
                below=below,
                reads="notes.answer",
            ),
        ]

    def type_of(self, ident):
        return "notes.answer" if self.notes[ident].get("parent") else "notes.note"

    def place(self, ident, all_of_them):
        """What counts for an answer is the note that it stands on."""
        note = self.notes[ident]
        over = self.notes.get(note["parent"]) if note.get("parent") else note
        if over is None:
            return None
        state = note.get("state", "published")
        if note.get("parent") and state in SHOWN:
            state = over.get("state", "published")
        return state, over.get("audience_id", all_of_them), over.get("space_id")

    def resolve(self, name, session, ids):
        found, all_of_them = {}, everyone(session)
        for ident in ids:
            if ident not in self.notes or self.type_of(ident) != name:
                continue
            placed = self.place(ident, all_of_them)
            if placed is None:
                continue
            state, audience_id, space_id = placed
            note = self.notes[ident]
            found[ident] = ContentInfo(
                ObjectRef(name, ident), note["title"], f"/notes/{ident}", audience_id, space_id=space_id,
                author_id=note.get("author_id"), state=state,
            )  # fmt: skip
        return found

    @hookimpl
    def rse_search_documents(self, session, refs):
        all_of_them = everyone(session)
        for ref in refs:
            if (
                ref.type not in ("notes.note", "notes.answer")
                or ref.id not in self.notes
                or self.type_of(ref.id) != ref.type
            ):
                continue
            placed = self.place(ref.id, all_of_them)
            if placed is None or placed[0] not in SHOWN or placed[1] is None:
                continue
            note = self.notes[ref.id]
            yield SearchDocument(
                ref, note["title"], note.get("body", ""), placed[1], note.get("author_id"), note.get("at", NOW), placed[2],
                kind=note.get("kind", ref.type.partition(".")[2]), words=note.get("words", ""),
                parent=ObjectRef("notes.note", note["parent"]) if note.get("parent") else None,
            )  # fmt: skip


class Site:
    """A core with notes, and short ways to write and to search."""

    def __init__(self, core, notes):
        self.core, self.plugin, self.notes = core, notes, notes.notes

    def write(self, ident, title, body="", **values):
        """Keep a note and tell of it; ``work()`` indexes."""
        self.notes[ident] = {"title": title, "body": body} | values
        return self.tell(ident)

    def tell(self, ident, name="notes.changed", ref_type=None):
        ref = ObjectRef(ref_type or (self.plugin.type_of(ident) if ident in self.notes else "notes.note"), ident)
        with self.core.db.write() as session:
            emit(session, Event(name, None, ref))
        return ref

    def delete(self, ident):
        kind = self.plugin.type_of(ident)
        del self.notes[ident]
        self.tell(ident, "notes.deleted", kind)

    def work(self):
        self.core.jobs.run_due()

    def index_people(self, *who):
        with self.core.db.write() as session:
            refresh(session, [people.ref_of(person.id) for person in who])

    def results(self, person, text="", *, after=None, limit=20, **filters):
        with self.core.db.read() as session:
            return service.search(session, person.id, Asked(text, **filters), after=after, limit=limit)

    def find(self, person, text="", **options):
        """The ids found, in order."""
        return [one.ref.id for one in self.results(person, text, **options).hits]

    def numbers(self, person, facet, text="", **filters):
        for one in self.results(person, text, **filters).facets:
            if one.name == facet:
                return {value.key: value.count for value in one.values}
        return {}

    def scopes(self, person):
        with self.core.db.read() as session:
            return port.scopes(session, person.id)


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def rse_plugins(notes):
    return [plugin, notes]


@pytest.fixture
def make_site():
    """``make_site(core, notes)``, for a core that is made elsewhere."""
    return Site


@pytest.fixture
def site(core, notes):
    """A site at COMMENT."""
    set_level(core, "comment")
    return Site(core, notes)


@pytest.fixture
def anna(site):
    return make_person(site.core, "anna", name="Anna Sérès")
