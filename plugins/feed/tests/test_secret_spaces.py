"""What waits or was taken down in a space that only its members see is its own moderators', and nobody else's."""

from __future__ import annotations

import io

import pytest

from rse_core import files, roles
from rse_core.api import Actor, Forbidden, NotFound
from rse_core.testing import as_person
from rse_core.testing.organisation import make_entity, make_person, make_space
from rse_feed import access, acting, drafting, publishing, sight

ACTOR = Actor("cli:tests")
STATES = ("pending", "hidden")


@pytest.fixture
def core(rse_core, rse_plugins, tmp_path):
    return rse_core(rse_plugins, data_dir=str(tmp_path))


@pytest.fixture
def place(site, anna, ben):
    """A secret space with anna in it, run by ben; ``mo`` moderates the site, ``ada`` administers it, ``ed`` her entity."""
    north = make_entity(site, "north")
    some = {name: make_person(site, name) for name in ("mo", "ada", "ed")}
    with site.db.write() as session:
        session.get_one(type(anna), anna.id).entity_id = north.id
        roles.grant(session, some["mo"].id, "moderator", actor=ACTOR)
        roles.grant(session, some["ada"].id, "site_admin", actor=ACTOR)
        roles.grant(session, some["ed"].id, "entity_admin", scope="entity", scope_id=north.id, actor=ACTOR)
    some["space"] = make_space(site, "inner", visibility="secret", members=[anna], managers=[ben])
    return some


def reads(core, person, post):
    """Whether each of the ways to a post opens it, all the same."""
    found = set()
    with core.db.read() as session:
        try:
            access.readable(session, person.id, post.id)
            found.add(True)
        except NotFound:
            found.add(False)
        found.add(sight.may_open(session, person.id, post))
        rights = acting.rights_of(session, person.id, post)
        found.add(rights.moderate or rights.mine)
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize("state", STATES)
def test_moderators_of_the_site_do_not_read_it(site, anna, ben, place, make_post, state):
    post = make_post(anna, space_id=place["space"].id, state=state, body="between us")
    who = {"anna": anna, "ben": ben, "mo": place["mo"], "ada": place["ada"], "ed": place["ed"]}
    assert {name for name, person in who.items() if reads(site, person, post)} == {"anna", "ben"}
    public = make_post(anna, state=state)
    assert {name for name, person in who.items() if reads(site, person, public)} == {"anna", "mo", "ada", "ed"}


@pytest.mark.parametrize("state", STATES)
def test_the_pages_and_rest_say_that_there_is_no_such_post(rse_client, site, anna, ben, place, make_post, state):
    post = make_post(anna, space_id=place["space"].id, state=state, body="between us")
    for name in ("mo", "ada", "ed"):
        browser = as_person(rse_client, place[name])
        for path in (f"/rse/feed/posts/{post.id}", f"/rse/feed/posts/{post.id}/delete", f"/rse/api/v1/feed/posts/{post.id}"):
            answer = browser.get(path)
            assert (answer.status_code, "between us" in answer.text) == (404, False), (name, path)
    assert "between us" in as_person(rse_client, ben).get(f"/rse/feed/posts/{post.id}").text


def test_nothing_is_done_to_it_from_outside(site, anna, place, make_post):
    hidden = make_post(anna, space_id=place["space"].id, state="hidden")
    shown = make_post(anna, space_id=place["space"].id)
    mo = Actor("mo", place["mo"].id)
    with site.db.write() as session:
        with pytest.raises(NotFound):
            acting.show(session, mo, hidden.id)
        with pytest.raises(NotFound):
            acting.hide(session, mo, shown.id, "A reason.")
        with pytest.raises(NotFound):
            publishing.delete(session, place["mo"].id, hidden.id, reason="A reason.")
        with pytest.raises((NotFound, Forbidden)):
            drafting.revisions(session, place["mo"].id, hidden.id)


def test_who_looks_in_with_a_role_for_a_time_reads_it_and_no_longer(site, anna, place, make_post):
    post = make_post(anna, space_id=place["space"].id, state="pending")
    space, ada = place["space"], place["ada"]
    with site.db.write() as session:
        roles.grant(session, ada.id, "moderator", scope="space", scope_id=space.id, actor=ACTOR, why="A complaint.")
    assert reads(site, ada, post)
    with site.db.write() as session:
        roles.revoke(session, ada.id, "moderator", scope="space", scope_id=space.id, actor=ACTOR)
    assert not reads(site, ada, post)


def test_a_site_moderator_who_is_in_it_moderates_it(site, anna, ben, place, make_post):
    space = make_space(site, "other", visibility="listed", members=[anna, place["mo"]], managers=[ben])
    assert reads(site, place["mo"], make_post(anna, space_id=space.id, state="pending"))


def test_its_files_are_shown_to_the_same(site, anna, ben, place, make_post):
    with site.db.write() as session:
        key = files.keep(session, anna.id, io.BytesIO(b"between us"), "notes.txt").key
    post = make_post(anna, space_id=place["space"].id, state="pending", body="between us")
    with site.db.write() as session:
        files.attach(session, anna.id, [key], sight.ref_of(post.id))

    def opens(person):
        with site.db.read() as session:
            try:
                return files.served(session, person.id, key).info.key == key
            except NotFound:
                return False

    who = {"anna": anna, "ben": ben, "mo": place["mo"], "ada": place["ada"], "ed": place["ed"]}
    assert {name for name, person in who.items() if opens(person)} == {"anna", "ben"}
    with site.db.write() as session:
        roles.grant(
            session, place["ada"].id, "moderator", scope="space", scope_id=place["space"].id, actor=ACTOR, why="A complaint."
        )
    assert opens(place["ada"]), "who looks in for a time sees what the text shows"
