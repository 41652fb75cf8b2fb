"""What a plan and its forms hold by mistake or by malice, and what several do at once: a sentence each, never an error."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from sqlalchemy import func, select

from rse_core import rollout
from rse_core.api import Actor
from rse_core.errors import Conflict, RseError
from rse_core.models.levels import LevelRow
from rse_core.models.rollout import RolloutPlan, RolloutWave

ACTOR = Actor("boss")
WAVE = {
    "plan": "generalisation", "wave": "", "version": "1", "name": "late", "starts": "2027-03-01", "level": "1",
    "entities": "unit-75", "groups": "", "after": "pilot", "min_weeks": "26", "window_weeks": "8", "engagement_rate": "17,5",
}  # fmt: skip


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC), tick=False) as found:
        yield found


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("starts = 2026-06-01", "starts = 2026-06-31", 5, "There is no such day."),
        ("starts = 2026-06-01", "starts = 0001-01-01", 5, "from 2000-01-01 to 2999-12-31"),
        ("starts = 2027-01-01", "starts = 9999-12-31", 12, "from 2000-01-01 to 2999-12-31"),
        ("starts = 2026-06-01", "starts = 2026-06-01T10:00:00", 5, "must be a date without quotes"),
        ('level = "comment"', "level = true", 13, "“True” is not a level."),
        ('level = "comment"', f"level = {'9' * 5_000}", 1, "a number that is too long"),
        ('level = "comment"', f"level = {'[' * 20_000}{']' * 20_000}", 1, "brackets within brackets"),
        ('"cpam-69"', '"cpam-75"', 7, "The wave “pilot” names “cpam-75” twice."),
        ('"cpam-69"', '"cpam\\u000069"', 7, "There is no entity"),
        ('name = "generalisation"', 'name = "generalisation"\nowners = ["x\\u0000"]', 2, "There is no person"),
    ],
)
def test_what_no_plan_can_hold_is_named_with_its_line(core, organisation, free, old, new, line, words, faults):
    found = faults(free.replace(old, new, 1))
    assert [number for number, message in found if words in message] == [line], found


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"min_weeks": "inf"}, 422, "Give a whole number."),
        ({"min_weeks": "2.7"}, 422, "Give a whole number."),
        ({"window_weeks": "9" * 5_000}, 422, "Give a whole number."),
        ({"engagement_rate": "nan"}, 422, "Give a number."),
        ({"starts": "9999-12-31"}, 422, "from 2000-01-01 to 2999-12-31"),
        ({"entities": "un\x00it"}, 422, "There is no entity"),
        ({"wave": "forgotten"}, 409, "has no wave “forgotten” any more"),
        ({"version": "x"}, 409, "Somebody else has changed this plan"),
    ],
)
def test_a_wave_that_cannot_be_is_told_in_its_form(core, page, free, change, status, words):
    page.post("edit", text=free, act="save")
    answered, html = page.post("wave", **{**WAVE, **change})
    assert (answered, words in html) == (status, True)
    assert "line 1" not in html, "whoever fills in a form has not seen the text"
    with core.db.read() as session:
        assert session.scalar(select(RolloutPlan.text)) == free


def test_names_reasons_and_numbers_that_no_row_can_have_are_refused(page, free):
    page.post("edit", text=free, act="apply")
    assert page.post("act", act="hold", wave="pi\x00lot")[0] == 404
    for why in ("x" * 2_001, "nul\x00"):
        assert page.post("act", act="hold", wave="pilot", why=why)[0] == 422
        assert page.post("edit", text=free + "\n", act="apply", plan="generalisation", version="1", why=why)[0] == 422
    for path in ("edit?plan=%00", "wave?plan=generalisation&wave=%00", f"{9 * 10**30}/sheet", f"{'9' * 5_000}/sheet"):
        assert page.get(path)[0] == 404
    assert page.post("edit", text="x" * 300_000, act="check")[0] == 422
    assert page.post("edit", text="x" * 3_000_000, act="check")[0] == 413


def test_a_new_plan_does_not_take_the_place_of_one_of_the_same_name(core, page, free):
    page.post("edit", text=free, act="apply")
    other = free.replace("2026-06-01", "2026-07-01")
    for act in ("save", "apply"):
        status, html = page.post("edit", text=other, act=act)
        assert status == 409
        assert "There is a plan called “generalisation” already." in html
        assert "2026-07-01" in html.split("<textarea")[1]
    with core.db.read() as session:
        assert session.scalar(select(RolloutPlan.text)) == free


def test_a_second_click_on_apply_is_no_conflict(core, page, free):
    page.post("edit", text=free, act="save")
    other = free.replace("2026-06-01", "2026-07-01")
    for _click in range(2):
        assert page.post("edit", text=other, act="apply", plan="generalisation", version="1")[0] == 303
    stale = page.post("edit", text=free, act="apply", plan="generalisation", version="1")
    assert stale[0] == 409
    assert "Somebody else has changed this plan meanwhile." in stale[1]


def at_once(core, act, times=4):
    """What several threads were answered that did the same at one moment."""

    def once(_number):
        try:
            with core.db.write() as session:
                return act(session)
        except RseError as error:
            return error

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(once, range(times)))


def rows(core):
    with core.db.read() as session:
        return session.scalar(select(func.count()).select_from(LevelRow))


def test_several_clicks_at_once_apply_hold_and_roll_back_once(core, organisation, free, level):
    now = free.replace("2026-06-01", "2026-02-01")
    outcomes = at_once(core, lambda session: rollout.apply(session, core, now, actor=ACTOR))
    assert sorted(any(one.changed for one in some) for some in outcomes) == [False, False, False, True]
    assert rows(core) == 5, "the pilot's three and those of the two entities that are left"
    held = at_once(core, lambda session: rollout.hold(session, core, "wave-1", actor=ACTOR))
    assert sorted(one.taken_back for one in held) == [0, 0, 0, 2]
    back = at_once(core, lambda session: rollout.rollback(session, core, "pilot", actor=ACTOR))
    assert sorted(one.taken_back for one in back) == [0, 0, 0, 3]
    assert level("paris") == 0
    with core.db.read() as session:
        assert set(session.scalars(select(RolloutWave.state))) == {"held", "rolled_back"}


def test_of_two_first_texts_of_a_plan_one_is_kept(core, organisation, free):
    other = free.replace("2026-06-01", "2026-07-01")
    texts = iter((free, other, free, other))
    found = at_once(core, lambda session: rollout.save(session, next(texts), actor=ACTOR, expect=0).text)
    kept = {one for one in found if isinstance(one, str)}
    assert len(kept) == 1
    # What threads are told is in the site's language.
    assert {type(one) for one in found} == {str, Conflict}
