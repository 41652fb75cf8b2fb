"""Moving cards: order, versions, limits, passages, boards, many at once, taking back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rse_core.api import BadInput, Conflict, Forbidden, NotFound
from rse_core.models.runtime import NotificationRow
from rse_core.testing.organisation import make_person, make_space, set_level
from rse_kanban import boards, cards, ending, moving, roles
from rse_kanban import columns as columns_service
from rse_kanban.changes import CardConflict, Full
from rse_kanban.models import BoardRole, Card, Transition
from rse_kanban.placing import Place


def card_now(desk, card):
    return desk.ask(lambda session: session.get(Card, card.id))


def told(desk, person, kind):
    query = select(NotificationRow).where(
        NotificationRow.person_id == person.id, NotificationRow.type == kind, NotificationRow.read_at.is_(None)
    )
    return desk.ask(lambda session: list(session.scalars(query)))


def test_a_card_goes_where_it_is_put(desk, anna, columns):
    todo, doing, done = columns
    first, second, third = (desk.card(anna, todo, title) for title in "abc")
    desk.move(anna, third, todo, after=first.id)
    assert desk.titles(todo) == ["a", "c", "b"]
    desk.move(anna, second, todo, first=True)
    assert desk.titles(todo) == ["b", "a", "c"]
    desk.move(anna, first, todo, before=second.id)
    assert desk.titles(todo) == ["a", "b", "c"]
    desk.move(anna, second, doing)
    desk.move(anna, first, done)
    assert (desk.titles(todo), desk.titles(doing), desk.titles(done)) == (["c"], ["b"], ["a"])


def test_coming_into_a_phase_is_noted_and_leaving_it_undoes_it(desk, anna, columns):
    todo, doing, done = columns
    card = desk.card(anna, todo)
    assert card_now(desk, card).started_at is None
    desk.move(anna, card, doing)
    assert card_now(desk, card).started_at is not None
    desk.move(anna, card, done)
    assert card_now(desk, card).done_at is not None
    desk.move(anna, card, todo)
    assert card_now(desk, card).done_at is None


def test_who_read_an_older_place_is_refused_with_the_present_state(desk, anna, ben, columns):
    todo, doing, done = columns
    card = desk.card(anna, todo)
    desk.move(anna, card, done, version=card.version)
    with pytest.raises(CardConflict) as refused:
        desk.move(ben, card, doing, version=card.version)
    assert refused.value.status == 409
    assert refused.value.current["column"] == done.id
    assert desk.titles(done) == ["Une carte"]
    desk.move(ben, card, doing, version=refused.value.current["version"])
    assert desk.titles(doing) == ["Une carte"]


def test_an_edit_of_the_text_does_not_stand_in_the_way_of_a_move(desk, anna, ben, columns):
    todo, doing, _done = columns
    card = desk.card(anna, todo)
    desk.edit(anna, card, body="Plus long")
    desk.move(ben, card, doing, version=card.version)
    assert desk.titles(doing) == ["Une carte"]


@pytest.mark.parametrize("hard", [True, False])
def test_a_limit_counts_every_card_whatever_the_lane_and_the_state(desk, anna, board, columns, hard):
    todo, doing, _done = columns
    lane = desk.call(columns_service.add_lane, anna.id, board.id, "Urgent")
    desk.call(columns_service.change_column, anna.id, doing.id, name="Doing", phase="doing", wip_limit=2, wip_hard=hard)
    desk.card(anna, doing, "in a lane", lane=lane)
    waiting = desk.card(anna, doing, "waits")
    with desk.core.db.write() as session:
        session.get(Card, waiting.id).state = "pending"
    third = desk.card(anna, todo, "third")
    if hard:
        with pytest.raises(Full, match="at most 2 cards, and holds 2"):
            desk.move(anna, third, doing)
        with pytest.raises(Full):
            desk.card(anna, doing, "new")
        assert desk.titles(todo) == ["third"]
    else:
        assert "3 cards; 2 were agreed on" in desk.move(anna, third, doing).said
    # Within the column cards go on moving.
    desk.move(anna, waiting, doing, first=True)


def test_a_limit_set_below_what_is_there_lets_cards_out_and_none_in(desk, anna, columns):
    todo, doing, _done = columns
    first, second = (desk.card(anna, doing, title) for title in "ab")
    desk.call(columns_service.change_column, anna.id, doing.id, name="D", phase="doing", wip_limit=1, wip_hard=True)
    desk.move(anna, first, todo)
    with pytest.raises(Full):
        desk.move(anna, first, doing)
    assert second.id


def test_who_may_pass_from_where_to_where(desk, anna, ben, board, columns):
    todo, doing, done = columns
    card = desk.card(anna, todo)
    desk.call(roles.allow, anna.id, board.id, from_id=None, to_id=done.id, who="managers")
    with pytest.raises(Forbidden, match="run this board"):
        desk.move(ben, card, done)
    desk.call(roles.allow, anna.id, board.id, from_id=doing.id, to_id=done.id, who="assignees")
    desk.move(ben, card, doing)
    with pytest.raises(Forbidden, match="assigned"):
        desk.move(ben, card, done)
    desk.edit(anna, card_now(desk, card), people=[ben.id])
    desk.move(ben, card, done)
    desk.call(roles.allow, anna.id, board.id, from_id=done.id, to_id=None, who="nobody")
    with pytest.raises(Forbidden, match="do not go from there"):
        desk.move(anna, card, todo)


def test_a_card_that_is_made_in_a_column_passes_like_one_that_moves(desk, anna, ben, board, columns):
    _todo, _doing, done = columns
    desk.call(roles.allow, anna.id, board.id, from_id=None, to_id=done.id, who="managers")
    with pytest.raises(Forbidden):
        desk.card(ben, done)
    assert desk.card(anna, done).id


def test_to_another_board_both_are_asked(desk, anna, ben, board, columns):
    other = make_space(desk.core, "other", members=[ben])
    owner = make_person(desk.core, "owner")
    secret = make_space(desk.core, "secret", visibility="secret", managers=[owner])
    there, hidden = desk.board(ben, f"space:{other.key}"), desk.board(owner, f"space:{secret.key}")
    with desk.core.db.write() as session:
        session.get(BoardRole, (there.id, "person", ben.id)).role = "reader"
    card = desk.card(anna, columns[0], people=[anna.id, ben.id])
    with pytest.raises(Forbidden, match="you read"):
        desk.move(ben, card, desk.columns(there)[0])
    with pytest.raises(BadInput, match="no such column"):
        desk.move(ben, card, desk.columns(hidden)[0])
    with desk.core.db.write() as session:
        session.get(BoardRole, (there.id, "person", ben.id)).role = "editor"
    desk.move(ben, card, desk.columns(there)[0])
    assert desk.titles(columns[0]) == []
    # Who does not see the other board works on nothing there.
    assert desk.ask(cards.people_of, card.id) == [ben.id]
    with pytest.raises(NotFound):
        desk.move(anna, card, columns[0])


def test_a_column_of_another_board_cannot_be_named_to_get_past_its_rights(desk, anna, ben, board, columns):
    """What is moved is asked about on its own board, wherever it is said to go."""
    stranger = make_person(desk.core, "stranger")
    mine = desk.board(stranger, "me")
    card = desk.card(anna, columns[0])
    with pytest.raises(NotFound):
        desk.move(stranger, card, desk.columns(mine)[0])
    assert desk.titles(columns[0]) == ["Une carte"]
    assert ben.id


def test_many_go_at_once_and_those_that_cannot_are_named(desk, anna, board, columns):
    todo, doing, _done = columns
    desk.call(columns_service.change_column, anna.id, doing.id, name="Doing", phase="doing", wip_limit=2, wip_hard=True)
    made = [desk.card(anna, todo, title) for title in "abcd"]
    wanted = [(card.id, card.version) for card in reversed(made)]
    moved, refused = desk.call(moving.move_many, anna.id, wanted, Place(doing.id))
    assert [one.card.title for one in moved] == ["d", "c"]
    assert [(one.title, one.error.code) for one in refused] == [("b", "full"), ("a", "full")]
    assert (desk.titles(doing), desk.titles(todo)) == (["d", "c"], ["a", "b"])
    assert board.id


def test_a_move_that_is_taken_back_counts_nowhere_and_tells_nobody(desk, anna, ben, columns, settle):
    todo, doing, _done = columns
    card = desk.card(anna, todo, people=[ben.id])
    done = desk.move(anna, card, doing)
    settle()
    assert len(told(desk, ben, "kanban.moved")) == 1
    desk.move(anna, card, todo, version=done.card.version, undo=done.transition_id)
    assert told(desk, ben, "kanban.moved") == []
    assert card_now(desk, card).started_at is None
    assert card_now(desk, card).entered_at < done.card.entered_at
    query = select(Transition).where(Transition.card_id == card.id).order_by(Transition.id)
    rows = desk.ask(lambda session: list(session.scalars(query)))
    assert [row.undone for row in rows] == [False, True, True]
    with pytest.raises(Conflict):
        desk.move(anna, card, doing, undo=done.transition_id)


def test_a_move_that_was_taken_back_before_anybody_was_told_is_told_to_nobody(desk, anna, ben, columns, settle):
    todo, doing, _done = columns
    card = desk.card(anna, todo, people=[ben.id])
    done = desk.move(anna, card, doing)
    desk.move(anna, card, todo, version=done.card.version, undo=done.transition_id)
    settle()
    assert told(desk, ben, "kanban.moved") == []


def test_moves_are_told_in_one_line_to_who_works_on_it_and_never_to_who_moved(desk, anna, ben, columns, settle):
    todo, doing, done = columns
    card = desk.card(ben, todo, people=[anna.id, ben.id])
    desk.move(anna, card, doing)
    desk.move(anna, card, done)
    settle()
    rows = told(desk, ben, "kanban.moved")
    assert len(rows) == 1
    assert rows[0].data["to"] == done.name
    assert told(desk, anna, "kanban.moved") == []


def test_what_was_put_away_does_not_move(desk, anna, columns):
    card = desk.card(anna, columns[0])
    desk.call(ending.archive, anna.id, card.id)
    with pytest.raises(Conflict):
        desk.move(anna, card, columns[1])


def test_below_the_level_nobody_moves_and_the_reason_is_said(desk, anna, ben, columns):
    card = desk.card(anna, columns[0])
    set_level(desk.core, "contribute")
    with pytest.raises(Forbidden) as refused:
        desk.move(ben, card, columns[1])
    assert refused.value.decision.reason == "level"


def test_an_archived_board_can_be_read_and_nothing_on_it_moves(desk, anna, board, columns):
    card = desk.card(anna, columns[0])
    desk.call(boards.archive, anna.id, board.id)
    with pytest.raises(Forbidden, match="archived"):
        desk.move(anna, card, columns[1])
    desk.call(boards.archive, anna.id, board.id, False)
    desk.move(anna, card, columns[1])
