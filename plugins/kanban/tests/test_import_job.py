"""Files of more than a thousand cards: taken by a job, some cards in each transaction, once, and told of as far as it is."""

from __future__ import annotations

import io
import re

import pytest
from sqlalchemy import func, select

from rse_core import privacy
from rse_core.api import NotFound, TooMany
from rse_core.testing import as_person
from rse_kanban import importing
from rse_kanban.importing import later
from rse_kanban.models import BoardRole, Card
from rse_kanban.models_more import Import


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """As with thousands, with fewer."""
    monkeypatch.setattr("rse_kanban.importing.AT_ONCE", 4)
    monkeypatch.setattr("rse_kanban.importing.later.BATCH", 3)


def file(count, start=0):
    lines = [f"Carte {number},Étape {number % 2},ben,nobody-{number % 2}" for number in range(start, start + count)]
    return "\n".join(["title,column,assignee,owner", *lines]).encode()


def keep(desk, person, board, count=8):
    return desk.call(later.keep, person.id, board.id, importing.read(file(count))).id


def run_one(desk):
    """One job, and no more of those that follow from it."""
    with desk.core.db.write() as session:
        ident = session.scalars(select(Import.id).where(Import.state == "waiting")).first()
        later.run(session, ident)


def state(desk, ident):
    with desk.core.db.read() as session:
        row = session.get_one(Import, ident)
        cards = session.scalar(select(func.count()).select_from(Card))
        return row.state, row.place, row.made, row.known, cards


def test_each_run_takes_some_cards_and_the_next_goes_on_from_there(desk, anna, board, columns):
    ident = keep(desk, anna, board)
    assert state(desk, ident) == ("waiting", 0, 0, 0, 0)
    run_one(desk)
    assert state(desk, ident) == ("waiting", 3, 3, 0, 3)
    while desk.core.jobs.run_due():
        pass
    assert state(desk, ident) == ("done", 8, 8, 0, 8)
    with desk.core.db.read() as session:
        row = session.get_one(Import, ident)
        assert row.data is None
        assert row.left == list(dict.fromkeys(row.left)), "what is the same of each part is said once"


def test_a_run_that_dies_leaves_nothing_and_is_made_again(desk, anna, board, columns):
    ident = keep(desk, anna, board)
    with pytest.raises(RuntimeError), desk.core.db.write() as session:
        later.run(session, ident)
        raise RuntimeError
    assert state(desk, ident) == ("waiting", 0, 0, 0, 0)
    while desk.core.jobs.run_due():
        pass
    assert state(desk, ident)[:3] == ("done", 8, 8)


def test_the_same_file_again_adds_only_what_is_not_there(desk, anna, board, columns):
    first = keep(desk, anna, board)
    while desk.core.jobs.run_due():
        pass
    second = keep(desk, anna, board, 10)
    while desk.core.jobs.run_due():
        pass
    assert state(desk, first) == ("done", 8, 8, 0, 10)
    assert state(desk, second) == ("done", 10, 2, 8, 10)


def test_who_may_write_there_no_longer_takes_no_more_and_is_told_why(desk, anna, ben, board, columns):
    ident = keep(desk, ben, board)
    run_one(desk)
    with desk.core.db.write() as session:
        session.add(BoardRole(board_id=board.id, kind="person", target_id=ben.id, role="reader"))
    run_one(desk)
    assert state(desk, ident) == ("failed", 3, 3, 0, 3)
    with desk.core.db.read() as session:
        row = session.get_one(Import, ident)
        assert row.left[-1]
        assert (row.data, row.ended_at is None) == (None, False)


def test_only_some_wait_at_once_and_nobody_sees_anothers(desk, anna, ben, board, columns):
    ident = keep(desk, anna, board)
    keep(desk, anna, board)
    keep(desk, anna, board)
    with pytest.raises(TooMany):
        keep(desk, anna, board)
    with pytest.raises(NotFound):
        desk.ask(later.of_person, ben.id, board.id, ident)
    assert desk.ask(later.of_board, ben.id, board.id) == []
    with desk.core.db.write() as session:
        assert "import" in str(privacy.export(session, anna.id)["sections"])
        privacy.erase(session, anna.id, actor=privacy.Actor("test"), why="Asked for.")
    with desk.core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Import)) == 0


def test_the_page_leads_to_one_that_says_how_far_it_is(rse_app, desk, anna, board, columns):
    client = rse_app.test_client()
    as_person(client, anna)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    address = f"/rse/kanban/boards/{board.id}/transfer"

    def send(count):
        token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', client.get(address).text)[1]
        data = {"csrf_token": token, "file": (io.BytesIO(file(count)), "cartes.csv")}
        return client.post(address, data=data, headers={"Origin": "http://localhost"})

    assert send(4).status_code == 200, "few are taken at once"
    answer = send(8)
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"])
    assert "0 of 8 cards were looked at" in page.text
    assert page.headers["Refresh"] == "5"
    run_one(desk)
    assert 'value="3" max="8"' in client.get(answer.headers["Location"]).text
    while desk.core.jobs.run_due():
        pass
    page = client.get(answer.headers["Location"])
    assert "The whole file was looked at." in page.text
    assert "4 cards were taken. 4 were there already." in page.text
    assert "Refresh" not in page.headers
    assert "8 cards of a file" in client.get(address).text
