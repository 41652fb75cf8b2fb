"""The rollout's screens and resources: the same text, the same acts, for site administrators alone."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from sqlalchemy import select

from rse_core import roles, rollout
from rse_core.api import Actor
from rse_core.models.rollout import RolloutPlan, RolloutWave

API = "/rse/api/v1/rollout/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC), tick=False) as found:
        yield found


def stored(core):
    with core.db.read() as session:
        return session.scalar(select(RolloutPlan))


def test_a_plan_is_written_checked_previewed_and_applied(core, page, free):
    assert "There is no plan yet" in page.get("")[1]
    status, html = page.post("edit", text=free.replace("cpam-69", "cpam-96"), act="apply")
    assert status == 422
    assert "line 7: There is no entity “cpam-96”." in html
    assert "cpam-96" in html.split("<textarea")[1]
    assert stored(core) is None
    status, html = page.post("edit", text=free, act="preview", why="Decided")
    assert (status, stored(core)) == (200, None)
    assert re.search(r'<th scope="row">Cpam-75</th><td class="rse-num">1</td>', html)
    assert 'value="apply"' in html
    assert page.post("edit", text=free, act="apply", why="Decided")[0] == 303
    assert stored(core).applied_version == 1
    html = page.get("")[1]
    assert 'id="wave-pilot"' in html
    assert "planned" in html


def test_the_screens_and_the_file_are_one_text(core, page, free, rse, plan_file):
    rse("rollout", "apply", plan_file(free))
    assert 'starts = 2026-06-01' in page.get("edit?plan=generalisation")[1]
    form = {
        "plan": "generalisation", "wave": "pilot", "version": "1", "name": "pilot", "starts": "2026-07-01", "level": "2",
        "entities": "cpam-75", "groups": "", "after": "", "min_weeks": "", "window_weeks": "",
    }  # fmt: skip
    assert page.post("wave", **form)[0] == 303
    text = stored(core).text
    assert "starts = 2026-07-01" in text
    assert 'level = "comment"' in text
    assert "no fault" in rse("rollout", "check", "generalisation")
    assert stored(core).applied_version == 1, "nothing was opened by saving"


def test_a_wave_is_added_with_its_conditions_and_a_faulty_one_keeps_what_was_typed(core, page, free):
    page.post("edit", text=free, act="save")
    form = {
        "plan": "generalisation", "wave": "", "version": "1", "name": "managers", "starts": "2027-03-01", "level": "1",
        "entities": "", "groups": "communication", "after": "pilot", "min_weeks": "26", "window_weeks": "8",
        "engagement_rate": "17,5",
    }  # fmt: skip
    status, html = page.post("wave", **form)
    assert status == 422
    assert "overlap: both name “communication”" in html
    assert 'value="17,5"' in html
    status, html = page.post("wave", **{**form, "starts": "soon"})
    assert status == 422
    assert "Write it as 2027-01-31." in html
    assert page.post("wave", **{**form, "groups": "", "entities": "unit-75"})[0] == 303
    assert "engagement_rate = 0.175" in stored(core).text


def test_a_plan_that_somebody_else_has_changed_is_not_overwritten(core, page, free):
    page.post("edit", text=free, act="save")
    page.post("edit", text=free.replace("2027-01-01", "2027-02-01"), act="save", plan="generalisation", version="1")
    status, html = page.post("edit", text=free, act="save", plan="generalisation", version="1")
    assert status == 409
    assert "Somebody else has changed this plan meanwhile." in html
    assert "2027-02-01" in stored(core).text


def test_waves_are_held_resumed_and_rolled_back_with_a_reason(core, page, free, clock):
    page.post("edit", text=free, act="apply")
    assert page.post("act", wave="pilot", act="hold", why="A strike")[0] == 303
    html = page.get("")[1]
    assert "A strike" in html
    assert page.post("act", wave="pilot", act="hold")[0] == 303
    assert page.post("act", wave="pilot", act="resume")[0] == 303
    clock.move_to(dt.datetime(2026, 7, 1, tzinfo=dt.UTC))
    assert page.post("act", wave="pilot", act="hold")[0] == 409
    assert page.post("act", wave="pilot", act="rollback")[0] == 303
    assert page.post("act", wave="pilot", act="burn")[0] == 422
    assert page.post("act", wave="nowhere", act="hold")[0] == 404


def test_the_sheet_has_the_conditions_the_figures_and_the_guard_against_early_verdicts(core, page, gated, clock):
    page.post("edit", text=gated, act="apply")
    with core.db.read() as session:
        wave = session.scalar(select(RolloutWave.id).where(RolloutWave.name == "wave-1"))
    clock.move_to(dt.datetime(2026, 7, 15, tzinfo=dt.UTC))
    html = page.get(f"{wave}/sheet")[1]
    assert "Not all conditions are met." in html
    assert "“pilot” has been open for 6 full weeks; 24 are asked." in html
    assert "Too early for a verdict: open for 6 full weeks." in html
    assert "not known, or of too few people to be shown" in html
    clock.move_to(dt.datetime(2026, 12, 15, tzinfo=dt.UTC))
    assert "Too early" not in page.get(f"{wave}/sheet")[1]
    assert page.get("999999/sheet")[0] == 404


@pytest.mark.parametrize("path", ["", "edit", "edit?plan=generalisation", "wave?plan=generalisation", "1/sheet"])
def test_an_administrator_of_an_entity_has_none_of_it(core, organisation, rse_client, as_person, free, path):
    with core.db.write() as session:
        rollout.apply(session, core, free, actor=Actor("test"))
        roles.grant(
            session, organisation["lyon!"].id, "entity_admin", scope="entity", scope_id=organisation["cpam-69"].id,
            actor=Actor("test"),
        )  # fmt: skip
    as_person(rse_client, organisation["lyon!"])
    assert rse_client.get("/rse/admin/rollout/" + path).status_code == 403
    as_person(rse_client, organisation["paris!"])
    assert rse_client.get("/rse/admin/rollout/" + path).status_code == 403
    assert rse_client.get(API + "waves").status_code == 403


def test_the_resources_do_what_the_screens_do(core, rse_client, as_person, boss, free, page):
    as_person(rse_client, boss)
    html = rse_client.get("/rse/admin/rollout/edit").get_data(as_text=True)
    headers = {"X-RSE-CSRF": re.search(r'name="csrf_token" value="([^"]+)"', html)[1], "Origin": "http://localhost"}

    def post(path, **body):
        answer = rse_client.post(API + path, json=body, headers=headers)
        return answer.status_code, answer.get_json()

    assert post("check", text=free.replace("cpam-69", "cpam-96"))[1]["faults"][0]["line"] == 7
    status, effects = post("preview", text=free)
    assert (status, effects[0]["gains"]) == (200, {"talk.react": 4, "talk.comment": 4, "talk.post": 4})
    assert stored(core) is None
    assert [one["state"] for one in post("apply", text=free, why="Decided")[1]] == ["planned", "planned"]
    assert post("apply", text="nonsense")[0] == 422
    assert post("waves/pilot", act="hold", why="A strike")[1]["state"] == "held"
    assert post("waves/pilot", act="burn")[0] == 422
    waves = rse_client.get(API + "waves").get_json()
    told = [(one["wave"], one["state"], one["why"]) for one in waves]
    assert told == [("pilot", "held", "A strike"), ("wave-1", "planned", "Decided")]
    assert rse_client.post(API + "apply", json={"text": free}).status_code == 403
