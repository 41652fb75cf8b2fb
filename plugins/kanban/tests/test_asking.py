"""The small language of filters."""

from __future__ import annotations

import datetime as dt

import pytest

from rse_core.api import BadInput, utcnow
from rse_kanban import asking, checklist, links, reading, workload
from rse_kanban import columns as columns_service


@pytest.fixture
def found(desk, anna, ben, board, columns):
    """``found("who:me")``: the titles of the cards that a question finds for anna."""
    todo, doing, done = columns
    lane = desk.call(columns_service.add_lane, anna.id, board.id, "Nord")
    label = desk.call(columns_service.keep_label, anna.id, board.id, "À voir", 4)
    now = utcnow()
    late = desk.card(anna, todo, "Tard", due_at=now - dt.timedelta(days=2), people=[anna.id])
    soon = now + dt.timedelta(days=3)
    desk.card(anna, doing, "Bientôt", due_at=soon, people=[ben.id], labels=[label.id], body="100 % sûr")
    desk.card(ben, done, "Fini", lane=lane)
    last = desk.card(anna, todo, "Libre")
    desk.call(checklist.add, anna.id, last.id, "ligne")
    desk.call(links.link, anna.id, last.id, late.id, "blocked")

    def ask(text):
        with desk.core.db.read() as session:
            where = asking.conditions(session, anna.id, asking.parse(text))
            return {card.title for card in reading.board(session, anna.id, board.id, where=where).by_id.values()}

    return ask


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("", {"Tard", "Bientôt", "Fini", "Libre"}),
        ("tard", {"Tard"}),
        ("100 %", {"Bientôt"}),
        ("%", {"Bientôt"}),
        ("who:me", {"Tard"}),
        ("qui:moi", {"Tard"}),
        ("who:@ben", {"Bientôt"}),
        ("who:none", {"Fini", "Libre"}),
        ("by:ben", {"Fini"}),
        ('label:"À voir"', {"Bientôt"}),
        ("-label:none", {"Bientôt"}),
        ('column:"In progress"', {"Bientôt"}),
        ("lane:nord", {"Fini"}),
        ("lane:none -is:done", {"Tard", "Bientôt", "Libre"}),
        ("due:late", {"Tard"}),
        ("due:week", {"Bientôt"}),
        ("due:<14d", {"Tard", "Bientôt"}),
        ("due:>1d", {"Bientôt"}),
        ("due:none", {"Fini", "Libre"}),
        ("is:done", {"Fini"}),
        ("is:blocked", {"Libre"}),
        ("has:checklist", {"Libre"}),
        ("has:text", {"Bientôt"}),
        ("-has:due is:open", {"Libre"}),
        ("since:<1d is:open", {"Tard", "Bientôt", "Libre"}),
        ("since:>1d", set()),
        ("who:nobodyknown", set()),
        ("-due:late", {"Bientôt", "Fini", "Libre"}),
    ],
)
def test_a_question_finds_what_it_says(found, text, titles):
    assert found(text) == titles


@pytest.mark.parametrize(
    "text", ["colour:red", "is:happy", "due:soon", "since:monday", "due:<2027-13-01", "x" * 501, "a " * 21]
)
def test_what_is_not_understood_is_said_and_nothing_is_guessed(text):
    with pytest.raises(BadInput) as refused:
        asking.parse(text)
    assert "q" in refused.value.fields


@pytest.mark.parametrize("text", ["https://intranet/page", "12:30", "'; DROP TABLE", "100%", "_", "!"])
def test_what_only_looks_like_a_condition_is_words(found, text):
    assert isinstance(found(text), set)


def test_one_s_cards_of_all_boards_are_found_those_due_first(desk, anna, ben, board, columns):
    own = desk.board(anna, "me")
    soon = utcnow() + dt.timedelta(days=1)
    desk.card(anna, columns[0], "sans date", people=[anna.id])
    desk.card(anna, desk.columns(own)[0], "bientôt", people=[anna.id], due_at=soon)
    desk.card(anna, columns[2], "fini", people=[anna.id])
    desk.card(anna, columns[0], "à ben", people=[ben.id])
    assert [card.title for card in desk.ask(workload.mine, anna.id).cards] == ["bientôt", "sans date"]
    assert [card.title for card in desk.ask(workload.mine, anna.id, "is:done").cards] == ["fini"]
    assert [card.title for card in desk.ask(workload.mine, ben.id).cards] == ["à ben"]
    lines = desk.ask(lambda session: [line.title for line in workload.digest(session, anna.id, utcnow())])
    assert lines == ["bientôt"]


def test_a_team_s_load_counts_what_the_reader_sees_and_names_who_has_room(desk, anna, ben, board, columns, team):
    hidden = desk.board(ben, "me")
    desk.card(ben, desk.columns(hidden)[0], "à moi", people=[ben.id])
    desk.card(anna, columns[0], "a", people=[ben.id])
    desk.card(anna, columns[1], "b", people=[ben.id], due_at=utcnow() - dt.timedelta(days=1))
    loads = desk.ask(workload.team, anna.id, space_key=team.key)
    assert [(one.person.username, one.todo, one.doing, one.late) for one in loads] == [("anna", 0, 0, 0), ("ben", 1, 1, 1)]
    assert [one.person.username for one in desk.ask(workload.team, anna.id, board_id=board.id)] == ["ben"]
