"""The page on the organisation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rse_core import audiences, importer, roles
from rse_core.cli import cli
from rse_core.importer import planning

PAGE = Path(__file__).parents[2] / "docs" / "organisation.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_columns_on_the_page_are_those_of_the_import(page):
    for columns in (importer.ENTITY_COLUMNS, importer.PEOPLE_COLUMNS, importer.GROUP_COLUMNS):
        assert f"`{','.join(columns)}`" in page
    assert f"more than {planning.MASS_DISABLE_PERCENT} %" in page


def test_the_table_of_roles_is_complete(page):
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", page, re.MULTILINE))
    assert {role: tuple(re.findall(r"--(\w+)", scopes)) for role, scopes in rows.items()} == roles.ROLES


def test_every_option_on_the_page_exists(page):
    found = re.findall(r"^(?:rse|.*`rse) (\w+) (\w+)(.*)$", page, re.MULTILINE)
    assert len(found) >= 5
    for group, name, rest in found:
        command = cli.get_command(None, group).get_command(None, name)
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest.split("`")[0])) <= known


def test_every_function_on_the_page_exists(page):
    for name in ("everyone", "of_entity", "of_group", "of_space", "of_members", "refresh", "visible"):
        assert f"{name}" in page
        assert callable(getattr(audiences, name))
