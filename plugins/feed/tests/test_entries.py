"""What other plugins and the intranet tell of: entries that follow their objects, and what a space's change does to all."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import delete, func, select, update

from rse_core import audiences, organisation, privacy, spaces
from rse_core.api import (
    Activity,
    Actor,
    ContentInfo,
    ContentType,
    Event,
    Manifest,
    ObjectRef,
    Plugin,
    emit,
    hookimpl,
    utcnow,
)
from rse_core.models.content import Page
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_feed import counting, drafting, entries, plugin, publishing, reading
from rse_feed.models import Entry, Pin, Post, SpaceCount
from rse_feed.texts import Written

NOTE = ObjectRef("notes.note", "1")


class Notes(Plugin):
    """Another plugin: notes that may be anywhere, and three things that happen to them."""

    manifest = Manifest(name="notes", label="Notes")

    def __init__(self):
        self.notes = {}

    @hookimpl
    def rse_content_types(self):
        def resolve(session, ids):
            return {
                ident: ContentInfo(ObjectRef("notes.note", ident), **self.notes[ident])
                for ident in ids
                if ident in self.notes
            }

        return [ContentType("notes.note", "note", resolve)]

    @hookimpl
    def rse_activities(self):
        return [
            Activity("notes.written", "%(who)s wrote a note"), Activity("notes.read", "%(who)s read a note", low=True),
            Activity("notes.answered", bump=True),
        ]  # fmt: skip


@pytest.fixture
def noted(rse_core):
    notes = Notes()
    core = rse_core([plugin, notes])
    set_level(core, "contribute")
    return core, notes.notes


def note(core, notes, ident="1", **values):
    with core.db.write() as session:
        given = {"title": f"Note {ident}", "url": f"/notes/{ident}", "audience_id": audiences.everyone(session)}
    notes[ident] = {**given, **values}


def happens(core, name, actor=None, ref=NOTE, **data):
    with core.db.write() as session:
        emit(session, Event(name, actor.id if actor else None, ref, data=data))
    core.jobs.run_due()


def lines(core, person, **wanted):
    with core.db.read() as session:
        return reading.page(session, person.id, reading.Wanted(**wanted)).lines


def refs(core, person, **wanted):
    return [str(line.ref) for line in lines(core, person, **wanted)]


def write(core, person, audience, **values):
    with core.db.write() as session:
        return drafting.write(session, person.id, Written(**{"body": "Bonjour", "audience": audience, **values})).post


def test_what_another_plugin_declares_becomes_an_entry_with_its_sentence(noted):
    core, notes = noted
    anna, ben = make_person(core, "anna"), make_person(core, "ben")
    note(core, notes)
    happens(core, "notes.written", anna)
    (line,) = lines(core, ben)
    assert (str(line.ref), line.title, line.url, line.actor.id) == ("notes.note:1", "Note 1", "/notes/1", anna.id)
    assert str(line.verb) == "%(who)s wrote a note"
    assert line.post_id is None


def test_an_event_told_twice_makes_one_entry_that_keeps_its_place(noted):
    core, notes = noted
    anna = make_person(core, "anna")
    note(core, notes)
    happens(core, "notes.written", anna)
    (first,) = lines(core, anna)
    happens(core, "notes.written", anna)
    (second,) = lines(core, anna)
    assert second.at == first.at


def test_what_matters_little_is_shown_to_who_wants_everything(noted):
    core, notes = noted
    anna, ben = make_person(core, "anna"), make_person(core, "ben")
    note(core, notes)
    happens(core, "notes.read", anna)
    assert refs(core, ben) == []
    assert refs(core, ben, everything=True) == ["notes.note:1"]
    with core.db.read() as session:
        assert reading.wanted_of(session, ben.id, sort="new").everything is False
    with core.db.write() as session:
        reading.remember(session, ben.id, everything=True)
    with core.db.write() as session:
        core.options.set(session, "feed.everything", True, Actor("cli"))
    with core.db.read() as session:
        assert reading.wanted_of(session, ben.id, sort="new").everything is True
        assert reading.wanted_of(session, anna.id, sort="new").everything is True
    with core.db.write() as session:
        reading.remember(session, anna.id, everything=False)
    with core.db.read() as session:
        assert reading.wanted_of(session, anna.id, sort="new").everything is False


def test_an_answer_lets_the_object_become_active_again_and_adds_no_line(noted):
    core, notes = noted
    anna = make_person(core, "anna")
    note(core, notes, "1")
    note(core, notes, "2")
    happens(core, "notes.written", anna)
    happens(core, "notes.written", anna, ObjectRef("notes.note", "2"))
    assert refs(core, anna, sort="active") == ["notes.note:2", "notes.note:1"]
    happens(core, "notes.answered", anna, ObjectRef("notes.answer", "9"), object="notes.note:1")
    assert refs(core, anna, sort="active") == ["notes.note:1", "notes.note:2"]
    assert refs(core, anna) == ["notes.note:2", "notes.note:1"]


def test_an_answer_finds_what_it_stands_on_by_its_parent_too(noted):
    core, notes = noted
    anna = make_person(core, "anna")
    for ident in ("1", "2"):
        note(core, notes, ident)
        happens(core, "notes.written", anna, ObjectRef("notes.note", ident))
    note(core, notes, "3", parent=NOTE)
    happens(core, "notes.answered", anna, ObjectRef("notes.note", "3"))
    assert refs(core, anna, sort="active") == ["notes.note:1", "notes.note:2"]


def test_a_like_moves_nothing(noted):
    core, notes = noted
    anna = make_person(core, "anna")
    post = write(core, anna, "everyone")
    with core.db.read() as session:
        before = session.scalars(select(Entry.last_activity)).one()
    happens(core, "likes.reacted", anna, ObjectRef("feed.post", str(post.id)))
    with core.db.read() as session:
        assert session.scalars(select(Entry.last_activity)).one() == before


def test_what_stands_on_a_post_makes_it_active_again(noted):
    core, notes = noted
    anna = make_person(core, "anna")
    first, second = write(core, anna, "everyone"), write(core, anna, "everyone", body="Plus tard")
    happens(core, "notes.answered", anna, ObjectRef("comments.comment", "1"), object=f"feed.post:{first.id}")
    assert refs(core, anna, sort="active") == [f"feed.post:{first.id}", f"feed.post:{second.id}"]


def test_an_entry_follows_its_object_out_of_sight_and_back(noted):
    core, notes = noted
    anna, ben = make_person(core, "anna"), make_person(core, "ben")
    space = make_space(core, "secret", visibility="secret", members=[anna])
    note(core, notes)
    happens(core, "notes.written", anna)
    with core.db.read() as session:
        members = audiences.of_members(session, space.id)
    note(core, notes, audience_id=members, space_id=space.id, title="Ailleurs")
    happens(core, "notes.moved", anna)
    assert refs(core, ben) == []
    assert [(line.title, line.space) for line in lines(core, anna)] == [("Ailleurs", ("secret", "Secret"))]
    note(core, notes, state="pending")
    happens(core, "notes.edited", anna)
    assert refs(core, anna) == []
    note(core, notes)
    happens(core, "notes.edited", anna)
    assert refs(core, ben) == ["notes.note:1"]
    del notes["1"]
    happens(core, "notes.deleted", anna)
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == 0


def test_what_is_gone_before_its_plugin_says_so_is_left_out(noted):
    core, notes = noted
    anna = make_person(core, "anna")
    note(core, notes)
    happens(core, "notes.written", anna)
    notes.clear()
    assert lines(core, anna) == ()


def page(core, key="/news/1", **values):
    with core.db.write() as session:
        row = session.scalar(select(Page).where(Page.key == key))
        if row is None:
            core.pages.ensure(session, ObjectRef("page", key))
        session.execute(update(Page).where(Page.key == key).values(**values))


def test_a_page_that_an_entity_published_is_an_entry_of_its_audience(core):
    set_level(core, "react")
    north = make_entity(core, "north", name="Agence Nord")
    inside, outside = make_person(core, "inside", entity=north), make_person(core, "outside")
    with core.db.read() as session:
        audience = audiences.of_entity(session, north.id)
    when = utcnow() - dt.timedelta(hours=3)
    page(
        core, title="Horaires", summary="L’accueil ouvre à 8 h.", audience_id=audience, entity_id=north.id, published_at=when
    )
    happens(core, "page.published", ref=ObjectRef("page", "/news/1"))
    (line,) = lines(core, inside)
    assert (line.title, line.who, line.summary, line.at) == ("Horaires", "Agence Nord", "L’accueil ouvre à 8 h.", when)
    assert line.actor is None
    assert refs(core, inside, kind="intranet") == ["page:/news/1"]
    assert refs(core, inside, kind="posts") == refs(core, outside) == []
    page(core, gone_at=utcnow())
    happens(core, "page.gone", ref=ObjectRef("page", "/news/1"))
    assert lines(core, inside) == ()


def test_a_page_of_which_nobody_says_for_whom_it_is_makes_no_entry(core):
    set_level(core, "react")
    anna = make_person(core, "anna")
    page(core, title="Horaires")
    happens(core, "page.published", ref=ObjectRef("page", "/news/1"))
    assert lines(core, anna) == ()


# -- spaces that change ---------------------------------------------------------------------------------------------------


def test_a_space_that_becomes_public_shows_what_is_in_it_and_keeps_what_was_for_members_alone(site, anna, ben):
    space = make_space(site, "square", visibility="public", members=[anna])
    shown = write(site, anna, "space:square")
    alone = write(site, anna, "members:square")
    assert refs(site, ben) == [f"feed.post:{shown.id}"]
    with site.db.write() as session:
        spaces.change_visibility(session, space.id, "listed", actor=Actor("cli"))
    assert refs(site, ben) == []
    assert len(refs(site, anna)) == 2
    with site.db.write() as session:
        spaces.change_visibility(session, space.id, "secret", actor=Actor("cli"))
    assert refs(site, ben) == []
    assert alone.id != shown.id


def test_spaces_that_are_merged_bring_their_posts_pins_and_counts(site, anna, ben):
    source, target = make_space(site, "small", members=[anna]), make_space(site, "large", members=[anna, ben])
    moved, kept = write(site, anna, "space:small"), write(site, anna, "space:large")
    draft = write(site, anna, "space:small", act="draft")
    with site.db.write() as session:
        session.add(Pin(space_id=source.id, entry_id=entries.entry_of(session, moved.id).id))
    with site.db.write() as session:
        spaces.merge(session, source.id, target.id, actor=Actor("cli"))
    assert set(refs(site, ben, space_id=target.id)) == {f"feed.post:{moved.id}", f"feed.post:{kept.id}"}
    with site.db.read() as session:
        assert session.get_one(SpaceCount, target.id).posts == 2
        assert session.scalars(select(Pin.space_id)).all() == [target.id]
        assert session.get_one(Post, draft.id).space_id == target.id
        assert counting.wrong(session) == entries.astray(session) == 0


def test_leaving_a_space_hides_its_posts_at_once(site, anna, ben):
    space = make_space(site, "garden", members=[anna, ben])
    write(site, anna, "space:garden")
    assert len(refs(site, ben)) == 1
    with site.db.write() as session:
        organisation.leave_space(session, space.id, ben.id)
    assert refs(site, ben) == refs(site, ben, space_id=space.id) == []


# -- what the doctor finds, what a person takes along -----------------------------------------------------------------------


def test_wrong_counters_and_lost_entries_are_found_and_mended(site, anna):
    space = make_space(site, "garden", members=[anna])
    first, second = write(site, anna, "space:garden", title="Un"), write(site, anna, "everyone")
    with site.db.read() as session:
        assert counting.check(session).ok
    with site.db.write() as session:
        session.execute(update(SpaceCount).values(posts=7))
        session.execute(delete(Entry).where(Entry.ref_id == str(first.id)))
        session.execute(update(Entry).where(Entry.ref_id == str(second.id)).values(audience_id=None))
    with site.db.read() as session:
        assert not counting.check(session).ok
    with site.db.write() as session:
        counting.repair(session)
    with site.db.read() as session:
        assert counting.check(session).ok
        assert session.get_one(SpaceCount, space.id).posts == 1
    assert set(refs(site, anna)) == {f"feed.post:{first.id}", f"feed.post:{second.id}"}


def test_a_person_takes_along_all_they_wrote_and_leaves_only_published_texts(site, anna, ben):
    post = write(site, anna, "everyone", title="Titre")
    with site.db.write() as session:
        drafting.edit(session, anna.id, post.id, Written(body="Autre", title="Titre", audience="everyone"), version=1)
    write(site, anna, "everyone", body="Brouillon", act="draft")
    gone = write(site, anna, "everyone", body="Effacée")
    with site.db.write() as session:
        publishing.delete(session, anna.id, gone.id)
    with site.db.read() as session:
        (section,) = [one for one in privacy.export(session, anna.id)["sections"] if one["name"] == "feed.posts"]
        assert [(row["body"], row["state"]) for row in section["rows"]] == [
            ("Autre", "published"), ("Brouillon", "draft"), ("Effacée", "deleted"),
        ]  # fmt: skip
        assert [before["body"] for before in section["rows"][0]["before"]] == ["Bonjour"]
    with site.db.write() as session:
        privacy.erase(session, anna.id, actor=Actor("cli"))
    with site.db.read() as session:
        rows = session.execute(select(Post.body, Post.author_id).order_by(Post.id)).all()
        assert [tuple(row) for row in rows] == [("Autre", None), ("", None)]
    (line,) = lines(site, ben)
    assert (line.actor, line.who) == (None, "")
