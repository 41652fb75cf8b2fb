"""Several real processes make, move, archive, restore and delete cards and take columns away, all at once and at random.

Whatever happens, every card is somewhere exactly once, no two cards of a column have one rank, and no column holds more
cards than its hard limit lets in.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest
from sqlalchemy import func, select

from rse_kanban import columns as columns_service
from rse_kanban import health, moving, ranks
from rse_kanban.models import Card, Column, Transition
from rse_kanban.placing import Place

pytestmark = pytest.mark.slow
PROCESSES, EACH, LIMIT = 3, 60, 6

WORKER = """
import json, random, sys
from sqlalchemy import select
from rse_core.api import RseError
from rse_core.runtime import Core
from rse_core.testing.databases import kit_settings
from rse_kanban import plugin, cards, columns, ending, moving, placing
from rse_kanban.cards import Written
from rse_kanban.models import Card
from rse_kanban.placing import Place

url, job = sys.argv[1], json.loads(sys.argv[2])
moving.PER_MINUTE = cards.PER_MINUTE = 100_000
core = Core(kit_settings(database_url=url), plugins=[plugin])
rng, person, boards = random.Random(job["seed"]), job["person"], job["boards"]
print("ready", flush=True)
sys.stdin.readline()
done = {}
for number in range(job["each"]):
    with core.db.read() as session:
        places = [column.id for board in boards for column in placing.columns_of(session, board)]
        known = session.execute(select(Card.id, Card.version, Card.state)).all()
    acts = ["move"] * 8 + ["make"] * 3 + ["archive", "restore", "delete", "many", "remove"]
    act = rng.choice(acts) if known else "make"
    try:
        with core.db.write() as session:
            column = rng.choice(places)
            card = rng.choice(known) if known else None
            if act == "make":
                title = f"{job['seed']}-{number}"
                cards.create(session, person, Place(column, first=rng.random() < 0.3), Written(title=title))
            elif act == "move":
                near = rng.choice(known).id
                place = Place(column, after=near) if rng.random() < 0.5 else Place(column, before=near)
                moving.move(session, person, card.id, place, version=card.version if rng.random() < 0.5 else None)
            elif act == "many":
                some = rng.sample(known, min(len(known), 4))
                moving.move_many(session, person, [(one.id, None) for one in some], Place(column))
            elif act == "archive":
                ending.archive(session, person, card.id)
            elif act == "restore":
                ending.restore(session, person, card.id)
            elif act == "delete":
                ending.delete(session, person, card.id)
            elif act == "remove" and rng.random() < 0.5:
                columns.remove_column(session, person, column, into=rng.choice(places))
        done[act] = done.get(act, 0) + 1
    except RseError as error:
        done[error.code] = done.get(error.code, 0) + 1
core.close()
print(json.dumps(done), flush=True)
"""


def run(core, jobs):
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, core.settings.database_url, json.dumps(job)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for job in jobs
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdout.readline().strip() == "ready", worker.stderr.read()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    found = []
    for worker in workers:
        out, errors = worker.communicate(timeout=240)
        assert worker.returncode == 0, errors
        found.append(json.loads(out.strip().splitlines()[-1]))
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_every_card_is_somewhere_once_whatever_happens_at_once(desk, anna, ben, team, seed):
    boards = [desk.board(anna, f"space:{team.key}", title) for title in ("Un", "Deux")]
    for board in boards:
        for number in range(3):
            values = {"phase": "doing", "wip_limit": LIMIT, "wip_hard": True}
            desk.call(columns_service.add_column, anna.id, board.id, f"Serrée {number}", **values)
    jobs = [
        {"seed": seed * 100 + n, "person": anna.id, "boards": [b.id for b in boards], "each": EACH} for n in range(PROCESSES)
    ]
    done = run(desk.core, jobs)
    with desk.core.db.read() as session:
        cards = session.scalars(select(Card)).all()
        columns = {column.id: column for column in session.scalars(select(Column))}
        placed = [card for card in cards if card.state == "open"]
        assert placed
        assert sum(one.get("make", 0) for one in done) == len(cards)
        for card in cards:
            assert (card.rank is not None) == (card.state == "open")
        for card in placed:
            column = columns[card.column_id]
            assert column.removed_at is None
            assert column.board_id == card.board_id
        assert len({(card.column_id, card.rank) for card in placed}) == len(placed)
        for column in columns.values():
            count = sum(1 for card in placed if card.column_id == column.id)
            assert not column.wip_hard or count <= LIMIT, column.name
        assert health.check(session).ok
        # The transitions say where each card is, too: the figures are made from them.
        last = session.execute(
            select(Transition.card_id, Transition.to_id).where(
                Transition.id.in_(select(func.max(Transition.id)).group_by(Transition.card_id))
            )
        )
        where = {card_id: to_id for card_id, to_id in last}
        for card in cards:
            assert where[card.id] == (card.column_id if card.state == "open" else None)
    assert sum(one.get("move", 0) for one in done) > EACH // 2


def test_many_moves_into_one_gap_spread_the_column_and_keep_its_order(desk, anna, columns):
    first, second, *others = [desk.card(anna, columns[0], str(number)) for number in range(6)]
    rng, order = random.Random(5), [first.id, second.id, *(card.id for card in others)]
    moving_most, moving.PER_MINUTE = moving.PER_MINUTE, 100_000
    try:
        for _ in range(300):
            card = rng.choice(others)
            desk.move(anna, card, columns[0], after=first.id)
            order.remove(card.id)
            order.insert(1, card.id)
    finally:
        moving.PER_MINUTE = moving_most
    with desk.core.db.read() as session:
        found = session.execute(select(Card.id, Card.rank).where(Card.column_id == columns[0].id).order_by(Card.rank)).all()
    assert [row.id for row in found] == order
    assert max(len(row.rank) for row in found) <= ranks.LONGEST


def test_the_doctor_finds_a_card_without_a_place_and_gives_it_one(desk, anna, columns):
    lost, kept = desk.card(anna, columns[0], "perdue"), desk.card(anna, columns[0], "gardée")
    with desk.core.db.write() as session:
        session.get(Card, lost.id).rank = None
    assert not desk.ask(health.check).ok
    assert desk.call(health.repair).ok
    assert desk.titles(columns[0]) == ["gardée", "perdue"]
    assert kept.id


def test_a_neighbour_that_has_gone_is_passed_over(desk, anna, columns):
    first, second, third = (desk.card(anna, columns[0], title) for title in "abc")
    desk.move(anna, first, columns[1])
    desk.move(anna, third, columns[0], after=first.id)
    assert desk.titles(columns[0]) == ["b", "c"]
    with desk.core.db.write() as session:
        moving.move(session, anna.id, third.id, Place(columns[0].id, first=True), version=None)
    assert desk.titles(columns[0]) == ["c", "b"]
    assert second.id
