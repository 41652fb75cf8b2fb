"""The page on the architecture names what exists."""

from __future__ import annotations

import importlib
import inspect
import pathlib
import re

import pytest

import rse_core
from rse_core.pages import PageClaim

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "architecture.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the pages are not part of a wheel")


def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_every_module_of_the_layers_exists_and_every_module_is_in_a_layer():
    table = text().split("## The layers")[1].split("A service is")[0]
    named = {name.rstrip("/").split(".")[0] for name in re.findall(r"`([a-z_]+/?)`", table)}
    root = pathlib.Path(rse_core.__file__).parent
    for name in named:
        importlib.import_module(f"rse_core.{name}")
    present = {path.stem for path in root.glob("*.py")} | {path.parent.name for path in root.glob("*/__init__.py")}
    core = {"policy", "cursor", "people", "audiences", "roles", "jobs", "events", "pages", "manager", "notify", "models"}
    assert core <= named & present


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("policy", ("can", "require", "touch", "level_of")),
        ("people", ("get", "by_username", "names", "for_identity")),
        ("audiences", ("everyone", "of_entity", "of_group", "of_space", "visible", "refresh")),
        ("roles", ("grant", "revoke", "list_grants", "is_site_admin", "moderates", "administers")),
        ("notify", ("notify", "withdraw")),
        ("moderation", ("hold", "decide")),
        ("charter", ("publish", "in_force", "accept")),
        ("suspensions", ("suspend", "lift")),
        ("objects", ("resolve", "seen")),
        ("webapi", ("current_person", "viewer", "session_read", "session_write", "fragment_response")),
    ],
)
def test_functions_that_the_page_names_exist(module, names):
    page, loaded = text(), importlib.import_module(f"rse_core.{module}")
    for name in names:
        assert name in page, f"the page does not name {module}.{name}"
        assert callable(getattr(loaded, name)), name


def test_a_page_claim_is_as_the_page_says():
    parameters = re.search(r"`PageClaim\(([^)]*)\)`", text())
    assert parameters is not None
    named = [part.split("=")[0].strip() for part in parameters[1].split(",")]
    assert named == list(inspect.signature(PageClaim).parameters)
