"""The plugin beside those that it tells of, and one of a vendor's that says nothing of itself."""

from __future__ import annotations

import pytest

import rse_comments
import rse_feed
import rse_likes
import rse_notifications
import rse_search
from rse_core.api import Capability, Level, Manifest, Plugin, hookimpl
from rse_core.extension import create_app
from rse_core.testing import as_person
from rse_core.testing.organisation import make_entity, make_person, set_level
from rse_onboarding import plugin


class Polls(Plugin):
    """A vendor's, without steps of its own."""

    manifest = Manifest(name="polls", label="Polls")

    @hookimpl
    def rse_capabilities(self):
        return [
            Capability("polls.vote", "Vote in polls", Level.REACT, description="One vote for each."),
            Capability("polls.manage", "Run polls", Level.REACT, default_who="managers"),
        ]


@pytest.fixture
def rse_plugins():
    modules = (rse_likes, rse_comments, rse_feed, rse_notifications, rse_search)
    return [plugin, *(module.plugin for module in modules), Polls()]


@pytest.fixture
def north(core):
    return make_entity(core, "north", name="North")


@pytest.fixture
def anna(core, north):
    return make_person(core, "anna", name="Anna Sérès", entity=north, locale="en")


@pytest.fixture
def visit(core):
    """``visit(anna)``: her browser."""
    app = create_app(core)
    return lambda person: as_person(app.test_client(), person)


@pytest.fixture
def send(core):
    """``send(client, method, path, …)``: a request with the token that the client was given."""

    def send(client, method, path, **values):
        token = client.get("/rse/embed/slots?address=/&slots=top").headers["X-RSE-CSRF"]
        return getattr(client, method)(path, headers={"X-RSE-CSRF": token, **values.pop("headers", {})}, **values)

    return send


@pytest.fixture
def level(core, north):
    """``level("comment")``: of the entity, from now on."""
    return lambda name, **values: set_level(core, name, entity=north, **values)
