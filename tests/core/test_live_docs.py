"""The page on live says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rse_core import live
from rse_core.commands.live import live as command
from rse_core.live import allowed, hub, rounds
from rse_core.metrics import FromLive
from rse_core.settings import SettingsSchema

PAGE = Path(__file__).parents[2] / "docs" / "live.md"
SCRIPT = Path(live.__file__).parents[1] / "static" / "rse-live.js"


@pytest.fixture(scope="module")
def page():
    if not PAGE.is_file():
        pytest.skip("the documentation is not beside these tests")
    return " ".join(PAGE.read_text(encoding="utf-8").split())


def test_its_limits_are_those_of_the_code(page):
    usual = {option.name: option.default for option in command.params}
    for sentence in (
        f"{usual['streams']:,} pages in one process", f"{allowed.MOST} topics for a page",
        f"{hub.PER_PERSON} pages for a person", f"{live.LONGEST} characters for a topic",
        f"does not read for {hub.SLOW:.0f} seconds", f"After {hub.LIFE / 60:.0f} minutes a stream ends",
        f"more than {hub.FEW} pages", f"at most {hub.LATEST // 1000} seconds later",
        f"about {['', 'a hundred'][1000 // hub.PACE == 100]} ask in a second",
        f"for up to {live.HERE} pages at once", f"rse live --host {usual['host']} --port {usual['port']}",
    ):  # fmt: skip
        assert sentence in page, sentence
    assert rounds.RECHECK == 60
    assert rounds.EVERY + rounds.HOLDS < 5
    assert "every minute, and within five seconds after a person's rights change" in page


def test_its_numbers_are_those_of_the_script(page):
    text = SCRIPT.read_text(encoding="utf-8")
    found = {name: int(value) for name, value in re.findall(r"([A-Z]+) = (\d+)", text)}
    assert (found["EVERY"], found["AWAY"], found["SAFE"]) == (30_000, 10_000, 300_000)
    assert "the feed's bar every 30 seconds" in page
    assert "none ten seconds after it is hidden" in page
    assert "every five minutes after that" in page


def test_its_metrics_and_settings_exist(page, rse_core):
    core = rse_core()
    core.live.hub = hub.Hub(total=1)
    names = set()
    for family in FromLive(core).collect():
        names.add(family.name + ("_total" if family.type == "counter" else ""))
    core.live.hub = None
    assert set(re.findall(r"`(rse_live_\w+)`", page)) <= names
    assert "live" in SettingsSchema().fields
