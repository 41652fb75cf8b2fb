"""Who else has a say in a decision, and how it is asked for: plugins, errors, transactions, many at once."""

from __future__ import annotations

import datetime as dt

import pytest

from rse_core import policy
from rse_core.api import Capability, Level, Manifest, ObjectRef, Plugin, Reason, Review, Target, Veto, hookimpl
from rse_core.content import ContentInfo, ContentType
from rse_core.db import utcnow
from rse_core.decision import Mode
from rse_core.errors import Forbidden
from rse_core.models.organisation import Audience, Person
from rse_core.testing import count_queries

DAY = dt.timedelta(days=1)


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self):
        yield Capability("talk.read", "Read", Level.INFORM, writes=False)
        yield Capability("talk.react", "React", Level.REACT)
        yield Capability("talk.comment", "Comment", Level.COMMENT, reviewed=True)

    @hookimpl
    def rse_content_types(self):
        yield ContentType("talk.note", "note", self._notes)
        yield ContentType("talk.broken", "broken", lambda _session, ids: {i: int(i) / 0 for i in ids})

    @staticmethod
    def _notes(session, ids):
        audiences = {kind: ident for ident, kind in session.query(Audience.id, Audience.kind)}
        states = {"1": "published", "2": "draft", "3": "deleted"}
        return {
            ident: ContentInfo(
                ObjectRef("talk.note", ident), "A note", "/n", audiences["everyone"], state=states[ident], author_id=1
            )
            for ident in ids
            if ident in states
        }


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


def reason(decision):
    return str(decision.reason)


class Guard(Plugin):
    """Vetoes what ``self.veto`` says, and asks for review when ``self.wish`` is set."""

    manifest = Manifest("guard", "Guard")
    veto: Veto | None = None
    wish: Review | None = None
    broken = False

    @hookimpl
    def rse_decide(self, question):
        if self.broken:
            raise RuntimeError("broken")
        self.asked = question
        return self.veto

    @hookimpl
    def rse_review(self, question):
        return self.wish


def test_a_plugin_may_refuse_or_ask_for_review_at_every_question(rse_core, make_kit_person):
    guard = Guard()
    core = rse_core([Talk(), guard], strict=False)
    person = make_kit_person(core)
    for _ in range(2):
        with core.db.read() as session:
            target = Target(core.policy.everyone(), ref=ObjectRef("talk.note", str(_)))
            assert policy.can(session, person, "talk.comment", target).allowed
            assert guard.asked.target == target
            guard.veto = Veto("Not today.")
            decision = policy.can(session, person, "talk.comment", target)
            assert (decision.allowed, reason(decision), str(decision.message)) == (False, "denied", "Not today.")
            assert decision.trail[-1].rule == "decide"
            guard.veto, guard.wish = None, Review("Let us look.")
            assert policy.can(session, person, "talk.comment", target).mode is Mode.REVIEW
            assert policy.can(session, person, "talk.react").mode is Mode.OPEN
            guard.wish = None


def test_a_plugin_that_fails_while_deciding_closes_writing_and_leaves_reading(rse_core, make_kit_person, caplog):
    guard = Guard()
    core = rse_core([Talk(), guard], strict=False)
    person = make_kit_person(core)
    guard.broken = True
    with core.db.read() as session:
        for _ in range(8):
            assert reason(policy.can(session, person, "talk.comment")) == "denied"
            assert policy.can(session, person, "talk.read").allowed
    assert "guard" in caplog.text


@pytest.fixture
def make_kit_person():
    from rse_core.testing import make_person

    return lambda core: make_person(core, "alice", level=Level.COMMENT).id


def test_any_error_inside_refuses(core, ask, make_person, monkeypatch, caplog):
    person = make_person("alice", level=Level.COMMENT)
    monkeypatch.setattr(policy, "judge", lambda *_: 1 / 0)
    decision = ask(person)
    assert (decision.allowed, reason(decision)) == (False, "denied")
    assert "ZeroDivisionError" in caplog.text


def test_an_unreachable_database_refuses_everything(core, ask, make_person, monkeypatch, caplog):
    person = make_person("alice", level=Level.COMMENT)
    assert ask(person)

    def away(*_):
        raise OSError("no route")

    monkeypatch.setattr("rse_core.memory.changes_since", away)
    core.policy.memory.stale()
    assert reason(ask(person)) == reason(ask(person, "talk.read")) == "denied"
    monkeypatch.undo()
    assert ask(person)


def test_a_warm_question_makes_no_query(core, make_person):
    person = make_person("alice", level=Level.COMMENT)
    subjects = [None, Target(core.policy.everyone(), ("/rh",)), ObjectRef("page", "/rh/conges")]
    with core.db.read() as session:
        for subject in subjects:
            assert policy.can(session, person.id, "talk.comment", subject).allowed
        with count_queries(core) as callers, count_queries(core.policy.memory.db.engine) as own:
            for _ in range(50):
                for subject in subjects:
                    assert policy.can(session, person.id, "talk.comment", subject).allowed
        assert (len(callers), len(own)) == (0, 0), f"{callers} {own}"


def test_within_a_transaction_its_own_changes_count(core, make_person):
    person = make_person("alice", level=Level.INFORM)
    with core.db.write() as session:
        from rse_core.models.levels import LevelRow

        session.add(LevelRow(kind="level", scope="site", level=5, starts_at=utcnow() - DAY))
        session.add(LevelRow(kind="level", scope="entity", scope_key=str(person.entity_id), level=None, starts_at=utcnow()))
        policy.touch(session)
        assert policy.can(session, person.id, "talk.comment").allowed
        session.rollback()
        assert reason(policy.can(session, person.id, "talk.comment")) == "level"


def test_require_raises_with_the_decision(core, make_person):
    person = make_person("alice", level=Level.REACT)
    with core.db.read() as session:
        assert policy.require(session, person.id, "talk.react").allowed
        with pytest.raises(Forbidden) as caught:
            policy.require(session, person.id, "talk.comment")
    assert caught.value.decision.reason is Reason.LEVEL


def test_many_subjects_are_answered_in_order_with_one_query_a_type(core, make_person):
    person = make_person("alice", level=Level.COMMENT)
    make_person("bob")
    subjects = [ObjectRef("talk.note", i) for i in ("2", "1", "3")] + [None, Target(space_id=99)]
    with core.db.read() as session:
        policy.can(session, person.id, "talk.comment")
        with count_queries(core) as count:
            answers = policy.can_many(session, person.id, "talk.comment", subjects)
    assert [reason(a) for a in answers] == ["ok", "ok", "unknown_object", "ok", "role"]
    assert len(count) == 1, str(count)


def test_an_object_without_an_audience_is_its_authors_and_its_moderators(core, ask, make_person):
    from rse_core import roles
    from rse_core.audit import Actor

    author, other, moderator = (make_person(name, level=Level.COMMENT) for name in ("alice", "bob", "carol"))
    with core.db.write() as session:
        roles.grant(session, moderator.id, "moderator", actor=Actor("test"))
    target = Target(ref=ObjectRef("talk.note", "9"), author_id=author.id)
    answers = [reason(ask(person, subject=target)) for person in (author, other, moderator)]
    assert answers == ["ok", "unknown_object", "ok"]


def test_a_content_type_that_fails_closes_its_own_objects(core, ask, make_person, caplog):
    person = make_person("alice", level=Level.COMMENT)
    broken = ObjectRef("talk.broken", "x")
    assert reason(ask(person, subject=broken)) == "denied"
    with core.db.read() as session:
        answers = policy.can_many(session, person.id, "talk.comment", [None, broken])
    assert [reason(answer) for answer in answers] == ["denied", "denied"]
    assert reason(ask(person)) == "ok"
    assert "talk.comment" in caplog.text


def test_the_level_for_display_is_inform_for_nobody_and_for_what_is_hidden(core, make_person, make_entity):
    from rse_core import audiences

    person = make_person("alice", level=Level.CONTRIBUTE)
    other = make_entity("south")
    with core.db.write() as session:
        hidden = audiences.of_entity(session, other.id)
    with core.db.read() as session:
        assert policy.level_of(session, person.id) is Level.CONTRIBUTE
        assert policy.level_of(session, person.id, Target(hidden)) is Level.INFORM
        assert policy.level_of(session, None) is Level.INFORM
        assert policy.level_of(session, 4711) is Level.INFORM


def test_a_naive_moment_is_refused_at_once(core, make_person):
    person = make_person("alice")
    with core.db.read() as session, pytest.raises(ValueError, match="time zone"):
        policy.can(session, person.id, "talk.read", at=dt.datetime(2026, 1, 1))
