"""The demo's rollout: a plan of two waves that was applied, and figures for those who accompany it."""

from __future__ import annotations

import datetime as dt

import pytest
from rse_example_intranet import demo, demo_rollout, demo_seed
from rse_example_intranet.demo_bar import SWITCH
from rse_example_intranet.demo_guard import Permit
from rse_example_intranet.demo_identity import DemoIdentity
from sqlalchemy import select
from werkzeug.test import Client
from werkzeug.wrappers import Response

from rse_core import people, rollout_check, rollout_status, wave_figures
from rse_core.api import can, utcnow
from rse_core.indicators_figures import Asked, ask
from rse_core.models.rollout import RolloutPlan
from rse_core.runtime import Core

LOCAL = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8400", "HTTP_ACCEPT": "text/html"}


def test_a_plan_of_two_waves_is_applied_and_has_no_fault(demo_core: Core) -> None:
    with demo_core.db.read() as session:
        plan = session.scalars(select(RolloutPlan)).one()
        assert rollout_check.faults_of(session, plan.text) == []
        assert plan.applied_version == plan.version
        first, second = rollout_status.status(session, plan)
    assert (first.name, first.state, first.people) == ("Pilote", "open", 30)
    assert (second.name, second.state, second.people) == ("Vague 2", "planned", 8)
    assert first.opened_at is not None
    assert dt.timedelta(days=33) < utcnow() - first.opened_at < dt.timedelta(days=36)
    assert first.early, "four weeks are no verdict"


def test_whoever_waits_is_told_the_wave_and_its_date(demo_core: Core) -> None:
    with demo_core.db.read() as session:
        chloe = people.by_username(session, "chloe.bremond").id
        said = str(can(session, chloe, "comments.write").message)
    assert "Vague 2" in said
    assert str((utcnow() + demo_seed.COMING).year) in said


def test_the_pilots_figures_are_of_enough_people_to_be_shown(demo_core: Core) -> None:
    with demo_core.db.read() as session:
        found = {one.name: one for one in wave_figures.figures(session, demo_core, "Pilote").counts}
        last = utcnow().date() - dt.timedelta(days=1)
        asked = Asked("connection_rate", last - dt.timedelta(days=27), last, "wave", only=("Vague 2",))
        [few] = ask(session, demo_core, asked).figures
    for name in ("connection_rate", "engagement_rate"):
        assert found[name].done == 30 - demo_rollout.AWAY, name
        assert found[name].left == demo_rollout.AWAY
    assert few.suppressed, "seven people, the ambassador aside"


@pytest.mark.parametrize("username", ["maelle.quintin", "ghislaine.thevenet"])
def test_the_ambassador_and_the_manager_have_their_page(
    demo_core: Core, demo_permit: Permit, username: str
) -> None:
    client = Client(demo.wrap(demo_core, DemoIdentity(demo_permit)), Response)
    assert client.post(SWITCH, data={"account": username}, environ_overrides=LOCAL).status_code == 303
    page = client.get("/rse/indicators/mine/", environ_overrides=LOCAL)
    assert page.status_code == 200
    assert "La vague « Pilote »" in page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert '<td class="rse-num">18</td><td class="rse-num">12</td>' in page.text
    assert "Trop tôt pour un verdict" in page.text
    assert client.get("/rse/admin/rollout/", environ_overrides=LOCAL).status_code == 403
