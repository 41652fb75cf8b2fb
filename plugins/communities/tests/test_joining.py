"""Joining, asking, being answered, inviting, leaving; what happens at once happens once."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import time_machine
from sqlalchemy import func, select

from rse_communities import access, framing, inviting, joining, members
from rse_communities.models import Invitation, JoinRequest, Profile
from rse_core import notify, roles
from rse_core.api import Actor, utcnow
from rse_core.errors import BadInput, Conflict, Forbidden, NotFound
from rse_core.models.organisation import SpaceMember
from rse_core.models.runtime import NotificationRow, Outbox
from rse_core.testing.organisation import make_person, set_level


def told(core, person):
    with core.db.read() as session:
        rows = select(NotificationRow.type).where(NotificationRow.person_id == person.id).order_by(NotificationRow.id)
        return list(session.scalars(rows))


def count(core, key):
    with core.db.read() as session:
        from rse_core.models.organisation import Space

        return session.scalar(select(Profile.members).join(Space, Space.id == Profile.space_id).where(Space.key == key))


def role(core, key, person):
    with core.db.read() as session:
        return access.find(session, person.id, key).role


def ask(core, person, key, message="Please"):
    with core.db.write() as session:
        return joining.ask(session, person.id, key, message)


def answer(core, person, key, row, **values):
    with core.db.write() as session:
        return joining.answer(session, person.id, key, row.id, **values)


def invite(core, person, key, username, **values):
    with core.db.write() as session:
        return inviting.invite(session, person.id, key, username, **values)


def test_a_free_space_is_joined_and_left_and_counted(site, people, open_space):
    key = open_space(policy="free")
    with site.db.write() as session:
        joining.join(session, people["sam"].id, key)
        joining.join(session, people["sam"].id, key)
    assert (role(site, key, people["sam"]), count(site, key)) == ("member", 2)
    with site.db.write() as session:
        joining.leave(session, people["sam"].id, key)
        joining.leave(session, people["sam"].id, key)
    assert (role(site, key, people["sam"]), count(site, key)) == (None, 1)
    with site.db.read() as session:
        names = session.scalars(select(Outbox.name).where(Outbox.name.in_(("communities.joined", "communities.left")))).all()
    assert list(names) == ["communities.joined", "communities.left"]


def test_who_clicks_twice_at_once_is_a_member_once(site, people, open_space):
    key = open_space(policy="free")
    gate, failed = threading.Barrier(4), []

    def join():
        gate.wait()
        try:
            with site.db.write() as session:
                joining.join(session, people["sam"].id, key)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=join) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert count(site, key) == 2
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Outbox).where(Outbox.name == "communities.joined")) == 1


def test_two_requests_at_once_are_one(site, people, open_space):
    key = open_space(policy="request")
    gate, failed, ids = threading.Barrier(3), [], []

    def send():
        gate.wait()
        try:
            ids.append(ask(site, people["sam"], key).id)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(set(ids)) == 1
    assert told(site, people["olga"]) == ["communities.requested"]


@pytest.mark.parametrize("policy", ["none", "request", "free"])
def test_each_way_in_is_the_only_one(site, people, open_space, policy):
    key = open_space(policy=policy)
    ways = {
        "free": lambda s: joining.join(s, people["sam"].id, key),
        "request": lambda s: joining.ask(s, people["sam"].id, key),
    }
    for name, way in ways.items():
        if name != policy:
            with site.db.write() as session, pytest.raises(Forbidden):
                way(session)
    assert role(site, key, people["sam"]) is None


def test_below_the_level_one_joins_nothing_and_is_told_why(site, open_space):
    low = make_person(site, "low", level="comment", entity=None)
    key = open_space(policy="free")
    with site.db.write() as session, pytest.raises(Forbidden) as refused:
        joining.join(session, low.id, key)
    assert str(refused.value.decision.reason) == "level"


def test_a_request_is_accepted_by_those_who_run_the_space(site, people, open_space):
    key = open_space(policy="request", members=["mia"])
    row = ask(site, people["sam"], key)
    with site.db.write() as session, pytest.raises(Forbidden):
        joining.answer(session, people["mia"].id, key, row.id, accept=True)
    answer(site, people["olga"], key, row, accept=True)
    assert role(site, key, people["sam"]) == "member"
    assert told(site, people["sam"]) == ["communities.accepted"]
    # What the owner was told of is taken back: it is done.
    assert told(site, people["olga"]) == []
    with site.db.write() as session, pytest.raises(Conflict, match="no longer open"):
        joining.answer(session, people["olga"].id, key, row.id, accept=False, reason="no")


def test_a_refusal_has_a_reason_and_one_asks_again_only_after_a_while(site, people, open_space):
    key = open_space(policy="request")
    row = ask(site, people["sam"], key)
    with pytest.raises(BadInput) as refused:
        answer(site, people["olga"], key, row, accept=False)
    assert "reason" in refused.value.fields
    answer(site, people["olga"], key, row, accept=False, reason="Only the north")
    with site.db.read() as session:
        notice = notify.of_person(session, people["sam"].id)[0]
        assert notice.data["reason"] == "Only the north"
    with pytest.raises(Forbidden, match="ask again on"):
        ask(site, people["sam"], key)
    with time_machine.travel(utcnow() + dt.timedelta(days=31), tick=True):
        assert ask(site, people["sam"], key).state == "pending"


def test_a_request_is_taken_back_and_expires(site, people, open_space):
    key = open_space(policy="request")
    ask(site, people["sam"], key)
    with site.db.write() as session:
        joining.take_back(session, people["sam"].id, key)
    row = ask(site, people["sam"], key)
    with time_machine.travel(utcnow() + dt.timedelta(days=31), tick=True):
        with site.db.read() as session:
            assert joining.waiting(session, people["olga"].id, key)[0] == []
            assert joining.pending_of(session, row.space_id, people["sam"].id) is None
        with pytest.raises(Conflict):
            answer(site, people["olga"], key, row, accept=True)
        with site.db.write() as session:
            joining.expire(session)
        with site.db.read() as session:
            assert session.get_one(JoinRequest, row.id).state == "expired"
        # Nobody refused: one may ask at once.
        assert ask(site, people["sam"], key).id != row.id


def test_a_request_of_another_space_is_not_there(site, people, open_space):
    one, other = open_space("One", policy="request"), open_space("Other", owner="mia")
    row = ask(site, people["sam"], one)
    with site.db.write() as session, pytest.raises(NotFound):
        joining.answer(session, people["mia"].id, other, row.id, accept=True)


def test_an_invitation_is_seen_by_both_sides_until_it_is_answered(site, people, open_space):
    key = open_space(visibility="secret")
    row = invite(site, people["olga"], key, "sam", message="Come")
    again = invite(site, people["olga"], key, "sam")
    assert again.id == row.id
    with site.db.read() as session:
        assert [one.row.id for one in inviting.of_space(session, people["olga"].id, key)[0]] == [row.id]
        mine = inviting.of_person(session, people["sam"].id)
        assert [(one.row.message, one.space.key, one.by.username) for one in mine] == [("Come", key, "olga")]
        assert inviting.count_for(session, people["sam"].id) == 1
        # Whoever is invited may see what it is before deciding.
        seat = access.find(session, people["sam"].id, key)
        assert (seat.invited, seat.inside) == (True, False)
    assert told(site, people["sam"]) == ["communities.invited"]
    with site.db.write() as session:
        assert inviting.accept(session, people["sam"].id, row.id).member
        assert inviting.accept(session, people["sam"].id, row.id).member
    assert count(site, key) == 2
    assert told(site, people["olga"]) == ["communities.came"]
    assert told(site, people["sam"]) == []


def test_an_invitation_is_declined_revoked_sent_again_and_expires(site, people, open_space):
    key = open_space()
    row = invite(site, people["olga"], key, "sam")
    with site.db.write() as session, pytest.raises(NotFound):
        inviting.accept(session, people["mia"].id, row.id)
    with site.db.write() as session, pytest.raises(Conflict, match="less than a day"):
        inviting.again(session, people["olga"].id, key, row.id)
    with time_machine.travel(utcnow() + dt.timedelta(days=2), tick=True), site.db.write() as session:
        assert inviting.again(session, people["olga"].id, key, row.id).sent == 2
    with site.db.write() as session:
        inviting.revoke(session, people["olga"].id, key, row.id)
    assert told(site, people["sam"]) == []
    with site.db.write() as session, pytest.raises(Conflict, match="no longer open"):
        inviting.accept(session, people["sam"].id, row.id)
    second = invite(site, people["olga"], key, "sam")
    with site.db.write() as session:
        inviting.decline(session, people["sam"].id, second.id)
        inviting.decline(session, people["sam"].id, second.id)
    third = invite(site, people["olga"], key, "sam")
    with time_machine.travel(utcnow() + dt.timedelta(days=40), tick=True):
        with site.db.write() as session, pytest.raises(Conflict):
            inviting.accept(session, people["sam"].id, third.id)
        # One that is over makes room for another, whether the job has run or not.
        assert invite(site, people["olga"], key, "sam").id != third.id
    with site.db.read() as session:
        states = session.scalars(select(Invitation.state).order_by(Invitation.id)).all()
    assert list(states) == ["revoked", "declined", "expired", "pending"]


def test_members_invite_where_the_rights_let_them_and_give_no_role_above_theirs(site, people, open_space):
    key = open_space(kind="community", members=["mia"])
    invite(site, people["mia"], key, "sam")
    for given in ("admin", "owner", "moderator"):
        with pytest.raises(Forbidden):
            invite(site, people["mia"], key, "ada", role=given)
    closed = open_space("Closed", members=["mia"])
    with pytest.raises(Forbidden):
        invite(site, people["mia"], closed, "sam")
    with site.db.read() as session:
        # A member sees the invitations that they sent, not others'.
        invitation = invite(site, people["olga"], key, "ada")
        assert invitation.id not in [one.row.id for one in inviting.of_space(session, people["mia"].id, key)[0]]
    with site.db.write() as session, pytest.raises(NotFound):
        inviting.revoke(session, people["mia"].id, key, invitation.id)


def test_people_from_outside_are_guests_and_never_in_a_public_space(site, people, open_space):
    guest = make_person(site, "guest", external=True)
    set_level(site, "cocreate")
    key, public = open_space("Listed"), open_space("Public", kind="information", visibility="public")
    row = invite(site, people["olga"], key, "guest", role="admin")
    assert row.role == "external"
    with pytest.raises(BadInput, match="staff"):
        invite(site, people["olga"], public, "guest")
    with site.db.write() as session, pytest.raises(BadInput, match="staff"):
        members.add(session, people["olga"].id, public, "guest", "external")
    with site.db.write() as session:
        inviting.accept(session, guest.id, row.id)
    assert role(site, key, guest) == "external"
    with site.db.read() as session:
        for hidden in (public, open_space("Other")):
            with pytest.raises(NotFound):
                access.find(session, guest.id, hidden)
    with site.db.write() as session, pytest.raises(BadInput, match="outside"):
        members.set_role(session, people["olga"].id, key, guest.id, "writer")


def test_the_last_owner_neither_leaves_nor_is_lowered_nor_removed(site, people, open_space):
    key = open_space(members=["mia"])
    olga = people["olga"].id
    for act in (
        lambda s: joining.leave(s, olga, key),
        lambda s: members.set_role(s, olga, key, olga, "member"),
        lambda s: members.remove(s, olga, key, olga),
    ):
        with site.db.write() as session, pytest.raises(Conflict, match="without an owner"):
            act(session)
    with site.db.write() as session:
        members.set_role(session, olga, key, people["mia"].id, "owner")
        joining.leave(session, olga, key)
    assert role(site, key, people["mia"]) == "owner"


def test_an_admin_neither_makes_nor_unmakes_owners(site, people, open_space):
    key = open_space(members=["mia", "ada"])
    with site.db.write() as session:
        members.set_role(session, people["olga"].id, key, people["mia"].id, "admin")
    for person, given in ((people["ada"], "owner"), (people["olga"], "member"), (people["mia"], "owner")):
        with site.db.write() as session, pytest.raises(Forbidden, match="owners"):
            members.set_role(session, people["mia"].id, key, person.id, given)
    with site.db.write() as session, pytest.raises(Forbidden):
        members.remove(session, people["mia"].id, key, people["olga"].id)
    with site.db.write() as session:
        assert members.set_role(session, people["mia"].id, key, people["ada"].id, "moderator")
        assert not members.set_role(session, people["mia"].id, key, people["ada"].id, "moderator")
    assert "communities.role" in told(site, people["ada"])


def test_adding_without_asking_is_the_sites_to_allow(site, people, open_space):
    key = open_space()
    with site.db.write() as session:
        members.add(session, people["olga"].id, key, "mia")
    assert told(site, people["mia"]) == ["communities.added"]
    with site.db.write() as session:
        site.options.set(session, "communities.add_directly", False, Actor("test"))
    with site.db.write() as session, pytest.raises(Forbidden, match="invited"):
        members.add(session, people["olga"].id, key, "sam")


def test_what_a_member_hears_is_theirs_to_choose(site, people, open_space):
    from rse_core import spaces

    key = open_space(members=["mia"])
    with site.db.write() as session, pytest.raises(Forbidden):
        joining.hear(session, people["sam"].id, key, "all")
    with site.db.write() as session:
        joining.hear(session, people["mia"].id, key, "none")
    with site.db.read() as session:
        seat = access.find(session, people["mia"].id, key)
        assert joining.hears(session, seat) == "none"
        # A team's default is every post; mia hears nothing.
        assert list(session.scalars(spaces.listeners(session, seat.space.id))) == [people["olga"].id]


def test_what_waits_is_answered_when_somebody_is_added(site, people, open_space):
    key = open_space(policy="request")
    row = ask(site, people["sam"], key)
    invite(site, people["olga"], key, "mia")
    with site.db.write() as session:
        members.add(session, people["olga"].id, key, "sam")
        members.add(session, people["olga"].id, key, "mia")
    with site.db.read() as session:
        assert session.get_one(JoinRequest, row.id).state == "accepted"
        assert session.scalars(select(Invitation.state)).all() == ["accepted"]


def test_an_archived_or_unopened_space_takes_nobody(site, people, open_space):
    from rse_communities import changing, creating

    key = open_space(policy="free")
    row = invite(site, people["olga"], key, "mia")
    with site.db.write() as session:
        changing.archive(session, people["olga"].id, key)
    with site.db.write() as session, pytest.raises(Forbidden):
        joining.join(session, people["sam"].id, key)
    with site.db.write() as session, pytest.raises((Conflict, NotFound)):
        inviting.accept(session, people["mia"].id, row.id)
    with site.db.write() as session:
        made = creating.create(session, people["olga"].id, name="Soon", kind="community")
        key = made.key
        framing.save(session, people["olga"].id, key, {"posts": "members"})
    with site.db.write() as session, pytest.raises(NotFound):
        joining.join(session, people["sam"].id, key)


def test_an_animator_by_role_lets_people_in(site, people, open_space):
    from rse_core import organisation

    key = open_space(policy="request")
    with site.db.write() as session:
        space_id = organisation.space_by_key(session, key).id
        roles.grant(session, people["ada"].id, "animator", scope="space", scope_id=space_id, actor=Actor("test"))
    row = ask(site, people["sam"], key)
    answer(site, people["ada"], key, row, accept=True)
    with site.db.read() as session:
        assert session.get(SpaceMember, (space_id, people["sam"].id)) is not None
