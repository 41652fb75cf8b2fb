"""What waits for a moderator: listed, decided on, corrected; told to those whom it concerns and to nobody else."""

from __future__ import annotations

import pytest

from rse_core import moderation, roles
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound, ObjectRef
from rse_core.testing.organisation import make_entity, make_person, make_space
from rse_core.testing.queries import count_queries
from rse_governance import queue

ACTOR = Actor("cli:tests")


def waiting(core, person, **asked):
    with core.db.read() as session:
        return [line.text for line in queue.page(session, person.id, **asked).lines]


def held_id(core, person, place=0):
    with core.db.read() as session:
        return queue.page(session, person.id).lines[place].row.id


def test_what_a_vendors_plugin_holds_waits_with_its_text_and_author(site, people, moderated, wall):
    wall.write(site, people["anna"], "Good morning to all")
    with site.db.read() as session:
        line = queue.page(session, people["mo"].id).lines[0]
    assert (line.text, line.author.username, str(line.kind), line.can_amend) == ("Good morning to all", "anna", "note", True)


def test_the_author_does_not_decide_and_who_moderates_nothing_does_not_enter(site, people, moderated, wall):
    north = make_entity(site, "north")
    with site.db.write() as session:
        roles.grant(session, people["ben"].id, "moderator", scope="entity", scope_id=north.id, actor=ACTOR)
    wall.write(site, people["ben"], "mine")
    assert waiting(site, people["ben"]) == []
    with site.db.read() as session, pytest.raises(Forbidden):
        queue.page(session, people["anna"].id)
    number = held_id(site, people["mo"])
    with site.db.write() as session, pytest.raises(NotFound):
        queue.decide(session, people["ben"].id, number, approve=True)


def test_an_approval_and_a_refusal_with_its_reason(site, people, moderated, wall, told):
    for text in ("first", "second"):
        wall.write(site, people["anna"], text)
    first, second = held_id(site, people["mo"]), held_id(site, people["mo"], 1)
    with site.db.write() as session:
        queue.decide(session, people["mo"].id, first, approve=True)
        with pytest.raises(BadInput):
            queue.decide(session, people["mo"].id, second, approve=False, reason="  ")
        queue.decide(session, people["mo"].id, second, approve=False, reason="It names a patient.")
        with pytest.raises(Conflict):
            queue.decide(session, people["mo"].id, second, approve=True)
    lines = told(people["anna"])
    assert any(line.startswith("What you wrote is published") for line in lines)
    assert "What you wrote was not published. Reason: It names a patient." in lines
    with site.db.read() as session:
        mine = queue.of_author(session, people["anna"].id)
        assert [(line.row.state, line.row.reason) for line in mine.lines] == [
            ("refused", "It names a patient."), ("approved", ""),
        ]  # fmt: skip
        assert queue.of_author(session, people["ben"].id).lines == []
    assert waiting(site, people["mo"], state="refused") == ["second"]


def test_moderators_are_told_once_grouped_and_no_more_once_it_is_decided(site, people, moderated, wall, told):
    for number in range(3):
        wall.write(site, people["anna"], f"text {number}")
    wall.write(site, people["ben"], "another")
    assert [line for line in told(people["mo"]) if "waits" in line] == ["What 2 people wrote waits for a moderator."]
    assert told(people["cleo"]) == []
    with site.db.write() as session:
        ids = [line.row.id for line in queue.page(session, people["mo"].id).lines]
        assert queue.decide_many(session, people["ada"].id, ids, approve=True).done == 4
    assert [line for line in told(people["mo"]) if "waits" in line] == []


def test_many_at_once_with_one_reason_and_what_was_decided_meanwhile_is_named(site, people, moderated, wall):
    for number in range(4):
        wall.write(site, people["anna"], f"text {number}")
    with site.db.write() as session:
        ids = [line.row.id for line in queue.page(session, people["mo"].id).lines]
        queue.decide(session, people["mo"].id, ids[0], approve=True)
        result = queue.decide_many(session, people["mo"].id, [*ids, 987_654], approve=False, reason="Twice the same.")
    assert result.done == 3
    assert len(result.problems) == 2
    assert waiting(site, people["mo"]) == []
    with site.db.write() as session, pytest.raises(BadInput):
        queue.decide_many(session, people["mo"].id, [], approve=True)


def test_a_correction_tells_the_author_and_waits_on(site, people, moderated, wall, told):
    note = wall.write(site, people["anna"], "Call 0612345678")
    number = held_id(site, people["mo"])
    with site.db.write() as session:
        queue.amend(session, people["mo"].id, number, "Call me", seen=queue.digest("Call 0612345678"))
        with pytest.raises(Conflict):
            queue.amend(session, people["mo"].id, number, "Call", seen=queue.digest("Call 0612345678"))
        with pytest.raises(NotFound):
            queue.amend(session, people["cleo"].id, number, "Call")
    assert wall.notes[note.id].text == "Call me"
    assert waiting(site, people["mo"]) == ["Call me"]
    assert "A moderator corrected what you wrote; its history shows how." in told(people["anna"])


def test_each_scope_has_its_moderators_and_no_other(site, people, moderated, wall):
    north, south = make_entity(site, "north"), make_entity(site, "south")
    nina, sven = make_person(site, "nina", entity=north), make_person(site, "sven", entity=south)
    with site.db.write() as session:
        roles.grant(session, people["cleo"].id, "moderator", scope="entity", scope_id=north.id, actor=ACTOR)
    wall.write(site, nina, "from the north")
    wall.write(site, sven, "from the south")
    assert waiting(site, people["cleo"]) == ["from the north"]
    assert waiting(site, people["mo"]) == ["from the north", "from the south"]


def test_a_private_spaces_texts_are_its_own_moderators_and_counted_for_the_sites(site, people, moderated, wall, told):
    space = make_space(site, "secret", visibility="secret", members=[people["anna"]], managers=[people["max"]])
    wall.write(site, people["anna"], "between us", space=space)
    assert waiting(site, people["max"]) == ["between us"]
    with site.db.read() as session:
        page = queue.page(session, people["mo"].id)
        assert (list(page.lines), page.elsewhere) == ([], 1)
        number = queue.page(session, people["max"].id).lines[0].row.id
    for stranger in ("mo", "ada"):
        with site.db.write() as session, pytest.raises(NotFound):
            queue.decide(session, people[stranger].id, number, approve=True)
    assert told(people["max"])
    assert told(people["mo"]) == []


def test_pages_follow_a_key_and_cost_the_same_however_long(site, people, moderated, wall):
    def cost():
        with site.db.read() as session, count_queries(site) as counted:
            queue.page(session, people["mo"].id, most=20)
        return len(counted)

    for number in range(3):
        wall.write(site, people[("anna", "ben", "cleo")[number]], f"text {number}")
    few = cost()
    for number in range(9):
        wall.write(site, people[("anna", "ben", "cleo")[number % 3]], f"more {number}")
    assert cost() == few
    seen, after = [], None
    while True:
        with site.db.read() as session:
            page = queue.page(session, people["mo"].id, after=after, most=5)
        seen += [line.row.id for line in page.lines]
        after = page.after
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 12


def test_what_was_taken_off_the_queue_by_its_author_cannot_be_decided(site, people, moderated, wall):
    note = wall.write(site, people["anna"], "never mind")
    number = held_id(site, people["mo"])
    with site.db.write() as session:
        moderation.withdraw(session, ObjectRef("wall.note", str(note.id)))
    with site.db.write() as session, pytest.raises(NotFound):
        queue.decide(session, people["mo"].id, number, approve=True)
