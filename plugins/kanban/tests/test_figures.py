"""What is measured, from dated transitions, against numbers worked out by hand."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update

from rse_core.api import NotFound, utcnow
from rse_core.testing.organisation import make_person
from rse_kanban import columns as columns_service
from rse_kanban import figures
from rse_kanban.models import Card, Transition


def past(desk, card, *days):
    """Date the transitions of a card, and the card itself, so many days back."""
    with desk.core.db.write() as session:
        rows = session.scalars(select(Transition).where(Transition.card_id == card.id).order_by(Transition.id)).all()
        for row, back in zip(rows, days, strict=True):
            row.at = utcnow() - dt.timedelta(days=back)
        session.execute(update(Card).where(Card.id == card.id).values(created_at=utcnow() - dt.timedelta(days=days[0])))
        found = session.get(Card, card.id)
        if found.started_at is not None and len(days) > 1:
            found.started_at = utcnow() - dt.timedelta(days=days[1])
        if found.done_at is not None:
            found.done_at = utcnow() - dt.timedelta(days=days[-1])
        found.entered_at = utcnow() - dt.timedelta(days=days[-1])


def test_flow_and_times_are_those_of_the_transitions(desk, anna, board, columns):
    todo, doing, done = columns
    first = desk.card(anna, todo, "a")
    desk.move(anna, first, doing)
    desk.move(anna, first, done)
    past(desk, first, 10, 6, 2)
    second = desk.card(anna, todo, "b")
    past(desk, second, 4)
    third = desk.card(anna, todo, "taken back")
    moved = desk.move(anna, third, done)
    desk.move(anna, third, todo, undo=moved.transition_id)
    past(desk, third, 1, 1, 1)
    found = desk.ask(figures.of_board, anna.id, board.id, days=14)
    by_day = dict(zip(found.days, found.flow, strict=True))
    today = found.days[-1]

    def on(back):
        counts = by_day[today - dt.timedelta(days=back)]
        return tuple(counts.get(column.id, 0) for column in columns)

    assert on(12) == (0, 0, 0)
    assert on(8) == (1, 0, 0)
    assert on(5) == (0, 1, 0)
    assert on(3) == (1, 1, 0)
    assert on(0) == (2, 0, 1)
    assert found.lead.count == found.cycle.count == 1
    assert (round(found.lead.median), round(found.cycle.median)) == (8, 4)
    assert [one.title for one in found.oldest] == ["b", "taken back"]
    assert found.oldest[0].days == 4
    assert dict(found.finished)[today - dt.timedelta(days=2)] == 1


def test_the_85th_of_a_hundred_is_a_time_that_a_card_took():
    assert figures._rank([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.85) == 9
    assert figures._rank([1, 2, 3, 4], 0.5) == 2
    assert figures._rank([7], 0.85) == 7
    assert figures._times([]).count == 0


def test_a_column_that_is_gone_stays_in_the_figures_of_its_time(desk, anna, board, columns):
    todo, doing, _done = columns
    card = desk.card(anna, doing, "a")
    past(desk, card, 5)
    desk.call(columns_service.remove_column, anna.id, doing.id, into=todo.id)
    found = desk.ask(figures.of_board, anna.id, board.id, days=14)
    assert doing.id in {ident for ident, _name in found.columns}
    picture = figures.picture(found)
    assert len(picture.areas) == 3
    assert all("nan" not in area.points for area in picture.areas)


def test_an_empty_board_has_empty_figures(desk, anna, board):
    found = desk.ask(figures.of_board, anna.id, board.id)
    assert (found.lead.median, found.oldest) == (None, [])
    assert figures.picture(found).most == 1


def test_the_figures_are_for_who_sees_the_board(desk, board):
    with pytest.raises(NotFound):
        desk.ask(figures.of_board, make_person(desk.core).id, board.id)
