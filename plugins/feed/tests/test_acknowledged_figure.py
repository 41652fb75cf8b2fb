"""The indicator of confirmed announcements: of those whom an announcement of the period asks, not of everybody."""

from __future__ import annotations

from sqlalchemy import update

from rse_core import audiences, indicators_roll, roles
from rse_core.api import Actor, utcnow
from rse_core.indicators_figures import Asked, ask
from rse_core.testing.organisation import make_entity, make_person, make_space
from rse_feed import announcements, drafting
from rse_feed.models import Post
from rse_feed.texts import Written


def figure(core, by="site"):
    today = utcnow().date()
    with core.db.write() as session:
        indicators_roll.roll_up(session)
    with core.db.read() as session:
        answer = ask(session, core, Asked("feed.acknowledged", today, today, by))
    return {one.target: (one.numerator, one.denominator) for one in answer.figures}


def test_it_is_about_those_who_are_asked(site):
    north, south = make_entity(site, "north"), make_entity(site, "south")
    people = [make_person(site, f"n{n}", entity=north) for n in range(14)]
    for n in range(20):
        make_person(site, f"s{n}", entity=south)
    space = make_space(site, "garden", members=people[:11])
    boss = make_person(site, "boss", entity=north)
    with site.db.write() as session:
        roles.grant(session, boss.id, "moderator", actor=Actor("test"))
    assert figure(site) == {}, "nobody was asked anything"
    written = Written(body="Lisez ceci", audience="entity:north", announcement=True, must_read=True)
    with site.db.write() as session:
        post = drafting.write(session, boss.id, written).post
    with site.db.write() as session:
        for one in people[:5]:
            announcements.acknowledge(session, one.id, post.id)
    site.jobs.run_due()
    assert figure(site) == {"": (5, 15)}
    assert figure(site, "entity") == {str(north.id): (5, 15)}
    _into_a_space(site, post.id, space.id)
    assert figure(site) == {"": (5, 11)}


def _into_a_space(core, post_id, space_id):
    """Where everybody may read it, its members alone are asked."""
    with core.db.write() as session:
        everybody = audiences.everyone(session)
        session.execute(update(Post).where(Post.id == post_id).values(space_id=space_id, audience_id=everybody))
