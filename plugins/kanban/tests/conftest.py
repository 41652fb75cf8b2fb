"""The plugin alone on the core, boards and cards in one line each."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rse_core.api import use_locale
from rse_core.testing.organisation import make_person, make_space, set_level
from rse_kanban import boards, cards, moving, placing, plugin, standing
from rse_kanban.cards import Written
from rse_kanban.models import Card
from rse_kanban.placing import Place


class Desk:
    """What tests do with boards: each act in a transaction of its own, as a request does it."""

    def __init__(self, core):
        self.core = core

    def board(self, person, place="me", title="Chantier", **values):
        with self.core.db.write() as session:
            return boards.create(session, person.id, place, title, **values)

    def columns(self, board):
        with self.core.db.read() as session:
            return placing.columns_of(session, board.id)

    def card(self, person, column, title="Une carte", *, lane=None, **values):
        ends = {name: values.pop(name) for name in ("key", "about", "origin") if name in values}
        with self.core.db.write() as session:
            place = Place(column.id, lane.id if lane else None)
            return cards.create(session, person.id, place, Written(title=title, **values), **ends)

    def edit(self, person, card, *, version=None, **values):
        with self.core.db.write() as session:
            return cards.edit(session, person.id, card.id, Written(**values), version=version or card.version)

    def move(self, person, card, column, *, version=None, undo=None, **place):
        with self.core.db.write() as session:
            where = Place(column.id, **place)
            return moving.move(session, person.id, card.id, where, version=version, undo=undo)

    def titles(self, column):
        with self.core.db.read() as session:
            query = select(Card.title).where(Card.column_id == column.id, Card.rank.is_not(None)).order_by(Card.rank)
            return list(session.scalars(query))

    def call(self, service, *args, **values):
        """Any service in a writing transaction."""
        with self.core.db.write() as session:
            return service(session, *args, **values)

    def ask(self, service, *args, **values):
        """Any service in a reading session."""
        with self.core.db.read() as session:
            return service(session, *args, **values)


@pytest.fixture(autouse=True)
def _in_english():
    """Sentences are compared in English, whatever the site's language."""
    with use_locale("en"):
        yield


def _told(page):
    """All that a page of a board says."""
    rows = [
        [(row.id, row.name) for row in page.lanes], [(row.id, row.name, row.hue) for row in page.labels],
        [(row.id, row.name, row.on_board) for row in page.fields],
    ]  # fmt: skip
    piles = [
        (pile.column.id, pile.column.name, pile.column.wip_limit, pile.column.wip_hard, pile.count, dict(pile.cards))
        for pile in page.piles
    ]
    return rows, piles, dict(page.by_id), page.shown


@pytest.fixture(autouse=True)
def _kept_is_true(monkeypatch):
    """Whatever a test does: a board from memory is the board as the database has it."""
    whole = standing.page

    def page(session, seat, most):
        found = whole(session, seat, most)
        before = session.info.get("rse_reading")
        if found is not None and before:
            session.info["rse_reading"] = False
            assert _told(found) == _told(whole(session, seat, most)), "a board is kept that has changed"
            session.info["rse_reading"] = before
        return found

    monkeypatch.setattr(standing, "page", page)


@pytest.fixture
def make_desk():
    """A desk on any core, for a site that is served."""
    return Desk


@pytest.fixture
def rse_plugins():
    return [plugin]


@pytest.fixture
def site(core):
    """A core whose site stands at COLLABORATE."""
    set_level(core, "collaborate")
    return core


@pytest.fixture
def desk(site):
    return Desk(site)


@pytest.fixture
def anna(site):
    return make_person(site, "anna", name="Anna Sérès")


@pytest.fixture
def ben(site):
    return make_person(site, "ben", name="Benoît Œuvrard")


@pytest.fixture
def team(site, anna, ben):
    """A space that anna owns and ben is a member of."""
    return make_space(site, "garden", name="Jardin", members=[ben], managers=[anna])


@pytest.fixture
def board(desk, anna, team):
    return desk.board(anna, f"space:{team.key}")


@pytest.fixture
def columns(desk, board):
    """To do, in progress, done."""
    return desk.columns(board)
