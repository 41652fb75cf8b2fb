"""Directories that send what changes by themselves, and what they need of the core: facts, members, scopes of tokens."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from sqlalchemy import select

from rse_core import audiences, directory, directory_pushes, people, tokens
from rse_core.api import Actor, BadInput, Conflict, DirectoryFault, Manifest, NotFound, Plugin, TokenScope, hookimpl
from rse_core.extension import create_app
from rse_core.identity import Identity
from rse_core.memberships import change_group_members
from rse_core.models.organisation import GroupMember, Person
from rse_core.organisation import set_group_members
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_group, make_person
from rse_core.webapi import csrf_exempt, own_rate

TESTS = Actor("pusher")


class Pushing(Plugin):
    """A plugin with a scope of its own and an address that counts its callers."""

    manifest = Manifest(name="pushing", label="Pushing", kind="adapter")

    @hookimpl
    def rse_token_scopes(self):
        return [TokenScope("pushing.send", "send")]

    @hookimpl
    def rse_blueprints(self):
        from flask import Blueprint

        blueprint = Blueprint("rse_pushing", __name__, url_prefix="/pushing")

        @blueprint.post("/counted")
        @csrf_exempt
        def counted():
            return "", 204

        @blueprint.post("/own")
        @csrf_exempt
        @own_rate
        def own():
            return "", 204

        return [blueprint]


@pytest.fixture
def rse_plugins():
    return [Pushing()]


def note(core, **what):
    with core.db.write() as session:
        directory_pushes.note(session, "pushing.main", actor=TESTS, **what)


def runs(core):
    with core.db.read() as session:
        return directory.runs(session, "pushing.main")


def test_what_follows_closely_is_one_run(core):
    note(core, people={"created": 2}, groups={"created": 1})
    note(core, people={"updated": 1, "disabled": 1})
    (run,) = runs(core)
    assert (run.state, run.complete, run.actor) == ("done", False, "pusher")
    assert {name: run.report[name] for name in ("created", "updated", "disabled")} == {
        "created": 2, "updated": 1, "disabled": 1,
    }  # fmt: skip
    assert run.report["groups"]["created"] == 1
    with core.db.read() as session:
        assert directory.last_done(session, "pushing.main") is not None


@pytest.mark.parametrize(("steps", "expected"), [([14, 14, 14], 1), ([16], 2), ([10] * 150, 2)])
def test_a_pause_ends_a_run_and_so_does_its_length(core, steps, expected):
    moment = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    with time_machine.travel(moment, tick=False) as clock:
        note(core, people={"created": 1})
        for minutes in steps:
            moment += dt.timedelta(minutes=minutes)
            clock.move_to(moment)
            note(core, people={"created": 1})
    found = runs(core)
    assert len(found) == expected
    assert sum(run.report["created"] for run in found) == len(steps) + 1


def test_the_latest_faults_stay_and_the_others_are_counted(core, monkeypatch):
    monkeypatch.setattr(directory_pushes, "MOST_ERRORS", 3)
    for number in range(5):
        note(core, fault=DirectoryFault("POST Users", "userName", f"wrong {number}"))
    (run,) = runs(core)
    assert [error["message"] for error in run.report["errors"]] == ["wrong 2", "wrong 3", "wrong 4"]
    assert run.report["more_errors"] == 2


def test_old_runs_are_forgotten(core, monkeypatch):
    monkeypatch.setattr(directory_pushes, "KEPT", 3)
    monkeypatch.setattr(directory_pushes, "PAUSE", dt.timedelta(seconds=-1))
    for _turn in range(6):
        note(core, people={"created": 1})
    assert len(runs(core)) == 3


# -- A person's facts


def test_facts_are_brought_to_what_the_directory_says_and_told(core, make_person):
    person, entity = make_person("ana", name="Ana"), make_entity(core, "north")
    with core.db.write() as session:
        people.for_identity(session, Identity("intranet", "ana"))
    said = {
        "username": "anna", "display_name": "Anna Œ", "entity_id": entity.id, "locale": "fr-FR", "email": "a@x.org",
        "external_id": "E1", "external": False,
    }  # fmt: skip
    with core.db.write() as session:
        changed = people.update(session, person.id, **said)
        assert changed["username"] == ("ana", "anna")
        assert "external" not in changed
        assert people.update(session, person.id, **said) == {}
    with core.db.write() as session:
        row = session.get(Person, person.id)
        assert (row.folded_name, row.locale, row.external_id) == ("anna oe", "fr", "E1")
        assert audiences.sees(session, person.id, audiences.of_entity(session, entity.id))
        # The former name is no longer theirs.
        assert people.for_identity(session, Identity("intranet", "ana")) is None


def test_facts_that_are_somebody_elses_or_cannot_be_are_refused(core, make_person):
    person, other = make_person("ana"), make_person("bob")
    with core.db.write() as session:
        for values in ({"username": "bob"}, {"external_id": other.external_id}):
            with pytest.raises(Conflict):
                people.update(session, person.id, **values)
        for values in ({"email": "x"}, {"username": " "}, {"display_name": "a\x00"}):
            with pytest.raises(BadInput):
                people.update(session, person.id, **values)
        with pytest.raises(NotFound):
            people.update(session, 10_000, email="")


def test_only_who_has_left_gives_up_a_username(core, make_person):
    person = make_person("ana")
    with core.db.write() as session:
        people.release_username(session, "ana")
        people.release_username(session, "nobody")
        assert session.get(Person, person.id).username == "ana"
        people.disable(session, person.id)
        people.release_username(session, "ana")
        assert session.get(Person, person.id).username == f"ana~{person.id}"


# -- Members


def test_members_are_changed_set_by_set(core, make_person):
    some = [make_person() for _number in range(8)]
    group = make_group(core, members=some[:3])
    with core.db.write() as session:
        joining, leaving = [one.id for one in some[2:6]], [some[0].id, some[7].id]
        assert change_group_members(session, group.id, joining=joining, leaving=leaving) == (3, 1)
        members = set(session.scalars(select(GroupMember.person_id)))
        assert members == {one.id for one in some[1:6]}
        audience = audiences.of_group(session, group.id)
        assert audiences.size(session, audience) == 5
        assert set_group_members(session, group.id, [some[7].id]) == (1, 5)
        with pytest.raises(NotFound):
            change_group_members(session, group.id, joining=[10_000])
        with pytest.raises(NotFound):
            change_group_members(session, 10_000, joining=[some[0].id])


def test_many_members_cost_as_many_statements_as_few(core, make_person):
    some = [make_person().id for _number in range(30)]
    first, second = make_group(core), make_group(core)

    def cost(group, ids):
        with core.db.write() as session, count_queries(core) as count:
            set_group_members(session, group.id, ids)
        return len(count)

    assert cost(first, some[:2]) == cost(second, some)


# -- Scopes and caps


def test_a_plugins_own_scope_is_given_by_administrators_alone(core):
    person = make_person(core, "ana")
    with core.db.write() as session:
        assert tokens.granted_scopes(session) == ["pushing:send"]
        text = tokens.create_token(session, person, "push", ("pushing:send",), TESTS)
        with pytest.raises(BadInput):
            tokens.create_own(session, person.id, "own", ("pushing:send",), days=1)
        with pytest.raises(BadInput, match="pushing:send"):
            tokens.create_token(session, person, "push", ("pushing:other",), TESTS)
    answer = create_app(core).test_client().get("/rse/api/v1/me", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 403
    found = tokens.accept(core, text)
    assert found.scopes == "pushing:send"
    with core.db.read() as session:
        assert tokens.find_token(session, text).last_used is not None
    assert tokens.accept(core, "rse_other") is None


def test_a_view_that_counts_its_callers_is_not_capped(core):
    http = create_app(core).test_client()
    assert {http.post("/rse/pushing/own").status_code for _turn in range(620)} == {204}
    assert {http.post("/rse/pushing/counted").status_code for _turn in range(620)} == {204, 429}
