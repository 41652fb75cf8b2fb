"""Boards beside the feed and search, on a site that stands at COLLABORATE."""

from __future__ import annotations

import pytest

import rse_comments
import rse_feed
import rse_kanban
import rse_search
from rse_core.i18n import use_locale
from rse_core.testing.organisation import make_person, make_space, set_level
from rse_kanban import boards


@pytest.fixture(autouse=True)
def _in_english():
    with use_locale("en"):
        yield


@pytest.fixture
def rse_plugins():
    return [rse_comments.plugin, rse_feed.plugin, rse_search.plugin, rse_kanban.plugin]


@pytest.fixture
def site(core):
    set_level(core, "collaborate")
    return core


@pytest.fixture
def anna(site):
    return make_person(site, "anna", name="Anna Sérès")


@pytest.fixture
def ben(site):
    return make_person(site, "ben", name="Benoît Œuvrard")


@pytest.fixture
def board(site, anna, ben):
    """A board of a space that anna runs and ben is a member of; its number."""
    make_space(site, "garden", name="Jardin", members=[ben], managers=[anna])
    with site.db.write() as session:
        return boards.create(session, anna.id, "space:garden", "Chantier").id
