"""Somebody who left the list of the directory is nowhere where people are listed or chosen; colleagues of a space still find
them where people are chosen, administrators find them everywhere."""

from __future__ import annotations

import pytest
from sqlalchemy import update

rse_comments = pytest.importorskip("rse_comments")
rse_communities = pytest.importorskip("rse_communities")
rse_directory = pytest.importorskip("rse_directory")
rse_feed = pytest.importorskip("rse_feed")
rse_search = pytest.importorskip("rse_search")

from rse_communities import creating  # noqa: E402
from rse_core import audiences, mentions  # noqa: E402
from rse_core.api import Actor, Manifest, Plugin, hookimpl, utcnow  # noqa: E402
from rse_core.extension import create_app  # noqa: E402
from rse_core.models.organisation import Person, Space  # noqa: E402
from rse_core.roles import grant  # noqa: E402
from rse_core.testing import as_person  # noqa: E402
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level  # noqa: E402
from rse_directory import editing, indexing  # noqa: E402

#: Where people are chosen: an address, which somebody who shares a space with them may use to find them too.
CHOSEN = {
    "names in a post": "/rse/feed/names?q=hid&audience=everyone",
    "names in a comment": "/rse/comments/suggest?ref=page:/news/1&q=hid",
    "names in a comment, by REST": "/rse/api/v1/comments/mentions?ref=page:/news/1&q=hid",
    "names in the forms of a community": "/rse/communities/{space}/names?q=hid",
}
#: Where people are listed: who left the list is in none of these.
LISTED = {
    "the list": "/rse/directory/",
    "a search": "/rse/directory/?q=hidden",
    "proposals": "/rse/directory/suggest?q=hid",
    "proposals by REST": "/rse/api/v1/directory/suggest?q=hid",
    "the list by REST": "/rse/api/v1/directory/people?q=hidden",
    "facets by REST": "/rse/api/v1/directory/facets?q=hidden",
    "the chart": "/rse/directory/chart?of=boss",
    "the chart by REST": "/rse/api/v1/directory/chart/people?of=boss",
    "newcomers": "/rse/directory/newcomers",
    "newcomers by REST": "/rse/api/v1/directory/newcomers",
    "search everywhere": "/rse/search/?q=hidden",
    "search everywhere, as one types": "/rse/search/suggest?q=hidden",
    "search everywhere by REST": "/rse/api/v1/search?q=hidden",
}


@pytest.fixture
def rse_plugins():
    return [rse_comments.plugin, rse_communities.plugin, rse_directory.plugin, rse_feed.plugin, rse_search.plugin]


@pytest.fixture
def there(core):
    """Somebody hidden, their boss, a colleague of a space, a stranger and an administrator; each runs a community."""
    set_level(core, "cocreate")
    entity = make_entity(core, "north")
    boss = make_person(core, "boss", name="Big Boss", entity=entity, is_manager=True)
    people = {
        name: make_person(core, name, name=f"{name.title()} Person", entity=entity)
        for name in ("hidden", "mate", "stranger", "admin")
    }
    with core.db.write() as session:
        session.execute(update(Person).where(Person.id == people["hidden"].id).values(manager_id=boss.id))
    make_space(core, "room", members=[people["hidden"], people["mate"]])
    keys = {}
    with core.db.write() as session:
        grant(session, people["admin"].id, "site_admin", actor=Actor("test"))
        indexing.refresh(session, [boss.id, *(one.id for one in people.values())])
        editing.edit(session, people["hidden"].id, {"listed": False})
        for name in ("mate", "stranger", "admin"):
            made = creating.create(session, people[name].id, name=f"Of {name}", kind="community", purpose="To be there")
            keys[name] = made.key
    core.jobs.run_due()
    return people, keys, create_app(core)


def seen(there, name, address):
    people, keys, app = there
    answer = as_person(app.test_client(), people[name]).get(address.format(space=keys[name]))
    assert answer.status_code == 200, (name, address, answer.text[:300])
    # The word that was typed stands in the page too: the person is known by their address or the whole of their name.
    return any(sign in answer.text for sign in ("Hidden Person", "people/hidden", '"username":"hidden"'))


def places(there, name, addresses):
    """In which of these places this person is shown who left the list."""
    return [place for place, address in addresses.items() if seen(there, name, address)]


def test_a_stranger_is_shown_nobody_who_left_the_list(there):
    assert places(there, "stranger", {**CHOSEN, **LISTED}) == []


def test_who_shares_a_space_with_them_still_names_them_and_finds_them_in_no_list(there):
    assert places(there, "mate", {**CHOSEN, **LISTED}) == list(CHOSEN)


def test_an_administrator_finds_them(there):
    wanted = [*CHOSEN, "the list", "a search", "proposals", "proposals by REST", "the list by REST", "the chart"]
    found = places(there, "admin", {**CHOSEN, **LISTED})
    assert [place for place in wanted if place not in found] == []


def test_a_space_that_was_archived_is_shared_no_more(core, there):
    with core.db.write() as session:
        session.execute(update(Space).where(Space.key == "room").values(archived_at=utcnow()))
    assert not seen(there, "mate", CHOSEN["names in a post"])


def test_where_leaving_does_not_count_everybody_is_offered(core, there):
    with core.db.write() as session:
        core.options.set(session, "directory.may_leave", False, Actor("test"))
    assert seen(there, "stranger", CHOSEN["names in a post"])


def test_people_of_another_isolated_entity_are_not_offered(core, there):
    away = make_person(core, "away", entity=make_entity(core, "south"))
    with core.db.write() as session:
        core.options.set(session, "directory.isolated", ["north"], Actor("test"))
    with core.db.read() as session:
        everyone = audiences.everyone(session)
        assert mentions.suggest(session, everyone, "mate", viewer_id=away.id) == []
        assert [one.username for one in mentions.suggest(session, everyone, "away", viewer_id=away.id)] == ["away"]


class Broken(Plugin):
    manifest = Manifest(name="broken", label="Broken")

    @hookimpl
    def rse_people_offered(self, session, viewer_id):
        raise RuntimeError("no answer")


def test_a_plugin_that_cannot_say_whom_offers_nobody(rse_core):
    core = rse_core(plugins=[Broken()], strict=False)
    anna = make_person(core, "anna")
    with core.db.read() as session:
        assert mentions.suggest(session, audiences.everyone(session), "anna", viewer_id=anna.id) == []
