"""Roles of those who run the site: granting, revoking, what they reach, and the audit log."""

from __future__ import annotations

import csv
import json

import pytest
from click.testing import CliRunner, Result

from rse_core import audiences, people, roles
from rse_core.audit import Actor, entries, record, stream
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.errors import BadInput, Conflict, NotFound
from rse_core.i18n import use_locale
from rse_core.policy import Target

ACTOR = Actor("cli:tests")


@pytest.fixture(autouse=True)
def _in_english():
    """The sentences that are looked for below are the English ones."""
    with use_locale("en"):
        yield


@pytest.fixture
def rse(core):
    def rse(*words: str) -> Result:
        return CliRunner().invoke(cli, list(words), obj=State(lambda: core))

    return rse


@pytest.fixture
def grant(core):
    def grant(person, role, **at):
        with core.db.write() as session:
            return roles.grant(session, person.id, role, actor=ACTOR, **at)

    return grant


def test_a_role_is_granted_once_and_revoked_once_each_in_the_audit_log(core, make_person, make_entity, grant):
    north, alice = make_entity("north"), make_person("alice")
    assert grant(alice, "entity_admin", scope="entity", scope_id=north.id, why="delegation")
    assert not grant(alice, "entity_admin", scope="entity", scope_id=north.id)
    with core.db.write() as session:
        given = roles.list_grants(session, person_id=alice.id)
        assert [(g.username, g.role, g.where, g.granted_by) for g in given] == [
            ("alice", "entity_admin", "entity:north", "cli:tests")
        ]
        here = {"scope": "entity", "scope_id": north.id, "actor": ACTOR}
        assert roles.revoke(session, alice.id, "entity_admin", **here)
        assert not roles.revoke(session, alice.id, "entity_admin", **here)
        assert [(e.act, e.subject, e.why) for e in reversed(entries(session, act="role"))] == [
            ("role.grant", "person:alice", "delegation"),
            ("role.revoke", "person:alice", ""),
        ]


def test_an_entitys_administrator_reaches_what_is_below_and_nothing_beside(core, make_person, make_entity, grant):
    head = make_entity("head")
    north, south = make_entity("north", parent=head), make_entity("south", parent=head)
    office = make_entity("office", parent=north)
    alice, root = make_person("alice"), make_person("root")
    grant(alice, "entity_admin", scope="entity", scope_id=north.id)
    grant(root, "site_admin")
    with core.db.read() as session:
        reached = [e.key for e in (head, north, south, office) if roles.administers(session, alice.id, e.id)]
        assert reached == ["north", "office"]
        assert all(roles.administers(session, root.id, e.id) for e in (head, north, south, office))
        assert not roles.administers(session, alice.id, None)
        assert not roles.administers(session, None, north.id)


def test_a_moderator_decides_within_their_scope(core, make_person, make_entity, make_group, make_space, grant):
    north = make_entity("north")
    office, south = make_entity("office", parent=north), make_entity("south")
    choir, garden = make_group("choir"), make_space("garden")
    author, other = make_person("author", entity=office), make_person("other", entity=south)
    for name, at in (
        ("of-site", {}),
        ("of-north", {"scope": "entity", "scope_id": north.id}),
        ("of-choir", {"scope": "group", "scope_id": choir.id}),
        ("of-garden", {"scope": "space", "scope_id": garden.id}),
    ):
        grant(make_person(name), "moderator", **at)
    owner = make_person("owner")
    with core.db.write() as session:
        from rse_core.organisation import join_space

        join_space(session, garden.id, owner.id, "owner")

        def deciding(target: Target) -> set[str]:
            everyone = ("of-site", "of-north", "of-choir", "of-garden", "owner", "author")
            persons = {name: people.by_username(session, name).id for name in everyone}
            return {name for name, ident in persons.items() if roles.moderates(session, ident, target)}

        all_see = audiences.everyone(session)
        assert deciding(Target(audience_id=all_see, author_id=author.id)) == {"of-site", "of-north"}
        assert deciding(Target(audience_id=all_see, author_id=other.id)) == {"of-site"}
        of_office = Target(audience_id=audiences.of_entity(session, office.id), author_id=other.id)
        assert deciding(of_office) == {"of-site", "of-north"}
        of_choir = Target(audience_id=audiences.of_group(session, choir.id), author_id=other.id)
        assert deciding(of_choir) == {"of-site", "of-choir"}
        in_garden = Target(audience_id=all_see, author_id=other.id, space_id=garden.id)
        assert deciding(in_garden) == {"of-site", "of-garden", "owner"}
        of_garden = Target(audience_id=audiences.of_members(session, garden.id))
        assert deciding(of_garden) == {"of-site", "of-garden", "owner"}


def test_a_role_counts_only_while_its_person_is_active(core, make_person, grant):
    alice = make_person("alice")
    grant(alice, "site_admin")
    with core.db.write() as session:
        assert roles.is_site_admin(session, alice.id)
        people.disable(session, alice.id)
        assert not roles.is_site_admin(session, alice.id)
        with pytest.raises(Conflict, match="has left"):
            roles.grant(session, alice.id, "moderator", actor=ACTOR)


def test_the_last_site_administrator_stays_unless_forced(core, make_person, grant):
    alice, bob = make_person("alice"), make_person("bob")
    grant(alice, "site_admin")
    grant(bob, "site_admin")
    with core.db.write() as session:
        people.disable(session, bob.id)
        with pytest.raises(Conflict, match="last site administrator"):
            roles.revoke(session, alice.id, "site_admin", actor=ACTOR)
        assert roles.is_site_admin(session, alice.id)
        assert roles.revoke(session, alice.id, "site_admin", actor=ACTOR, force=True)
        assert not roles.is_site_admin(session, alice.id)


def test_a_role_is_refused_at_a_scope_that_it_does_not_have(core, make_person, make_entity, grant):
    alice, north = make_person("alice"), make_entity("north")
    for role, at, problem in (
        ("site_admin", {"scope": "entity", "scope_id": north.id}, BadInput),
        ("entity_admin", {}, BadInput),
        ("animator", {"scope": "group", "scope_id": 1}, BadInput),
        ("moderator", {"scope": "entity", "scope_id": 999}, NotFound),
        ("king", {}, BadInput),
    ):
        with pytest.raises(problem):
            grant(alice, role, **at)


def test_the_commands_take_hyphens_name_what_is_wrong_and_print_json(rse, make_person, make_entity):
    make_person("alice")
    make_entity("north")
    assert rse("role", "grant", "alice", "entity-admin", "--entity", "north", "--why", "pilot").exit_code == 0
    listed = json.loads(rse("role", "list", "--person", "alice", "--json").stdout)
    assert [(r["role"], r["scope"], r["scope_id"], r["why"]) for r in listed] == [
        ("entity_admin", "entity", "north", "pilot")
    ]
    for words, said in (
        (("grant", "alise", "site_admin"), "alice"),
        (("grant", "alice", "site-admin", "--entity", "nord"), "north"),
        (("grant", "alice", "boss"), "site_admin"),
        (("grant", "alice", "moderator", "--site", "--entity", "north"), "More than one scope"),
        (("revoke", "alice", "entity_admin"), "--entity"),
    ):
        refused = rse("role", *words)
        assert refused.exit_code == 1
        assert said in refused.stderr
    assert rse("role", "grant").exit_code == 2
    assert rse("role", "revoke", "alice", "entity_admin", "--entity", "north").exit_code == 0
    assert json.loads(rse("role", "list", "--json").stdout) == []


def test_the_audit_log_is_listed_newest_first_and_exported_oldest_first(core, rse, tmp_path):
    with core.db.write() as session:
        for n in range(5):
            record(session, ACTOR, "level.set" if n % 2 else "role.grant", f"person:{n}", after={"n": n}, why="=1+1")
    listed = json.loads(rse("audit", "list", "--json", "--limit", "3").stdout)
    assert [e["subject"] for e in listed] == ["person:4", "person:3", "person:2"]
    older = json.loads(rse("audit", "list", "--json", "--before", str(listed[-1]["id"])).stdout)
    assert [e["subject"] for e in older] == ["person:1", "person:0"]
    assert len(json.loads(rse("audit", "list", "--json", "--act", "level").stdout)) == 2
    assert json.loads(rse("audit", "list", "--json", "--since", "2999-01-01").stdout) == []
    assert rse("audit", "list", "--since", "yesterday").exit_code == 1
    lines, table = tmp_path / "audit.jsonl", tmp_path / "audit.csv"
    assert rse("audit", "export", str(lines)).exit_code == 0
    assert [json.loads(line)["after"]["n"] for line in lines.read_text().splitlines()] == [0, 1, 2, 3, 4]
    assert rse("audit", "export", str(table), "--act", "role.grant").exit_code == 0
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["subject"] for row in rows] == ["person:0", "person:2", "person:4"]
    assert rows[0]["why"] == "'=1+1"


def test_the_audit_log_is_read_in_pieces(core):
    with core.db.write() as session:
        for n in range(7):
            record(session, ACTOR, "level.set", f"person:{n}")
    with core.db.read() as session:
        assert [e.subject for e in stream(session, size=3)] == [f"person:{n}" for n in range(7)]
