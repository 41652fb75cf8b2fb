"""Charters, suspensions and the queue of the moderators, by service and by command."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from rse_core import audiences, charter, moderation, policy, roles, suspensions
from rse_core.api import Capability, Level, Manifest, ObjectRef, Plugin, Target, hookimpl
from rse_core.audit import Actor
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.db import utcnow
from rse_core.errors import BadInput, Conflict, Forbidden, NotFound
from rse_core.models.governance import Audit
from rse_core.models.runtime import Outbox

DAY = dt.timedelta(days=1)
ACTOR = Actor("test")


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self):
        yield Capability("talk.comment", "Comment", Level.COMMENT, reviewed=True)


@pytest.fixture
def rse_plugins():
    return [Talk()]


@pytest.fixture
def rse(core):
    def run(*args, code=0):
        result = CliRunner().invoke(cli, [str(a) for a in args], obj=State(lambda: core), env={"LC_ALL": "en"})
        assert result.exit_code == code, result.output
        return result

    return run


def why(core, person):
    with core.db.read() as session:
        return str(policy.can(session, person.id, "talk.comment").reason)


def publish(core, **values):
    with core.db.write() as session:
        return charter.publish(session, **{"title": "Rules", "body": "Be kind.", "actor": ACTOR, **values})


def test_a_new_version_has_to_be_accepted_again(core, make_person):
    person = make_person("alice", level=Level.COMMENT)
    first = publish(core)
    assert why(core, person) == "charter"
    with core.db.write() as session:
        accepted = charter.accept(session, person.id, first.id).accepted_at
    assert why(core, person) == "ok"
    second = publish(core)
    assert (first.version, second.version) == ("1", "2")
    assert why(core, person) == "charter"
    with core.db.write() as session:
        assert charter.accept(session, person.id, first.id).accepted_at == accepted
        assert [c.id for c in charter.missing(session, person.id)] == [second.id]
        assert charter.acceptance(session, second) == (0, 1)
        charter.accept(session, person.id, second.id)
        assert charter.acceptance(session, second) == (1, 1)
    assert why(core, person) == "ok"


def test_a_version_is_published_once_and_only_the_one_in_force_is_accepted(core, make_person):
    person = make_person("alice")
    old = publish(core, version="a")
    with pytest.raises(Conflict):
        publish(core, version="a")
    assert publish(core, version="a", kind="editorial").kind == "editorial"
    publish(core, version="b")
    with core.db.write() as session:
        with pytest.raises(Conflict):
            charter.accept(session, person.id, old.id)
        with pytest.raises(NotFound):
            charter.accept(session, person.id, 4711)
    for wrong in ({"title": " "}, {"body": ""}, {"body": "a\x00b"}, {"kind": "other"}, {"version": "x" * 41}):
        with pytest.raises(BadInput):
            publish(core, **wrong)


def test_charters_at_the_command_line(core, rse, make_person, tmp_path):
    person = make_person("alice", level=Level.COMMENT)
    file = tmp_path / "charter.md"
    file.write_text("# Charte d’utilisation\n\nSoyez aimables.\n", "utf-8")
    rse("charter", "accept", "--person", "alice", code=1)
    done = json.loads(rse("charter", "publish", file, "--json").stdout)
    assert (done["title"], done["version"]) == ("Charte d’utilisation", "1")
    rse("charter", "publish", file, "--version", "1", code=1)
    rse("charter", "publish", tmp_path / "none.md", code=1)
    assert why(core, person) == "charter"
    rse("charter", "accept", "--person", "alice")
    assert why(core, person) == "ok"
    shown = json.loads(rse("charter", "show", "--json").stdout)
    assert (shown["in_force"]["version"], shown["accepted"], shown["people"]) == ("1", 1, 1)
    with core.db.read() as session:
        acts = session.scalars(select(Audit.act).where(Audit.act.startswith("charter")).order_by(Audit.id)).all()
    assert acts == ["charter.publish", "charter.accept"]


def test_a_suspension_ends_by_itself_or_is_lifted(core, make_person):
    person = make_person("alice", level=Level.COMMENT)
    with core.db.write() as session:
        suspensions.suspend(session, person.id, actor=ACTOR, reason="insults", ends_at=utcnow() + DAY)
    assert why(core, person) == "suspended"
    with core.db.read() as session:
        assert [row.reason for row in suspensions.present(session)] == ["insults"]
    with core.db.write() as session:
        assert suspensions.lift(session, person.id, actor=ACTOR) == 1
        assert suspensions.lift(session, person.id, actor=ACTOR) == 0
        with pytest.raises(BadInput):
            suspensions.suspend(session, person.id, actor=ACTOR, ends_at=utcnow() - DAY)
        with pytest.raises(NotFound):
            suspensions.suspend(session, 4711, actor=ACTOR)
    assert why(core, person) == "ok"


@pytest.fixture
def scene(core, make_entity, make_person, make_group, make_space):
    """An author in team (below north), a moderator for each scope, and what the author wrote on several things."""
    north, south = make_entity("north"), make_entity("south")
    team = make_entity("team", parent=north)
    author = make_person("author", entity=team, level=None)
    group = make_group("readers")
    named = {name: make_person(name) for name in ("site", "north", "south", "group", "space", "nobody")}
    space = make_space("garden", managers=[named["space"]], members=[author])
    with core.db.write() as session:
        roles.grant(session, named["site"].id, "moderator", actor=ACTOR)
        roles.grant(session, named["north"].id, "moderator", scope="entity", scope_id=north.id, actor=ACTOR)
        roles.grant(session, named["south"].id, "entity_admin", scope="entity", scope_id=south.id, actor=ACTOR)
        roles.grant(session, named["group"].id, "moderator", scope="group", scope_id=group.id, actor=ACTOR)
        where = {
            "page": Target(audiences.everyone(session)),
            "southern": Target(audiences.of_entity(session, south.id)),
            "grouped": Target(audiences.of_group(session, group.id)),
            "garden": Target(audiences.of_members(session, space.id), space_id=space.id),
        }
        for name, target in where.items():
            ref = ObjectRef("talk.note", name)
            moderation.hold(session, ref, capability="talk.comment", author_id=author.id, target=target)
    return core, author, named


def test_the_queue_shows_each_moderator_what_is_theirs(scene):
    core, author, named = scene
    with core.db.read() as session:
        seen = {name: [row.ref_id for row in moderation.queue(session, person.id)] for name, person in named.items()}
        mine = moderation.queue(session, author.id)
        everything = [row.ref_id for row in moderation.queue(session)]
        agrees = {
            name: [
                row.ref_id
                for row in moderation.queue(session)
                if roles.moderates(session, person.id, moderation.target_of(row))
            ]
            for name, person in named.items()
        }
    all_of_it = ["page", "southern", "grouped", "garden"]
    assert seen == {
        "site": all_of_it, "north": all_of_it, "south": ["southern"], "group": ["grouped"],
        "space": ["garden"], "nobody": [],
    }  # fmt: skip
    assert agrees == seen
    assert (mine, everything) == ([], all_of_it)


def test_what_was_decided_is_told_once_and_not_decided_again(scene):
    core, author, named = scene
    with core.db.write() as session:
        first, second = moderation.queue(session, limit=2)
        with pytest.raises(Forbidden):
            moderation.decide(session, first.id, True, Actor("nobody", named["nobody"].id))
        with pytest.raises(Forbidden):
            moderation.decide(session, first.id, True, Actor("author", author.id))
        moderation.decide(session, first.id, True, Actor("north", named["north"].id))
        moderation.decide(session, second.id, False, ACTOR, "off topic")
        with pytest.raises(Conflict):
            moderation.decide(session, first.id, False, ACTOR)
        with pytest.raises(NotFound):
            moderation.decide(session, 4711, True, ACTOR)
    with core.db.read() as session:
        decided = Outbox.name.in_(("moderation.approved", "moderation.refused"))
        events = select(Outbox.name, Outbox.ref_id).where(decided).order_by(Outbox.id)
        told = session.execute(events).all()
        states = moderation.states(session, [ObjectRef("talk.note", "page"), ObjectRef("talk.note", "southern")])
    assert [tuple(row) for row in told] == [("moderation.approved", "page"), ("moderation.refused", "southern")]
    assert {ref.id: (held.state, held.reason) for ref, held in states.items()} == {
        "page": ("approved", ""), "southern": ("refused", "off topic"),
    }  # fmt: skip


def test_the_same_thing_waits_once_and_leaves_when_it_is_deleted(scene):
    core, author, _named = scene
    ref = ObjectRef("talk.note", "page")
    with core.db.write() as session:
        before = len(moderation.queue(session))
        moderation.hold(session, ref, capability="talk.comment", author_id=author.id)
        assert len(moderation.queue(session)) == before
        assert moderation.withdraw(session, ref)
        assert not moderation.withdraw(session, ref)
        assert len(moderation.queue(session)) == before - 1


def test_moderation_at_the_command_line(scene, rse):
    core, author, _named = scene
    rows = json.loads(rse("moderation", "list", "--json").stdout)
    assert [row["ref"] for row in rows][:2] == ["talk.note:page", "talk.note:southern"]
    assert rows[0]["author"] == "author"
    assert len(json.loads(rse("moderation", "list", "--person", "south", "--json").stdout)) == 1
    rse("moderation", "approve", rows[0]["id"])
    rse("moderation", "approve", rows[0]["id"], code=1)
    rse("moderation", "refuse", rows[1]["id"], code=2)
    rse("moderation", "refuse", rows[1]["id"], "--why", "off topic")
    assert len(json.loads(rse("moderation", "list", "--json").stdout)) == 2


@pytest.mark.parametrize("where", ["--site", "--entity north", "--entity team", "--person author", "--space garden"])
def test_review_is_switched_at_the_command_line(scene, rse, where):
    core, author, _named = scene
    with core.db.read() as session:
        from rse_core.models.organisation import Space

        space = session.scalar(select(Space.id).where(Space.key == "garden"))

    def mode():
        with core.db.read() as session:
            return str(policy.can(session, author.id, "talk.comment", Target(space_id=space)).mode)

    assert mode() == "open"
    rse("moderation", "review", "on", *where.split())
    assert mode() == "review"
    rse("moderation", "review", "off", *where.split())
    assert mode() == "open"
    rse("moderation", "review", "on", code=2)
