"""Placing the cursor by its service and by the command line; the history; what a move would do."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select

from rse_core import levelsets, policy
from rse_core.api import Level
from rse_core.audit import Actor
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.db import utcnow
from rse_core.errors import BadInput, NotFound
from rse_core.i18n import use_locale
from rse_core.models.governance import Audit
from rse_core.models.levels import LevelRow
from rse_core.models.organisation import GroupMember, Person
from rse_core.preview import Change, describe, preview
from rse_core.testing import count_queries

ACTOR = Actor("test")


@pytest.fixture
def rse(core):
    def run(*args, code=0, input=None):
        result = CliRunner().invoke(cli, [str(a) for a in args], obj=State(lambda: core), input=input, env={"LC_ALL": "en"})
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def north(make_entity):
    return make_entity("north", name="North")


def test_a_level_is_placed_with_who_when_and_why(core, rse, north):
    before = utcnow()
    rse("level", "set", "--entity", "north", "Commenter", "--why", "pilot")
    with core.db.read() as session:
        row = session.scalars(select(LevelRow)).one()
        assert (row.kind, row.scope, row.scope_key, row.level, row.why) == ("level", "entity", str(north.id), 2, "pilot")
        assert row.created_by.startswith("cli:")
        assert before <= row.starts_at <= utcnow()
        audit = session.scalars(select(Audit).where(Audit.act == "level.set")).one()
        found = (audit.subject, audit.before, audit.after["level"], audit.why)
        assert found == ("entity:north", {"level": None}, 2, "pilot")


@pytest.mark.parametrize(
    ("text", "level"),
    [("0", 0), ("informer", 0), ("react", 1), ("Réagir", 1), ("reagir", 1), ("5", 5), ("co-construire", 5), ("COCREATE", 5),
     ("none", None), ("aucun", None)],
)  # fmt: skip
def test_a_level_may_be_written_by_number_or_name_in_both_languages(core, rse, text, level):
    answer = json.loads(rse("level", "set", "--site", text, "--json").stdout)
    assert answer["level"] == level


@pytest.mark.parametrize("text", ["6", "-1", "2.0", "comments", "", "٣"])
def test_another_level_is_misuse(rse, text):
    result = rse("level", "set", "--site", "--", text, code=2)
    assert "is not a level" in result.stderr


def test_a_date_is_local_midnight_and_a_time_without_a_zone_is_the_sites(core, rse, north):
    texts = {
        "2027-01-12": "2027-01-11T23:00:00+00:00",
        "2027-07-12": "2027-07-11T22:00:00+00:00",
        "2027-07-12T09:30": "2027-07-12T07:30:00+00:00",
        "2027-07-12 09:30+00:00": "2027-07-12T09:30:00+00:00",
        "2027-07-12T09:30Z": "2027-07-12T09:30:00+00:00",
    }
    for command in (["set", "--entity", "north"], ["ceiling", "--site"], ["cap", "--section", "/hr"]):
        for text, moment in texts.items():
            answer = json.loads(rse("level", *command, "1", "--from", text, "--json").stdout)
            assert answer["starts_at"] == moment
    for bad in ("12/01/2027", "tomorrow", "2027-13-01", "9999-12-31T23:59:59-12:00", "9999-12-31", "0001-01-01"):
        assert "is not a date" in rse("level", "set", "--site", "1", "--from", bad, code=2).stderr
    for year in (1, 9999):
        with use_locale("en"), core.db.write() as session, pytest.raises(BadInput, match="from 2000-01-01 to 2999-12-31"):
            levelsets.place(session, levelsets.SITE, 1, actor=ACTOR, starts_at=dt.datetime(year, 6, 1, tzinfo=dt.UTC))


def test_an_unknown_place_is_refused_and_the_nearest_is_named(rse, north, make_group, make_space):
    make_group("ambassadors")
    make_space("garden")
    for option, wrong, near in (
        ("--entity", "nort", "north"),
        ("--group", "ambasadors", "ambassadors"),
        ("--space", "gardn", "garden"),
    ):
        assert f"“{near}”" in rse("level", "set", option, wrong, "1", code=1).stderr
    rse("level", "set", "1", code=2)
    rse("level", "set", "--site", "--entity", "north", "1", code=2)


def test_caps_ceilings_and_levels_stand_where_they_may(core, rse, make_entity, make_space):
    make_entity("north")
    make_space("garden")
    rse("level", "cap", "--space", "garden", "react")
    rse("level", "cap", "--section", "/hr/", "1")
    rse("level", "cap", "--entity", "north", "1")
    rse("level", "ceiling", "--entity", "north", "3")
    rse("level", "ceiling", "--section", "/hr", "3", code=2)
    rse("level", "set", "--section", "/hr", "3", code=2)
    for section in ("hr", "/hr?x=1", "/hr/../x", "//hr", ""):
        rse("level", "cap", "--section", section, "1", code=2)
    rows = json.loads(rse("level", "show", "--json").stdout)["rows"]
    assert sorted((r["kind"], r["scope"], r["key"], r["level"]) for r in rows) == [
        ("cap", "entity", "north", 1), ("cap", "section", "/hr", 1), ("cap", "space", "garden", 1),
        ("ceiling", "entity", "north", 3),
    ]  # fmt: skip
    with core.db.write() as session, pytest.raises(BadInput):
        levelsets.place(session, levelsets.locate(session, "section", "/hr"), 1, actor=ACTOR)


def test_show_tells_what_a_person_and_an_entity_are_granted(rse, make_entity, make_group, make_person, set_level):
    north = make_entity("north")
    team = make_entity("team", parent=north)
    group = make_group("ambassadors")
    make_person("alice", entity=team, groups=[group])
    set_level(Level.REACT, entity=north)
    set_level(Level.COLLABORATE, group=group)
    set_level(Level.CONTRIBUTE, kind="ceiling")
    person = json.loads(rse("level", "show", "--person", "alice", "--json").stdout)
    assert (person["level"], person["ceiling"], len(person["rows"])) == (3, 3, 3)
    entity = json.loads(rse("level", "show", "--entity", "team", "--json").stdout)
    assert (entity["level"], entity["ceiling"]) == (1, 3)
    assert [row["key"] for row in entity["rows"]] == ["north", ""]
    assert "alice: 3 contribute" in rse("level", "show", "--person", "alice").stdout
    rse("level", "show", "--person", "alix", code=1)


def test_history_keeps_every_row_the_latest_first(rse, north):
    for level in (1, 2, "none"):
        rse("level", "set", "--entity", "north", level, "--why", f"step {level}")
    rse("level", "cap", "--section", "/hr", "1")
    rows = json.loads(rse("level", "history", "--json").stdout)
    assert [(r["kind"], r["key"], r["level"], r["why"]) for r in rows] == [
        ("cap", "/hr", 1, ""), ("level", "north", None, "step none"), ("level", "north", 2, "step 2"),
        ("level", "north", 1, "step 1"),
    ]  # fmt: skip
    assert len(json.loads(rse("level", "history", "--entity", "north", "--limit", "2", "--json").stdout)) == 2


def test_a_reason_that_is_no_text_is_refused(core, north):
    with core.db.write() as session, pytest.raises(BadInput):
        levelsets.place(session, levelsets.SITE, 1, actor=ACTOR, why="x" * 2001)


def test_a_capability_is_shifted_and_goes_back(core, rse, make_person):
    person = make_person("alice", level=Level.REACT)
    rse("capability", "shift", "talk.comment", "react")
    with core.db.read() as session:
        assert policy.can(session, person.id, "talk.comment").allowed
    row = next(r for r in json.loads(rse("capability", "list", "--json").stdout) if r["key"] == "talk.comment")
    assert (row["level"], row["default_level"], row["shifted"], row["plugin"]) == (1, 2, True, "talk")
    rse("capability", "shift", "talk.comment", "none")
    with core.db.read() as session:
        assert not policy.can(session, person.id, "talk.comment").allowed
    assert "“talk.comment”" in rse("capability", "shift", "talk.coment", "react", code=1).stderr
    with core.db.write() as session, pytest.raises(NotFound):
        levelsets.shift(session, core, "nothing", 1, actor=ACTOR)


# -- what a move would do --------------------------------------------------------------------------


@pytest.fixture
def staff(core, make_entity, make_group, make_person, make_space, set_level):
    """north (3 people, one an ambassador at COMMENT) over team (2 people, REACT); south (1 person)."""
    north, south = make_entity("north"), make_entity("south")
    team = make_entity("team", parent=north)
    group = make_group("ambassadors")
    people = [make_person(f"n{i}", entity=north) for i in range(2)]
    people.append(make_person("amb", entity=north, groups=[group]))
    people += [make_person(f"t{i}", entity=team) for i in range(2)]
    people.append(make_person("s0", entity=south))
    make_space("garden", members=people[:2])
    set_level(Level.COMMENT, group=group)
    set_level(Level.REACT, entity=team)
    return core


def change(session, kind, scope, key, level, starts_at=None):
    return Change(kind, levelsets.locate(session, scope, key), level, starts_at)


@pytest.mark.parametrize(
    ("kind", "scope", "key", "level", "people", "gains", "loses"),
    [
        ("level", "site", "", Level.COMMENT, 6, {"talk.react": 3, "talk.count": 3, "talk.comment": 3}, {}),
        ("level", "entity", "north", Level.COMMENT, 5, {"talk.react": 2, "talk.count": 2, "talk.comment": 2}, {}),
        ("level", "group", "ambassadors", Level.INFORM, 1, {}, {"talk.react": 1, "talk.count": 1, "talk.comment": 1}),
        ("ceiling", "site", "", Level.INFORM, 6, {}, {"talk.react": 3, "talk.count": 3, "talk.comment": 1}),
        ("ceiling", "entity", "team", Level.INFORM, 2, {}, {"talk.react": 2, "talk.count": 2}),
        ("cap", "section", "/hr", Level.REACT, 6, {}, {"talk.comment": 1}),
        ("cap", "entity", "north", Level.REACT, 5, {}, {"talk.comment": 1}),
        ("level", "space", "garden", Level.REACT, 2, {"talk.react": 2, "talk.count": 2}, {}),
        ("level", "entity", "team", None, 2, {}, {"talk.react": 2, "talk.count": 2}),
    ],
)  # fmt: skip
def test_a_preview_counts_who_gains_and_who_loses(staff, kind, scope, key, level, people, gains, loses):
    with staff.db.read() as session:
        effect = preview(session, staff, change(session, kind, scope, key, level))
    assert (effect.people, effect.gains, effect.loses) == (people, gains, loses)


def test_a_preview_agrees_with_what_then_happens(staff):
    everyone = ["n0", "n1", "amb", "t0", "t1", "s0"]

    def allowed():
        with staff.db.read() as session:
            ids = {name: session.scalar(select(Person.id).where(Person.username == name)) for name in everyone}
            return {
                (name, key)
                for name, ident in ids.items()
                for key in staff.plugins.capabilities
                if policy.can(session, ident, key).allowed
            }

    for kind, scope, key, level in (
        ("level", "site", "", 2), ("ceiling", "entity", "north", 1), ("level", "group", "ambassadors", 4),
        ("ceiling", "entity", "north", None),
    ):  # fmt: skip
        before = allowed()
        with staff.db.write() as session:
            moved = change(session, kind, scope, key, None if level is None else Level(level))
            effect = preview(session, staff, moved)
            levelsets.place(session, moved.where, level, actor=ACTOR, kind=kind)
        after = allowed()
        for capability in staff.plugins.capabilities:
            gained = {n for n, c in after - before if c == capability}
            lost = {n for n, c in before - after if c == capability}
            assert (len(gained), len(lost)) == (effect.gains.get(capability, 0), effect.loses.get(capability, 0))


def test_a_dry_run_says_it_in_a_sentence_and_changes_nothing(staff, core, rse):
    said = rse("level", "set", "--entity", "north", "react", "--dry-run").stdout
    assert "2 people gain: React, See counts." in said
    assert "Nobody loses anything." in said
    numbers = json.loads(rse("level", "set", "--site", "react", "--dry-run", "--json").stdout)
    assert (numbers["people"], numbers["rises"], numbers["falls"]) == (6, 3, 0)
    with core.db.read() as session:
        assert not session.scalars(select(LevelRow).where(LevelRow.scope == "site")).all()


def test_seventy_five_thousand_people_are_previewed_in_a_handful_of_queries(core, make_entity, make_group, set_level):
    entities = [make_entity(f"e{number}") for number in range(8)]
    group = make_group("managers")
    set_level(Level.REACT, group=group)
    people = [
        {"id": n, "external_id": f"x{n}", "username": f"u{n}", "display_name": "P", "folded_name": "p",
         "entity_id": entities[n % 8].id}
        for n in range(1, 75_001)
    ]  # fmt: skip
    with core.db.write() as session:
        session.execute(insert(Person), people)
        session.execute(insert(GroupMember), [{"group_id": group.id, "person_id": n} for n in range(1, 75_001, 10)])
        policy.touch(session)
    with core.db.read() as session:
        moved = change(session, "level", "site", "", Level.COMMENT)
        with count_queries(core) as counter:
            effect = preview(session, core, moved)
    assert (effect.people, effect.gains["talk.comment"], effect.gains["talk.react"]) == (75_000, 75_000, 67_500)
    assert "75,000" in describe(effect, core) or "75" in describe(effect, core)
    # Never one for each person or entity.
    assert len(counter) <= 16, str(counter)


def test_a_future_move_is_previewed_at_its_start(staff):
    later = utcnow() + dt.timedelta(days=5)
    with staff.db.write() as session:
        levelsets.place(session, levelsets.SITE, Level.REACT, actor=ACTOR, starts_at=later - dt.timedelta(days=1))
    with staff.db.read() as session:
        effect = preview(session, staff, change(session, "level", "site", "", Level.COMMENT, later))
    assert effect.gains == {"talk.comment": 3}
    assert effect.at == later
