"""What is done to posts: who may, what it does to lists, and what is written down."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import select

from rse_core import moderation, roles
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound, resolve, utcnow
from rse_core.models.governance import Audit
from rse_core.notify import of_person
from rse_core.testing.organisation import make_entity, make_person, make_space
from rse_feed import acting, counting, drafting, reading
from rse_feed.access import ref_of
from rse_feed.texts import Written


def write(core, person, body="Bonjour", audience="everyone", **values):
    with core.db.write() as session:
        return drafting.write(session, person.id, Written(body=body, audience=audience, **values)).post


def listed(core, person):
    with core.db.read() as session:
        return [line.post_id for line in reading.page(session, person.id, reading.Wanted()).lines]


def act(core, person, what, post, *args, **values):
    with core.db.write() as session:
        return getattr(acting, what)(session, Actor(person.username, person.id), post.id, *args, **values)


def acts(core):
    with core.db.read() as session:
        return list(session.scalars(select(Audit.act).where(Audit.act.startswith("feed.")).order_by(Audit.id)))


@pytest.fixture
def moderator(site):
    person = make_person(site, "mod")
    with site.db.write() as session:
        roles.grant(session, person.id, "moderator", actor=Actor("test"))
    return person


@pytest.fixture
def garden(site, anna, ben):
    return make_space(site, "jardin", members=[ben], managers=[anna])


def test_a_hidden_post_is_its_authors_with_the_reason_and_comes_back(site, anna, ben, moderator):
    post = write(site, anna)
    with pytest.raises(BadInput):
        act(site, moderator, "hide", post, "  ")
    with pytest.raises(Forbidden):
        act(site, anna, "hide", post, "x")
    act(site, moderator, "hide", post, "Hors sujet")
    assert listed(site, ben) == listed(site, anna) == []
    with site.db.read() as session:
        (note,) = of_person(session, anna.id)
        assert (note.type, note.data["reason"]) == ("feed.hidden", "Hors sujet")
    with pytest.raises(NotFound):
        act(site, ben, "lock", post)
    with pytest.raises(Forbidden):
        act(site, anna, "show", post)
    act(site, moderator, "show", post)
    assert listed(site, ben) == [post.id]
    assert acts(site) == ["feed.hide", "feed.show"]


def test_an_archived_post_leaves_the_feed_and_keeps_its_address(site, anna, ben, rse_client, as_person):
    post = write(site, anna)
    with pytest.raises(Forbidden):
        act(site, ben, "archive", post)
    act(site, anna, "archive", post)
    assert listed(site, ben) == []
    as_person(rse_client, ben)
    assert rse_client.get(f"/rse/feed/posts/{post.id}").status_code == 200
    with pytest.raises(Conflict):
        act(site, anna, "archive", post)
    act(site, anna, "unarchive", post)
    assert listed(site, ben) == [post.id]


def test_closed_comments_are_said_to_everybody_elses_plugin(site, anna, ben):
    post = write(site, anna)
    with pytest.raises(Forbidden):
        act(site, ben, "lock", post)
    act(site, anna, "lock", post)
    act(site, anna, "lock", post)
    with site.db.read() as session:
        assert resolve(session, [ref_of(post.id)])[ref_of(post.id)].state == "locked"
    assert listed(site, ben) == [post.id]
    act(site, anna, "unlock", post)
    with site.db.read() as session:
        assert resolve(session, [ref_of(post.id)])[ref_of(post.id)].state == "published"
    assert acts(site) == ["feed.lock", "feed.unlock"]


def test_pins_have_a_cap_and_an_end(site, anna, ben, garden):
    posts = [write(site, ben, f"n° {number}", "space:jardin") for number in range(4)]
    with pytest.raises(Forbidden):
        act(site, ben, "pin", posts[0])
    with pytest.raises(BadInput):
        act(site, anna, "pin", posts[0], until=utcnow() - dt.timedelta(days=1))
    soon = utcnow() + dt.timedelta(seconds=1)
    act(site, anna, "pin", posts[0], until=soon)
    for post in posts[1:3]:
        act(site, anna, "pin", post)
    if utcnow() < soon:
        with pytest.raises(Conflict):
            act(site, anna, "pin", posts[3])
    while utcnow() < soon:
        pass
    act(site, anna, "pin", posts[3])
    with site.db.read() as session:
        assert acting.pinned(session, [post.id for post in posts]) == {post.id for post in posts[1:]}
    assert listed(site, ben) == [post.id for post in reversed(posts)]


def test_neither_a_draft_nor_a_post_of_no_space_is_pinned(site, anna, ben, garden, moderator):
    draft = write(site, anna, audience="space:jardin", act="draft")
    with pytest.raises(Conflict):
        act(site, anna, "pin", draft)
    with pytest.raises(NotFound):
        act(site, moderator, "pin", draft)
    with pytest.raises(Forbidden):
        act(site, moderator, "pin", write(site, anna))


def test_a_pin_goes_when_the_post_is_archived_or_leaves(site, anna, garden):
    first, second = (write(site, anna, audience="space:jardin") for _ in range(2))
    for post in (first, second):
        act(site, anna, "pin", post)
    act(site, anna, "archive", first)
    act(site, anna, "move", second, "everyone")
    with site.db.read() as session:
        assert acting.pinned(session, [first.id, second.id]) == frozenset()
        assert counting.wrong(session) == 0


def test_before_a_move_it_is_said_who_gains_and_who_loses(site, anna, ben, garden):
    nord = make_entity(site, "nord")
    carl = make_person(site, "carl", entity=nord)
    post = write(site, anna, audience="space:jardin")
    with site.db.read() as session:
        _choice, sight = acting.sight_of_move(session, anna.id, post.id, "everyone")
    assert (sight.gain, sight.lose, sight.stay) == (1, 0, 2)
    act(site, anna, "move", post, "everyone", version=1)
    assert listed(site, carl) == [post.id]
    with pytest.raises(Conflict):
        act(site, anna, "move", post, "space:jardin", version=1)
    act(site, anna, "move", post, "space:jardin", version=2)
    assert listed(site, carl) == []
    assert listed(site, ben) == [post.id]


def test_a_move_needs_rights_on_both_sides(site, anna, ben, garden):
    make_space(site, "ailleurs", members=[ben])
    post = write(site, anna)
    with pytest.raises(Forbidden):
        act(site, ben, "move", post, "space:jardin")
    refused = []
    for key in ("space:ailleurs", "space:nulle-part"):
        with pytest.raises(BadInput) as error:
            act(site, anna, "move", post, key)
        refused.append(str(error.value).replace(key, "KEY"))
    assert refused[0] == refused[1]


def test_a_move_does_not_get_round_the_moderators(site, anna, ben, moderator):
    space = make_space(site, "jardin", members=[ben])
    with site.db.write() as session:
        moderation.review(session, "space", space.id, True, actor=Actor("test"), subject="space:jardin")
    post = write(site, ben)
    with pytest.raises(Forbidden):
        act(site, ben, "move", post, "space:jardin")


def test_the_menu_shows_what_one_may_and_nothing_else(site, anna, ben, moderator, rse_client, as_person):
    post = write(site, anna)
    seen = {}
    for person in (anna, ben, moderator):
        as_person(rse_client, person)
        seen[person.username] = rse_client.get(f"/rse/feed/posts/{post.id}", headers={"Accept-Language": "en"}).text
    assert "Archive" in seen["anna"]
    assert "Take down" not in seen["anna"]
    assert "Take down" in seen["mod"]
    assert "Archive" not in seen["ben"]
    assert "Move" not in seen["ben"]


def test_the_forms_work_alone(site, anna, ben, garden, rse_client, as_person):
    post = write(site, anna, audience="space:jardin")
    as_person(rse_client, anna)
    page = rse_client.get(f"/rse/feed/posts/{post.id}").text
    sent = {"csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', page)[1]}
    for name in ("lock", "unlock", "archive", "unarchive", "pin", "unpin"):
        assert rse_client.post(f"/rse/feed/posts/{post.id}/{name}", data=sent).status_code == 303, name
    page = rse_client.get(f"/rse/feed/posts/{post.id}/move?audience=everyone", headers={"Accept-Language": "en"})
    assert "gain sight of it" in page.text
    moved = rse_client.post(f"/rse/feed/posts/{post.id}/move", data={**sent, "audience": "everyone", "version": "3"})
    assert moved.status_code == 303
    as_person(rse_client, ben)
    assert rse_client.get(f"/rse/feed/posts/{post.id}/move").status_code == 403
