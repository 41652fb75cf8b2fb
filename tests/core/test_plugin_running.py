"""Plugins that run: the order of their start, what they contribute, calls isolated one by one, switches."""

from __future__ import annotations

import datetime as dt
import logging

import pytest
from sqlalchemy import select, text

from rse_core.api import (
    Actor,
    Capability,
    Job,
    Level,
    Manifest,
    ObjectRef,
    Plugin,
    Question,
    Review,
    SlotItem,
    Target,
    Veto,
    Viewer,
    hookimpl,
)
from rse_core.discovery import incompatible, start_order
from rse_core.errors import BadInput, ConfigError, NotFound, PluginError
from rse_core.i18n import use_locale
from rse_core.isolation import Breaker
from rse_core.models.governance import Audit
from rse_core.models.levels import PluginSwitch

one_database = pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
QUESTION = Question(1, "notes.write", Target(), dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
VIEWER = Viewer(None, "en")
PAGE = ObjectRef("page", "/news/1")


@pytest.fixture(autouse=True)
def in_english():
    """Messages are compared in English."""
    with use_locale("en"):
        yield


def plugin(plugin_name, *, requires=(), after=(), conflicts=(), **hooks):
    """A plugin object with these hooks, given as functions."""
    body = {"manifest": Manifest(plugin_name, plugin_name.title(), requires=requires, after=after, conflicts=conflicts)}
    body.update({hook: hookimpl(function) for hook, function in hooks.items()})
    return type(plugin_name.title(), (Plugin,), body)()


def manifests(*given):
    return {m.name: m for m in given}


# -- order


def test_plugins_start_in_alphabetical_order_when_nothing_else_decides():
    assert start_order(manifests(Manifest("cc", ""), Manifest("aa", ""), Manifest("bb", "")))[0] == ["aa", "bb", "cc"]


def test_a_requirement_starts_first_and_a_wish_is_followed():
    found = manifests(
        Manifest("aa", "", requires=("cc",)), Manifest("bb", "", after=("dd",)), Manifest("cc", ""), Manifest("dd", "")
    )
    assert start_order(found)[0] == ["cc", "aa", "dd", "bb"]


def test_a_wish_for_a_plugin_that_is_not_there_is_no_matter():
    assert start_order(manifests(Manifest("aa", "", after=("zz",))))[0] == ["aa"]


def test_wishes_that_contradict_each_other_are_dropped_with_a_warning(caplog):
    order, cycles = start_order(manifests(Manifest("aa", "", after=("bb",)), Manifest("bb", "", after=("aa",))))
    assert (order, cycles) == (["aa", "bb"], {})
    assert "their wishes contradict" in caplog.text


def test_a_circle_is_told_from_those_that_merely_lean_on_it():
    found = manifests(
        Manifest("aa", "", requires=("bb",)), Manifest("bb", "", requires=("cc",)), Manifest("cc", "", requires=("bb",))
    )
    order, cycles = start_order(found)
    assert set(cycles) == {"bb", "cc"}
    assert order == ["aa"]


@pytest.mark.parametrize(
    ("requires", "fits"),
    [
        (["rse-core>=0.1,<0.2"], True),
        (["RSE_Core >= 0.1"], True),
        (["rse-core>=0.2"], False),
        (["rse-core>=0.2; extra == 'later'"], True),
        (["something-else>=9"], True),
        (["not a requirement ((("], True),
        ([], True),
    ],
)
def test_compatibility_is_read_from_the_requirements(requires, fits):
    assert (incompatible("x", "rse-x", requires, "0.1.0") is None) == fits


def test_a_development_release_of_the_core_counts_as_itself():
    assert incompatible("x", "rse-x", ["rse-core>=0.1,<0.2"], "0.1.1.dev3") is None


# -- contributions


@one_database
def test_contributions_come_with_the_name_of_their_plugin_in_start_order(rse_core):
    second = plugin("aa", requires=("bb",), rse_jobs=lambda self: [Job("aa.clean", print)])
    first = plugin("bb", rse_jobs=lambda self: [Job("bb.clean", print)])
    core = rse_core([second, first])
    assert [(name, job.name) for name, job in core.plugins.contributions(Job)] == [("bb", "bb.clean"), ("aa", "aa.clean")]


@one_database
def test_a_capability_has_an_owner(rse_core):
    core = rse_core([plugin("aa", rse_capabilities=lambda self: [Capability("aa.do", "Do", Level.REACT)])])
    assert core.plugins.owner("aa.do") == "aa"
    assert core.plugins.owner("aa.undo") is None
    assert core.plugins.capabilities["aa.do"].level is Level.REACT


@one_database
def test_what_is_quarantined_later_contributes_nothing_any_more(rse_core):
    base = plugin("aa", rse_capabilities=lambda self: [Capability("aa.do", "Do", Level.REACT)])
    leaning = plugin("bb", requires=("aa",), rse_capabilities=lambda self: [Capability("bb.do", "Do", Level.REACT)])
    core = rse_core([base, leaning])
    assert set(core.plugins.capabilities) == {"aa.do", "bb.do"}
    core.plugins.quarantine("aa", "The plugin “aa” is tired.", "Let it rest.")
    assert core.plugins.capabilities == {}
    assert core.plugins.states["bb"].status == "quarantined"


@one_database
def test_a_table_of_the_configuration_for_no_plugin_is_an_error_that_names_the_nearest(rse_core):
    with pytest.raises(ConfigError, match=r"\[notse\].*Did you mean \[notes\]\?"):
        rse_core([plugin("notes")], sections={"notse": {}})


@one_database
def test_two_given_plugins_of_one_name_are_refused(rse_core):
    with pytest.raises(PluginError, match="Two plugins named “notes”"):
        rse_core([plugin("notes"), plugin("notes")])


# -- calls


def items(*labels):
    return lambda self, slot, refs: [SlotItem(ref, label) for ref in refs for label in labels]


def fails(self, **_values):
    raise RuntimeError("it is broken")


def failing_slots(self, slot):
    raise RuntimeError("it is broken")


def test_one_failing_plugin_does_not_empty_the_slot(rse_core, caplog):
    core = rse_core([plugin("aa", rse_slot_items=failing_slots), plugin("bb", rse_slot_items=items("b"))], strict=False)
    with core.db.read() as session:
        found = core.plugins.slot_items("reactions", [PAGE], VIEWER, session)
    assert [i.html for i in found] == ["b"]
    assert "plugin aa: rse_slot_items failed" in caplog.text


def test_a_failed_query_of_one_plugin_does_not_spoil_the_session_for_the_next(rse_core):
    def bad_query(self, session):
        session.execute(text("SELECT * FROM no_such_table"))

    def good_query(self, refs, session):
        return [SlotItem(refs[0], str(session.scalar(text("SELECT 41 + 1"))))]

    core = rse_core([plugin("aa", rse_slot_items=bad_query), plugin("bb", rse_slot_items=good_query)], strict=False)
    with core.db.read() as session:
        assert [i.html for i in core.plugins.slot_items("reactions", [PAGE], VIEWER, session)] == ["42"]


@one_database
def test_in_strict_mode_the_error_is_raised(rse_core):
    core = rse_core([plugin("aa", rse_slot_items=failing_slots)])
    with core.db.read() as session, pytest.raises(RuntimeError, match="it is broken"):
        core.plugins.slot_items("reactions", [PAGE], VIEWER, session)


@one_database
@pytest.mark.parametrize("answer", ["text", [42], [SlotItem(ObjectRef("page", "/other"), "x")]])
def test_a_wrong_answer_counts_as_an_error_of_that_plugin(rse_core, answer):
    core = rse_core(
        [plugin("aa", rse_slot_items=lambda self: answer), plugin("bb", rse_slot_items=items("b"))], strict=False
    )
    with core.db.read() as session:
        assert [i.html for i in core.plugins.slot_items("reactions", [PAGE], VIEWER, session)] == ["b"]


@one_database
def test_only_the_plugins_asked_for_are_called(rse_core):
    core = rse_core([plugin("aa", rse_slot_items=items("a")), plugin("bb", rse_slot_items=items("b"))])
    with core.db.read() as session:
        found = core.plugins.slot_items("reactions", [PAGE], VIEWER, session, plugins=["bb"])
    assert [i.html for i in found] == ["b"]


@one_database
def test_items_come_in_their_order(rse_core):
    def late(self, refs):
        return [SlotItem(refs[0], "late", order=200)]

    core = rse_core([plugin("aa", rse_slot_items=late), plugin("bb", rse_slot_items=items("early"))])
    with core.db.read() as session:
        assert [i.html for i in core.plugins.slot_items("x", [PAGE], VIEWER, session)] == ["early", "late"]


@one_database
def test_one_that_keeps_failing_is_muted_and_named(rse_core, caplog):
    calls = []

    def failing(self, slot):
        calls.append(slot)
        raise RuntimeError("it is broken")

    core = rse_core([plugin("aa", rse_slot_items=failing)], strict=False)
    with core.db.read() as session:
        for _turn in range(20):
            core.plugins.slot_items("reactions", [PAGE], VIEWER, session)
    assert len(calls) == 5
    assert list(core.plugins.muted("aa")) == ["rse_slot_items"]
    assert "plugin aa: rse_slot_items failed 5 times within 60 s and is muted for 60 s" in caplog.text


def test_a_muted_one_is_called_again_after_a_while():
    now = [0.0]
    breaker = Breaker(limit=2, within=10, muted=30, clock=lambda: now[0])
    breaker.failed("aa", "rse_ready")
    assert not breaker.is_muted("aa", "rse_ready")
    now[0] = 5.0
    breaker.failed("aa", "rse_ready")
    assert breaker.is_muted("aa", "rse_ready")
    assert not breaker.is_muted("bb", "rse_ready")
    now[0] = 34.9
    assert breaker.is_muted("aa", "rse_ready")
    now[0] = 35.0
    assert not breaker.is_muted("aa", "rse_ready")


def test_failures_far_apart_do_not_mute():
    now = [0.0]
    breaker = Breaker(limit=2, within=10, muted=30, clock=lambda: now[0])
    for moment in (0.0, 11.0, 22.0):
        now[0] = moment
        breaker.failed("aa", "rse_ready")
    assert not breaker.is_muted("aa", "rse_ready")


@one_database
def test_the_first_veto_counts(rse_core):
    core = rse_core(
        [
            plugin("aa", rse_decide=lambda self, question: None),
            plugin("bb", rse_decide=lambda self, question: Veto("not today")),
            plugin("cc", rse_decide=lambda self, question: Veto("never")),
        ]
    )
    assert core.plugins.decides
    assert core.plugins.decide(QUESTION) == Veto("not today")
    assert core.plugins.decide(QUESTION, plugins=["aa", "cc"]) == Veto("never")


@one_database
def test_a_failing_veto_refuses_also_while_it_is_muted(rse_core):
    core = rse_core([plugin("aa", rse_decide=lambda self: 1 / 0)], strict=False)
    for _turn in range(8):
        with pytest.raises(PluginError, match="“aa”"):
            core.plugins.decide(QUESTION)
    assert core.plugins.muted("aa")


@one_database
def test_a_failing_review_holds(rse_core):
    core = rse_core([plugin("aa", rse_review=lambda self: 1 / 0)], strict=False)
    assert all(isinstance(core.plugins.review(QUESTION), Review) for _turn in range(8))


@one_database
def test_without_implementations_nothing_is_vetoed_or_held(rse_core):
    core = rse_core([])
    assert not core.plugins.decides
    assert core.plugins.decide(QUESTION) is None
    assert core.plugins.review(QUESTION) is None


# -- switches

ACTOR = Actor("cli:test")


def test_a_switch_is_kept_with_who_and_audited(rse_core):
    told = []
    it = plugin(
        "notes",
        rse_enabled=lambda self, session: told.append("on"),
        rse_disabled=lambda self, session: told.append("off"),
    )
    core = rse_core([it])
    with core.db.write() as session:
        assert core.plugins.disable(session, "notes", ACTOR)
        assert not core.plugins.disable(session, "notes", ACTOR)
    with core.db.write() as session:
        assert core.plugins.enable(session, "notes", ACTOR)
    assert told == ["off", "on"]
    with core.db.read() as session:
        row = session.scalars(select(PluginSwitch)).one()
        assert (row.plugin, row.scope, row.enabled, row.changed_by) == ("notes", "site", True, "cli:test")
        acts = session.scalars(select(Audit.act).where(Audit.subject == "plugin:notes").order_by(Audit.id)).all()
        assert acts == ["plugin.disable", "plugin.enable"]


def test_a_switch_for_an_entity_names_it_in_the_audit(rse_core):
    from rse_core.testing import make_entity

    core = rse_core([plugin("notes")])
    entity = make_entity(core, "north")
    with core.db.write() as session:
        core.plugins.disable(session, "notes", ACTOR, "entity", entity.id)
    with core.db.read() as session:
        line = session.scalars(select(Audit).where(Audit.act == "plugin.disable")).one()
        assert line.after == {"enabled": False, "scope": "entity:north"}


@one_database
def test_a_switch_for_something_unknown_is_refused(rse_core):
    core = rse_core([plugin("notes")])
    with core.db.write() as session:
        with pytest.raises(NotFound, match=r"“noets”.*Did you mean “notes”"):
            core.plugins.disable(session, "noets", ACTOR)
        with pytest.raises(NotFound, match="99"):
            core.plugins.disable(session, "notes", ACTOR, "entity", 99)
        with pytest.raises(BadInput, match="planet"):
            core.plugins.disable(session, "notes", ACTOR, "planet", 1)


@pytest.mark.parametrize("statement", ["SELECT 1 / (1 - 1) FROM no_such_table", None])
def test_a_switch_survives_a_hook_that_fails(rse_core, caplog, statement):
    caplog.set_level(logging.ERROR)

    def disabled(self, session):
        session.execute(text("DELETE FROM rse_core_audit"))
        if statement:
            session.execute(text(statement))
        raise RuntimeError("no")

    core = rse_core([plugin("notes", rse_disabled=disabled)], strict=False)
    with core.db.write() as session:
        assert core.plugins.disable(session, "notes", ACTOR)
    assert "plugin notes: rse_disabled failed" in caplog.text
    with core.db.read() as session:
        assert not session.scalars(select(PluginSwitch)).one().enabled
        assert session.scalars(select(Audit.act)).all() == ["plugin.disable"]


def test_switched_off_for_an_entity_it_is_not_there_for_its_people(rse_core):
    from flask import Blueprint

    from rse_core.api import can
    from rse_core.extension import create_app
    from rse_core.testing import as_person, make_entity, make_person, set_level

    pages = Blueprint("rse_notes", __name__, url_prefix="/notes")
    pages.add_url_rule("/", "index", lambda: "notes")
    it = plugin(
        "notes",
        rse_capabilities=lambda self: [Capability("notes.write", "Write", Level.REACT)],
        rse_blueprints=lambda self: [pages],
        rse_slot_items=items("note"),
    )
    core = rse_core([it])
    set_level(core, Level.REACT)
    north, south = make_entity(core, "north"), make_entity(core, "south")
    people = {"nora": make_person(core, "nora", entity=north), "sam": make_person(core, "sam", entity=south)}
    with core.db.write() as session:
        core.plugins.disable(session, "notes", ACTOR, "entity", north.id)
    client = create_app(core).test_client()
    seen = {}
    for name, person in people.items():
        as_person(client, person)
        with core.db.read() as session:
            reason = str(can(session, person.id, "notes.write").reason)
        slots = client.get("/rse/embed/slots?slots=notes&address=/news/1").json["slots"]
        seen[name] = (reason, client.get("/rse/notes/").status_code, slots["notes"]["html"])
    assert seen == {"nora": ("plugin_off", 404, ""), "sam": ("ok", 200, "note")}
