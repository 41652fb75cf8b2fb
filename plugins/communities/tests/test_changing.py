"""Visibility, archive, merge and split, by those who own the space."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from rse_communities import access, bulk, changing, feeding, inviting, joining
from rse_communities.models import DayCount, FedMember, Feeder, Invitation, JoinRequest, Profile
from rse_core import audiences, policy
from rse_core.api import Target
from rse_core.errors import BadInput, Conflict, Forbidden, NotFound
from rse_core.models.organisation import Space
from rse_core.models.runtime import NotificationRow
from rse_core.testing.organisation import make_group


def test_a_preview_says_who_gains_and_who_loses_sight_and_the_change_does_it(site, people, open_space, space_of):
    key = open_space(members=["mia"])
    with site.db.read() as session:
        reach = changing.preview(session, people["olga"].id, key, "public")
    assert (reach.gain, reach.lose) == (2, 0)
    with site.db.write() as session:
        changing.set_visibility(session, people["olga"].id, key, "public")
    with site.db.read() as session:
        assert access.inside(session, people["sam"].id, key).inside
        reach = changing.preview(session, people["olga"].id, key, "secret")
        assert (reach.gain, reach.lose, reach.losing) == (0, 2, ("Ada Admin", "Sam Stranger"))
    with site.db.write() as session:
        changing.set_visibility(session, people["olga"].id, key, "secret")
    with site.db.read() as session, pytest.raises(NotFound):
        access.find(session, people["sam"].id, key)
    assert space_of(key).visibility == "secret"


def test_while_it_is_prepared_the_visibility_is_only_remembered(site, people, space_of):
    from rse_communities import creating

    with site.db.write() as session:
        key = creating.create(session, people["olga"].id, name="Soon", kind="team").key
        changing.set_visibility(session, people["olga"].id, key, "public")
    assert space_of(key).visibility == "secret"
    with site.db.read() as session:
        assert access.find(session, people["olga"].id, key).profile.wanted == "public"


def test_only_owners_decide_on_these(site, people, open_space):
    key = open_space(members=["mia"])
    from rse_communities import members

    with site.db.write() as session:
        members.set_role(session, people["olga"].id, key, people["mia"].id, "admin")
    acts = [
        lambda s, who: changing.set_visibility(s, who, key, "public"),
        lambda s, who: changing.preview(s, who, key, "public"),
        lambda s, who: changing.archive(s, who, key),
        lambda s, who: changing.unarchive(s, who, key),
        lambda s, who: changing.merge(s, who, key, "x"),
        lambda s, who: changing.split(s, who, key, name="X", usernames=["mia"]),
    ]
    for act in acts:
        for name in ("mia", "sam"):
            with site.db.write() as session, pytest.raises(Forbidden):
                act(session, people[name].id)


def test_an_archived_space_is_read_and_not_written_and_opens_again(site, people, open_space, space_of):
    key = open_space(policy="request", members=["mia"])
    with site.db.write() as session:
        joining.ask(session, people["sam"].id, key)
        inviting.invite(session, people["olga"].id, key, "ada")
        changing.archive(session, people["olga"].id, key, why="Over")
        changing.archive(session, people["olga"].id, key)
    with site.db.read() as session:
        target = Target(audiences.of_space(session, space_of(key).id), space_id=space_of(key).id)
        assert str(policy.can(session, people["mia"].id, "wall.write", target).reason) == "archived"
        assert policy.can(session, people["mia"].id, "wall.read", target)
        assert (
            session.scalars(select(JoinRequest.state)).all()
            == session.scalars(select(Invitation.state)).all()
            == ["expired"]
        )
        told = session.scalars(select(NotificationRow.person_id).where(NotificationRow.type == "communities.archived")).all()
        assert told == [people["mia"].id]
    with site.db.write() as session:
        changing.unarchive(session, people["olga"].id, key)
    with site.db.read() as session:
        assert policy.can(session, people["mia"].id, "wall.write", target)


def test_merging_moves_everything_and_the_address_leads_on(site, people, open_space, space_of):
    source, target = open_space("Shed", members=["mia"]), open_space("Garden", members=["ada"])
    make_group(site, "g", members=[people["sam"]])
    with site.db.write() as session:
        feeding.add(session, people["olga"].id, source, "group", "g")
    site.jobs.run_due()
    day = dt.date(2026, 11, 1)
    ids = space_of(source).id, space_of(target).id
    with site.db.write() as session:
        for space_id, number in zip(ids, (2, 3), strict=True):
            session.add(DayCount(space_id=space_id, day=day, what="posts", count=number))
        reach = changing.preview_merge(session, people["olga"].id, source, target)[1]
        assert (reach.gain, reach.lose) == (1, 0)
    with site.db.write() as session:
        seat = changing.merge(session, people["olga"].id, source, f"/rse/communities/{target}/")
        assert seat.space.key == target
    with site.db.read() as session:
        # The old address leads to the new space, for those who may know of it.
        assert access.find(session, people["mia"].id, source).space.key == target
        assert session.execute(select(Feeder.space_id)).scalars().all() == [ids[1]]
        assert session.execute(select(FedMember.space_id, FedMember.person_id)).all() == [(ids[1], people["sam"].id)]
        assert session.scalar(select(DayCount.count).where(DayCount.space_id == ids[1], DayCount.what == "posts")) == 5
        assert session.get_one(Profile, ids[1]).members == 4
        assert access.find(session, people["mia"].id, target).role == "member"
    with site.db.write() as session, pytest.raises(BadInput):
        changing.merge(session, people["olga"].id, source, target)


def test_merging_into_what_one_does_not_own_says_the_same_as_into_what_is_not_there(site, people, open_space):
    source = open_space("Mine")
    secret = open_space("Hidden", visibility="secret", owner="mia")
    answers = []
    for target in (secret, "nothing-at-all"):
        with site.db.write() as session, pytest.raises(NotFound) as refused:
            changing.merge(session, people["olga"].id, source, target)
        answers.append(str(refused.value))
    assert answers[0] == answers[1]


def test_an_archived_or_unopened_target_takes_nothing(site, people, open_space):
    from rse_communities import creating

    source, archived = open_space("One"), open_space("Two")
    with site.db.write() as session:
        changing.archive(session, people["olga"].id, archived)
        soon = creating.create(session, people["olga"].id, name="Soon", kind="team").key
    for target in (archived, soon):
        with site.db.write() as session, pytest.raises(Conflict):
            changing.merge(session, people["olga"].id, source, target)


def test_splitting_makes_a_space_to_be_prepared(site, people, open_space, space_of):
    key = open_space(members=["mia", "ada"])
    with site.db.write() as session, pytest.raises(BadInput, match="Sam"):
        changing.split(session, people["olga"].id, key, name="Half", usernames=["mia", "sam"])
    with site.db.write() as session:
        made = changing.split(session, people["olga"].id, key, name="Half", usernames=["mia"], leaving=True)
        new = made.key
    with site.db.read() as session:
        seat = access.find(session, people["olga"].id, new)
        assert (seat.role, seat.profile.state, seat.profile.wanted, seat.profile.members) == (
            "owner",
            "preparing",
            "listed",
            2,
        )
        assert space_of(new).visibility == "secret"
        assert access.find(session, people["mia"].id, key).role is None
        assert access.find(session, people["olga"].id, key).profile.members == 2


def test_a_list_into_an_archived_space_adds_nobody(site, people, open_space):
    key = open_space()
    with site.db.write() as session:
        changing.archive(session, people["olga"].id, key)
    with site.db.write() as session:
        batch = bulk.send(session, people["olga"].id, key, "add", bulk.parse("sam"))
        assert batch.report == [[1, "sam", "archived"]]


def test_a_renamed_key_of_a_merged_space_is_nobody_elses(site, people, open_space):
    source, target = open_space("Shed"), open_space("Garden")
    with site.db.write() as session:
        changing.merge(session, people["olga"].id, source, target)
    from rse_core import organisation

    with site.db.write() as session, pytest.raises(Conflict, match="taken"):
        organisation.add_space(session, source, "X")
    with site.db.read() as session:
        assert session.scalar(select(Space.merged_into).where(Space.key == source)) is not None
