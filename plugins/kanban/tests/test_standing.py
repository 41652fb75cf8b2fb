"""What is kept of boards: never what was not committed, each board once, and no more of them than was agreed on.

That a board from memory is the one in the database is compared at each reading of every other test (``conftest``).
"""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import update

from rse_core.api import utcnow
from rse_core.models.organisation import Person
from rse_core.testing import count_queries
from rse_kanban import moving, reading, standing
from rse_kanban.models import Board, Card
from rse_kanban.placing import Place


@pytest.fixture
def _kept_is_true():
    """Here it is told by each test what is kept; a second reading would be counted too."""


def titles(page):
    return [[card.title for cards in pile.cards.values() for card in cards] for pile in page.piles]


def seen(desk, person, board):
    return desk.ask(reading.board, person.id, board.id)


def test_what_was_taken_back_is_not_what_the_next_change_leaves(desk, anna, board, columns):
    todo, doing, done = columns
    card = desk.card(anna, todo, "Bêcher")
    seen(desk, anna, board)
    session = desk.core.db.sessions()
    try:
        moving.move(session, anna.id, card.id, Place(doing.id), version=None)
        # Read within the transaction: its revision is that of the next one which is committed.
        assert titles(reading.board(session, anna.id, board.id)) == [[], ["Bêcher"], []]
        session.rollback()
    finally:
        session.close()
    desk.move(anna, card, done)
    assert titles(seen(desk, anna, board)) == [[], [], ["Bêcher"]]


def test_the_same_revision_at_another_time_is_another_state(desk, anna, board, columns):
    card = desk.card(anna, columns[0], "Bêcher")
    seen(desk, anna, board)
    with desk.core.db.write() as session:
        # As a backup that was put back.
        session.execute(update(Card).where(Card.id == card.id).values(title="Semer"))
        session.execute(update(Board).values(updated_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
    assert titles(seen(desk, anna, board)) == [["Semer"], [], []]


def test_names_and_what_is_late_are_those_of_the_moment(desk, anna, ben, board, columns, time_machine):
    at = utcnow()
    desk.card(anna, columns[0], people=[ben.id], due_at=at + dt.timedelta(hours=2))

    def card():
        (found,) = seen(desk, anna, board).by_id.values()
        return found.overdue, [person.display_name for person in found.people]

    assert card() == (False, ["Benoît Œuvrard"])
    with desk.core.db.write() as session:
        session.execute(update(Person).where(Person.id == ben.id).values(display_name="Ben Œuvrard"))
    assert card() == (False, ["Ben Œuvrard"])
    time_machine.move_to(at + dt.timedelta(hours=3))
    assert card() == (True, ["Ben Œuvrard"])


def test_what_was_not_looked_at_for_the_longest_time_goes(desk, anna, team, monkeypatch):
    monkeypatch.setattr(standing, "MOST", 5)
    boards = [desk.board(anna, f"space:{team.key}", title) for title in "abc"]
    for one in boards:
        for title in "xy":
            desk.card(anna, desk.columns(one)[0], title)

    def cost(board):
        with count_queries(desk.core) as count:
            seen(desk, anna, board)
        return len(count)

    full = [cost(one) for one in boards]
    assert cost(boards[2]) < full[2]
    assert cost(boards[1]) < full[1]
    assert cost(boards[0]) == full[0]
