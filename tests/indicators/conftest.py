"""The company of the rollout's tests, smaller."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
from pathlib import Path

import pytest
import time_machine

from rse_core import rollout
from rse_core.api import Actor
from rse_core.i18n import use_locale

# Test files are no package here: the company is loaded under a name of its own.
_path = Path(__file__).resolve().parents[1] / "rollout" / "company.py"
_spec = importlib.util.spec_from_file_location("indicators_company", _path)
sys.modules[_spec.name] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules[_spec.name])


@pytest.fixture(autouse=True)
def english():
    with use_locale("en"):
        yield


@pytest.fixture
def clock():
    """The second of January 2026, noon, and standing still."""
    with time_machine.travel(dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC), tick=False) as found:
        yield found


@pytest.fixture
def company(core, clock):
    """``company(sizes)`` makes entities of these sizes, noted in the history on the second of January 2026."""
    from indicators_company import Company

    from rse_core import indicators_roll

    def make(sizes, **more):
        found = Company(core, sizes, start=dt.date(2026, 1, 2), **more)
        with core.db.write() as session:
            indicators_roll.roll_up(session)
        return found

    return make


@pytest.fixture
def two_waves(core):
    """``two_waves("2026-01-10")``: applies a plan whose pilot of two entities and a group begins then, the rest in March."""

    def apply(starts, entities=("e000", "e001")):
        named = ", ".join(f'"{key}"' for key in entities)
        text = f"""
name = "plan"
[[wave]]
name = "pilot"
starts = {starts}
level = "contribute"
entities = [{named}]
groups = ["communication"]
[[wave]]
name = "rest"
starts = 2026-03-01
level = "react"
entities = ["*"]
"""
        with core.db.write() as session:
            rollout.apply(session, core, text, actor=Actor("boss"))

    return apply
