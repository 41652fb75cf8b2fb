"""Rules that act by themselves and end by themselves; cards that repeat; templates; saved filters."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from rse_core import organisation
from rse_core.api import BadInput, Conflict, Forbidden, NotFound, utcnow
from rse_core.testing.organisation import make_person
from rse_kanban import checklist, fields, filters, recurring, rules, templates
from rse_kanban import columns as columns_service
from rse_kanban.cards import labels_of, people_of
from rse_kanban.models import Card, CheckItem
from rse_kanban.models_more import Recurrence, RuleRun
from rse_kanban.placing import Place


def rule(desk, person, board, trigger, trigger_id, act, act_id, name="Règle"):
    return desk.call(
        rules.keep, person.id, board.id, name=name, trigger=trigger, trigger_id=trigger_id, act=act, act_id=act_id
    )


def outcomes(desk):
    return desk.ask(lambda session: list(session.scalars(select(RuleRun.outcome).order_by(RuleRun.id))))


def now(desk, card):
    return desk.ask(lambda session: session.get(Card, card.id))


def test_a_rule_does_what_it_says_and_the_log_tells(desk, anna, ben, board, columns):
    todo, doing, done = columns
    label = desk.call(columns_service.keep_label, anna.id, board.id, "En cours", 4)
    rule(desk, anna, board, "moved", doing.id, "label", label.id)
    rule(desk, anna, board, "moved", doing.id, "assign", ben.id)
    rule(desk, anna, board, "created", None, "due", 7)
    rule(desk, anna, board, "moved", done.id, "tick", None)
    rule(desk, anna, board, "checked", None, "move", done.id)
    card = desk.card(anna, todo)
    assert now(desk, card).due_at > utcnow() + dt.timedelta(days=6)
    desk.move(anna, card, doing)
    assert desk.ask(labels_of, card.id) == [label.id]
    assert desk.ask(people_of, card.id) == [ben.id]
    item = desk.call(checklist.add, anna.id, card.id, "Une ligne")
    desk.call(checklist.tick, anna.id, item.id, True)
    assert desk.titles(done) == ["Une carte"]
    assert set(outcomes(desk)) == {"done"}


def test_two_rules_that_answer_each_other_end(desk, anna, board, columns):
    todo, doing, _done = columns
    rule(desk, anna, board, "moved", doing.id, "move", todo.id, "Aller")
    rule(desk, anna, board, "moved", todo.id, "move", doing.id, "Retour")
    card = desk.card(anna, todo)
    desk.move(anna, card, doing)
    assert outcomes(desk) == ["loop", "done", "done"]
    assert now(desk, card).column_id == doing.id


def test_a_rule_is_bound_by_hard_limits_and_says_so(desk, anna, board, columns):
    todo, doing, done = columns
    desk.call(columns_service.change_column, anna.id, done.id, name="Done", phase="done", wip_limit=1, wip_hard=True)
    desk.card(anna, done, "occupe")
    rule(desk, anna, board, "moved", doing.id, "move", done.id)
    card = desk.card(anna, todo)
    desk.move(anna, card, doing)
    assert now(desk, card).column_id == doing.id
    assert outcomes(desk) == ["refused"]


def test_a_rule_names_what_is_this_board_s_and_is_made_by_who_runs_it(desk, anna, ben, board, columns):
    other = desk.board(anna, "me")
    foreign = desk.columns(other)[0]
    with pytest.raises(BadInput):
        rule(desk, anna, board, "moved", None, "move", foreign.id)
    with pytest.raises(BadInput):
        rule(desk, anna, board, "moved", None, "explode", None)
    with pytest.raises(BadInput):
        rule(desk, anna, board, "moved", None, "assign", make_person(desk.core).id)
    with pytest.raises(Forbidden):
        rule(desk, ben, board, "moved", None, "archive", None)


def test_archiving_by_a_rule_ends_the_chain(desk, anna, board, columns):
    todo, _doing, done = columns
    rule(desk, anna, board, "moved", done.id, "archive", None)
    rule(desk, anna, board, "moved", done.id, "move", todo.id)
    card = desk.card(anna, todo)
    desk.move(anna, card, done)
    assert now(desk, card).state == "archived"
    assert outcomes(desk) == ["done"]


def test_the_log_keeps_the_last_runs(desk, anna, board, columns, monkeypatch):
    monkeypatch.setattr(rules, "RUNS_KEPT", 3)
    rule(desk, anna, board, "created", None, "due", 1)
    for _ in range(5):
        desk.card(anna, columns[0])
    desk.call(rules.prune)
    assert desk.ask(lambda s: s.scalar(select(func.count()).select_from(RuleRun))) == 3


# -- cards that repeat ---------------------------------------------------------------------------------------------------


def repeat(desk, person, card, column, **values):
    wanted = {"every": "week", "times": 1, "starts_at": utcnow() + dt.timedelta(hours=1), "zone": "Europe/Paris", **values}
    return desk.call(recurring.repeat, person.id, card.id, column_id=column.id, **wanted)


def make_due(desk, row, hours=1):
    with desk.core.db.write() as session:
        session.get(Recurrence, row.id).next_at = utcnow() - dt.timedelta(hours=hours)


def test_a_card_repeats_with_its_labels_and_checklist_once_each_time(desk, anna, board, columns):
    label = desk.call(columns_service.keep_label, anna.id, board.id, "Chaque semaine", 4)
    card = desk.card(anna, columns[0], "Ronde", labels=[label.id])
    desk.call(checklist.add, anna.id, card.id, "Porte")
    row = repeat(desk, anna, card, columns[1])
    desk.call(recurring.make_due)
    assert desk.titles(columns[1]) == []
    make_due(desk, row)
    for _ in range(2):
        desk.call(recurring.make_due)
    assert desk.titles(columns[1]) == ["Ronde"]
    made = desk.ask(lambda s: s.scalars(select(Card).where(Card.column_id == columns[1].id)).one())
    assert desk.ask(labels_of, made.id) == [label.id]
    assert desk.ask(lambda s: list(s.scalars(select(CheckItem.text).where(CheckItem.card_id == made.id)))) == ["Porte"]
    assert desk.ask(lambda s: s.get(Recurrence, row.id).next_at) > utcnow()


def test_what_was_missed_is_made_once(desk, anna, columns):
    card = desk.card(anna, columns[0], "Ronde")
    row = repeat(desk, anna, card, columns[1], every="day")
    with desk.core.db.write() as session:
        kept = session.get(Recurrence, row.id)
        kept.starts_at = kept.next_at = utcnow() - dt.timedelta(days=30)
    desk.call(recurring.make_due)
    assert desk.titles(columns[1]) == ["Ronde"]


def test_who_may_no_longer_write_makes_no_more_and_the_reason_stands_there(desk, anna, ben, columns, team):
    card = desk.card(ben, columns[0], "Ronde")
    row = repeat(desk, ben, card, columns[1])
    with desk.core.db.write() as session:
        organisation.leave_space(session, team.id, ben.id)
    make_due(desk, row)
    desk.call(recurring.make_due)
    kept = desk.ask(lambda s: s.get(Recurrence, row.id))
    assert (kept.next_at, desk.titles(columns[1])) == (None, [])
    assert kept.note


def test_a_full_column_skips_one_and_goes_on(desk, anna, columns):
    desk.call(columns_service.change_column, anna.id, columns[1].id, name="D", phase="doing", wip_limit=1, wip_hard=True)
    desk.card(anna, columns[1], "occupe")
    card = desk.card(anna, columns[0], "Ronde")
    row = repeat(desk, anna, card, columns[1])
    make_due(desk, row)
    desk.call(recurring.make_due)
    kept = desk.ask(lambda s: s.get(Recurrence, row.id))
    assert "at most 1 card" in kept.note
    assert kept.next_at > utcnow()


def test_nine_o_clock_stays_nine_and_the_31st_is_the_last_of_shorter_months():
    paris = ZoneInfo("Europe/Paris")
    row = Recurrence(every="month", times=1, zone="Europe/Paris", starts_at=dt.datetime(2027, 1, 31, 9, tzinfo=paris))
    days = [recurring.moment(row, number).astimezone(paris) for number in range(4)]
    assert [(day.day, day.hour) for day in days] == [(31, 9), (28, 9), (31, 9), (30, 9)]
    assert days[1].astimezone(dt.UTC).hour == 8
    assert days[2].astimezone(dt.UTC).hour == 7
    daily = Recurrence(every="day", times=2, zone="Europe/Paris", starts_at=dt.datetime(2027, 3, 27, 9, tzinfo=paris))
    assert recurring.moment(daily, 1).astimezone(paris).hour == 9


@pytest.mark.parametrize(
    "wrong", [{"every": "hour"}, {"times": 0}, {"zone": "Nowhere"}, {"starts_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}]
)
def test_what_cannot_repeat_is_refused(desk, anna, columns, wrong):
    card = desk.card(anna, columns[0])
    with pytest.raises(BadInput):
        repeat(desk, anna, card, columns[0], **wrong)


def test_only_who_asked_or_who_runs_the_board_stops_it(desk, anna, ben, columns, team):
    carl = make_person(desk.core, "carl", spaces=[team])
    card = desk.card(ben, columns[0])
    row = repeat(desk, ben, card, columns[0])
    with pytest.raises(Forbidden):
        desk.call(recurring.stop, carl.id, row.id)
    desk.call(recurring.stop, anna.id, row.id)
    assert desk.ask(recurring.of_board, anna.id, card.board_id) == []


# -- templates -----------------------------------------------------------------------------------------------------------


def test_a_board_is_made_from_a_template_with_all_its_parts(desk, anna, board, columns):
    label = desk.call(columns_service.keep_label, anna.id, board.id, "Urgent", 0)
    desk.call(columns_service.add_lane, anna.id, board.id, "Nord")
    own = desk.call(fields.keep, anna.id, board.id, name="Salle", kind="text")
    desk.call(columns_service.change_column, anna.id, columns[1].id, name="Fait", phase="doing", wip_limit=1, wip_hard=True)
    for title in ("Un", "Deux"):
        desk.card(anna, columns[0], title, labels=[label.id], values={own.id: "B12"})
    kept = desk.call(templates.keep, anna.id, "board", board.id, "Chantier type")
    made = desk.call(templates.board_from, anna.id, kept.id, "me", "Le mien", key="k")
    assert desk.call(templates.board_from, anna.id, kept.id, "me", "Le mien", key="k").id == made.id
    first, second, _third = desk.columns(made)
    assert (second.name, second.wip_limit, second.wip_hard) == ("Fait", 1, True)
    assert desk.titles(first) == ["Un", "Deux"]
    assert [one.name for one in desk.ask(columns_service.labels_of, made.id)] == ["Urgent"]
    assert [one.name for one in desk.ask(fields.fields_of, made.id)] == ["Salle"]


def test_a_card_and_a_column_are_made_from_templates(desk, anna, ben, board, columns):
    card = desk.card(anna, columns[0], "Accueil", body="Dire bonjour")
    desk.call(checklist.add, anna.id, card.id, "Badge")
    kept = desk.call(templates.keep, ben.id, "card", card.id, "Accueil")
    made = desk.call(templates.card_from, ben.id, kept.id, Place(columns[1].id))
    assert (made.title, made.body) == ("Accueil", "Dire bonjour")
    column = desk.call(templates.keep, anna.id, "column", columns[0].id, "Colonne")
    added = desk.call(templates.column_from, anna.id, column.id, board.id)
    assert desk.titles(added) == ["Accueil"]
    with pytest.raises(Forbidden):
        desk.call(templates.column_from, ben.id, column.id, board.id)


def test_a_template_is_for_whom_its_board_was(desk, anna, board):
    outsider = make_person(desk.core, "outsider")
    kept = desk.call(templates.keep, anna.id, "board", board.id, "Type")
    assert desk.ask(templates.of_boards, outsider.id) == []
    with pytest.raises(NotFound):
        desk.call(templates.board_from, outsider.id, kept.id, "me", "x")
    with pytest.raises(NotFound):
        desk.call(templates.remove, outsider.id, kept.id)
    desk.call(templates.remove, anna.id, kept.id)


# -- saved filters -------------------------------------------------------------------------------------------------------


def test_a_filter_is_one_s_own_until_it_is_shared(desk, anna, ben, board):
    desk.call(filters.keep, anna.id, board.id, "Les miennes", "who:me")
    shared = desk.call(filters.keep, anna.id, board.id, "En retard", "due:late", shared=True)
    assert [one.name for one in desk.ask(filters.of_board, ben.id, board.id)] == ["En retard"]
    assert len(desk.ask(filters.of_board, anna.id, board.id)) == 2
    with pytest.raises(NotFound):
        desk.call(filters.remove, ben.id, shared.id)
    desk.call(filters.keep, anna.id, board.id, "En retard", "due:week")
    assert {one.query for one in desk.ask(filters.of_board, anna.id, board.id)} == {"who:me", "due:week"}
    with pytest.raises(BadInput):
        desk.call(filters.keep, anna.id, board.id, "x", "   ")


def test_a_column_or_lane_that_is_removed_moves_its_cards_and_deletes_none(desk, anna, board, columns):
    todo, doing, done = columns
    lane = desk.call(columns_service.add_lane, anna.id, board.id, "Nord")
    cards = [desk.card(anna, todo, title, lane=lane) for title in "abc"]
    desk.call(columns_service.remove_lane, anna.id, lane.id)
    assert {now(desk, card).lane_id for card in cards} == {None}
    desk.card(anna, doing, "d")
    assert desk.call(columns_service.remove_column, anna.id, todo.id, into=doing.id) == 3
    assert desk.titles(doing) == ["d", "a", "b", "c"]
    with pytest.raises(BadInput):
        desk.call(columns_service.remove_column, anna.id, doing.id, into=doing.id)
    desk.call(columns_service.remove_column, anna.id, done.id, into=doing.id)
    with pytest.raises(Conflict):
        desk.call(columns_service.remove_column, anna.id, doing.id, into=todo.id)
