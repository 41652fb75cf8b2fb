"""The index follows: people, entities, events, rebuilding, the commands, the health check, what is kept about people."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, text, update

from rse_core import organisation, people, privacy, purge
from rse_core.api import Actor, Manifest, ObjectRef, Plugin, hookimpl, utcnow
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.health import examine
from rse_core.models.content import Page
from rse_core.models.organisation import Person
from rse_core.models.runtime import Delivery, Outbox
from rse_core.pages import PageClaim
from rse_core.search import SearchAnswer, SearchHit
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_person, set_level
from rse_search import indexing, rebuild, store
from rse_search.models import Document, Near, Rebuild
from rse_search.people import follow


@pytest.fixture
def start(core):
    """``start("search", "status")``: the command line on this core."""
    return lambda *arguments: CliRunner().invoke(cli, [*arguments], obj=State(lambda: core))


def followed(site):
    with site.core.db.write() as session:
        follow(session)
    site.work()


def line(core):
    return next(one for one in examine(core) if one.name == "search.index").result


def documents(core, **values):
    with core.db.read() as session:
        return session.scalar(select(func.count()).select_from(Document).filter_by(**values))


# People


def test_people_are_found_by_name_job_and_entity(site, anna):
    north = make_entity(site.core, "north", name="Direction du Nord")
    ben = make_person(site.core, "ben", name="Benoît Lefèvre", entity=north)
    with site.core.db.write() as session:
        session.execute(update(Person).where(Person.id == ben.id).values(job_title="Cheffe de projet"))
    olga = make_person(site.core, "olga", name="Olga Lefevre", external=True)
    site.index_people(anna, ben, olga)
    for typed in ("lefevre", "benoit lef", "cheffe", "direction nord", "lefvere"):
        hits = site.results(anna, typed).hits
        assert [one.plain_title for one in hits] == ["Benoît Lefèvre"], typed
    hit = site.results(anna, "lefevre").hits[0]
    assert hit.url == "/rse/search/?author=ben"
    assert hit.kind == "person"


def test_the_index_follows_people_and_entities(site, anna):
    north = make_entity(site.core, "north", name="Nord")
    ben = make_person(site.core, "ben", name="Benoît", entity=north)
    followed(site)
    assert site.find(anna, "benoit nord") == [str(ben.id)]
    with site.core.db.write() as session:
        people.rename(session, ben.id, display_name="Benoîte")
        organisation.rename_entity(session, north.id, "Septentrion")
    followed(site)
    assert site.find(anna, "benoite septentrion") == [str(ben.id)]
    assert site.find(anna, "nord") == []
    with site.core.db.write() as session:
        people.disable(session, ben.id)
    assert site.find(anna, "benoite") == []
    followed(site)
    assert site.results(anna, "benoite").count == 0


def test_an_erased_person_leaves_nothing_in_the_index(site, anna):
    ben = make_person(site.core, "ben", name="Benoît Quatrefages")
    site.index_people(ben)
    site.write("one", "Une note", author_id=ben.id)
    site.work()
    assert site.find(anna, "", author="ben") == ["one"]
    with site.core.db.write() as session:
        export = next(one for one in privacy.export(session, ben.id)["sections"] if one["name"] == "search.documents")
        assert [row.get("kind") for row in export["rows"]] == ["person", "note"]
        privacy.erase(session, ben.id, actor=Actor("test"))
    assert documents(site.core, ref_type="search.person") == 0
    assert documents(site.core, author_id=ben.id) == 0
    assert documents(site.core, ref_id="one") == 1
    with site.core.db.read() as session:
        assert "quatrefages" not in set(session.scalars(select(Near.word)))
    assert site.results(anna, "quatrefages").count == 0


def test_an_export_bears_no_title_that_somebody_else_wrote(site, anna):
    ben = make_person(site.core, "ben")
    site.write("one", "Titre de quelqu'un", author_id=anna.id)
    site.write("answer", "Titre de quelqu'un", "Réponse", parent="one", author_id=ben.id)
    site.work()
    with site.core.db.read() as session:
        sections = [privacy.export(session, person.id)["sections"] for person in (anna, ben)]
    of_anna, of_ben = (next(one for one in some if one["name"] == "search.documents") for some in sections)
    assert "quelqu'un" in str(of_anna)
    assert "quelqu'un" not in str(of_ben)
    assert [row["object"] for row in of_ben["rows"]] == ["notes.answer:answer"]


def test_no_query_is_kept(site, anna):
    site.write("one", "Une note")
    site.work()
    with count_queries(site.core) as count:
        site.results(anna, "mot que je cherche")
    assert not [one for one in count.statements if one.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))]


# Pages


def test_only_pages_whose_audience_is_known_are_found(site, anna):
    from rse_core.audiences import everyone

    with site.core.db.write() as session:
        for number, name in enumerate(("known", "visited")):
            site.core.pages.identify(
                session, PageClaim(f"/news/{number}", title=f"Actualité {name}", person_id=anna.id), create=True
            )
        session.execute(
            update(Page).where(Page.key == "/news/0").values(
                audience_id=everyone(session), summary="Le siège déménage", published_at=utcnow()
            )
        )  # fmt: skip
        refs = [ObjectRef("page", "/news/0"), ObjectRef("page", "/news/1")]
        assert indexing.refresh(session, refs) == 1
    assert site.find(anna, "actualite") == ["/news/0"]
    hit = site.results(anna, "déménage").hits[0]
    assert (hit.kind, hit.url) == ("page", "/news/0")
    assert "<mark>déménage</mark>" in hit.snippet
    with site.core.db.write() as session:
        session.execute(update(Page).where(Page.key == "/news/0").values(gone_at=utcnow()))
        indexing.refresh(session, refs)
    assert site.results(anna, "actualite").count == 0


# Events


def test_what_is_unchanged_is_not_written_again(site, anna):
    site.write("one", "Jardin")
    site.work()
    with site.core.db.write() as session, count_queries(site.core) as count:
        indexing.refresh(session, [ObjectRef("notes.note", "one")])
    assert not [one for one in count.statements if one.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))]


def test_an_event_that_comes_twice_or_late_changes_nothing(site, anna):
    site.write("one", "Jardin")
    site.notes["one"]["title"] = "Potager"
    site.tell("one")
    site.tell("one")
    site.work()
    assert site.find(anna, "potager") == ["one"]
    assert site.find(anna, "jardin") == []
    assert documents(site.core) == 1


def test_a_plugin_that_fails_does_not_empty_the_index_of_the_others(site, anna, monkeypatch):
    site.write("one", "Jardin")
    site.work()

    def broken(*_args):
        raise RuntimeError("no documents today")

    monkeypatch.setattr("rse_search.indexing.documents", broken)
    site.tell("one")
    site.work()
    assert site.find(anna, "jardin") == ["one"]
    assert not line(site.core).ok or dead_or_waiting(site.core)


def dead_or_waiting(core):
    with core.db.read() as session:
        return session.scalar(select(Outbox.id).where(Outbox.done_at.is_(None)).limit(1)) is not None


def test_deleting_a_document_by_any_statement_takes_its_words_along(site, anna):
    if not site.core.db.is_sqlite:
        pytest.skip("only SQLite keeps the words in rows of their own")
    site.write("one", "Jardin")
    site.work()
    with site.core.db.write() as session:
        session.execute(text("DELETE FROM rse_search_document"))
        assert session.scalar(text("SELECT count(*) FROM rse_search_text")) == 0


# Rebuilding


def test_a_rebuilding_confirms_mends_and_removes(site, anna, start):
    for number in range(5):
        site.write(f"n{number}", f"Jardin {number}")
    site.work()
    # What happened behind the index's back.
    site.notes["n0"]["title"] = "Potager"
    del site.notes["n1"]
    site.notes["n9"] = {"title": "Jardin 9"}
    done = start("search", "rebuild", "--batch", "2")
    assert done.exit_code == 0, done.output
    assert "notes.note: 5" in done.output
    assert set(site.find(anna, "jardin")) == {"n2", "n3", "n4", "n9"}
    assert site.find(anna, "potager") == ["n0"]
    with site.core.db.read() as session:
        assert set(session.scalars(select(Document.generation).where(Document.ref_type == "notes.note"))) == {1}


def test_everything_is_found_while_it_is_rebuilt_and_an_interrupted_one_goes_on(site, anna):
    for number in range(7):
        site.write(f"n{number}", f"Jardin {number}")
    site.work()
    everything = set(site.notes)
    with site.core.db.write() as session:
        rebuild.begin(session, "notes.note")
        rebuild.step(session, "notes.note", batch=3)
    assert set(site.find(anna, "jardin")) == everything
    # The process ends here; another one begins.
    with site.core.db.write() as session:
        stand = rebuild.begin(session, "notes.note")
        assert stand.done == 3
    # Published meanwhile, before the place where the rebuilding is: confirmed all the same.
    site.write("n00", "Jardin nouveau")
    site.work()
    while stand.ended_at is None:
        with site.core.db.write() as session:
            stand = rebuild.step(session, "notes.note", batch=3)
        assert set(site.find(anna, "jardin", limit=50)) == everything | {"n00"}
    assert stand.done == 7


def test_a_rebuilding_can_be_of_one_type(site, anna, start):
    site.notes["one"] = {"title": "Jardin"}
    site.notes["two"] = {"title": "Jardin", "parent": "one"}
    assert start("search", "rebuild", "--kind", "answer").exit_code == 0
    assert site.find(anna, "jardin") == ["two"]
    refused = start("search", "rebuild", "--kind", "nothing")
    assert refused.exit_code == 1
    assert "notes.note" in refused.output


def test_the_first_run_indexes_what_was_there_before(site, anna):
    site.notes["one"] = {"title": "Jardin"}
    assert site.find(anna, "jardin") == []
    followed(site)
    assert site.find(anna, "jardin") == ["one"]
    assert site.find(anna, "anna") == [str(anna.id)]


def test_documents_of_a_plugin_that_is_gone_are_not_found_and_are_removed(site, anna, rse_core, start):
    site.write("one", "Jardin")
    site.work()
    with site.core.db.write() as session:
        session.execute(update(Document).values(ref_type="gone.note"))
    assert site.results(anna, "jardin").count == 0
    assert start("search", "rebuild").exit_code == 0
    assert documents(site.core, ref_type="gone.note") == 0


# Health and commands


def test_the_health_check_says_what_was_never_indexed_and_mends_it(site, anna):
    site.notes["one"] = {"title": "Jardin"}
    found = line(site.core)
    assert not found.ok
    assert "notes.note" in str(found.detail)
    examine(site.core, repair=True)
    site.work()
    assert line(site.core).ok
    assert site.find(anna, "jardin") == ["one"]


def test_the_health_check_says_what_waits_and_what_was_given_up(site, anna):
    followed(site)
    site.write("one", "Jardin")
    with site.core.db.write() as session:
        session.execute(update(Outbox).values(at=utcnow().replace(year=2025)))
    found = line(site.core)
    assert not found.ok
    assert "worker" in str(found.remedy)
    with site.core.db.write() as session:
        event = session.scalars(select(Outbox.event_id).where(Outbox.ref_id == "one")).one()
        session.add(Delivery(event_id=event, consumer="search.index", state="dead", attempts=8))
    found = line(site.core)
    assert not found.ok
    assert "repair" in str(found.remedy)
    examine(site.core, repair=True)
    assert line(site.core).ok
    assert site.find(anna, "jardin") == ["one"]


def test_a_rebuilding_left_lying_is_told(site, anna):
    followed(site)
    with site.core.db.write() as session:
        rebuild.begin(session, "notes.note")
        session.execute(
            update(Rebuild).where(Rebuild.ref_type == "notes.note").values(started_at=utcnow().replace(year=2025))
        )
    assert not line(site.core).ok
    examine(site.core, repair=True)
    site.work()
    assert line(site.core).ok


def test_search_by_command_is_somebodys(site, anna, start):
    north = make_entity(site.core, "north", name="Nord")
    ben = make_person(site.core, "ben", entity=north)
    with site.core.db.write() as session:
        from rse_core.audiences import of_entity

        audience = of_entity(session, north.id)
    site.write("one", "Jardin", "Le jardin d'hiver", author_id=ben.id, audience_id=audience)
    site.work()
    answer = json.loads(start("search", "query", "jardin", "--person", "ben", "--json").output)
    assert [one["ref"] for one in answer["items"]] == ["notes.note:one"]
    assert answer["count"] == 1
    assert answer["items"][0]["snippet"] == "Le jardin d'hiver"
    assert json.loads(start("search", "query", "jardin", "--person", "anna", "--json").output)["count"] == 0
    assert "Jardin" in start("search", "query", "jradin", "--person", "ben").output
    assert start("search", "query", "jardin", "--person", "nobody").exit_code == 1


def test_the_status_by_command(site, anna, start):
    followed(site)
    site.write("one", "Jardin")
    site.work()
    answer = start("search", "status", "--json")
    assert answer.exit_code == 0
    assert json.loads(answer.output)["documents"] == {"note": 1, "person": 1}
    site.notes["two"] = {"title": "x", "parent": "one"}
    with site.core.db.write() as session:
        session.execute(text("DELETE FROM rse_search_rebuild"))
    assert start("search", "status").exit_code == 1


def test_purging_the_plugin_removes_every_table_of_it(site, anna, tmp_path):
    site.write("one", "Jardin")
    site.work()
    done = purge.purge(site.core, "search", tmp_path / "search.zip", Actor("test"))
    assert done.tables["rse_search_document"] == 1
    with site.core.db.engine.connect() as connection:
        from sqlalchemy import inspect

        assert not [name for name in inspect(connection).get_table_names() if name.startswith("rse_search_")]


def test_two_workers_never_leave_the_older_state(site, anna):
    """On PostgreSQL the second one waits until the first has committed, and then reads what it may not have seen."""
    if site.core.db.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    with site.core.db.write() as first, site.core.db.write() as second:
        store.shared_lock(first)
        store.lock_refs(first, [ObjectRef("notes.note", "one")])
        second.execute(text("SET LOCAL lock_timeout = '200ms'"))
        store.shared_lock(second)
        with pytest.raises(Exception, match="lock timeout"):
            store.lock_refs(second, [ObjectRef("notes.note", "one")])
        second.rollback()


# Another index in the place of this one


class Elsewhere(Plugin):
    """Keeps an index of its own, a plain dictionary."""

    manifest = Manifest(name="elsewhere", label="Elsewhere")
    name = "elsewhere"

    def __init__(self):
        self.kept = {}

    @hookimpl(tryfirst=True)
    def rse_search_backend(self):
        return self

    def index(self, session, documents, gone):
        self.kept |= {document.ref: document for document in documents}
        for ref in gone:
            self.kept.pop(ref, None)

    def find(self, session, scopes, query):
        hits = [SearchHit(one.ref, one.title, "", "note", audience_id=one.audience_id) for one in self.kept.values()]
        return SearchAnswer(tuple(hits))

    def clear(self, session):
        self.kept.clear()


def test_another_index_is_fed_and_asked(use_plugin, notes, make_site):
    other = Elsewhere()
    core = use_plugin(other)
    set_level(core, "comment")
    site = make_site(core, notes)
    anna = make_person(core, "anna")
    site.write("one", "Jardin")
    site.work()
    assert [document.title for document in other.kept.values()] == ["Jardin"]
    assert site.find(anna, "whatever") == ["one"]
    assert line(core).ok
    site.delete("one")
    site.work()
    assert other.kept == {}
