"""The pages “rollout” and “indicators” say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rse_core import indicators_built, rollout_gates, rollout_plan
from rse_core.cli import cli
from rse_core.indicators_frame import LEAST
from rse_core.rollout_check import faults_of
from rse_core.settings import Settings, SettingsSchema
from rse_core.testing.organisation import make_entity, make_group, make_person

DOCS = Path(__file__).resolve().parents[2] / "docs"


def page(name):
    path = DOCS / name
    if not path.is_file():
        pytest.skip("the documentation is not beside these tests")
    return path.read_text(encoding="utf-8")


def table(text, heading):
    """The first column of the first table below a heading, each cell's words in code."""
    part = text.split(f"## {heading}", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [re.findall(r"`([^`]+)`", row.split("|")[1]) for row in rows]


def test_the_plan_of_the_page_has_no_fault(core):
    for key in ("cpam-75", "cpam-69", "cpam-13"):
        make_entity(core, key)
    make_group(core, "communication")
    make_person(core, "hdupont")
    plan = re.search(r"<!-- plan -->\n```toml\n(.*?)```", page("rollout.md"), re.S)[1]
    with core.db.read() as session:
        assert faults_of(session, plan) == []


def test_the_page_names_every_key_of_a_plan_and_no_other():
    named = {name for names in table(page("rollout.md"), "The keys") for name in names}
    assert named == {*rollout_plan._TOP, *rollout_plan._WAVE, *rollout_plan._GATE}


def test_the_page_names_every_state_and_every_command():
    text = page("rollout.md")
    states = [names[0] for names in table(text, "What a wave does")]
    assert states == ["planned", "waiting", "closed", "open", "held", "rolled_back", "gone"]
    named = set(re.findall(r"^    rse rollout (\w+)", text, re.M))
    assert named == set(cli.commands["rollout"].commands)
    assert f"Under {rollout_gates.EARLY_WEEKS} weeks" in " ".join(text.split())
    assert f"{rollout_plan.WINDOW_WEEKS} when not given" in text


def test_the_page_names_every_indicator_of_the_core_and_the_numbers_of_the_rule():
    text = page("indicators.md")
    assert [names[0] for names in table(text, "What is counted")] == [one.name for one in indicators_built.BUILT_IN]
    assert f"fewer than {LEAST} people" in text
    assert f"`indicator_months` ({Settings().indicator_months} by default" in text
    assert "indicator_months" in SettingsSchema().fields


def test_the_page_names_tables_that_exist():
    from rse_core import models  # noqa: F401
    from rse_core.db import metadata

    named = {name for names in table(page("indicators.md"), "What is kept of single people") for name in names}
    assert named <= set(metadata.tables)
    assert len(named) == 11


def test_the_page_names_every_command_of_the_plugin():
    commands = pytest.importorskip("rse_indicators.commands", reason="rse-indicators is not installed")
    named = set(re.findall(r"^    rse indicators (\w+)", page("indicators.md"), re.M))
    assert named == set(commands.indicators.commands)
