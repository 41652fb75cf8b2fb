"""Two hundred reactions and withdrawals at once, from four real processes, leave exact counts."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from sqlalchemy import func, select

from rse_core.api import ObjectRef
from rse_core.testing.organisation import make_person, set_level
from rse_likes import health, service
from rse_likes.models import Reaction

pytestmark = pytest.mark.slow
PAGE = ObjectRef("page", "/news/hot")
PROCESSES, EACH = 4, 50

WORKER = """
import json, sys
from rse_core.runtime import Core
from rse_core.testing.databases import kit_settings
from rse_core.api import ObjectRef
from rse_likes import plugin, service

url, acts = sys.argv[1], json.loads(sys.argv[2])
core = Core(kit_settings(database_url=url), plugins=[plugin])
page = ObjectRef("page", "/news/hot")
print("ready", flush=True)
sys.stdin.readline()
for person, kind in acts:
    with core.db.write() as session:
        if kind:
            service.react(session, person, page, kind)
        else:
            service.unreact(session, person, page)
core.close()
"""


def run(core, plans):
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, core.settings.database_url, json.dumps(plan)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for plan in plans
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdout.readline().strip() == "ready", worker.stderr.read()
    # All begin together, once every one has started up.
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        _out, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors


def test_counts_are_exact_after_two_hundred_acts_from_four_processes(core):
    set_level(core, "react")
    people = [make_person(core) for _ in range(20)]
    kinds = ["like", "useful", "bravo", "thanks", None]
    # Every process acts for the same people, on the same page, in another order: they collide all the time.
    plans = [
        [(people[(i * (p + 3)) % 20].id, kinds[(i + p) % 5]) for i in range(EACH)] for p in range(PROCESSES)
    ]  # fmt: skip
    run(core, plans)
    with core.db.read() as session:
        assert health.wrong_counters(session) == 0
        rows = session.scalar(select(func.count()).select_from(Reaction)) or 0
        assert sum(service.counts(session, [PAGE]).get(PAGE, {}).values()) == rows
        assert rows > 0
        assert session.scalar(select(func.count(func.distinct(Reaction.person_id)))) == rows


def test_a_double_click_from_two_processes_reacts_once(core):
    set_level(core, "react")
    person = make_person(core)
    run(core, [[(person.id, "like")]] * PROCESSES)
    with core.db.read() as session:
        assert service.counts(session, [PAGE]) == {PAGE: {"like": 1}}
