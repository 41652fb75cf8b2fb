"""Posts that somebody keeps since their author has left: the author's rights, as long as they may read there."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from rse_core import files, handover_acts, organisation, people, roles
from rse_core.api import Actor, Forbidden, NotFound, utcnow
from rse_core.content import ObjectRef
from rse_core.models.organisation import Membership
from rse_core.models.runtime import NotificationRow
from rse_core.objects import resolve
from rse_core.testing import as_person, count_queries
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_feed import access, acting, confirmations, drafting, handing, publishing, reading
from rse_feed.models import Post
from rse_feed.texts import Written


@pytest.fixture
def garden(site, anna, ben):
    return make_space(site, "garden", members=[anna, ben])


@pytest.fixture
def boss(site):
    boss = make_person(site, "boss", name="Claire Dupont")
    with site.db.write() as session:
        roles.grant(session, boss.id, "site_admin", actor=Actor("test"))
    return boss


def kept(core, anna, *, to="ben", place="space:garden"):
    """Anna leaves, and somebody takes over."""
    with core.db.write() as session:
        people.disable(session, anna.id)
    with core.db.write() as session:
        (done,) = handover_acts.give(session, "anna", {place: to}, actor=Actor("cli:test"))
    return done


def plan(core, person, **values):
    at = (utcnow() + dt.timedelta(days=2)).isoformat(timespec="minutes")
    when = {"act": "schedule", "publish_at": at, "publish_zone": "Europe/Paris"}
    written = Written(body="Demain", audience="space:garden", **when, **values)
    with core.db.write() as session:
        return drafting.write(session, person.id, written).post.id


def told(core, person):
    with core.db.read() as session:
        return set(session.scalars(select(NotificationRow.type).where(NotificationRow.person_id == person.id)))


def test_which_states_go(site, anna, ben, garden, make_post):
    states = ("draft", "scheduled", "pending", "published", "archived", "refused", "hidden", "deleted")
    made = {state: make_post(anna, space_id=garden.id, state=state).id for state in states}
    made["came back"] = make_post(anna, space_id=garden.id, state="draft", publish_zone="Europe/Paris").id
    kept(site, anna)
    with site.db.read() as session:
        ids = set(session.scalars(select(Post.id).where(Post.owner_id == ben.id)))
    gone = {name for name, ident in made.items() if ident in ids}
    assert gone == {"scheduled", "pending", "published", "archived", "came back"}


def test_who_keeps_it_sees_and_does_what_its_author_would(site, anna, ben, garden, boss, make_post):
    post = make_post(anna, space_id=garden.id)
    with site.db.write() as session:
        organisation.join_space(session, garden.id, boss.id)
    kept(site, anna)
    actor = Actor("ben", ben.id)
    with site.db.write() as session:
        acting.lock(session, actor, post.id)
        acting.archive(session, actor, post.id)
        acting.unarchive(session, actor, post.id)
    with site.db.write() as session:
        acting.hide(session, Actor("boss", boss.id), post.id, "Hors sujet")
    assert "feed.hidden" in told(site, ben)
    with site.db.read() as session:
        assert access.readable(session, ben.id, post.id).reason == "Hors sujet"


def test_visibility_is_what_it_was(site, anna, ben, garden, make_post):
    make_post(anna, space_id=garden.id)
    outside = make_person(site, "outside")
    kept(site, anna)
    with site.db.read() as session:
        lines = {person.id: len(reading.page(session, person.id, reading.Wanted()).lines) for person in (ben, outside)}
    assert lines == {ben.id: 1, outside.id: 0}


def test_announcements_are_overseen_by_who_keeps_them(site, anna, ben, garden, make_post):
    post = make_post(anna, space_id=garden.id, announcement=True, must_read=True)
    with site.db.read() as session, pytest.raises(Forbidden):
        confirmations.overseen(session, ben.id, post.id)
    kept(site, anna)
    with site.db.read() as session:
        assert confirmations.overseen(session, ben.id, post.id)


def test_a_planned_post_that_may_not_appear_comes_back_to_who_keeps_it(site, anna, ben, garden):
    ident = plan(site, anna)
    kept(site, anna)
    with site.db.write() as session:
        session.get_one(Post, ident).publish_at = utcnow()
    set_level(site, "react", kind="ceiling")
    with site.db.write() as session:
        publishing.publish_due(session)
    assert "feed.scheduled_refused" in told(site, ben)
    with site.db.read() as session:
        assert session.get_one(Post, ident).state == "draft"
        assert [one.id for one in reading.mine(session, ben.id)[0]] == [ident]


def test_files_of_a_planned_post_are_for_who_keeps_it_while_they_are_there(site, anna, ben, garden, tmp_path):
    ident = plan(site, anna)
    kept(site, anna)
    ref = ObjectRef("feed.post", str(ident))
    with site.db.read() as session:
        info = resolve(session, [ref])[ref]
        assert (info.author_id, info.keeper_id, info.state) == (anna.id, ben.id, "scheduled")
        row = type("Row", (), {"ref_type": ref.type, "ref_id": ref.id, "owner_id": anna.id})
        assert files._may_read(session, ben.id, row)
    with site.db.write() as session:
        organisation.leave_space(session, garden.id, ben.id)
    with site.db.read() as session:
        assert session.get(Membership, (ben.id, info.audience_id)) is None
        assert not files._may_read(session, ben.id, row)
        assert reading.mine(session, ben.id)[0] == []
        with pytest.raises((NotFound, Forbidden)):
            access.readable(session, ben.id, ident)


def test_a_post_in_the_name_of_an_entity_stays_in_it(site, anna, ben, garden, make_post):
    entity = make_entity(site, "north")
    post = make_post(anna, space_id=garden.id, entity_id=entity.id)
    kept(site, anna)
    with site.db.write() as session:
        drafting.edit(session, ben.id, post.id, Written(body="Bonjour à tous"), version=post.version)
        assert session.get_one(Post, post.id).entity_id == entity.id


def test_the_feed_costs_the_same_with_posts_that_are_kept(site, anna, ben, garden, make_post, rse_app):
    for _number in range(5):
        make_post(anna, space_id=garden.id)
    client = as_person(rse_app.test_client(), ben)
    client.get("/rse/feed/")
    with count_queries(site) as before:
        client.get("/rse/feed/")
    kept(site, anna)
    client.get("/rse/feed/")
    with count_queries(site) as after:
        assert client.get("/rse/feed/").status_code == 200
    assert len(after) <= len(before), str(after)


def test_nobody_answers_for_a_post_without_author_and_keeper(site, anna, make_post):
    post = make_post(anna)
    with site.db.write() as session:
        row = session.get_one(Post, post.id)
        assert handing.answers(row) == anna.id
        row.author_id = None
        assert handing.answers(row) is None
        assert not access.is_own(session, None, row)
