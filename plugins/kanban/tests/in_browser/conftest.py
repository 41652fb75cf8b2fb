"""A served site with a board of a space that Anna runs and Ben is a member of."""

from __future__ import annotations

import pytest

from rse_core.testing.organisation import make_person, make_space, set_level
from rse_kanban import plugin


@pytest.fixture
def site(rse_site, tmp_path):
    made = rse_site([plugin], data_dir=str(tmp_path))
    set_level(made.core, "collaborate")
    return made


@pytest.fixture
def desk(site, make_desk):
    return make_desk(site.core)


@pytest.fixture
def anna(site):
    return make_person(site.core, "anna", name="Anna Sérès")


@pytest.fixture
def ben(site):
    return make_person(site.core, "ben", name="Benoît Œuvrard")


@pytest.fixture
def board(site, desk, anna, ben):
    make_space(site.core, "garden", name="Jardin", members=[ben], managers=[anna])
    return desk.board(anna, "space:garden", "Plan de travail")
