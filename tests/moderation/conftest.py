"""Governance beside the plugins in which people write, on a site that stands at CONTRIBUTE."""

from __future__ import annotations

import pytest

import rse_comments
import rse_feed
import rse_governance
import rse_search
from rse_core import moderation, roles
from rse_core.api import Actor
from rse_core.i18n import use_locale
from rse_core.testing.organisation import make_person, set_level

ACTOR = Actor("cli:tests")


@pytest.fixture(autouse=True)
def _in_english():
    with use_locale("en"):
        yield


@pytest.fixture
def rse_plugins():
    return [rse_comments.plugin, rse_feed.plugin, rse_search.plugin, rse_governance.plugin]


@pytest.fixture
def site(core):
    set_level(core, "contribute")
    return core


@pytest.fixture
def people(site):
    """Colleagues by name; ``mo`` moderates the site."""
    some = {name: make_person(site, name, name=f"{name.title()} Dubois") for name in ("anna", "ben", "mo")}
    with site.db.write() as session:
        roles.grant(session, some["mo"].id, "moderator", actor=ACTOR)
    return some


@pytest.fixture
def zora(site, people):
    """Another who moderates the site: nobody decides on an appeal against their own decision."""
    person = make_person(site, "zora", name="Zora Dubois")
    with site.db.write() as session:
        roles.grant(session, person.id, "moderator", actor=ACTOR)
    return person


@pytest.fixture
def moderated(site, people):
    """Everything is read by a moderator first."""
    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=ACTOR, subject="site")
