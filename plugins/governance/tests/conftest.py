"""The plugin beside a vendor's that lets people write: what is moderated is nobody's in particular."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from rse_core import audiences, moderation, roles
from rse_core.api import (
    Actor,
    Capability,
    Conflict,
    ContentInfo,
    ContentType,
    Handling,
    Level,
    Manifest,
    Mode,
    ObjectRef,
    Plugin,
    Target,
    discard,
    examine,
    hookimpl,
    require,
)
from rse_core.i18n import use_locale
from rse_core.testing import browsers
from rse_core.testing.organisation import make_person, set_level
from rse_governance import plugin

ACTOR = Actor("cli:tests")


@dataclass
class Note:
    """A line on the wall."""

    id: int
    author_id: int
    audience_id: int
    space_id: int | None
    text: str
    state: str


class Wall(Plugin):
    """A vendor's plugin: notes, kept in memory."""

    manifest = Manifest("wall", "Wall")

    def __init__(self):
        self.notes: dict[int, Note] = {}

    @hookimpl
    def rse_capabilities(self):
        yield Capability("wall.write", "Write on the wall", Level.COMMENT, reviewed=True)

    @hookimpl
    def rse_content_types(self):
        handling = Handling(text=self.text, hide=self.hide, restore=self.restore, amend=self.amend, purge=self.purge)
        yield ContentType("wall.note", "note", self.resolve, handling=handling)
        yield ContentType("wall.bare", "bare note", self.resolve)

    def resolve(self, _session, ids):
        found = {}
        for note in (self.notes[int(i)] for i in ids if i.isdecimal() and int(i) in self.notes):
            state = {"hidden": "pending", "refused": "draft"}.get(note.state, note.state)
            found[str(note.id)] = ContentInfo(
                ObjectRef("wall.note", str(note.id)), note.text[:40], f"/rse/wall/{note.id}", note.audience_id,
                space_id=note.space_id, author_id=note.author_id, state=state,
            )  # fmt: skip
        return found

    def text(self, _session, ids):
        return {i: self.notes[int(i)].text for i in ids if int(i) in self.notes}

    def hide(self, _session, ident, _actor, _reason):
        if self.notes[int(ident)].state != "published":
            raise Conflict("It is not published.")
        self.notes[int(ident)].state = "hidden"

    def restore(self, _session, ident, _actor):
        self.notes[int(ident)].state = "published"

    def amend(self, _session, ident, _actor, text):
        self.notes[int(ident)].text = text

    def purge(self, _session, ident):
        self.notes[int(ident)].text = ""

    # -- what people do

    def write(self, core, person, text, *, space=None):
        """Write a note for everyone, or for those who see a space."""
        with core.db.write() as session:
            audience = audiences.of_space(session, space.id) if space else audiences.everyone(session)
            target = Target(audience, space_id=space.id if space else None, author_id=person.id)
            decision = require(session, person.id, "wall.write", target)
            note = Note(len(self.notes) + 1, person.id, audience, target.space_id, text, "published")
            self.notes[note.id] = note
            ref = ObjectRef("wall.note", str(note.id))
            try:
                decision = examine(session, decision, ref, person.id, capability="wall.write", target=target, text=text)
            except Exception:
                del self.notes[note.id]
                raise
            if decision.mode is Mode.REVIEW:
                note.state = "pending"
                moderation.hold(session, ref, capability="wall.write", author_id=person.id, target=target)
        return replace(note)

    def delete(self, core, person, number):
        """Delete a note."""
        note = self.notes[number]
        with core.db.write() as session:
            target = Target(note.audience_id, space_id=note.space_id, author_id=note.author_id)
            kept = discard(
                session, ObjectRef("wall.note", str(number)), author_id=note.author_id, by_id=person.id, target=target,
                reason="a reason",
            )  # fmt: skip
            note.state = "deleted"
            if not kept:
                note.text = ""


def note_ref(note):
    """Its reference."""
    return ObjectRef("wall.note", str(note.id))


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
    """A core whose site stands at COMMENT."""
    set_level(core, "comment")
    return core


@pytest.fixture
def people(site):
    """Colleagues by name; ``mo`` moderates the site, ``ada`` administers it."""
    names = ("anna", "ben", "cleo", "mo", "ada", "max")
    some = {name: make_person(site, name, name=f"{name.title()} Dubois") for name in names}
    with site.db.write() as session:
        roles.grant(session, some["mo"].id, "moderator", actor=ACTOR)
        roles.grant(session, some["ada"].id, "site_admin", actor=ACTOR)
    return some


@pytest.fixture
def moderated(site, people):
    """Everything is read by a moderator first."""
    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=ACTOR, subject="site")


@pytest.fixture
def client(site):
    """``client(person)``: a browser in English."""
    return browsers(site)


def run(core):
    """Everything that waits: consumers and jobs."""
    while core.jobs.run_due():
        pass


@pytest.fixture
def told(site):
    """``told(person)``: the lines of their notifications, once everything that waits has run."""
    from rse_core.notify import lines, of_person

    def told(person):
        run(site)
        with site.db.read() as session:
            return [line.text for line in lines(session, person.id, of_person(session, person.id))]

    return told
