"""What others export is taken once, with a line for each thing that is not; what is exported here can be read again."""

from __future__ import annotations

import csv
import io
import json

import pytest
from sqlalchemy import select

from rse_core.api import BadInput, Forbidden
from rse_core.models.runtime import NotificationRow
from rse_kanban import checklist, exporting, importing, reading, roles
from rse_kanban import columns as columns_service
from rse_kanban.importing import shape
from rse_kanban.models import Card, CheckItem

TRELLO = {
    "name": "Déménagement",
    "lists": [
        {"id": "l1", "name": "À faire", "closed": False, "pos": 1}, {"id": "l2", "name": "Fait", "closed": False, "pos": 2},
        {"id": "l3", "name": "Vieux", "closed": True, "pos": 3},
    ],
    "members": [{"id": "m1", "username": "ben", "fullName": "Ben"}, {"id": "m2", "username": "stranger", "fullName": "S"}],
    "checklists": [{"id": "k1", "idCard": "c1", "pos": 1, "checkItems": [
        {"name": "Cartons", "state": "complete", "pos": 1}, {"name": "Camion", "state": "incomplete", "pos": 2},
    ]}],
    "cards": [
        {"id": "c2", "name": "Second", "idList": "l1", "pos": 2, "closed": False, "labels": [], "idMembers": []},
        {"id": "c1", "name": "Premier", "desc": "**gras**", "idList": "l1", "pos": 1, "closed": False,
         "due": "2027-02-01T08:00:00.000Z", "labels": [{"name": "Urgent", "color": "red"}, {"name": "", "color": "blue"}],
         "idMembers": ["m1", "m2"], "attachments": [{"name": "plan.pdf"}]},
        {"id": "c3", "name": "Rangé", "idList": "l2", "pos": 1, "closed": True, "labels": [], "idMembers": []},
        {"id": "c4", "name": "Perdu", "idList": "l3", "pos": 1, "closed": False, "labels": [], "idMembers": []},
    ],
    "actions": [{"type": "commentCard"}, {"type": "commentCard"}, {"type": "updateCard"}],
    "customFields": [{"name": "x"}],
}  # fmt: skip
DECK = {"boards": [{"id": 4, "title": "Deck", "labels": [{"title": "Vert"}], "stacks": {"7": {
    "title": "Pile", "order": 1, "cards": [
        {"id": 11, "title": "Un", "description": "Texte", "order": 2, "duedate": "2027-03-01T09:00:00+00:00",
         "labels": [{"title": "Vert"}], "assignedUsers": [{"participant": {"uid": "ben"}}], "archived": False},
        {"id": 12, "title": "Zéro", "order": 1, "labels": [], "assignedUsers": [], "commentsCount": 2, "attachmentCount": 1},
    ]}}}]}  # fmt: skip
KANBOARD = (
    "Task Id,Reference,Project,Status,Category,Swimlane,Column,Position,Color,Due date,Assignee Username,Title,Tags\n"
    "5,,Projet,Open,Peinture,Default swimlane,Backlog,1,yellow,02/01/2027 10:00,ben,Murs,\n"
    "6,,Projet,Closed,,Étage,Done,1,yellow,,,Plafond,\n"
)


def take(desk, person, board, data):
    if not isinstance(data, (bytes, str)):
        data = json.dumps(data)
    parsed = importing.read(data.encode() if isinstance(data, str) else data)
    return desk.call(importing.apply, person.id, board.id, parsed)


def shown(desk, person, board):
    page = desk.ask(reading.board, person.id, board.id)
    return {pile.column.name: [card.title for cards in pile.cards.values() for card in cards] for pile in page.piles}


def test_trello_is_taken_once_and_says_what_was_not(desk, anna, ben, board):
    report = take(desk, anna, board, TRELLO)
    assert (report.made, report.known) == (3, 0)
    assert shown(desk, anna, board)["À faire"] == ["Premier", "Second"]
    card = desk.ask(lambda s: s.scalars(select(Card).where(Card.title == "Premier")).one())
    found = desk.ask(reading.sheet, anna.id, card.id)
    assert [one.name for one in found.labels] == ["Urgent", "blue"]
    assert [one.username for one in found.people] == ["ben"]
    assert [(item.text, item.done_at is not None) for item in found.items] == [("Cartons", True), ("Camion", False)]
    assert card.due_at.isoformat() == "2027-02-01T08:00:00+00:00"
    assert desk.ask(lambda s: s.scalars(select(Card.state).where(Card.title == "Rangé")).one()) == "archived"
    text = "\n".join(report.left)
    for part in ("Perdu", "stranger", "1 attachment", "2 comments", "1 custom field"):
        assert part in text
    again = take(desk, anna, board, TRELLO)
    assert (again.made, again.known) == (0, 3)
    # Nobody is flooded with what was there before.
    assert desk.ask(lambda s: s.scalars(select(NotificationRow)).all()) == []


def test_deck_and_kanboard_are_taken(desk, anna, ben, board):
    report = take(desk, anna, board, DECK)
    assert shown(desk, anna, board)["Pile"] == ["Zéro", "Un"]
    assert any("2 comments" in line for line in report.left)
    report = take(desk, anna, board, KANBOARD)
    assert report.made == 2
    assert shown(desk, anna, board)["Backlog"] == ["Murs"]
    assert desk.ask(lambda s: s.scalars(select(Card.state).where(Card.title == "Plafond")).one()) == "archived"
    assert take(desk, anna, board, KANBOARD).known == 2


def test_a_table_needs_a_title_and_is_read_in_french_too(desk, anna, ben, board):
    text = "Titre;Colonne;Étiquettes;Qui;Échéance;Couleur\nUn;À faire;a, b;@ben;31/01/2027;rouge\n;x;;;;\nDeux;;;;bientôt;\n"
    report = take(desk, anna, board, text.encode("cp1252"))
    assert report.made == 2
    assert len(report.left) == 3
    assert take(desk, anna, board, text).known == 2
    with pytest.raises(BadInput):
        importing.read(b"a,b\n1,2\n")


@pytest.mark.parametrize(
    "data", [b"", b"  ", b"{", b"[1]", b"{}", b'{"lists": 3, "cards": []}', b"\x00\x01\x02", b"[" * 100_000]
)
def test_what_is_none_of_these_is_refused_with_what_to_do(data):
    with pytest.raises(BadInput) as refused:
        importing.read(data)
    assert refused.value.remedy


def test_who_does_not_run_the_board_makes_cards_and_no_columns(desk, anna, ben, board, columns):
    report = take(desk, ben, board, TRELLO)
    assert report.made == 3
    assert set(shown(desk, anna, board)) == {column.name for column in columns}
    assert any("its cards went to" in line for line in report.left)
    desk.call(roles.give, anna.id, board.id, "@ben", "reader")
    with pytest.raises(Forbidden):
        take(desk, ben, board, TRELLO)


def test_a_hard_limit_holds_for_what_is_imported(desk, anna, board, columns):
    values = {"name": "À faire", "phase": "todo", "wip_limit": 1, "wip_hard": True}
    desk.call(columns_service.change_column, anna.id, columns[0].id, **values)
    report = take(desk, anna, board, TRELLO)
    assert desk.titles(columns[0]) == ["Premier"]
    assert any("Second" in line and "at most 1 card" in line for line in report.left)


def test_what_is_exported_is_read_again_elsewhere(desk, anna, ben, board, columns):
    label = desk.call(columns_service.keep_label, anna.id, board.id, "Urgent", 3)
    lane = desk.call(columns_service.add_lane, anna.id, board.id, "Nord")
    card = desk.card(anna, columns[1], "Un", lane=lane, body="Texte", labels=[label.id], people=[ben.id])
    desk.call(checklist.add, anna.id, card.id, "Ligne")
    text = desk.ask(exporting.as_json, anna.id, board.id)
    other = desk.board(anna, "space:garden", "Copie")
    assert take(desk, anna, other, text).made == 1
    assert take(desk, anna, other, text).known == 1
    copy = desk.ask(lambda s: s.scalars(select(Card).where(Card.board_id == other.id)).one())
    found = desk.ask(reading.sheet, ben.id, copy.id)
    assert (found.column.name, found.lane.name, found.card.body) == (columns[1].name, "Nord", "Texte")
    assert [one.name for one in found.labels] == ["Urgent"]
    assert desk.ask(lambda s: s.scalars(select(CheckItem.text).where(CheckItem.card_id == copy.id)).all()) == ["Ligne"]


def test_a_table_is_exported_that_no_spreadsheet_computes(desk, anna, board, columns):
    desk.card(anna, columns[0], "=HYPERLINK(1)", body='a;b\n"c"')
    rows = list(csv.DictReader(io.StringIO(desk.ask(exporting.as_csv, anna.id, board.id))))
    assert rows[0]["Title"] == "'=HYPERLINK(1)"
    assert rows[0]["Description"] == 'a;b\n"c"'
    assert take(desk, anna, desk.board(anna, "me"), desk.ask(exporting.as_csv, anna.id, board.id)).made == 1


def test_only_so_many_are_taken_at_once(monkeypatch):
    monkeypatch.setattr("rse_kanban.importing.recognising.CARDS_MOST", 2)
    parsed = importing.read(b"title\na\nb\nc\n")
    assert len(parsed.cards) == 2
    assert "3 cards" in parsed.left[-1]
    assert (shape.AT_ONCE, shape.CARDS_MOST) == (1_000, 20_000)
