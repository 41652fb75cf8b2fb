"""What moderators do to cards and to comments on them: reported, taken down, shown again, deleted, restored, emptied."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from sqlalchemy import select

import rse_comments
import rse_comments.service as comments
import rse_governance
import rse_kanban
import rse_search
from rse_comments import access as comment_access
from rse_comments import reading as comment_reading
from rse_core import mentions, moderation, privacy, roles
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound, seen, utcnow
from rse_core.models.runtime import NotificationRow
from rse_core.testing import as_person
from rse_core.testing.organisation import make_person, make_space, set_level
from rse_governance import appeals, bin, cases, casework, queue
from rse_kanban import access, boards, cards, columns, ending, exporting, figures, listing, moving, reading, versions
from rse_kanban import workload as load
from rse_kanban.models import Board, Card, Column
from rse_kanban.placing import Place
from rse_search import service as search
from rse_search.asking import Asked

ACTOR = Actor("cli:tests")


@pytest.fixture
def rse_plugins():
    return [rse_comments.plugin, rse_search.plugin, rse_governance.plugin, rse_kanban.plugin]


@pytest.fixture
def site(core):
    set_level(core, "collaborate")
    return core


@pytest.fixture
def people(site):
    """Colleagues by name; ``mo`` moderates the site, ``cara`` the space in which the board is, ``dora`` runs the board."""
    some = {name: make_person(site, name, name=f"{name.title()} Dubois") for name in ("anna", "ben", "cara", "dora", "mo")}
    members = [some[name] for name in ("anna", "ben", "dora", "mo")]
    make_space(site, "garden", name="Garden", members=members, managers=[some["cara"]])
    with site.db.write() as session:
        roles.grant(session, some["mo"].id, "moderator", actor=ACTOR)
    return some


@pytest.fixture
def board(site, people):
    with site.db.write() as session:
        return boards.create(session, people["dora"].id, "space:garden", "Plan").id


def make(core, person, board, title="zebra insult", **written):
    with core.db.write() as session:
        place = session.scalars(select(Column.id).where(Column.board_id == board).order_by(Column.position)).first()
        card = cards.create(session, person.id, Place(place), cards.Written(title=title, **written))
        return access.card_ref(card.id)


def on_board(core, person, board):
    with core.db.read() as session:
        return sorted(one.title for one in reading.board(session, person.id, board).by_id.values())


def counted(core, person, board):
    """How many cards the list of boards, the columns and the figures know of."""
    with core.db.read() as session:
        [listed] = listing.boards(session, person.id)
        page = reading.board(session, person.id, board)
        flow = figures.of_board(session, person.id, board).flow[-1]
        return listed.cards, sum(pile.count for pile in page.piles), sum(flow.values())


def found(core, person, text):
    with core.db.read() as session:
        return [str(one.ref) for one in search.search(session, person.id, Asked(text)).hits]


def opens(core, person, ref):
    with core.db.read() as session:
        try:
            return reading.sheet(session, person.id, int(ref.id)).card.state
        except NotFound:
            return None


def take_down(core, people, ref):
    with core.db.write() as session:
        cases.report(session, people["ben"].id, ref, kind="hurtful")
    with core.db.write() as session:
        [case] = [line.row for line in casework.page(session, people["mo"].id).lines if line.row.ref_id == ref.id]
        return cases.decide(session, people["mo"].id, case.id, hide=True, reason="It insults.").id


def test_a_card_taken_down_is_nowhere_but_before_its_author_and_moderators(site, people, board, settle):
    ref = make(site, people["anna"], board, body="for @ben", people=[people["ben"].id])
    settle()
    assert found(site, people["ben"], "zebra") == [str(ref)]
    take_down(site, people, ref)
    settle()
    for name in ("ben", "dora"):
        assert on_board(site, people[name], board) == []
        assert opens(site, people[name], ref) is None
        assert found(site, people[name], "zebra") == []
    assert counted(site, people["ben"], board) == (0, 0, 0)
    assert (opens(site, people["anna"], ref), opens(site, people["mo"], ref)) == ("hidden", "hidden")
    with site.db.read() as session:
        ben = people["ben"].id
        assert seen(session, ben, [ref]) == {}
        assert load.mine(session, ben).cards == []
        told = session.scalars(select(NotificationRow.type).where(NotificationRow.person_id == ben)).all()
        assert [one for one in told if one.startswith("kanban.")] == []
        assert mentions.people_of(session, ref) == []
        assert "zebra" not in exporting.as_json(session, ben, board)
        assert "zebra" not in exporting.as_csv(session, people["dora"].id, board)
        assert "zebra" in str(privacy.export(session, people["anna"].id))
        assert "zebra" not in str(privacy.export(session, ben))


def test_an_appeal_brings_it_back_at_the_end_of_its_column(site, people, board, settle):
    ref = make(site, people["anna"], board, body="for @ben")
    make(site, people["anna"], board, "another")
    case = take_down(site, people, ref)
    settle()
    with site.db.write() as session:
        appeals.appeal(session, people["anna"].id, case, "A quotation.")
        appeals.decide_appeal(session, people["cara"].id, case, grant=True, reason="Indeed.")
    settle()
    assert on_board(site, people["ben"], board) == ["another", "zebra insult"]
    assert counted(site, people["ben"], board) == (2, 2, 2)
    assert found(site, people["ben"], "zebra") == [str(ref)]
    with site.db.read() as session:
        assert mentions.people_of(session, ref) == [people["ben"].id]
        assert session.scalars(select(Card.title).where(Card.rank.is_not(None)).order_by(Card.rank)).all() == [
            "another", "zebra insult",
        ]  # fmt: skip


def test_a_full_column_does_not_keep_it_away_and_its_limit_holds(site, people, board):
    ref = make(site, people["anna"], board)
    case = take_down(site, people, ref)
    with site.db.write() as session:
        [first, *_more] = columns.placing.columns_of(session, board)
        columns.change_column(
            session, people["dora"].id, first.id, name=first.name, phase="todo", wip_limit=1, wip_hard=True
        )
    make(site, people["ben"], board, "in its place")
    with site.db.write() as session:
        appeals.appeal(session, people["anna"].id, case, "A quotation.")
        appeals.decide_appeal(session, people["cara"].id, case, grant=True, reason="Indeed.")
    with site.db.read() as session:
        rows = session.execute(select(Card.title, Column.position).join(Column, Column.id == Card.column_id)).all()
        columns_of = {title: position for title, position in rows}
    assert columns_of == {"in its place": 0, "zebra insult": 1}


def test_who_runs_the_board_cannot_undo_a_moderators_decision(site, people, board):
    ref = make(site, people["anna"], board)
    take_down(site, people, ref)
    number = int(ref.id)
    with site.db.write() as session:
        for person in (people["dora"], people["ben"]):
            with pytest.raises(NotFound):
                ending.restore(session, person.id, number)
        with pytest.raises(Conflict):
            ending.restore(session, people["anna"].id, number)
        with pytest.raises(Conflict):
            moving.move(session, people["anna"].id, number, Place(session.get_one(Card, number).column_id), version=None)
        with pytest.raises(Conflict):
            cards.edit(session, people["anna"].id, number, cards.Written(title="again"), version=None)
    # Deleted by its author, it is restored by no other way either.
    with site.db.write() as session:
        ending.delete(session, people["anna"].id, number)
    with site.db.write() as session, pytest.raises(Forbidden):
        ending.restore(session, people["dora"].id, number)
    with site.db.write() as session:
        [line], _more = bin.page(session, people["mo"].id)
        bin.restore(session, people["mo"].id, line.row.id)
    assert on_board(site, people["ben"], board) == ["zebra insult"]


def test_what_was_never_approved_waits_again_when_it_is_restored(site, people, board):
    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=ACTOR, subject="site")
    ref = make(site, people["anna"], board)
    with site.db.write() as session:
        ending.delete(session, people["anna"].id, int(ref.id))
    with site.db.read() as session:
        assert list(bin.page(session, people["mo"].id)[0]) == []
    with site.db.write() as session:
        assert ending.restore(session, people["dora"].id, int(ref.id)).state == "pending"
    assert on_board(site, people["ben"], board) == []
    with site.db.write() as session:
        [line] = queue.page(session, people["mo"].id).lines
        assert line.text.startswith("zebra insult")
        assert queue.decide_many(session, people["mo"].id, [line.row.id], approve=True).done == 1
    while site.jobs.run_due():
        pass
    assert on_board(site, people["ben"], board) == ["zebra insult"]


def test_a_deleted_card_is_in_the_bin_as_long_as_it_says_and_then_gone(site, people, board):
    ref, other = make(site, people["anna"], board), make(site, people["anna"], board, "zebra two")
    for one in (ref, other):
        with site.db.write() as session:
            ending.delete(session, people["anna"].id, int(one.id))
    with site.db.read() as session:
        lines, _more = bin.page(session, people["mo"].id)
        assert {line.text for line in lines} == {"zebra insult", "zebra two"}
    with site.db.write() as session:
        bin.restore(session, people["mo"].id, next(line.row.id for line in lines if line.ref == ref))
    assert on_board(site, people["ben"], board) == ["zebra insult"]
    with time_machine.travel(utcnow() + dt.timedelta(days=31), tick=False), site.db.write() as session:
        ending.purge(session)
        assert session.get(Card, int(other.id)) is not None, "who keeps it says when it goes"
        bin.empty(session)
    with site.db.read() as session:
        assert session.scalars(select(Card.title)).all() == ["zebra insult"]


def test_a_card_of_ones_own_board_is_nobodys_to_restore(site, people):
    with site.db.write() as session:
        own = boards.create(session, people["anna"].id, "me", "Mine").id
    ref = make(site, people["anna"], own)
    with site.db.write() as session:
        with pytest.raises(NotFound):
            cases.report(session, people["ben"].id, ref, kind="hurtful")
        ending.delete(session, people["anna"].id, int(ref.id))
    with site.db.read() as session:
        assert list(bin.page(session, people["mo"].id)[0]) == []
    with time_machine.travel(utcnow() + dt.timedelta(days=31), tick=False), site.db.write() as session:
        ending.purge(session)
    with site.db.read() as session:
        assert session.get(Card, int(ref.id)) is None


def test_comments_on_a_card_are_taken_down_and_follow_their_card(site, people, board, settle):
    ref = make(site, people["anna"], board, "a harmless card")
    with site.db.write() as session:
        number = comments.write(session, people["anna"].id, ref, "zebra remark").id
        comments.write(session, people["ben"].id, ref, "another remark")
    settle()
    own = comment_access.own_ref(number)

    def thread(name):
        with site.db.read() as session:
            place = comment_access.place(session, people[name].id, ref)
            return [one.body for one in comment_reading.page(session, people[name].id, place).comments]

    assert found(site, people["ben"], "zebra") == [str(own)]
    case = take_down(site, people, own)
    settle()
    assert thread("ben") == ["another remark"]
    assert found(site, people["ben"], "zebra") == []
    with site.db.write() as session:
        appeals.appeal(session, people["anna"].id, case, "A quotation.")
        appeals.decide_appeal(session, people["cara"].id, case, grant=True, reason="Indeed.")
    settle()
    assert found(site, people["ben"], "zebra") == [str(own)]
    take_down(site, people, ref)
    settle()
    assert found(site, people["ben"], "remark") == []
    with site.db.read() as session, pytest.raises(NotFound):
        comment_access.place(session, people["ben"].id, ref)


def test_the_page_of_a_card_offers_to_report_it_to_all_but_its_author(site, people, board, rse_client):
    ref = make(site, people["anna"], board)
    address = f"/rse/kanban/cards/{ref.id}"
    assert f"report?ref={ref}" in as_person(rse_client, people["ben"]).get(address).text.replace("%3A", ":")
    assert "moderation/report" not in as_person(rse_client, people["anna"]).get(address).text
    take_down(site, people, ref)
    assert "It insults." in as_person(rse_client, people["anna"]).get(address).text
    assert as_person(rse_client, people["ben"]).get(address).status_code == 404


def test_a_board_that_is_gone_takes_no_card_back(site, people, board):
    ref = make(site, people["anna"], board)
    case = take_down(site, people, ref)
    with site.db.write() as session:
        session.get_one(Board, board).state = "deleted"
    with site.db.write() as session:
        appeals.appeal(session, people["anna"].id, case, "A quotation.")
        with pytest.raises(NotFound):
            appeals.decide_appeal(session, people["cara"].id, case, grant=True, reason="Indeed.")


def test_a_card_that_waits_is_corrected_from_the_queue_and_its_author_reads_how(site, people, board, rse_app):
    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=ACTOR, subject="site")
    ref = make(site, people["anna"], board, "Call 0612345678", body="Ask for Ben.")
    with site.db.read() as session:
        [line] = queue.page(session, people["mo"].id).lines
        assert (line.text, line.can_amend) == ("Call 0612345678\n\nAsk for Ben.", True)
    with site.db.write() as session, pytest.raises(BadInput):
        queue.amend(session, people["mo"].id, line.row.id, "  ")
    client = rse_app.test_client()
    as_person(client, people["mo"])
    address = f"/rse/moderation/held/{line.row.id}"
    form = client.get(address).text
    values = dict(re.findall(r'name="(csrf_token|seen)" value="([0-9a-f]+)"', form))
    headers = {"Origin": "http://localhost"}
    sent = {**values, "body": "Call us\n\nAsk for Ben.", "act": "approve"}
    assert client.post(address, data=sent, headers=headers).status_code == 303
    while site.jobs.run_due():
        pass
    assert on_board(site, people["ben"], board) == ["Call us"]
    with site.db.read() as session:
        told = session.scalars(select(NotificationRow.type).where(NotificationRow.person_id == people["anna"].id)).all()
        assert "governance.amended" in told
        [change] = versions.of_card(session, people["anna"].id, int(ref.id)).changes
        assert (change.row.title, change.row.body, change.who.username) == ("Call 0612345678", "Ask for Ben.", "mo")
        # What nobody was ever shown stays between its author and the moderators.
        assert versions.of_card(session, people["ben"].id, int(ref.id)).changes == []
