"""The plugin alone on the core."""

from __future__ import annotations

import pytest

from rse_core.testing.organisation import make_person, set_level
from rse_likes import plugin


@pytest.fixture
def rse_plugins():
    return [plugin]


@pytest.fixture
def site(core):
    """A core whose site stands at REACT, with two people."""
    set_level(core, "react")
    return core


@pytest.fixture
def anna(site):
    return make_person(site, "anna", name="Anna Sérès")


@pytest.fixture
def ben(site):
    return make_person(site, "ben", name="Benoît Œuvrard")
