"""Addresses that read without signing in: what they give, whom they follow, how they end."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from rse_core import organisation, people
from rse_core.api import Actor, Conflict, NotFound, utcnow
from rse_core.testing.organisation import set_level
from rse_kanban import addresses, ical
from rse_kanban.addresses import Due
from rse_kanban.models import Card
from rse_kanban.models_more import Address


def make(desk, person, kind, board=None, name="Mur"):
    actor = Actor(person.username, person.id)
    return desk.call(addresses.create, actor, kind, name, board_id=board.id if board else None)


def test_a_screen_shows_the_board_without_signing_in_and_nothing_to_act_with(rse_app, desk, anna, ben, board, columns):
    desk.card(anna, columns[0], "Visible", people=[ben.id])
    _row, token = make(desk, anna, "screen", board)
    client = rse_app.test_client()
    answer = client.get(f"/rse/kanban/screen/{token}")
    assert answer.status_code == 200
    assert "Visible" in answer.text
    for word in ("<form", "csrf_token", "/kanban/cards/", "<a "):
        assert word not in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    again = client.get(f"/rse/kanban/screen/{token}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert client.get(f"/rse/kanban/screen/{token[:-1]}x").status_code == 404
    assert client.get(f"/rse/kanban/calendar/{token}.ics").status_code == 404


def test_a_calendar_has_what_is_due_and_follows_its_owner(rse_app, desk, anna, ben, board, columns, team):
    due = dt.datetime(2027, 3, 1, 8, 30, tzinfo=dt.UTC)
    desk.card(anna, columns[0], "Réunion; préparer, vite", people=[ben.id], due_at=due, remind=60)
    desk.card(anna, columns[0], "Sans date", people=[ben.id])
    _row, token = make(desk, ben, "calendar")
    client = rse_app.test_client()
    answer = client.get(f"/rse/kanban/calendar/{token}.ics")
    assert answer.mimetype == "text/calendar"
    assert "DTSTART:20270301T083000Z" in answer.text
    assert "SUMMARY:Réunion\\; préparer\\, vite" in answer.text
    assert "TRIGGER:-PT60M" in answer.text
    assert answer.text.count("BEGIN:VEVENT") == 1
    with desk.core.db.write() as session:
        organisation.leave_space(session, team.id, ben.id)
    assert "BEGIN:VEVENT" not in client.get(f"/rse/kanban/calendar/{token}.ics").text


@pytest.mark.parametrize("end", ["revoked", "left the space", "level", "disabled", "board gone"])
def test_an_address_that_is_closed_answers_as_one_that_never_was(rse_app, desk, anna, ben, board, columns, team, end):
    desk.card(anna, columns[0], "Visible")
    row, token = make(desk, ben, "screen", board)
    client = rse_app.test_client()
    assert client.get(f"/rse/kanban/screen/{token}").status_code == 200
    with desk.core.db.write() as session:
        if end == "revoked":
            addresses.revoke(session, Actor("ben", ben.id), row.id)
        elif end == "left the space":
            organisation.leave_space(session, team.id, ben.id)
        elif end == "disabled":
            people.disable(session, ben.id)
    if end == "level":
        set_level(desk.core, "inform")
    if end == "board gone":
        from rse_kanban import boards

        desk.call(boards.archive, anna.id, board.id)
        desk.call(boards.remove, anna.id, board.id)
    answer = client.get(f"/rse/kanban/screen/{token}")
    assert (answer.status_code, answer.text) == (404, "")


def test_who_runs_the_board_ends_others_screens_and_not_their_calendars(desk, anna, ben, board):
    screen, _token = make(desk, ben, "screen", board)
    calendar, _token = make(desk, ben, "calendar", board)
    with pytest.raises(NotFound):
        desk.call(addresses.revoke, Actor("anna", anna.id), calendar.id)
    desk.call(addresses.revoke, Actor("anna", anna.id), screen.id)
    rows = desk.ask(lambda s: {row.id: row.revoked_at for row in s.scalars(select(Address))})
    assert rows[screen.id] is not None
    assert rows[calendar.id] is None


def test_only_a_digest_is_kept_and_there_is_an_end(desk, anna, board, monkeypatch):
    row, token = make(desk, anna, "calendar")
    assert token.encode() not in row.digest
    monkeypatch.setattr(addresses, "MOST", 1)
    with pytest.raises(Conflict):
        make(desk, anna, "calendar")


def test_lines_of_a_calendar_are_folded_between_characters():
    card = Card(id=7, title="é" * 200, version=1, due_at=utcnow(), updated_at=utcnow())
    text = ical.calendar([Due(card, "B")], name="N", host="h", base="https://h/")
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    assert text.replace(b"\r\n ", b"").decode().count("é") == 200
