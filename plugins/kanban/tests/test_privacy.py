"""What is kept about a person on boards is exported whole and goes with the account; what is theirs alone goes entirely."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from rse_core import privacy
from rse_core.api import Actor, ObjectRef, utcnow
from rse_kanban import addresses, checklist, filters, objects, recurring, rules
from rse_kanban.models import Activity, Board, Card, CardPerson, CheckItem
from rse_kanban.models_more import Address, Recurrence, Rule, SavedFilter


def sections(desk, person):
    found = desk.ask(privacy.export, person.id)["sections"]
    return {one["name"]: one["rows"] for one in found if one["owner"] == "kanban"}


def test_everything_is_exported_and_what_others_see_stays_without_a_name(desk, anna, ben, board, columns):
    own = desk.board(ben, "me", "Privé")
    desk.card(ben, desk.columns(own)[0], "Secrète")
    card = desk.card(ben, columns[0], "Partagée", body="Mes mots", people=[ben.id])
    item = desk.call(checklist.add, anna.id, card.id, "Ligne de Ben", people=["ben"])
    desk.call(filters.keep, ben.id, board.id, "Miennes", "who:me")
    desk.call(addresses.create, Actor("ben", ben.id), "calendar", "Téléphone")
    desk.call(rules.keep, anna.id, board.id, name="R", trigger="created", trigger_id=None, act="assign", act_id=ben.id)
    soon = utcnow() + dt.timedelta(hours=1)
    again = {"every": "week", "times": 1, "starts_at": soon, "zone": "Europe/Paris", "column_id": columns[0].id}
    desk.call(recurring.repeat, ben.id, card.id, **again)
    found = sections(desk, ben)
    assert {row["title"] for row in found["kanban.cards"]} == {"Secrète", "Partagée"}
    assert next(row for row in found["kanban.cards"] if row["title"] == "Partagée")["checklist"] == ["Ligne de Ben"]
    assert {row["kind"] for row in found["kanban.own"]} == {"filter", "calendar", "recurring"}
    desk.call(privacy.erase, ben.id, actor=Actor("cli"))
    with desk.core.db.read() as session:
        assert session.get(Board, own.id) is None
        kept = session.get(Card, card.id)
        assert (kept.title, kept.author_id) == ("Partagée", None)
        assert session.get(CheckItem, item.id).person_id is None
        assert session.scalars(select(CardPerson)).all() == []
        assert session.scalars(select(SavedFilter)).all() == []
        assert session.scalars(select(Address)).all() == []
        assert session.scalars(select(Activity).where(Activity.person_id == ben.id)).all() == []
        assert session.scalars(select(Rule.active)).one() is False
        again = session.scalars(select(Recurrence)).one()
        assert (again.person_id, again.next_at) == (None, None)


def test_cards_are_found_by_what_is_on_them_and_one_s_own_are_not(desk, anna, ben, board, columns):
    own = desk.board(anna, "me")
    hidden = desk.card(anna, desk.columns(own)[0], "Secrète")
    card = desk.card(anna, columns[0], "Peindre", body="**le mur**", people=[ben.id])
    desk.call(checklist.add, anna.id, card.id, "Rouleau")
    refs = [ObjectRef("kanban.card", str(one.id)) for one in (card, hidden)]
    refs += [ObjectRef("kanban.board", str(one.id)) for one in (board, own)]
    found = {str(one.ref): one for one in desk.ask(lambda session: list(objects.documents(session, refs)))}
    assert set(found) == {f"kanban.card:{card.id}", f"kanban.board:{board.id}"}
    document = found[f"kanban.card:{card.id}"]
    assert (document.body, document.audience_id, document.kind) == ("le mur", board.audience_id, "card")
    assert "Rouleau" in document.words
    assert "Benoît Œuvrard" in document.words
    assert list(desk.ask(objects.card_ids, None, 10)) == [str(hidden.id), str(card.id)]
