"""A thousand cards cost as many queries as ten, and five hundred make a page of less than 400 KB."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import insert, select

from rse_core.api import utcnow
from rse_core.testing import as_person, count_queries
from rse_kanban import columns as columns_service
from rse_kanban import ranks
from rse_kanban.models import Board, Card, CardLabel, CardPerson, CheckItem

pytestmark = pytest.mark.slow


def fill(desk, board, columns, people, labels, start, count):
    now, made = utcnow(), list(ranks.spread(count))
    with desk.core.db.write() as session:
        rows = [
            {
                "board_id": board.id, "column_id": columns[number % 3].id, "rank": f"{start:04}{made[number]}", "version": 1,
                "title": f"Carte {start + number} : préparer la salle de réunion du deuxième étage", "body": "Texte",
                "state": "open", "stamps": {}, "revision": 1, "author_id": people[0].id, "created_at": now,
                "updated_at": now, "entered_at": now, "due_at": now + dt.timedelta(days=number % 30),
                "origin": f"t:{start + number}",
            }
            for number in range(count)
        ]  # fmt: skip
        session.execute(insert(Card), rows)
        ids = list(session.scalars(select(Card.id).where(Card.board_id == board.id).order_by(Card.id)))[-count:]
        session.execute(insert(CardPerson), [{"card_id": one, "person_id": people[one % 2].id, "at": now} for one in ids])
        session.execute(insert(CardLabel), [{"card_id": one, "label_id": labels[one % 2].id} for one in ids])
        session.execute(insert(CheckItem), [{"card_id": one, "text": "Ligne", "position": 0} for one in ids])
        session.get(Board, board.id).revision += 1


@pytest.fixture
def _kept_is_true():
    """Here it is counted what a page asks for: no board is read a second time to be compared."""


def test_a_thousand_cards_cost_as_many_queries_as_ten(rse_app, desk, anna, ben, board, columns):
    labels = [desk.call(columns_service.keep_label, anna.id, board.id, name, 3) for name in ("Urgent", "À voir")]
    client = rse_app.test_client()
    as_person(client, ben)

    def cost(path):
        with count_queries(desk.core) as count:
            answer = client.get(f"/rse/kanban/{path}")
        assert answer.status_code == 200
        return len(count), len(answer.data)

    paths = [f"boards/{board.id}", f"boards/{board.id}/state?since=0", f"boards/{board.id}?q=who:me", "mine"]
    fill(desk, board, columns, [anna, ben], labels, 0, 10)
    for path in paths:
        cost(path)
    fill(desk, board, columns, [anna, ben], labels, 10, 1)
    few = [cost(path)[0] for path in paths]
    again = [cost(path)[0] for path in paths]
    fill(desk, board, columns, [anna, ben], labels, 11, 489)
    sizes = cost(f"boards/{board.id}")
    assert sizes[1] < 400_000, sizes
    fill(desk, board, columns, [anna, ben], labels, 500, 500)
    assert [cost(path)[0] for path in paths] == few
    # Where nothing has changed since, the board is in memory.
    assert [cost(path)[0] for path in paths] == again
    assert again[0] < few[0]
    assert max(few) <= 30, few
