"""How somebody who signs in becomes one of the people; names, and folding."""

from __future__ import annotations

import logging
import threading

import pytest
from sqlalchemy import func, select

from rse_core import people
from rse_core.audit import Actor
from rse_core.errors import BadInput, Conflict, NotFound
from rse_core.i18n import use_locale
from rse_core.identity import Identity, IdentityRefused
from rse_core.models.organisation import Person, PersonIdentity
from rse_core.signins import unlink_identities
from rse_core.testing.queries import count_queries


@pytest.fixture(autouse=True)
def _in_english():
    """The sentences that are looked for below are the English ones."""
    with use_locale("en"):
        yield


def visit(core, identity: Identity):
    with core.db.read() as session:
        return people.for_identity(session, identity)


def links(core) -> list[tuple[str, str]]:
    with core.db.read() as session:
        return [tuple(row) for row in session.execute(select(PersonIdentity.issuer, PersonIdentity.subject))]


def test_a_first_visit_finds_the_person_by_username_and_is_remembered(core, make_person):
    alice = make_person("alice")
    assert visit(core, Identity("oidc", "8f14", username="alice")).id == alice.id
    assert links(core) == [("oidc", "8f14")]
    # From now on the issuer's subject counts, whatever name comes with it.
    make_person("bob")
    assert visit(core, Identity("oidc", "8f14", username="bob")).id == alice.id
    with count_queries(core) as seen:
        visit(core, Identity("oidc", "8f14"))
    assert len(seen) == 1


def test_without_a_username_the_subject_is_the_name(core, make_person):
    alice = make_person("alice")
    assert visit(core, Identity("header", "alice")).id == alice.id


def test_nobody_is_made_up_for_an_unknown_identity(core, make_person):
    make_person("alice")
    assert visit(core, Identity("header", "mallory")) is None
    assert visit(core, Identity("header", "ALICE")) is None
    assert links(core) == []
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 1


def test_people_can_be_found_by_external_id_or_not_at_all(rse_core):
    from rse_core.testing.organisation import make_person

    by_id = rse_core(identity_key="external_id")
    alice = make_person(by_id, "alice", external_id="M-0042")
    assert visit(by_id, Identity("header", "alice")) is None
    assert visit(by_id, Identity("header", "M-0042")).id == alice.id
    assert visit(by_id, Identity("oidc", "8f14", username="M-0042")).id == alice.id
    closed = rse_core(identity_key="none")
    make_person(closed, "alice")
    assert visit(closed, Identity("header", "alice")) is None


def test_somebody_who_has_left_is_nobody(core, make_person):
    alice = make_person("alice")
    visit(core, Identity("header", "alice"))
    with core.db.write() as session:
        people.disable(session, alice.id)
    assert visit(core, Identity("header", "alice")) is None
    assert visit(core, Identity("other", "alice")) is None
    assert links(core) == [("header", "alice")]


def test_a_second_subject_of_one_issuer_does_not_take_a_person_over(core, make_person, caplog):
    make_person("alice")
    visit(core, Identity("oidc", "first", username="alice"))
    with caplog.at_level(logging.WARNING), pytest.raises(IdentityRefused) as refused:
        visit(core, Identity("oidc", "second", username="alice"))
    assert refused.value.code == "already_linked"
    assert "'second'" in caplog.text
    assert links(core) == [("oidc", "first")]
    # Another issuer speaks for itself.
    assert visit(core, Identity("header", "alice")) is not None


def test_after_the_links_are_forgotten_the_next_visit_is_a_first_one(core, make_person):
    alice = make_person("alice")
    visit(core, Identity("oidc", "first", username="alice"))
    with core.db.write() as session:
        assert unlink_identities(session, alice.id, actor=Actor("cli:tests")) == 1
    assert visit(core, Identity("oidc", "second", username="alice")).id == alice.id


def test_many_first_visits_at_once_leave_one_link(core, make_person):
    alice = make_person("alice")
    gate, found, failed = threading.Barrier(6), [], []

    def come() -> None:
        gate.wait()
        try:
            found.append(visit(core, Identity("oidc", "8f14", username="alice")).id)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=come) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert found == [alice.id] * 6
    assert links(core) == [("oidc", "8f14")]


def test_two_subjects_at_once_do_not_both_become_the_person(core, make_person):
    make_person("alice")
    gate, outcomes = threading.Barrier(4), []

    def come(subject: str) -> None:
        gate.wait()
        try:
            outcomes.append(visit(core, Identity("oidc", subject, username="alice")) is not None)
        except IdentityRefused:
            outcomes.append(False)

    threads = [threading.Thread(target=come, args=(f"subject-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, False, True]
    assert len(links(core)) == 1


def test_in_a_writing_session_the_link_is_part_of_its_transaction(core, make_person):
    make_person("alice")

    def failing_request() -> None:
        with core.db.write() as session:
            assert people.for_identity(session, Identity("oidc", "8f14", username="alice")) is not None
            raise RuntimeError("the request fails after all")

    with pytest.raises(RuntimeError):
        failing_request()
    assert links(core) == []


def test_whoever_is_given_a_former_username_is_not_taken_for_its_former_owner(core, make_person):
    alice, bob = make_person("alice"), make_person("bob")
    visit(core, Identity("header", "alice"))
    with core.db.write() as session:
        people.rename(session, alice.id, username="alice.martin")
        people.rename(session, bob.id, username="alice")
    assert visit(core, Identity("header", "alice")).id == bob.id


def test_names_of_a_whole_page_cost_one_query(core, make_person, make_entity):
    north = make_entity("north", name="North")
    persons = [make_person(entity=north) for _ in range(20)]
    gone = make_person("gone")
    with core.db.write() as session:
        people.disable(session, gone.id)
    with core.db.read() as session, count_queries(core) as seen:
        cards = people.names(session, [*(p.id for p in persons), gone.id, None, 10**9, persons[0].id])
        assert len(seen) == 1
    assert len(cards) == 21
    assert cards[persons[3].id].entity_name == "North"
    assert not cards[gone.id].active
    with core.db.read() as session, count_queries(core) as seen:
        assert people.names(session, [None]) == {}
        assert len(seen) == 0


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Hélène Œuvrard", "helene oeuvrard"),
        ("  François   LÆTITIA ", "francois laetitia"),
        ("Straße", "strasse"),
        ("Łukasz Ørsted", "lukasz orsted"),
        ("İbrahim Işık", "ibrahim isik"),
        ("O’Brien-Núñez", "o’brien-nunez"),
        ("李小龙", "李小龙"),
    ],
)
def test_folding_leaves_what_one_types_without_accents(text, folded):
    assert people.folded(text) == folded
    assert people.folded(folded) == folded


def test_a_person_cannot_be_added_twice_nor_with_unusable_values(core, make_person, make_entity):
    make_person("alice")
    with core.db.write() as session:
        with pytest.raises(Conflict, match="username “alice”"):
            people.add(session, external_id="new", username="alice", display_name="A")
        with pytest.raises(Conflict, match="external_id “x-alice”"):
            people.add(session, external_id="x-alice", username="new", display_name="A")
        for field, value in (("username", ""), ("display_name", "n" * 301), ("email", "no"), ("phone", "\x00")):
            values = {"external_id": "n", "username": "n", "display_name": "N", field: value}
            with pytest.raises(BadInput) as refused:
                people.add(session, **values)
            assert field in refused.value.fields
        with pytest.raises(NotFound, match="Did you mean “alice”"):
            people.by_username(session, "alicia")
