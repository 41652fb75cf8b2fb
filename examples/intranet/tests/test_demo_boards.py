"""The boards of the demo: in their communities, with a past, and seen by those who may."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from rse_example_intranet import demo_boards, organisation
from sqlalchemy import select

from rse_core import people
from rse_core.api import NotFound, utcnow
from rse_core.runtime import Core
from rse_kanban import access, figures, listing, workload
from rse_kanban.models import Activity, Board, Card, Transition

DATA = Path(organisation.__file__).parent / "data"


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _board(core: Core, title: str) -> int:
    with core.db.read() as session:
        return session.scalars(select(Board.id).where(Board.title == title)).one()


def test_cards_name_people_boards_and_posts_that_exist_in_good_french() -> None:
    known = {row["username"] for row in _rows("people.csv")}
    posts = {row["title"] for row in _rows("posts.csv")} | {""}
    plans = {plan.key: plan for plan in demo_boards.BOARDS}
    for row in _rows("cards.csv"):
        plan = plans[row["board"]]
        assert {row["author"], *row["people"].split()} <= known, row["title"]
        assert set(row["labels"].split()) <= {name for name, _hue in plan.labels}, row["title"]
        assert row["lane"] in {"", *plan.lanes}
        assert row["about"] in posts
        steps = [int(one) for one in row["steps"].split()]
        assert steps == sorted(steps, reverse=True), row["title"]
        assert len(steps) <= len(plan.columns)
    french = [row[name] for row in _rows("cards.csv") for name in ("title", "text", "checklist")]
    french += [text for plan in plans.values() for text in (plan.title, plan.description)]
    assert [text for text in french if re.search(r"« | »| [;:!?]|'|!", text)] == []


def test_each_account_sees_the_boards_of_its_communities(demo_core: Core) -> None:
    with demo_core.db.read() as session:
        seen = {
            username: {one.board.title for one in listing.boards(session, people.by_username(session, username).id)}
            for username in ("zoe.bourguignon", "helene.dupont", "chloe.bremond")
        }
    everything = {"Bascule de la messagerie", "Plan d’accessibilité", "Réunions de préparation"}
    assert seen == {"zoe.bourguignon": everything, "helene.dupont": {"Plan d’accessibilité"}, "chloe.bremond": set()}


def test_the_accounts_have_cards_of_their_own(demo_core: Core) -> None:
    with demo_core.db.read() as session:
        counts = {
            username: len(workload.mine(session, people.by_username(session, username).id).cards)
            for username in ("zoe.bourguignon", "helene.dupont", "emma.nguyen", "naima.elamrani", "solene.kerbrat")
        }
    assert counts == {
        "zoe.bourguignon": 5, "helene.dupont": 3, "emma.nguyen": 2, "naima.elamrani": 1, "solene.kerbrat": 1,
    }  # fmt: skip


def test_who_may_not_move_sees_the_board_with_its_reason(demo_core: Core) -> None:
    board = _board(demo_core, "Plan d’accessibilité")
    with demo_core.db.read() as session:
        helene, zoe = (people.by_username(session, name).id for name in ("helene.dupont", "zoe.bourguignon"))
        assert not access.open_board(session, helene, board).movable
        with pytest.raises(NotFound):
            access.open_board(session, helene, _board(demo_core, "Réunions de préparation"))
        assert access.open_board(session, zoe, _board(demo_core, "Bascule de la messagerie")).movable


def test_the_figures_have_a_past_to_show(demo_core: Core) -> None:
    board = _board(demo_core, "Bascule de la messagerie")
    with demo_core.db.read() as session:
        zoe = people.by_username(session, "zoe.bourguignon").id
        found = figures.of_board(session, zoe, board)
        assert found.lead.count >= figures.FEW
        assert 5 < (found.lead.median or 0) < 25
        totals = [sum(counts.values()) for counts in found.flow]
        assert totals == sorted(totals)
        assert len(set(totals)) > 10
        assert found.oldest[0].days > 3


def test_nothing_happened_in_the_future_and_a_card_knows_what_happened_to_it(demo_core: Core) -> None:
    with demo_core.db.read() as session:
        now = utcnow()
        assert session.scalars(select(Transition.id).where(Transition.at > now)).all() == []
        for card in session.scalars(select(Card)):
            lines = session.scalars(select(Activity).where(Activity.card_id == card.id).order_by(Activity.at)).all()
            passages = session.scalars(select(Transition).where(Transition.card_id == card.id).order_by(Transition.at)).all()
            assert passages[0].at == card.created_at
            assert passages[-1].to_id == card.column_id
            assert passages[-1].at == card.entered_at
            assert sum(line.verb == "moved" for line in lines) == len(passages) - 1
