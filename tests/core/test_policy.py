"""The rules of a decision, one by one and in their order, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest

from rse_core import audiences, organisation, policy, roles
from rse_core.api import Capability, Level, Manifest, ObjectRef, Plugin, Target, hookimpl
from rse_core.audit import Actor
from rse_core.content import ContentInfo, ContentType
from rse_core.db import utcnow
from rse_core.decision import Mode
from rse_core.errors import SignInNeeded
from rse_core.models.governance import Charter, CharterAcceptance, ReviewRule, Suspension
from rse_core.models.levels import CapabilityShift, PluginSwitch
from rse_core.models.organisation import Audience, Person, SpaceRule

DAY = dt.timedelta(days=1)


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self):
        yield Capability("talk.read", "Read", Level.INFORM, writes=False)
        yield Capability("talk.react", "React", Level.REACT)
        yield Capability("talk.comment", "Comment", Level.COMMENT, reviewed=True)
        yield Capability("talk.post", "Post", Level.COMMENT, reviewed=True, default_who="members")
        yield Capability("talk.look", "Look", Level.INFORM, writes=False, default_who="members")
        yield Capability("talk.plan", "Plan", Level.INFORM, default_who="managers")
        yield Capability("talk.found", "Found", Level.INFORM, default_who="nobody")

    @hookimpl
    def rse_content_types(self):
        yield ContentType("talk.note", "note", self._notes)

    @staticmethod
    def _notes(session, ids):
        audiences = {kind: ident for ident, kind in session.query(Audience.id, Audience.kind)}
        states = {"1": "published", "2": "draft", "3": "deleted", "4": "published"}
        found = {}
        for ident in ids:
            if ident in states:
                audience = None if ident == "4" else audiences["everyone"]
                ref = ObjectRef("talk.note", ident)
                found[ident] = ContentInfo(ref, "A note", f"/n/{ident}", audience, state=states[ident], author_id=1)
        return found


@pytest.fixture
def rse_plugins():
    return [Talk()]


@pytest.fixture
def ask(core):
    def ask(person, capability="talk.comment", subject=None, *, at=None):
        ident = person.id if isinstance(person, Person) else person
        with core.db.read() as session:
            return policy.can(session, ident, capability, subject, at=at)

    return ask


@pytest.fixture
def add(core):
    def add(*rows):
        with core.db.write() as session:
            session.add_all(rows)
            policy.touch(session)

    return add


def reason(decision):
    return str(decision.reason)


def test_nobody_is_asked_to_sign_in(core, ask):
    decision = ask(None)
    assert (decision.allowed, reason(decision)) == (False, "unknown_person")
    with core.db.read() as session, pytest.raises(SignInNeeded):
        policy.require(session, None, "talk.comment")


def test_a_person_who_does_not_exist_is_unknown_until_they_are_made(ask, make_person):
    assert reason(ask(1)) == "unknown_person"
    person = make_person("alice", level=Level.COMMENT)
    assert person.id == 1
    assert ask(1).allowed


def test_a_disabled_account_is_told_so_and_was_not_disabled_before(core, ask, make_person):
    person = make_person("alice", level=Level.COMMENT)
    assert ask(person)
    moment = utcnow()
    with core.db.write() as session:
        row = session.get(Person, person.id)
        row.status, row.disabled_at = "disabled", moment
        policy.touch(session, person.id)
    assert reason(ask(person)) == "unknown_person"
    assert "compte" in str(ask(person).message) or "account" in str(ask(person).message)
    assert ask(person, at=moment - dt.timedelta(microseconds=1)).allowed


def test_an_unknown_capability_still_tells_the_level(ask, make_person):
    decision = ask(make_person("alice", level=Level.REACT), "talk.coment")
    assert (reason(decision), decision.effective_level, decision.required_level) == ("unknown_capability", 1, None)


def test_the_level_decides_and_the_message_names_what_is_missing(ask, make_person):
    person = make_person("alice", level=Level.REACT)
    assert ask(person, "talk.react").allowed
    decision = ask(person, "talk.comment")
    assert (reason(decision), decision.effective_level, decision.required_level) == ("level", 1, 2)
    assert decision.opens_at is None


def test_a_level_lowered_closes_at_the_next_question(ask, make_person, make_entity, set_level):
    entity = make_entity("north")
    person = make_person("alice", entity=entity)
    set_level(Level.COMMENT, entity=entity)
    assert ask(person)
    set_level(Level.INFORM, entity=entity)
    assert reason(ask(person)) == "level"


def test_a_dated_level_tells_when_it_opens_and_opens_then(ask, make_person, make_entity, set_level):
    entity = make_entity("north")
    person = make_person("alice", entity=entity)
    start = dt.datetime(2031, 1, 11, 23, tzinfo=dt.UTC)
    set_level(Level.COMMENT, entity=entity, starts_at=start)
    decision = ask(person)
    assert (reason(decision), decision.opens_at) == ("level", start)
    assert "12" in str(decision.message)
    assert "2031" in str(decision.message)
    assert not ask(person, at=start - dt.timedelta(microseconds=1))
    assert ask(person, at=start)


def test_the_answer_changes_by_the_clock_alone(ask, make_person, make_entity, set_level, time_machine_at):
    entity = make_entity("north")
    person = make_person("alice", entity=entity)
    start = utcnow() + DAY
    set_level(Level.COMMENT, entity=entity, starts_at=start)
    assert not ask(person)
    with time_machine_at(start):
        assert ask(person)
    with time_machine_at(start - dt.timedelta(seconds=1)):
        assert not ask(person)


@pytest.fixture
def time_machine_at():
    time_machine = pytest.importorskip("time_machine")
    return lambda moment: time_machine.travel(moment, tick=False)


def test_a_capability_shifted_by_the_site_opens_from_there(ask, add, make_person):
    person = make_person("alice", level=Level.REACT)
    add(CapabilityShift(capability="talk.comment", level=1))
    decision = ask(person)
    assert (decision.allowed, decision.required_level) == (True, 1)


def test_an_object_of_an_audience_one_is_not_in_does_not_exist(ask, core, make_person, make_entity):
    from rse_core import audiences

    other = make_entity("south")
    person = make_person("alice", level=Level.COMMENT)
    with core.db.write() as session:
        audience = audiences.of_entity(session, other.id)
        everyone = audiences.everyone(session)
    assert reason(ask(person, subject=Target(audience))) == "unknown_object"
    hidden = [s.detail for s in ask(person, subject=Target(audience)).trail if s.rule == "object"]
    assert hidden == [{"on": None, "found": False}]
    assert ask(person, subject=Target(everyone)).allowed


def test_references_are_resolved_and_unpublished_ones_are_their_authors(ask, make_person):
    author = make_person("alice", level=Level.COMMENT)
    other = make_person("bob", level=Level.COMMENT)
    answers = [
        [reason(ask(person, subject=ObjectRef("talk.note", ident))) for ident in ("1", "2", "3", "4", "5")]
        for person in (author, other)
    ]
    assert answers == [
        ["ok", "ok", "unknown_object", "ok", "unknown_object"],
        ["ok", "unknown_object", "unknown_object", "unknown_object", "unknown_object"],
    ]
    assert reason(ask(author, subject=ObjectRef("nothing.here", "1"))) == "unknown_object"


def test_pages_stand_in_sections_and_only_under_the_intranets_origins(ask, make_person, set_level):
    person = make_person("alice", level=Level.COMMENT)
    assert ask(person, subject=ObjectRef("page", "/rh/conges")).allowed
    assert reason(ask(person, subject=ObjectRef("page", "https://elsewhere.example/x"))) == "unknown_object"
    set_level(Level.REACT, section="/rh", kind="cap")
    where = ("/rh", "/rh/conges", "/rhx", "/RH", "/", "/news/rh")
    assert [bool(ask(person, subject=ObjectRef("page", path))) for path in where] == [False, False, True, True, True, True]
    set_level(Level.REACT, section="/", kind="cap")
    assert [bool(ask(person, subject=ObjectRef("page", path))) for path in where] == [False] * 6
    assert ask(person).allowed


def test_switches_of_groups_entities_and_site_in_their_order(ask, add, make_person, make_group, make_entity):
    entity = make_entity("north")
    inside, outside = make_group("in"), make_group("out")
    alice = make_person("alice", entity=entity, groups=[inside, outside])
    bob = make_person("bob", entity=entity, groups=[inside])
    carol = make_person("carol", entity=entity)
    dora = make_person("dora")

    def who():
        return [reason(ask(person, "talk.read")) for person in (alice, bob, carol, dora)]

    assert who() == ["ok"] * 4
    add(PluginSwitch(plugin="talk", scope="site", enabled=False))
    assert who() == ["plugin_off"] * 4
    add(PluginSwitch(plugin="talk", scope="entity", scope_id=entity.id, enabled=True))
    assert who() == ["ok", "ok", "ok", "plugin_off"]
    add(PluginSwitch(plugin="talk", scope="group", scope_id=outside.id, enabled=False))
    assert who() == ["plugin_off", "ok", "ok", "plugin_off"]
    add(PluginSwitch(plugin="talk", scope="group", scope_id=inside.id, enabled=True))
    assert who() == ["plugin_off", "ok", "ok", "plugin_off"]


def test_a_space_switched_off_is_off_there_alone(ask, add, make_person, make_space):
    alice = make_person("alice")
    space = make_space("garden", members=[alice])
    add(PluginSwitch(plugin="talk", scope="space", scope_id=space.id, enabled=False))
    assert reason(ask(alice, "talk.look", Target(space_id=space.id))) == "plugin_off"
    assert ask(alice, "talk.look").allowed


def test_the_spaces_own_rule_says_which_role_may(ask, add, core, make_person, make_space):
    people = [make_person(name) for name in ("owner", "member", "external", "stranger", "animator")]
    owner, member, external, stranger, animator = people
    space = make_space("garden", members=[member], managers=[owner], visibility="public")
    with core.db.write() as session:
        organisation.join_space(session, space.id, external.id, "external")
        roles.grant(session, animator.id, "animator", scope="space", scope_id=space.id, actor=Actor("test"))
    target = Target(space_id=space.id)
    table = {
        key: "".join("+" if ask(person, key, target) else "-" for person in people)
        for key in ("talk.read", "talk.look", "talk.plan", "talk.found")
    }
    assert table == {"talk.read": "+++++", "talk.look": "+++-+", "talk.plan": "+---+", "talk.found": "-----"}
    add(SpaceRule(space_id=space.id, capability="talk.plan", who="members"))
    assert "".join("+" if ask(person, "talk.plan", target) else "-" for person in people) == "++--+"
    add(SpaceRule(space_id=space.id, capability="talk.look", who="nobody"))
    assert reason(ask(owner, "talk.look", target)) == "role"


def test_what_is_in_a_listed_space_is_for_its_members(ask, make_person, make_space):
    member, stranger = make_person("alice"), make_person("bob")
    space = make_space("garden", members=[member])
    assert ask(member, "talk.read", Target(space_id=space.id)).allowed
    assert reason(ask(stranger, "talk.read", Target(space_id=space.id))) == "role"


def test_what_is_for_the_members_of_a_public_space_is_for_nobody_else(ask, core, make_person, make_space):
    member, stranger = make_person("alice"), make_person("bob")
    space = make_space("garden", members=[member], visibility="public")
    with core.db.read() as session:
        members, everyone = audiences.of_members(session, space.id), audiences.of_space(session, space.id)
    assert ask(member, "talk.read", Target(members, space_id=space.id)).allowed
    assert reason(ask(stranger, "talk.read", Target(members, space_id=space.id))) == "unknown_object"
    assert ask(stranger, "talk.read", Target(everyone, space_id=space.id)).allowed


def test_a_spaces_level_raises_its_members_there_and_nowhere_else(ask, make_person, make_space, set_level):
    member, stranger = make_person("alice"), make_person("bob")
    space = make_space("garden", members=[member], visibility="public")
    set_level(Level.COMMENT, space=space)
    assert ask(member, subject=Target(space_id=space.id)).allowed
    assert reason(ask(stranger, subject=Target(space_id=space.id))) == "level"
    assert reason(ask(member)) == "level"


def test_the_charter_in_force_is_accepted_before_writing(ask, core, add, make_person, make_entity, set_level):
    entity = make_entity("north")
    person = make_person("alice", entity=entity)
    set_level(Level.COMMENT, entity=entity, starts_at=utcnow() - DAY)
    add(Charter(id=1, version="1", title="House rules", body="…", published_at=utcnow() - DAY))
    add(Charter(id=2, version="2", title="Later", body="…", published_at=utcnow() + DAY))
    add(Charter(id=3, version="e", title="Style", body="…", kind="editorial", published_at=utcnow() - DAY))
    assert ask(person, "talk.read").allowed
    decision = ask(person)
    assert reason(decision) == "charter"
    assert "House rules" in str(decision.message)
    with core.db.write() as session:
        session.add(CharterAcceptance(charter_id=1, person_id=person.id, accepted_at=utcnow()))
        policy.touch(session, person.id)
    assert ask(person).allowed
    assert reason(ask(person, at=utcnow() - DAY / 2)) == "charter"
    assert reason(ask(person, at=utcnow() + 2 * DAY)) == "charter"
    assert reason(ask(person, at=utcnow() - 2 * DAY)) == "level"


def test_a_space_may_have_a_charter_of_its_own(ask, add, make_person, make_space):
    person = make_person("alice", level=Level.COMMENT)
    space = make_space("garden", members=[person])
    add(Charter(version="1", title="Garden", body="…", space_id=space.id, published_at=utcnow() - DAY))
    assert reason(ask(person, subject=Target(space_id=space.id))) == "charter"
    assert ask(person).allowed


def test_a_suspended_person_reads_and_writes_again_afterwards(ask, add, make_person):
    person = make_person("alice", level=Level.COMMENT)
    now = utcnow()
    add(Suspension(person_id=person.id, starts_at=now - DAY, ends_at=now + DAY))
    assert reason(ask(person)) == "suspended"
    assert ask(person, "talk.read").allowed
    assert ask(person, at=now + DAY).allowed
    add(Suspension(person_id=person.id, starts_at=now + 5 * DAY, ends_at=None, lifted_at=now + 6 * DAY))
    answers = [reason(ask(person, at=now + days * DAY)) for days in (4, 5, 6)]
    assert answers == ["ok", "suspended", "ok"]


def test_publishing_is_reviewed_where_a_rule_says_so_but_not_for_its_moderators(ask, add, core, make_person, make_entity):
    north = make_entity("north")
    team = make_entity("team", parent=north)
    author = make_person("alice", entity=team, level=Level.COMMENT)
    moderator = make_person("bob", entity=team)
    assert ask(author).mode is Mode.OPEN
    add(ReviewRule(scope="entity", scope_id=north.id))
    with core.db.write() as session:
        roles.grant(session, moderator.id, "moderator", scope="entity", scope_id=north.id, actor=Actor("test"))
    assert (ask(author).allowed, ask(author).mode) == (True, Mode.REVIEW)
    assert ask(author, "talk.react").mode is Mode.OPEN
    assert ask(moderator).mode is Mode.OPEN
    add(ReviewRule(scope="person", scope_id=moderator.id))
    assert ask(moderator).mode is Mode.REVIEW


def test_when_several_rules_fail_the_first_gives_the_reason_and_all_are_told(ask, add, make_person, make_space):
    person = make_person("alice")
    space = make_space("garden", visibility="public")
    now = utcnow()
    add(Charter(version="1", title="House rules", body="…", published_at=now - DAY))
    add(Suspension(person_id=person.id, starts_at=now - DAY))
    add(PluginSwitch(plugin="talk", scope="site", enabled=False))
    decision = ask(person, "talk.post", Target(space_id=space.id))
    assert reason(decision) == "plugin_off"
    failed = [step.rule for step in decision.trail if not step.passed]
    assert failed == ["plugin", "level", "role", "charter", "suspension"]


def test_the_trail_names_every_row_with_who_and_why(ask, make_person, make_entity, make_group, set_level):
    north = make_entity("north")
    group = make_group("ambassadors")
    person = make_person("alice", entity=north, groups=[group])
    set_level(Level.REACT, entity=north, why="pilot")
    set_level(Level.COMMENT, group=group)
    set_level(Level.CONTRIBUTE, kind="ceiling")
    later = utcnow() + DAY
    set_level(Level.COLLABORATE, entity=north, starts_at=later)
    level = next(step for step in ask(person).as_dict()["trail"] if step["rule"] == "level")
    rows = [(r["kind"], r["scope"], r["key"], r["level"], r["in_force"], r["who"], r["why"]) for r in level["rows"]]
    assert rows == [
        ("level", "entity", "north", 1, True, "kit", "pilot"),
        ("level", "entity", "north", 4, False, "kit", ""),
        ("level", "group", "ambassadors", 2, True, "kit", ""),
        ("ceiling", "site", "", 3, True, "kit", ""),
    ]
    assert (level["granted"], level["cap"], level["effective"]) == (2, 5, 2)
