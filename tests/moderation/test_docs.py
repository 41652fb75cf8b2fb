"""The page “Moderation” says what the code does: capabilities, settings, notifications, addresses, the seam for plugins."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import rse_governance
from rse_core.api import Handling, Level, NotificationType, Setting

PAGE = Path(__file__).resolve().parents[2] / "docs" / "moderation.md"


@pytest.fixture(scope="module")
def page():
    if not PAGE.is_file():
        pytest.skip("the documentation is not beside these tests")
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture
def rse_plugins():
    return [rse_governance.plugin]


def table(page, head):
    """The first two cells of each row of the table with this head."""
    rows = page[page.index(head) :].split("\n\n", 1)[0].splitlines()[2:]
    return [tuple(cell.strip().strip("`") for cell in row.strip("|").split("|")) for row in rows]


def test_capabilities_and_their_levels(core, page):
    said = {row[0]: row[1] for row in table(page, "| capability |")}
    known = core.plugins.capabilities
    real = {key: Level(one.level).name.lower() for key, one in known.items() if key.startswith("governance.")}
    assert said == real


def test_settings_and_their_defaults(core, page):
    said = {row[0]: row[1] for row in table(page, "| setting |")}
    settings = [one for _plugin, one in core.plugins.contributions(Setting) if one.key.startswith("governance.")]
    real = {one.key: str(one.default).lower() for one in settings}
    assert said == real


def test_notifications(core, page):
    said = [row[0] for row in table(page, "| notification |")]
    assert said == list(dict.fromkeys(said))
    real = {one.name for _plugin, one in core.plugins.contributions(NotificationType) if one.name.startswith("governance.")}
    assert set(said) == real


def test_what_a_plugin_can_offer(page):
    said = [row[0].partition("(")[0] for row in table(page, "| of `Handling` |")]
    assert said == [field.name for field in dataclasses.fields(Handling)]


def test_addresses(rse_app, page):
    start = "/api/v1/governance"
    real = {rule.rule.removeprefix(start) for rule in rse_app.url_map.iter_rules() if rule.rule.startswith(start)}
    assert {row[0] for row in table(page, "| address |")} == real
    pages = {f"/rse{rule.rule}" for rule in rse_app.url_map.iter_rules()}
    named = set(re.findall(r"`(/rse/moderation/[a-z]*)", page))
    assert named
    assert named <= pages
