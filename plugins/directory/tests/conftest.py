"""A small organisation with a directory, and short ways to look at it as somebody."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from rse_core.api import Actor
from rse_core.extension import create_app
from rse_core.models.organisation import Person
from rse_core.testing import as_person
from rse_core.testing.organisation import make_person
from rse_directory import access, editing, finding, indexing, narrowing, plugin, profiles
from rse_directory.finding import Asked


class Site:
    """A core with a directory."""

    def __init__(self, core):
        self.core = core
        self.app = create_app(core)

    def person(self, username, *, name=None, entity=None, manager=None, **values):
        """Somebody, with any column of the core's person, found at once."""
        options = {key: values.pop(key) for key in ("external", "is_manager", "spaces") if key in values}
        made = make_person(self.core, username, name=name, entity=entity, **options)
        self.change(made, manager_id=manager.id if manager else None, **values)
        return made

    def change(self, person, **values):
        with self.core.db.write() as session:
            session.execute(update(Person).where(Person.id == person.id).values(**values))
            session.flush()
            indexing.refresh(session, [person.id])

    def edit(self, person, **values):
        with self.core.db.write() as session:
            editing.edit(session, person.id, values)

    def find(self, viewer, text="", *, limit=20, **filters):
        """The usernames found, over all pages."""
        asked, found, after, near = Asked(text, **filters), [], None, False
        with self.core.db.read() as session:
            seen = access.sight(session, viewer.id)
            while True:
                hits = finding.find(session, seen, asked, after=after, limit=limit, near=near)
                found += [card.username for card in profiles.cards(session, seen, hits.ids)]
                after, near = hits.after, hits.near
                if after is None:
                    return found

    def suggest(self, viewer, typed):
        with self.core.db.read() as session:
            seen = access.sight(session, viewer.id)
            return [card.username for card in profiles.cards(session, seen, finding.suggest(session, seen, typed))]

    def facet(self, viewer, name, text="", **filters):
        with self.core.db.read() as session:
            found = narrowing.facets(session, access.sight(session, viewer.id), Asked(text, **filters))
        return {value.key: value.count for value in found.facets.get(name, ())}

    def page(self, viewer, username):
        with self.core.db.read() as session:
            return profiles.page(session, viewer.id, username)

    def set(self, **settings):
        with self.core.db.write() as session:
            for key, value in settings.items():
                self.core.options.set(session, f"directory.{key}", value, Actor("test"))
        self.core.policy.forget()

    def client(self, person):
        return as_person(self.app.test_client(), person)

    def get(self, person, address):
        return self.client(person).get(f"/rse/directory/{address}")


@pytest.fixture
def rse_plugins():
    return [plugin]


@pytest.fixture
def make_site():
    """``make_site(core)``, for a core that is made elsewhere."""
    return Site


@pytest.fixture
def site(core):
    """A site at INFORM, as it is before anything is opened."""
    return Site(core)


@pytest.fixture
def anna(site):
    return site.person("anna", name="Anna Sérès")
