"""Cards: written, merged field by field, held where publishing is moderated, put away and brought back."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from rse_core import moderation
from rse_core.api import (
    Actor,
    BadInput,
    Conflict,
    Finding,
    Forbidden,
    Manifest,
    NotFound,
    Plugin,
    hookimpl,
    utcnow,
)
from rse_core.models.content import Mention
from rse_core.models.governance import Held
from rse_core.models.runtime import NotificationRow, Outbox
from rse_core.testing.organisation import make_person, make_space, set_level
from rse_kanban import access, checklist, ending, fields, links, objects, reading, telling
from rse_kanban import columns as columns_service
from rse_kanban.changes import CardConflict, Full
from rse_kanban.models import Activity, Card, CheckItem


def now(desk, card):
    return desk.ask(lambda session: session.get(Card, card.id))


def notified(desk, person, kind):
    query = select(NotificationRow).where(
        NotificationRow.person_id == person.id, NotificationRow.type == kind, NotificationRow.read_at.is_(None)
    )
    return desk.ask(lambda session: list(session.scalars(query)))


def test_a_card_has_all_that_was_written(desk, anna, ben, board, columns):
    label = desk.call(columns_service.keep_label, anna.id, board.id, "Urgent", 0)
    room = desk.call(fields.keep, anna.id, board.id, name="Salle", kind="choice", choices=["A", "B"])
    size = desk.call(fields.keep, anna.id, board.id, name="Taille", kind="number")
    due = utcnow() + dt.timedelta(days=3)
    card = desk.card(
        anna, columns[0], "Peindre", body="**Vite** @ben", people=[ben.id, anna.id], labels=[label.id], due_at=due,
        remind=60, values={room.id: "A", size.id: "3,5"},
    )  # fmt: skip
    found = desk.ask(reading.sheet, ben.id, card.id)
    assert {one.username for one in found.people} == {"anna", "ben"}
    assert [one.name for one in found.labels] == ["Urgent"]
    assert {one.name: value for one, value in found.fields} == {"Salle": "A", "Taille": "3.5"}
    assert found.card.remind_at == due - dt.timedelta(hours=1)
    assert desk.ask(lambda s: list(s.scalars(select(Mention.person_id)))) == [ben.id]
    assert len(notified(desk, ben, "kanban.assigned")) == 1
    assert len(notified(desk, ben, "kanban.mentioned")) == 1
    assert notified(desk, anna, "kanban.assigned") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "  "}, {"title": "x" * 301}, {"title": "a", "body": "x" * 50_001}, {"title": "a", "people": [9_999]},
        {"title": "a", "labels": [9_999]}, {"title": "a", "remind": -1},
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_and_nothing_is_written(desk, anna, columns, wrong):
    with pytest.raises(BadInput):
        desk.card(anna, columns[0], **{"title": "a", **wrong})
    assert desk.titles(columns[0]) == []


@pytest.mark.parametrize(
    ("kind", "value"), [("number", "douze"), ("date", "31/01/2027"), ("choice", "C"), ("number", "nan"), ("text", "x" * 501)]
)
def test_a_field_refuses_what_it_is_not(desk, anna, board, columns, kind, value):
    own = desk.call(fields.keep, anna.id, board.id, name="Champ", kind=kind, choices=["A"])
    with pytest.raises(BadInput) as refused:
        desk.card(anna, columns[0], values={own.id: value})
    assert f"field-{own.id}" in refused.value.fields


def test_a_field_or_label_of_another_board_is_refused(desk, anna, board, columns):
    other = desk.board(anna, "me")
    own = desk.call(fields.keep, anna.id, other.id, name="Champ", kind="text")
    label = desk.call(columns_service.keep_label, anna.id, other.id, "x", 1)
    with pytest.raises(NotFound):
        desk.card(anna, columns[0], values={own.id: "x"})
    with pytest.raises(BadInput):
        desk.card(anna, columns[0], labels=[label.id])


def test_the_same_key_makes_one_card_and_another_text_under_it_is_refused(desk, anna, columns):
    first = desk.card(anna, columns[0], "Un", key="k")
    assert desk.card(anna, columns[0], "Un", key="k").id == first.id
    with pytest.raises(Conflict):
        desk.card(anna, columns[0], "Deux", key="k")
    assert desk.titles(columns[0]) == ["Un"]


def test_different_fields_are_merged_and_the_same_one_is_refused_with_both_kept(desk, anna, ben, columns):
    card = desk.card(anna, columns[0], "Titre", body="Texte")
    desk.edit(anna, card, title="Titre d’Anna")
    desk.edit(ben, card, body="Texte de Ben")
    assert (now(desk, card).title, now(desk, card).body) == ("Titre d’Anna", "Texte de Ben")
    with pytest.raises(CardConflict) as refused:
        desk.edit(ben, card, title="Titre de Ben", body="Encore")
    assert refused.value.late == ("title", "body")
    assert refused.value.current["title"] == "Titre d’Anna"
    assert now(desk, card).title == "Titre d’Anna"
    # The same words are no quarrel.
    desk.edit(ben, card, title="Titre d’Anna")
    desk.edit(ben, card, title="Titre de Ben", version=now(desk, card).version)
    assert now(desk, card).title == "Titre de Ben"


def test_who_no_longer_works_on_it_is_told_no_longer(desk, anna, ben, columns):
    card = desk.card(anna, columns[0], people=[ben.id])
    assert len(notified(desk, ben, "kanban.assigned")) == 1
    desk.edit(anna, card, people=[])
    assert notified(desk, ben, "kanban.assigned") == []


def test_what_is_due_is_told_once_to_who_works_on_it_and_not_when_it_is_done(desk, anna, ben, columns):
    due = utcnow() + dt.timedelta(minutes=30)
    card = desk.card(anna, columns[0], people=[ben.id], due_at=due, remind=60)
    other = desk.card(anna, columns[2], people=[ben.id], due_at=due, remind=60)
    for _ in range(2):
        desk.call(telling.remind)
    rows = notified(desk, ben, "kanban.due")
    assert [row.ref_id for row in rows] == [str(card.id)]
    assert other.id
    desk.edit(anna, now(desk, card), due_at=utcnow() + dt.timedelta(days=9))
    assert now(desk, card).remind_at > utcnow()


def test_where_publishing_is_moderated_a_card_waits_out_of_sight_with_its_place(desk, anna, ben, board, columns, team):
    carl = make_person(desk.core, "carl", spaces=[team])
    with desk.core.db.write() as session:
        moderation.review(session, "space", team.id, True, actor=Actor("cli"), subject="space:garden")
    card = desk.card(ben, columns[0], "À relire", people=[carl.id])
    assert card.state == "pending"
    assert notified(desk, carl, "kanban.assigned") == []
    for person, count in ((carl, 0), (ben, 1), (anna, 1)):
        assert desk.ask(reading.board, person.id, board.id).shown == count
    with pytest.raises(NotFound):
        desk.ask(reading.sheet, carl.id, card.id)
    assert desk.ask(lambda s: [one.name for one in s.scalars(select(Outbox)) if one.name == "kanban.created"]) == []
    held = desk.ask(lambda s: s.scalars(select(Held)).one())
    with desk.core.db.write() as session:
        moderation.decide(session, held.id, True, Actor("anna", anna.id))
    desk.core.jobs.run_due()
    assert now(desk, card).state == "open"
    assert len(notified(desk, carl, "kanban.assigned")) == 1
    assert desk.ask(reading.board, carl.id, board.id).shown == 1
    # An edit of its text waits again; another's text is not changed past the moderators.
    with pytest.raises(Forbidden, match="by its author"):
        desk.edit(carl, now(desk, card), body="Autre chose")
    desk.edit(ben, now(desk, card), body="Plus long")
    assert now(desk, card).state == "pending"
    assert desk.titles(columns[0]) == ["À relire"]


def test_a_refused_card_leaves_the_board_and_its_author_can_send_it_again(desk, anna, ben, columns, team):
    with desk.core.db.write() as session:
        moderation.review(session, "space", team.id, True, actor=Actor("cli"), subject="space:garden")
    card = desk.card(ben, columns[0], "Non")
    held = desk.ask(lambda s: s.scalars(select(Held)).one())
    with desk.core.db.write() as session:
        moderation.decide(session, held.id, False, Actor("anna", anna.id), "Trop court")
    desk.core.jobs.run_due()
    found = now(desk, card)
    assert (found.state, found.reason, found.rank) == ("refused", "Trop court", None)
    assert len(notified(desk, ben, "kanban.refused")) == 1
    desk.edit(ben, found, body="Plus long")
    assert now(desk, card).state == "pending"
    assert desk.titles(columns[0]) == ["Non"]


def test_archived_deleted_and_done_are_three_things(desk, anna, ben, columns):
    first, second, third = (desk.card(ben, columns[0], title) for title in "abc")
    desk.call(ending.archive, ben.id, first.id)
    desk.call(ending.delete, ben.id, second.id)
    desk.move(ben, third, columns[2])
    assert (desk.titles(columns[0]), desk.titles(columns[2])) == ([], ["c"])
    assert desk.ask(reading.sheet, ben.id, first.id).card.state == "archived"
    with pytest.raises(NotFound):
        desk.ask(reading.sheet, ben.id, second.id)
    assert desk.ask(reading.sheet, anna.id, second.id).card.state == "deleted"
    with pytest.raises(NotFound):
        desk.call(ending.restore, ben.id, second.id)
    desk.call(ending.restore, anna.id, second.id)
    desk.call(ending.restore, ben.id, first.id)
    assert desk.titles(columns[0]) == ["b", "a"]


def test_another_s_card_is_deleted_by_who_runs_the_board_only(desk, anna, ben, columns):
    card = desk.card(anna, columns[0])
    with pytest.raises(Forbidden, match="archive it"):
        desk.call(ending.delete, ben.id, card.id)
    desk.call(ending.delete, anna.id, card.id)


def test_what_was_deleted_long_ago_goes_for_good(desk, anna, columns):
    old, fresh = desk.card(anna, columns[0], "vieux"), desk.card(anna, columns[0], "neuf")
    for card in (old, fresh):
        desk.call(ending.delete, anna.id, card.id)
    with desk.core.db.write() as session:
        session.get(Card, old.id).ended_at = utcnow() - dt.timedelta(days=31)
    desk.call(ending.purge)
    assert now(desk, old) is None
    assert now(desk, fresh) is not None


def test_a_card_comes_back_to_the_first_column_when_its_own_is_gone_and_not_into_a_full_one(desk, anna, board, columns):
    card = desk.card(anna, columns[1])
    desk.call(ending.archive, anna.id, card.id)
    desk.call(columns_service.remove_column, anna.id, columns[1].id, into=columns[0].id)
    desk.call(columns_service.change_column, anna.id, columns[0].id, name="T", phase="todo", wip_limit=1, wip_hard=True)
    desk.card(anna, columns[0], "occupe")
    with pytest.raises(Full):
        desk.call(ending.restore, anna.id, card.id)
    desk.call(ending.restore, anna.id, card.id, column_id=columns[2].id)
    assert desk.titles(columns[2]) == ["Une carte"]


def test_a_checklist_has_people_and_days_of_its_own_and_is_ticked_off(desk, anna, ben, columns):
    card = desk.card(anna, columns[0])
    first = desk.call(checklist.add, anna.id, card.id, "Un", people=["@ben"], due_on=dt.date(2027, 1, 31))
    second = desk.call(checklist.add, anna.id, card.id, "Deux")
    for _ in range(2):
        desk.call(checklist.tick, ben.id, first.id, True)
    shown = desk.ask(reading.board, anna.id, card.board_id).by_id[card.id]
    assert shown.checks == (1, 2)
    assert desk.ask(lambda s: s.get(CheckItem, first.id)).person_id == ben.id
    with pytest.raises(Conflict, match="Deux"):
        desk.call(checklist.change, ben.id, second.id, text="Autre", was="Ancien")
    desk.call(checklist.remove, ben.id, second.id)
    with pytest.raises(BadInput):
        desk.call(checklist.add, anna.id, card.id, "Trois", people=["nobody"])
    verbs = desk.ask(lambda s: list(s.scalars(select(Activity.verb).where(Activity.card_id == card.id))))
    assert verbs.count("ticked") == 1


def test_cards_wait_for_each_other_but_never_in_a_circle(desk, anna, columns):
    first, second, third = (desk.card(anna, columns[0], title) for title in "abc")
    desk.call(links.link, anna.id, second.id, first.id, "blocked")
    desk.call(links.link, anna.id, third.id, second.id, "blocked")
    with pytest.raises(BadInput, match="wait for each other"):
        desk.call(links.link, anna.id, first.id, third.id, "blocked")
    page = desk.ask(reading.board, anna.id, first.board_id)
    assert [page.by_id[card.id].blocked for card in (first, second, third)] == [False, True, True]
    desk.move(anna, first, columns[2])
    assert not desk.ask(reading.board, anna.id, first.board_id).by_id[second.id].blocked
    desk.call(links.unlink, anna.id, third.id, second.id, "blocked")
    assert desk.ask(links.around, anna.id, now(desk, third)).blockers == ()


def test_a_whole_shows_the_progress_of_its_parts_and_is_no_part_of_itself(desk, anna, columns):
    whole, *parts = (desk.card(anna, columns[0], title) for title in "abc")
    for part in parts:
        desk.call(links.set_parent, anna.id, part.id, whole.id)
    desk.move(anna, parts[0], columns[2])
    assert desk.ask(reading.board, anna.id, whole.board_id).by_id[whole.id].children == (1, 2)
    with pytest.raises(BadInput):
        desk.call(links.set_parent, anna.id, whole.id, parts[0].id)


def test_a_link_to_a_card_that_one_does_not_see_shows_nothing_of_it(desk, anna, ben, columns):
    own = desk.board(anna, "me")
    secret = desk.card(anna, desk.columns(own)[0], "Secrète")
    card = desk.card(anna, columns[0])
    desk.call(links.link, anna.id, card.id, secret.id, "blocked")
    near = desk.ask(links.around, ben.id, now(desk, card))
    assert (near.blockers, near.hidden_blockers) == ((), 1)
    assert [one.title for one in desk.ask(links.around, anna.id, now(desk, card)).blockers] == ["Secrète"]
    with pytest.raises(NotFound):
        desk.call(links.link, ben.id, card.id, secret.id, "relates")


def test_an_event_is_told_of_what_others_see_and_of_nothing_else(desk, anna, columns):
    own = desk.board(anna, "me")
    desk.card(anna, desk.columns(own)[0], "Secrète")
    card = desk.card(anna, columns[0])
    desk.move(anna, card, columns[2])
    rows = desk.ask(lambda s: [(one.name, one.ref_id) for one in s.scalars(select(Outbox)) if one.ref_type == access.CARD])
    assert [name for name, _ref in rows] == ["kanban.created", "kanban.moved", "kanban.done"]
    assert {ref for _name, ref in rows} == {str(card.id)}


def test_words_reach_no_board_past_its_moderators(desk, anna, ben, board, columns, team):
    """Neither by a checklist nor by bringing a card from a board that nobody moderates."""
    own = desk.board(ben, "me")
    brought = desk.card(ben, desk.columns(own)[0], "Apportée")
    card, other = desk.card(ben, columns[0], "À Ben"), desk.card(anna, columns[0], "À Anna")
    with desk.core.db.write() as session:
        moderation.review(session, "space", team.id, True, actor=Actor("cli"), subject="space:garden")
    desk.move(ben, brought, columns[0])
    assert now(desk, brought).state == "pending"
    with pytest.raises(Conflict):
        desk.move(ben, now(desk, brought), desk.columns(own)[0])
    desk.call(checklist.add, ben.id, card.id, "Des mots")
    assert now(desk, card).state == "pending"
    with pytest.raises(Forbidden):
        desk.call(checklist.add, ben.id, other.id, "Des mots")
    assert now(desk, other).state == "open"


class Reader(Plugin):
    """Looks at texts, as a site's word rules do."""

    manifest = Manifest("reader", "Reader")

    @hookimpl
    def rse_examine(self, writing, session):
        for word, act in (("secret", "hold"), ("never", "refuse")):
            if word in writing.text:
                return Finding(act, f"“{word}” is looked at.")
        return None


def test_words_on_a_card_are_looked_at_before_anybody_sees_them(use_plugin, make_desk):
    core = use_plugin(Reader())
    set_level(core, "collaborate")
    anna, ben = make_person(core, "anna"), make_person(core, "ben")
    team, desk = make_space(core, "team", members=[ben], managers=[anna]), make_desk(core)
    board = desk.board(anna, f"space:{team.key}")
    column = desk.columns(board)[0]
    assert desk.card(ben, column, "Plain").state == "open"
    assert desk.card(ben, column, "A secret").state == "pending"
    assert desk.ask(reading.board, anna.id, board.id).shown == 2
    with pytest.raises(BadInput, match="never"):
        desk.card(ben, column, "Another", body="never")
    card = desk.card(ben, column, "Changed later")
    with pytest.raises(BadInput, match="never"):
        desk.edit(ben, card, body="never")
    assert desk.edit(ben, card, body="secret").state == "pending"
    assert "never" not in "".join(desk.ask(lambda s: list(s.scalars(select(Card.body)))))


def test_moderators_are_shown_what_a_card_says(desk, anna, columns):
    card = desk.card(anna, columns[0], "Titre", body="Le **texte**")
    assert desk.ask(objects.texts, [str(card.id), "999999999", "x"]) == {str(card.id): "Titre\n\nLe **texte**"}
