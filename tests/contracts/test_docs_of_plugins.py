"""The page “Plugins” says what the code does: hooks, signatures, the example, the numbers."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from rse_core import hookspecs, isolation
from rse_core.testing import assert_plugin_contract

PAGE = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"


@pytest.fixture(scope="module")
def page():
    if not PAGE.is_file():
        pytest.skip("the documentation is not beside these tests")
    return PAGE.read_text(encoding="utf-8")


def signature(name, function):
    """A hook as the page writes it."""
    given = inspect.signature(function)
    arguments = [f"{p.name}: {p.annotation}" for p in list(given.parameters.values())[1:]]
    return f"{name}({', '.join(arguments)}) -> {given.return_annotation}"


def test_the_page_lists_every_hook_with_its_signature_and_no_other(page):
    hooks = [
        signature(n, f)
        for holder in (hookspecs.Start, hookspecs.Run)
        for n, f in vars(holder).items()
        if n.startswith("rse_")
    ]
    assert re.findall(r"^### `(.+)`$", page, re.M) == hooks


def test_every_hook_says_when_it_was_added(page):
    sections = re.split(r"^### `(rse_\w+).*$", page, flags=re.M)[1:]
    texts = dict(zip(sections[::2], sections[1::2], strict=True))
    assert [name for name, text in texts.items() if "*0." not in text] == []


def test_the_smallest_plugin_of_the_page_keeps_the_contract(page):
    block = next(b for b in re.findall(r"```python\n(.*?)```", page, re.S) if "class Kudos" in b)
    names = {}
    exec(compile(block, str(PAGE), "exec"), names)
    assert_plugin_contract(names["plugin"])


def test_the_numbers_of_the_page_are_those_of_the_code(page):
    wanted = (
        f"fails {isolation.LIMIT} times within {isolation.WITHIN:.0f} seconds is muted for {isolation.MUTED:.0f} seconds"
    )
    assert wanted in " ".join(page.split())


def test_the_fixtures_of_the_page_exist(page):
    from rse_core.testing import plugin

    table = page[page.index("| fixture | gives |") :].split("\n\n", 1)[0]
    named = [n for row in table.splitlines()[2:] for n in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert named
    assert [name for name in named if not hasattr(plugin, name)] == []


def test_the_environment_variables_of_the_page_are_settings(page):
    from rse_core.settings import SettingsSchema

    known = {f"RSE_{key.upper()}" for key in SettingsSchema().fields}
    named = set(re.findall(r"RSE_[A-Z_]+\b", page)) - {"RSE_KUDOS_", "RSE_TEST_POSTGRES_URL", "RSE_TEST_REQUIRE"}
    assert named <= known, named - known
