"""The number beside “Moderation” is what the pages behind it count, whoever asks, at the price of one query."""

from __future__ import annotations

import pytest

from rse_core import moderation, roles
from rse_core.api import Actor, ObjectRef, Target
from rse_core.audiences import of_entity, of_space
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_person, make_space
from rse_governance import badge, cases, queue

ACTOR = Actor("cli:tests")


@pytest.fixture
def busy(site, people):
    """Texts that wait, and cases, in spaces open and secret, in entities, for everyone, by several people."""
    north = make_entity(site, "north")
    office = make_entity(site, "office", parent=north)
    zoe = make_person(site, "zoe", entity=office)
    head, desk = make_person(site, "head", entity=north), make_person(site, "desk", entity=office)
    garden = make_space(site, "garden", managers=[people["max"]], members=[people["anna"], zoe])
    secret = make_space(site, "secret", visibility="secret", managers=[people["cleo"]], members=[zoe])
    with site.db.write() as session:
        roles.grant(session, head.id, "entity_admin", scope="entity", scope_id=north.id, actor=ACTOR)
        roles.grant(session, desk.id, "moderator", scope="entity", scope_id=office.id, actor=ACTOR)
        roles.grant(session, people["ben"].id, "animator", scope="space", scope_id=garden.id, actor=ACTOR)
        places = [
            Target(None), Target(of_entity(session, north.id)), Target(of_entity(session, office.id)),
            *(Target(of_space(session, space.id), space_id=space.id) for space in (garden, secret)),
        ]  # fmt: skip
        authors = [zoe, people["anna"], people["max"], people["mo"], head, people["cleo"]]
        number = 0
        for place in places:
            for author in authors:
                number += 1
                target = Target(place.audience_id, space_id=place.space_id, author_id=author.id)
                ref = ObjectRef("wall.note", str(number))
                if number % 2:
                    moderation.hold(session, ref, capability="wall.write", author_id=author.id, target=target)
                else:
                    cases.note(session, ref, author_id=author.id, target=target)
    return [*people.values(), zoe, head, desk]


def test_it_is_what_the_pages_count(site, people, busy):
    numbers = {}
    with site.db.read() as session:
        for person in busy:
            expected = queue.count_waiting(session, person.id) + cases.count_waiting(session, person.id)
            assert badge.count(session, person.id) == expected, person.username
            numbers[person.username] = expected
    assert numbers["anna"] == numbers["zoe"] == 0
    assert all(numbers[name] > 0 for name in ("mo", "ada", "max", "cleo", "head", "desk", "ben")), numbers


def test_it_costs_one_query_and_none_for_who_moderates_nothing(site, people, busy):
    cost = {}
    for name in ("mo", "max", "anna"):
        with site.db.read() as session:
            badge.count(session, people[name].id)
            with count_queries(site) as queries:
                badge.count(session, people[name].id)
        cost[name] = len(queries)
    assert cost == {"mo": 1, "max": 1, "anna": 0}


def test_a_right_that_is_given_or_taken_changes_it(site, people, busy):
    def count():
        with site.db.read() as session:
            return badge.count(session, people["anna"].id)

    assert count() == 0
    with site.db.write() as session:
        granted = roles.grant(session, people["anna"].id, "moderator", actor=ACTOR)
    assert granted
    assert count() > 0
    with site.db.write() as session:
        roles.revoke(session, people["anna"].id, "moderator", actor=ACTOR)
    assert count() == 0
