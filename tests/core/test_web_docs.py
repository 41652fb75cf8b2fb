"""The page on requests names what exists."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask

import rse_core
import rse_core.webapi as webapi

PAGE = Path(__file__).parents[2] / "docs" / "requests.md"
SOURCE = Path(rse_core.__file__).parent


def test_every_module_that_the_page_names_exists() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:web|rest)/\w+\.py)`", text))
    assert len(named) > 5
    assert [name for name in named if not (SOURCE / name).is_file()] == []


def test_every_name_that_the_page_imports_from_webapi_is_public() -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = re.findall(r"from rse_core\.webapi import (.+)", text)
    assert lines
    for name in ", ".join(lines).split(", "):
        assert name in webapi.__all__


def test_every_address_that_the_page_names_is_served(rse_app: Flask) -> None:
    text = PAGE.read_text(encoding="utf-8")
    rules = {rule.rule for rule in rse_app.url_map.iter_rules()}
    for address in set(re.findall(r"/rse(/(?:healthz|readyz|metrics|embed/[\w/<>]+|api/v1/[\w.]+))", text)):
        assert address.replace("<slot>", "<slot>") in rules, address


def test_everything_public_is_described() -> None:
    bare = [name for name in webapi.__all__ if not (getattr(webapi, name).__doc__ or "").strip()]
    assert bare == []
