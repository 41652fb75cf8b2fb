"""The small language of filters."""

from __future__ import annotations

import datetime as dt

import pytest

from rse_core.api import BadInput, utcnow
from rse_kanban import asking, checklist, fields, filters, links, reading, workload
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


@pytest.fixture
def own(desk, anna, board, columns):
    """The same for the board's own fields."""
    ids = {
        name: desk.call(fields.keep, anna.id, board.id, name=name, kind=kind, choices=choices).id
        for name, kind, choices in (
            ("Site", "choice", ["Nord", "Les Forges"]), ("Budget", "number", []), ("Début", "date", []), ("Vu", "check", []),
            ("Note", "text", []),
        )
    }  # fmt: skip
    for title, values in (
        ("a", {"Site": "Nord", "Budget": "500", "Début": "2027-01-10", "Vu": "1"}),
        ("b", {"Site": "Les Forges", "Budget": "1200,5", "Début": "2027-02-10", "Note": "sans prix"}),
        ("c", {"Budget": "-3"}),
        ("d", {}),
    ):
        desk.card(anna, columns[0], title, values={ids[name]: value for name, value in values.items()})

    def ask(text, person=anna):
        with desk.core.db.read() as session:
            where = asking.conditions(session, person.id, asking.parse(text))
            found = reading.board(session, anna.id, board.id, where=where)
            return "".join(sorted(card.title for card in found.by_id.values()))

    return ask


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("field:Site", "ab"), ("-field:site", "cd"), ("champ:Site=nord", "a"), ('field:"Site=Les Forges"', "b"),
        ("field:Budget>500", "b"), ("field:Budget<501", "ac"), ("field:Budget=1200.5", "b"), ("field:Budget=500,0", "a"),
        ("field:Début<2027-02-01", "a"), ("field:Début>2027-02-01", "b"), ("field:Vu=oui", "a"), ("field:Vu=yes", "a"),
        ('field:"Note=sans prix"', "b"), ("field:Note>5", ""), ("field:Nothing", ""), ("-field:Budget>0 field:Budget", "c"),
        ("field:Budget>0 field:Site=Nord", "a"),
    ],
)  # fmt: skip
def test_a_boards_own_fields_are_asked_by_their_names(own, text, titles):
    assert own(text) == titles


@pytest.mark.parametrize("text", ["field:=x", "field:Budget>", "field:Budget>viel", "field:Début<2027-02-31"])
def test_what_a_field_is_not_compared_with_is_named(own, text):
    with pytest.raises(BadInput) as error:
        own(text)
    assert "field" in str(error.value)


def test_such_a_question_is_saved_shared_and_asked_across_boards(own, desk, anna, ben, board):
    desk.call(filters.keep, anna.id, board.id, "Cher", "field:Budget>500", shared=True)
    [saved] = desk.ask(filters.of_board, ben.id, board.id)
    assert own(saved.query, ben) == "b"
    assert desk.ask(workload.mine, anna.id, saved.query).cards == []
