"""The digest: few, only what one may see, and in an order that can be told."""

from __future__ import annotations

import datetime as dt

from rse_core import roles
from rse_core.api import Actor, utcnow
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_space
from rse_feed import announcements, digest, drafting
from rse_feed.texts import Written


def write(core, person, body="Bonjour", audience="everyone", **values):
    with core.db.write() as session:
        return drafting.write(session, person.id, Written(body=body, audience=audience, **values)).post


def lines(core, person, since=None):
    with core.db.read() as session:
        since = since or utcnow() - dt.timedelta(days=1)
        return [(line.ref.id, str(line.weight)) for line in digest.lines(session, person.id, since)]


def test_announcements_come_first_and_five_are_enough(site, anna, ben):
    with site.db.write() as session:
        roles.grant(session, anna.id, "moderator", actor=Actor("test"))
    must = write(site, anna, announcement=True, must_read=True)
    said = write(site, anna, announcement=True)
    posts = [write(site, anna, f"n° {number}") for number in range(5)]
    expected = [(must.id, "100"), (said.id, "50"), *((post.id, "10") for post in reversed(posts[2:]))]
    assert lines(site, ben) == [(str(ident), weight) for ident, weight in expected]
    with site.db.write() as session:
        announcements.acknowledge(session, ben.id, must.id)
    assert lines(site, ben)[:2] == [(str(said.id), "50"), (str(must.id), "50")]


def test_neither_ones_own_nor_what_is_older_nor_what_is_for_others(site, anna, ben):
    make_space(site, "secret", visibility="secret", members=[anna])
    write(site, anna, audience="space:secret")
    write(site, anna, act="draft")
    write(site, ben)
    post = write(site, anna)
    assert lines(site, ben) == [(str(post.id), "10")]
    assert lines(site, ben, utcnow() + dt.timedelta(minutes=1)) == []


def test_two_queries_whatever_the_number(site, anna, ben):
    write(site, anna)
    with site.db.read() as session, count_queries(site) as count:
        list(digest.lines(session, ben.id, utcnow() - dt.timedelta(days=1)))
    assert len(count) == 2
