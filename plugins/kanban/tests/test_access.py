"""Who sees which board, and what they may do there."""

from __future__ import annotations

import pytest

from rse_core import organisation, spaces
from rse_core import roles as core_roles
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound, ObjectRef, resolve, seen
from rse_core.testing.organisation import make_entity, make_group, make_person, make_space, set_level
from rse_kanban import access, boards, cards, listing, roles, workload
from rse_kanban.cards import Written
from rse_kanban.models import Board


def seat(desk, person, board):
    return desk.ask(access.open_board, person.id, board.id)


@pytest.mark.parametrize("level", ["react", "comment", "contribute"])
def test_below_collaborating_a_board_is_looked_at(desk, anna, ben, board, columns, level):
    desk.card(anna, columns[0])
    set_level(desk.core, level)
    chair = seat(desk, ben, board)
    assert (chair.writable, chair.movable, chair.manageable) == (False, False, False)
    assert str(chair.moves.message)


def test_at_inform_boards_are_not_shown(desk, anna, ben, board):
    set_level(desk.core, "inform")
    with pytest.raises(Forbidden):
        seat(desk, ben, board)


def test_a_secret_space_hides_its_boards_everywhere(desk, anna, team):
    outsider = make_person(desk.core, "outsider")
    secret = make_space(desk.core, "secret", visibility="secret", managers=[anna])
    board = desk.board(anna, f"space:{secret.key}")
    card = desk.card(anna, desk.columns(board)[0], "Confidentiel")
    for call in (
        lambda: desk.ask(access.open_board, outsider.id, board.id),
        lambda: desk.ask(access.open_card, outsider.id, card.id),
        lambda: desk.move(outsider, card, desk.columns(board)[1]),
        lambda: desk.edit(outsider, card, title="x"),
        lambda: desk.card(outsider, desk.columns(board)[0]),
        lambda: desk.ask(workload.team, outsider.id, space_key=secret.key),
        lambda: desk.call(boards.create, outsider.id, f"space:{secret.key}", "Board"),
    ):
        # A column of which one may not know is refused in a form as one that there is not.
        with pytest.raises((NotFound, BadInput)):
            call()
    assert desk.ask(listing.boards, outsider.id) == []
    refs = [access.card_ref(card.id), access.board_ref(board.id)]
    assert desk.ask(seen, outsider.id, refs) == {}
    assert set(desk.ask(seen, anna.id, refs)) == set(refs)


def test_ones_own_board_is_seen_by_nobody_else_not_even_by_administrators(desk, anna, ben):
    with desk.core.db.write() as session:
        core_roles.grant(session, ben.id, "site_admin", actor=Actor("cli"))
    board = desk.board(anna, "me")
    card = desk.card(anna, desk.columns(board)[0])
    assert seat(desk, anna, board).manageable
    with pytest.raises(NotFound):
        desk.ask(access.open_board, ben.id, board.id)
    assert [one.board.id for one in desk.ask(listing.boards, ben.id)] == []
    assert desk.ask(seen, ben.id, [access.card_ref(card.id)]) == {}
    info = desk.ask(resolve, [access.card_ref(card.id)])[access.card_ref(card.id)]
    assert (info.audience_id, info.state) == (None, "draft")
    with pytest.raises(BadInput):
        desk.edit(anna, card, people=[ben.id])


def test_an_entity_has_boards_that_its_administrators_make(desk):
    north = make_entity(desk.core, "north")
    boss, clerk = (make_person(desk.core, name, entity=north) for name in ("boss", "clerk"))
    other = make_person(desk.core, "other")
    with desk.core.db.write() as session:
        core_roles.grant(session, boss.id, "entity_admin", scope="entity", scope_id=north.id, actor=Actor("cli"))
    with pytest.raises(Forbidden):
        desk.board(clerk, "entity:north")
    board = desk.board(boss, "entity:north")
    assert seat(desk, boss, board).manageable
    assert seat(desk, clerk, board).movable
    assert not seat(desk, clerk, board).manageable
    with pytest.raises(NotFound):
        seat(desk, other, board)
    assert "entity:north" in [one.key for one in desk.ask(boards.places, boss.id)]
    assert "entity:north" not in [one.key for one in desk.ask(boards.places, clerk.id)]


def test_a_named_person_beats_their_groups_and_groups_are_united(desk, anna, ben, board, team):
    readers = make_group(desk.core, "readers", members=[ben])
    managers = make_group(desk.core, "managers", members=[ben])
    desk.call(boards.change, anna.id, board.id, default_role="reader")
    assert seat(desk, ben, board).role == "reader"
    desk.call(roles.give, anna.id, board.id, f"group:{readers.key}", "reader")
    desk.call(roles.give, anna.id, board.id, f"group:{managers.key}", "manager")
    assert seat(desk, ben, board).role == "manager"
    desk.call(roles.give, anna.id, board.id, "@ben", "reader")
    assert seat(desk, ben, board).role == "reader"
    desk.call(roles.take, anna.id, board.id, "person", ben.id)
    assert seat(desk, ben, board).role == "manager"


def test_a_role_opens_a_board_to_nobody_who_does_not_see_it(desk, anna, board):
    outsider = make_person(desk.core, "outsider")
    group = make_group(desk.core, "all", members=[outsider])
    desk.call(roles.give, anna.id, board.id, f"group:{group.key}", "manager")
    with pytest.raises(NotFound):
        seat(desk, outsider, board)
    with pytest.raises(BadInput, match="nobody who sees"):
        desk.call(roles.give, anna.id, board.id, "@outsider", "editor")
    with pytest.raises(BadInput, match="nobody who sees"):
        desk.call(roles.give, anna.id, board.id, "@unknown", "editor")


def test_who_looks_at_a_public_space_reads_and_does_not_work_on_its_boards(desk, anna):
    visitor = make_person(desk.core, "visitor")
    space = make_space(desk.core, "open", visibility="public", managers=[anna])
    board = desk.board(anna, f"space:{space.key}")
    chair = seat(desk, visitor, board)
    assert not chair.movable
    assert chair.moves.reason == "role"
    with pytest.raises(Forbidden):
        desk.card(visitor, desk.columns(board)[0])


def test_only_who_runs_a_board_changes_it(desk, anna, ben, board, columns):
    from rse_kanban import columns as service

    for call in (
        lambda: desk.call(boards.change, ben.id, board.id, title="x"),
        lambda: desk.call(boards.archive, ben.id, board.id),
        lambda: desk.call(boards.remove, ben.id, board.id),
        lambda: desk.call(service.add_column, ben.id, board.id, "x"),
        lambda: desk.call(service.remove_column, ben.id, columns[0].id, into=columns[1].id),
        lambda: desk.call(service.add_lane, ben.id, board.id, "x"),
        lambda: desk.call(service.keep_label, ben.id, board.id, "x", 1),
        lambda: desk.call(roles.give, ben.id, board.id, "@ben", "manager"),
        lambda: desk.call(roles.allow, ben.id, board.id, from_id=columns[0].id, to_id=None, who="nobody"),
    ):
        with pytest.raises(Forbidden, match="run this board"):
            call()


def test_a_board_is_archived_before_it_is_deleted_and_then_gone_for_all(desk, anna, ben, board, columns):
    card = desk.card(anna, columns[0])
    with pytest.raises(Conflict):
        desk.call(boards.remove, anna.id, board.id)
    desk.call(boards.archive, anna.id, board.id)
    assert seat(desk, ben, board).board.state == "archived"
    desk.call(boards.remove, anna.id, board.id)
    for person in (anna, ben):
        with pytest.raises(NotFound):
            seat(desk, person, board)
        with pytest.raises(NotFound):
            desk.ask(access.open_card, person.id, card.id)
    assert desk.ask(resolve, [access.card_ref(card.id)])[access.card_ref(card.id)].state == "deleted"


def test_two_who_change_a_board_at_once_are_told(desk, anna, board):
    desk.call(boards.change, anna.id, board.id, version=board.version, title="Un")
    with pytest.raises(Conflict):
        desk.call(boards.change, anna.id, board.id, version=board.version, title="Deux")


def test_who_left_the_space_sees_nothing_and_works_on_nothing_there(desk, anna, ben, board, columns, team):
    card = desk.card(anna, columns[0], people=[ben.id])
    with desk.core.db.write() as session:
        organisation.leave_space(session, team.id, ben.id)
    with pytest.raises(NotFound):
        seat(desk, ben, board)
    assert desk.ask(workload.mine, ben.id).cards == []
    with pytest.raises(BadInput):
        desk.card(anna, columns[0], people=[ben.id])
    desk.call(cards.edit, anna.id, card.id, Written(people=[ben.id, anna.id]), version=None)


def test_a_space_that_becomes_secret_or_is_merged_takes_its_boards_along(desk, anna, ben):
    visitor = make_person(desk.core, "visitor")
    space = make_space(desk.core, "open", visibility="public", managers=[anna], members=[ben])
    into = make_space(desk.core, "into", managers=[anna])
    board = desk.board(anna, f"space:{space.key}")
    card = desk.card(anna, desk.columns(board)[0], people=[visitor.id, ben.id])
    assert seat(desk, visitor, board)
    with desk.core.db.write() as session:
        spaces.change_visibility(session, space.id, "secret", actor=Actor("cli"))
    with pytest.raises(NotFound):
        seat(desk, visitor, board)
    assert desk.ask(cards.people_of, card.id) == [ben.id]
    with desk.core.db.write() as session:
        spaces.merge(session, space.id, into.id, actor=Actor("cli"))
    moved = desk.ask(lambda session: session.get(Board, board.id))
    assert moved.space_id == into.id
    assert seat(desk, ben, board).movable
    assert ObjectRef("kanban.board", str(board.id)) in desk.ask(seen, ben.id, [access.board_ref(board.id)])


def test_boards_are_listed_in_a_fixed_number_of_queries(desk, anna, team):
    from rse_core.testing import count_queries

    def cost():
        with count_queries(desk.core) as count, desk.core.db.read() as session:
            listing.boards(session, anna.id)
        return len(count)

    desk.board(anna, "me")
    cost()
    few = cost()
    for number in range(12):
        desk.board(anna, f"space:{team.key}", f"B{number}")
    assert cost() == few


def test_only_who_sees_a_board_hears_that_it_changes(desk, anna, ben, board):
    carl = make_person(desk.core, "carl")
    assert desk.ask(access.may_listen, ben.id, str(board.id))
    assert not desk.ask(access.may_listen, carl.id, str(board.id))
    assert not any(desk.ask(access.may_listen, anna.id, ident) for ident in ("", "x", "-1", "9" * 30, "999999"))
