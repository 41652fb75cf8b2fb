"""The port of search: what may be found by whom, what the index is given, and full-text tables beside the others."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect, text, update
from sqlalchemy.orm import Mapped, mapped_column

from rse_core import audiences, revision, search
from rse_core.api import (
    Actor,
    Capability,
    ContentType,
    Level,
    Manifest,
    Migrations,
    ObjectRef,
    Plugin,
    SearchDocument,
    hookimpl,
    plugin_base,
    utcnow,
)
from rse_core.db import Key
from rse_core.migrate import is_hidden, virtual_tables
from rse_core.models.content import Page
from rse_core.pages import PageClaim
from rse_core.purge import purge
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level


class Finder(Plugin):
    """What a search plugin registers, and no more; named otherwise than the real one, whose tables may be loaded."""

    manifest = Manifest(name="finder", label="Search")

    @hookimpl
    def rse_capabilities(self):
        return [Capability("finder.use", "Search", Level.REACT, writes=False)]


class Shelf(Plugin):
    """Two types of object: one shown to all who see it, one from COMMENT on."""

    manifest = Manifest(name="shelf", label="Shelf")

    def __init__(self):
        self.documents = []

    @hookimpl
    def rse_capabilities(self):
        return [Capability("shelf.answer", "Answer", Level.COMMENT)]

    @hookimpl
    def rse_content_types(self):
        def resolve(session, ids):
            return {}

        return [
            ContentType("shelf.book", "book", resolve, searchable=True),
            ContentType("shelf.answer", "answer", resolve, searchable=True, reads="shelf.answer"),
            ContentType("shelf.secret", "secret", resolve),
        ]

    @hookimpl
    def rse_search_documents(self, session, refs):
        return self.documents


@pytest.fixture(autouse=True)
def finder(monkeypatch):
    monkeypatch.setattr(search, "USE", "finder.use")


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def rse_plugins(shelf):
    return [Finder(), shelf]


def scopes(core, person):
    """type → audiences."""
    with core.db.read() as session:
        found = search.scopes(session, person.id if person else None)
    return {name: set(scope.audiences) for scope in found for name in scope.types}


def test_nobody_and_who_is_below_the_level_find_nothing(core):
    assert scopes(core, None) == {}
    assert scopes(core, make_person(core, "low", level=Level.INFORM)) == {}


def test_a_type_counts_from_the_level_at_which_it_is_shown(core):
    reader, writer = make_person(core, "reader", level=Level.REACT), make_person(core, "writer", level=Level.COMMENT)
    assert set(scopes(core, reader)) == {"page", "shelf.book"}
    assert set(scopes(core, writer)) == {"page", "shelf.book", "shelf.answer"}


def test_who_may_read_but_not_write_still_finds(core):
    from rse_core import charter, suspensions

    anna = make_person(core, "anna", level=Level.COMMENT)
    with core.db.write() as session:
        charter.publish(session, title="Charter", body="Be kind.", actor=Actor("test"))
        suspensions.suspend(session, anna.id, reason="Rest", actor=Actor("test"))
    assert "shelf.answer" in scopes(core, anna)


def test_each_space_has_its_own_level_and_its_own_plugins(core):
    set_level(core, Level.COMMENT)
    anna = make_person(core, "anna")
    one, capped = (make_space(core, key, members=[anna]) for key in ("one", "capped"))
    set_level(core, Level.REACT, space=capped, kind="cap")
    with core.db.write() as session:
        everyone = audiences.everyone(session)
        first, second = (audiences.of_members(session, space.id) for space in (one, capped))
    assert scopes(core, anna)["shelf.book"] == {everyone, first, second}
    assert scopes(core, anna)["shelf.answer"] == {everyone, first}
    with core.db.write() as session:
        core.plugins.disable(session, "shelf", Actor("test"), "space", one.id)
    assert scopes(core, anna)["shelf.book"] == {everyone, second}
    with core.db.read() as session:
        book = next(scope for scope in search.scopes(session, anna.id) if "shelf.book" in scope.types)
        assert book.not_in == (one.id,)


def test_scopes_of_somebody_known_cost_no_query(core):
    set_level(core, Level.COMMENT)
    anna = make_person(core, "anna", spaces=[make_space(core) for _ in range(5)])
    scopes(core, anna)
    with count_queries(core) as count:
        scopes(core, anna)
    assert len(count) == 0


def test_the_index_is_given_what_it_asked_about_once(core, shelf):
    everyone_ref = ObjectRef("shelf.book", "1")
    with core.db.write() as session:
        everyone = audiences.everyone(session)
    shelf.documents = [
        SearchDocument(everyone_ref, "One", "", everyone),
        SearchDocument(ObjectRef("shelf.book", "7"), "Unasked", "", everyone),
    ]
    with core.db.read() as session:
        found, gone = search.documents(session, [everyone_ref, ObjectRef("shelf.book", "2"), everyone_ref])
    assert [document.title for document in found] == ["One"]
    assert gone == [ObjectRef("shelf.book", "2")]


def test_what_names_no_entity_is_of_its_author_s(core, shelf):
    north = make_entity(core, "north")
    anna = make_person(core, "anna", entity=north)
    with core.db.write() as session:
        everyone = audiences.everyone(session)
    ref, own = ObjectRef("shelf.book", "1"), ObjectRef("shelf.book", "2")
    shelf.documents = [
        SearchDocument(ref, "One", "", everyone, anna.id),
        SearchDocument(own, "Two", "", everyone, anna.id, entity_id=99),
    ]
    with core.db.read() as session:
        found, _gone = search.documents(session, [ref, own])
    assert {document.ref.id: document.entity_id for document in found} == {"1": north.id, "2": 99}


def test_pages_are_given_when_their_audience_is_known_and_they_stand(core):
    with core.db.write() as session:
        everyone = audiences.everyone(session)
        for name in ("known", "visited", "gone", "nameless"):
            core.pages.identify(session, PageClaim(f"/{name}", title=name.title(), trusted=True), create=True)
        session.execute(
            update(Page).where(Page.key != "/visited").values(audience_id=everyone, summary="Summary", byline="HR")
        )
        session.execute(update(Page).where(Page.key == "/gone").values(gone_at=utcnow()))
        session.execute(update(Page).where(Page.key == "/nameless").values(title=""))
        refs = [ObjectRef("page", f"/{name}") for name in ("known", "visited", "gone", "nameless")]
        found, gone = search.documents(session, refs)
    assert [(document.ref.id, document.title, document.body, document.words) for document in found] == [
        ("/known", "Known", "Summary", "HR")
    ]
    assert [ref.id for ref in gone] == ["/visited", "/gone", "/nameless"]


def test_pages_can_be_listed_by_keyset(core):
    with core.db.write() as session:
        for number in range(5):
            core.pages.identify(session, PageClaim(f"/news/{number}", trusted=True), create=True)
        listed = core.plugins.content_types["page"].refs
        walked, after = [], None
        while keys := list(listed(session, after, 2)):
            walked += keys
            after = keys[-1]
    assert walked == [f"/news/{number}" for number in range(5)]


# Tables that Alembic knows nothing of


_SCRIPT = """
revision = "0001"
down_revision = None

import sqlalchemy as sa
from alembic import op


def upgrade():
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table("rse_fulltext_line", sa.Column("id", key, primary_key=True))
    if op.get_context().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE rse_fulltext_words USING fts5(body)")
"""


@pytest.fixture
def fulltext(tmp_path, rse_database, rse_core):
    from rse_core.db import metadata

    base = plugin_base("fulltext")

    class Line(base):
        __tablename__ = "rse_fulltext_line"
        id: Mapped[int] = mapped_column(Key, primary_key=True)

    folder = tmp_path / "scripts"
    (folder / "versions").mkdir(parents=True)
    (folder / "versions" / "0001_first.py").write_text(_SCRIPT, encoding="utf-8")

    class FullText(Plugin):
        manifest = Manifest(name="fulltext", label="Full text")

        @hookimpl
        def rse_models(self):
            return [base]

        @hookimpl
        def rse_migrations(self):
            return Migrations(folder)

    yield rse_core([FullText()])
    metadata.remove(Line.__table__)


def test_a_full_text_table_is_no_difference_between_models_and_database(fulltext):
    assert revision.differences(fulltext.db, "fulltext") == []


def test_a_full_text_table_is_purged_with_its_plugin(fulltext, tmp_path):
    with fulltext.db.write() as session:
        session.execute(text("INSERT INTO rse_fulltext_line (id) VALUES (1)"))
        if fulltext.db.is_sqlite:
            session.execute(text("INSERT INTO rse_fulltext_words (body) VALUES ('a word')"))
    done = purge(fulltext, "fulltext", tmp_path / "fulltext.zip", Actor("test"))
    assert done.tables == {"rse_fulltext_line": 1}
    with fulltext.db.engine.connect() as connection:
        assert not [name for name in inspect(connection).get_table_names() if name.startswith("rse_fulltext_")]


def test_tables_behind_a_virtual_one_are_told_from_others(fulltext):
    with fulltext.db.engine.connect() as connection:
        virtual = virtual_tables(connection)
    assert virtual == (["rse_fulltext_words"] if fulltext.db.is_sqlite else [])
    assert is_hidden("rse_a_words_data", ["rse_a_words"])
    assert is_hidden("rse_a_words", ["rse_a_words"])
    assert not is_hidden("rse_a_wordsmith", ["rse_a_words"])
