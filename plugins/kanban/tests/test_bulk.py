"""One act on many cards: each by the service that acts on one, conflicts named card by card, and taken back."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import select

from rse_core.api import BadInput, utcnow
from rse_core.testing import as_person, count_queries
from rse_kanban import bulk, cards, ending
from rse_kanban import columns as columns_service
from rse_kanban.bulk import Act
from rse_kanban.models import Card, CardLabel, CardPerson


def states(desk):
    with desk.core.db.read() as session:
        return {title: state for title, state in session.execute(select(Card.title, Card.state))}


def held(desk, table, column):
    with desk.core.db.read() as session:
        rows = session.execute(select(Card.title, column).join(table, table.card_id == Card.id))
        return sorted((title, ident) for title, ident in rows)


def do(desk, person, some, act, **late):
    """With the versions as they were made, but for those in ``late``."""
    wanted = [(card.id, late.get(card.title, card.version)) for card in some]
    return desk.call(bulk.apply, person.id, wanted, act)


@pytest.fixture
def three(desk, anna, columns):
    return [desk.card(anna, columns[0], title) for title in ("a", "b", "c")]


def test_people_and_labels_are_added_to_what_is_there(desk, anna, ben, board, three):
    label = desk.call(columns_service.keep_label, anna.id, board.id, "Urgent", 0)
    desk.call(cards.edit, anna.id, three[0].id, cards.Written(people=[anna.id]), version=1)
    done, refused = do(desk, anna, three, Act("assign", people=[ben.id]), a=2)
    assert ([card.title for card in done], refused) == (["a", "b", "c"], [])
    assert held(desk, CardPerson, CardPerson.person_id) == [
        ("a", anna.id), ("a", ben.id), ("b", ben.id), ("c", ben.id),
    ]  # fmt: skip
    done, _refused = do(desk, anna, three, Act("assign", people=[ben.id]), a=None, b=None, c=None)
    assert done == [], "it was so already"
    done, _refused = do(desk, anna, three[:2], Act("label", label=label.id), a=None, b=None)
    assert len(done) == 2
    done, _refused = do(desk, anna, three, Act("unlabel", label=label.id), a=None, b=None, c=None)
    assert [card.title for card in done] == ["a", "b"]
    done, _refused = do(desk, anna, three, Act("unassign", people=[anna.id, ben.id]), a=None, b=None, c=None)
    assert held(desk, CardPerson, CardPerson.person_id) == held(desk, CardLabel, CardLabel.label_id) == []


def test_who_has_changed_the_same_meanwhile_is_not_overwritten_and_the_others_go(desk, anna, ben, three):
    soon = utcnow() + dt.timedelta(days=2)
    desk.call(cards.edit, ben.id, three[1].id, cards.Written(due_at=soon), version=1)
    desk.call(cards.edit, ben.id, three[2].id, cards.Written(title="c, named otherwise"), version=1)
    later = utcnow() + dt.timedelta(days=9)
    done, refused = do(desk, anna, three, Act("due", due_at=later))
    assert [card.title for card in done] == ["a", "c, named otherwise"], "another field disturbs nobody"
    assert [(one.title, one.error.code) for one in refused] == [("b", "stale")]
    with desk.core.db.read() as session:
        assert session.get_one(Card, three[1].id).due_at == soon


def test_cards_are_archived_deleted_and_restored_by_the_rules_of_one(desk, anna, ben, board, columns, three):
    own = desk.card(ben, columns[0], "d")
    done, refused = do(desk, ben, [*three, own], Act("delete"))
    assert [card.title for card in done] == ["d"]
    assert {one.title: one.error.code for one in refused} == dict.fromkeys("abc", "forbidden")
    done, refused = do(desk, anna, [*three, own], Act("archive"))
    assert ([card.title for card in done], [one.title for one in refused]) == (["a", "b", "c"], ["d"])
    done, _refused = do(desk, anna, [*three, own], Act("restore"))
    assert states(desk) == dict.fromkeys("abcd", "open")
    assert len(done) == 4
    desk.call(ending.archive, anna.id, three[0].id)
    column = columns[0]
    desk.call(
        columns_service.change_column, anna.id, column.id, name="x", phase="todo", wip_limit=3, wip_hard=True
    )
    _done, refused = do(desk, anna, three[:1], Act("restore"))
    assert [one.error.code for one in refused] == ["full"]


def test_what_is_asked_must_be_whole(desk, anna, three):
    for act in (Act("assign"), Act("label"), Act("shout")):
        with pytest.raises(BadInput):
            do(desk, anna, three, act)
    with pytest.raises(BadInput):
        desk.call(bulk.apply, anna.id, [], Act("archive"))
    _done, [refused] = desk.call(bulk.apply, anna.id, [(987_654, None)], Act("archive"))
    assert (refused.title, refused.error.status) == ("", 404)


def test_the_form_says_what_was_left_and_takes_back_what_was_done(rse_app, desk, anna, ben, board, columns, three):
    client = rse_app.test_client()
    as_person(client, anna)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    label = desk.call(columns_service.keep_label, anna.id, board.id, "Urgent", 0)

    def send(html, path=f"/rse/kanban/boards/{board.id}/many", **form):
        token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', html)[1]
        answer = client.post(path, data={"csrf_token": token, **form}, headers={"Origin": "http://localhost"})
        assert answer.status_code == 303
        return client.get(answer.headers["Location"]).text

    page = client.get(f"/rse/kanban/boards/{board.id}?select=1").text
    desk.call(cards.edit, ben.id, three[1].id, cards.Written(labels=[]), version=1)
    desk.call(ending.archive, ben.id, three[2].id)
    ids = [card.id for card in three]
    page = send(page, cards=ids, act="label", label=label.id, **{f"version-{one}": "1" for one in ids})
    assert "2 cards were changed." in page
    assert "“c” was left as it is" in page
    assert len(held(desk, CardLabel, CardLabel.label_id)) == 2
    back = re.search(r'<form class="rse-message kb-undo".*?</form>', page, re.S)[0]
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', back)
    form = {name: [value for key, value in fields if key == name] for name, _value in fields if name != "csrf_token"}
    assert form["act"] == ["unlabel"]
    page = send(page, **form)
    assert held(desk, CardLabel, CardLabel.label_id) == []
    assert "kb-undo" not in page
    page = send(page, cards=ids[:1], act="due", due_at="2027-01-31T09:00")
    with desk.core.db.read() as session:
        assert session.get_one(Card, ids[0]).due_at.date() == dt.date(2027, 1, 31)
    page = send(page, cards=ids[:1], act="assign", people="@ben")
    assert held(desk, CardPerson, CardPerson.person_id) == [("a", ben.id)]


def test_programs_do_the_same(rse_app, desk, anna, ben, three):
    client = rse_app.test_client()
    as_person(client, anna)
    token = client.get("/rse/embed/slots?address=/news/1&slots=comments").headers["X-RSE-CSRF"]
    body = {"cards": [{"id": card.id, "version": 1} for card in three], "act": "assign", "people": ["ben"]}
    answer = client.post("/rse/api/v1/kanban/cards/many", json=body, headers={"X-RSE-CSRF": token})
    assert answer.status_code == 200
    assert [one["version"] for one in answer.json["done"]] == [2, 2, 2]
    assert answer.json["refused"] == []


def test_many_cards_cost_each_a_fixed_number_of_queries(desk, anna, columns):
    some = [desk.card(anna, columns[0], f"n{number}") for number in range(12)]

    def cost(cards_of):
        with count_queries(desk.core) as count:
            do(desk, anna, cards_of, Act("archive"))
        return len(count)

    first, more = cost(some[:2]), cost(some[2:12])
    assert more <= first * 5
