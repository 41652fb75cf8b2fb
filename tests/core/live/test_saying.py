"""What is said leaves with the commit, and who may listen is asked anew."""

from __future__ import annotations

import pytest

from rse_core import audiences, notify
from rse_core.api import Actor, ObjectRef, RseError, say_changed
from rse_core.live import LONGEST, is_topic, payloads
from rse_core.live.allowed import topics
from rse_core.models.organisation import Person
from rse_core.testing import count_queries


def test_what_is_said_leaves_with_the_commit_once_however_often_it_was_said(core, heard):
    with core.db.write() as session:
        say_changed(session, "boards.board:1", "boards.board:2")
        say_changed(session, "boards.board:1")
        assert heard() == []
    assert sorted(set(heard())) == ["boards.board:1", "boards.board:2"]


def test_a_transaction_that_is_undone_says_nothing(core, heard):
    with pytest.raises(RuntimeError), core.db.write() as session:
        say_changed(session, "boards.board:1")
        raise RuntimeError("no")
    assert heard() == []
    with core.db.write() as session:
        say_changed(session, "boards.board:2")
    assert heard() == ["boards.board:2"]


def test_a_savepoint_that_is_undone_says_nothing_and_the_rest_is_said(core, heard):
    with core.db.write() as session:
        say_changed(session, "boards.board:1")
        with session.begin_nested():
            say_changed(session, "boards.board:2")
        assert heard() == [], "a savepoint that is released is no commit"
        outer = session.begin_nested()
        with session.begin_nested():
            say_changed(session, "boards.board:3")
        outer.rollback()
    assert sorted(heard()) == ["boards.board:1", "boards.board:2"]


def test_where_live_is_off_saying_costs_no_statement_and_nothing_is_kept(core):
    with core.db.write() as session, count_queries(core) as count:
        say_changed(session, "boards.board:1")
        assert not [key for key in session.info if "live" in str(key)]
    assert len(count) == 0


def test_a_text_that_is_no_topic_is_an_error_of_the_plugin(core, heard):
    for text in ("", "boards", "boards.board", "boards.board:", "Boards.board:1", "boards.board:1\n2", "boards.board:é",
                 "boards.board:" + "1" * LONGEST):  # fmt: skip
        with pytest.raises(RseError, match="not a topic"), core.db.write() as session:
            say_changed(session, text)
    with pytest.raises(RseError, match="only reads"), core.db.read() as session:
        say_changed(session, "boards.board:1")
    assert heard() == []


def test_thousands_of_topics_of_one_transaction_all_arrive(core, heard):
    wanted = [f"boards.board:{number}{'x' * 60}" for number in range(2_000)]
    assert all(len(text) < 8_000 for text in payloads(wanted))
    with core.db.write() as session:
        say_changed(session, *wanted)
    assert sorted(heard()) == sorted(wanted)


def test_what_people_are_told_of_is_said_to_them_or_to_all(core, heard, make_person, space):
    people = [make_person(f"p{number}") for number in range(3)]
    ids = [person.id for person in people]
    note = ObjectRef("page", "/news/1")
    with core.db.write() as session:
        notify.notify_many(session, ids, "boards.moved", note, actor_id=None, cause="move:1")
    assert sorted(heard()) == sorted(f"core.notices:{one}" for one in ids)
    with core.db.write() as session:
        notify.mark_read(session, ids[0])
    assert heard() == [f"core.notices:{ids[0]}"]
    with core.db.write() as session:
        notify.withdraw(session, "move:1")
    assert sorted(heard()) == sorted(f"core.notices:{one}" for one in ids[1:])
    with core.db.write() as session:
        notify.broadcast(session, space[1], "boards.moved", note, actor_id=None, cause="all:1")
    assert heard() == [f"core.told:{space[1]}"]


# -- who may ---------------------------------------------------------------------------------------------------------------


def test_a_refused_topic_is_as_an_unknown_one(core, anna, space, make_person):
    ben = make_person("ben")
    asked = [f"boards.board:{space[1]}", "boards.board:999999", "boards.card:1", "likes.page:1", f"core.notices:{anna.id}",
             "boards.board:x", "core.session:1"]  # fmt: skip
    with core.db.read() as session:
        assert sorted(topics(core, session, anna.id, asked)) == sorted([asked[0], asked[4]])
        assert topics(core, session, ben.id, asked) == {}


def test_a_topic_stands_for_what_this_person_sees(core, anna, space):
    with core.db.read() as session:
        found = topics(core, session, anna.id, [f"boards.mine:{anna.id}", "boards.mine:12345"])
        mine = audiences.of_person(session, anna.id)
    assert found == {f"boards.mine:{anna.id}": frozenset(f"boards.board:{one}" for one in mine)}
    assert f"boards.board:{space[1]}" in found[f"boards.mine:{anna.id}"]


def test_the_bell_stands_for_ones_own_and_for_what_ones_audiences_are_told(core, anna, space):
    with core.db.read() as session:
        found = topics(core, session, anna.id, [f"core.notices:{anna.id}"])
    assert {f"core.notices:{anna.id}", f"core.told:{space[1]}"} <= found[f"core.notices:{anna.id}"]


def test_an_error_of_a_plugin_refuses_its_topics_and_no_others(rse_core, boards, make_person):
    core = rse_core([boards], strict=False)
    with core.db.write() as session:
        person = Person(external_id="x", username="x", display_name="X", folded_name="x", email="", status="active")
        session.add(person)
        session.flush()
        ident = person.id
    boards.broken = True
    with core.db.read() as session:
        assert list(topics(core, session, ident, ["boards.board:1", f"core.notices:{ident}"])) == [f"core.notices:{ident}"]


def test_a_plugin_that_is_switched_off_tells_nothing(core, anna, space):
    with core.db.write() as session:
        core.plugins.disable(session, "boards", Actor("cli"))
    with core.db.read() as session:
        assert topics(core, session, anna.id, [f"boards.board:{space[1]}"]) == {}


def test_texts_that_are_topics():
    assert is_topic("kanban.board:7")
    assert is_topic("kanban.board:a/b?c")
    assert not is_topic("kanban.board:a b")
