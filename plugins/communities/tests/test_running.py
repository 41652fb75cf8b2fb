"""Who runs spaces: break-glass, deputies and orphans, figures, quiet spaces, health, export and erasure, commands."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import select, update

from rse_communities import access, creating, entering, figures, health, inviting, joining, members, objects, succession
from rse_communities.models import Entry, Exclusion, Invitation, JoinRequest, Profile
from rse_core import audiences, organisation, policy, privacy, roles
from rse_core import people as core_people
from rse_core.api import Actor, Event, ObjectRef, Target, utcnow
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.errors import BadInput, Conflict, NotFound
from rse_core.models.governance import Audit
from rse_core.models.organisation import RoleGrant
from rse_core.models.runtime import NotificationRow
from rse_core.testing.organisation import make_space

REASON = "A report about a post, number 12"


@pytest.fixture
def admin(site, people):
    with site.db.write() as session:
        roles.grant(session, people["ada"].id, "site_admin", actor=Actor("test"))
    return people["ada"]


def told(core, person):
    with core.db.read() as session:
        rows = select(NotificationRow.type).where(NotificationRow.person_id == person.id).order_by(NotificationRow.id)
        return list(session.scalars(rows))


# Break-glass


def sees(core, person, key):
    with core.db.read() as session:
        space = organisation.space_by_key(session, key)
        target = Target(audiences.of_space(session, space.id), space_id=space.id)
        return policy.can(session, person.id, "wall.read", target).allowed


def test_a_site_administrator_enters_with_a_reason_for_an_hour_and_is_seen(site, people, open_space, admin, space_of):
    key = open_space(visibility="secret")
    with site.db.read() as session, pytest.raises(NotFound):
        access.find(session, admin.id, key)
    for reason in ("", "   ", "why not"):
        with site.db.write() as session, pytest.raises(BadInput) as refused:
            entering.enter(session, admin.id, key, reason)
        assert "reason" in refused.value.fields
    assert not sees(site, admin, key)
    with site.db.write() as session:
        entering.enter(session, admin.id, key, REASON)
    assert sees(site, admin, key)
    assert told(site, people["olga"]) == ["communities.entered"]
    with site.db.read() as session:
        seat = access.find(session, admin.id, key)
        assert (seat.member, seat.inside, seat.administers) == (False, True, False)
        assert [(one.row.reason, one.person.username) for one in entering.of_space(session, seat.space.id)] == [
            (REASON, "ada")
        ]
        # Not a member: neither counted nor listed.
        assert seat.profile.members == 1
        assert [one.person.username for one in members.page(session, seat)[0]] == ["olga"]
        log = session.execute(select(Audit.act, Audit.why).where(Audit.subject == f"space:{key}")).all()
        assert ("communities.enter", REASON) in [tuple(row) for row in log]
    with site.db.write() as session, pytest.raises(Conflict, match="already"):
        entering.enter(session, admin.id, key, REASON)


def test_the_hour_ends_at_reading_and_the_job_takes_the_role_back(site, people, open_space, admin):
    key = open_space(visibility="secret")
    with site.db.write() as session:
        entering.enter(session, admin.id, key, REASON)
    with time_machine.travel(utcnow() + dt.timedelta(minutes=61), tick=True):
        with site.db.read() as session, pytest.raises(NotFound):
            access.find(session, admin.id, key)
        with site.db.write() as session:
            entering.end_over(session)
        assert not sees(site, admin, key)
        with site.db.read() as session:
            assert session.scalar(select(RoleGrant.id).where(RoleGrant.scope == "space")) is None
            assert session.scalars(select(Entry.ended_at)).one() is not None
        # It can be done again, with another reason.
        with site.db.write() as session:
            entering.enter(session, admin.id, key, REASON)
        assert sees(site, admin, key)


def test_leaving_early_ends_it_and_others_cannot_enter(site, people, open_space, admin):
    key = open_space(visibility="secret")
    with site.db.write() as session:
        entering.enter(session, admin.id, key, REASON)
        entering.leave(session, admin.id, key)
    assert not sees(site, admin, key)
    for name in ("olga", "sam"):
        with site.db.write() as session, pytest.raises(NotFound):
            entering.enter(session, people[name].id, key, REASON)
    public = open_space("Public", visibility="public", kind="information")
    with site.db.write() as session, pytest.raises(Conflict):
        entering.enter(session, admin.id, public, REASON)


# Deputies and orphans


def leave(core, person):
    with core.db.write() as session:
        core_people.disable(session, person.id)
    core.jobs.run_due()


def test_the_deputy_takes_over_when_the_owner_leaves_the_organisation(site, people, open_space):
    key = open_space(members=["mia"])
    with site.db.write() as session:
        creating.change(session, people["olga"].id, key, deputy="mia")
    leave(site, people["olga"])
    with site.db.read() as session:
        seat = access.find(session, people["mia"].id, key)
        assert (seat.role, seat.profile.contact_id, seat.profile.members) == ("owner", people["mia"].id, 1)
    assert told(site, people["mia"])[-1] == "communities.succeeded"


def test_without_a_deputy_the_space_waits_for_a_site_administrator(site, people, open_space, admin):
    key, other = open_space(members=["mia"]), open_space("Other", owner="mia")
    leave(site, people["olga"])
    assert told(site, admin) == ["communities.orphaned"]
    with site.db.read() as session:
        assert [one.key for one in succession.orphans(session, admin.id)] == [key]
        with pytest.raises(NotFound):
            succession.orphans(session, people["mia"].id)
    with site.db.write() as session, pytest.raises(NotFound):
        succession.assign(session, people["mia"].id, key, "mia")
    with site.db.write() as session, pytest.raises(NotFound):
        succession.assign(session, admin.id, other, "sam")
    with site.db.write() as session:
        succession.assign(session, admin.id, key, "sam")
    with site.db.read() as session:
        assert access.find(session, people["sam"].id, key).role == "owner"
        assert succession.orphans(session, admin.id) == []


def test_a_second_owner_needs_no_deputy_and_counts_follow_people(site, people, open_space):
    key = open_space(members=["mia", "sam"])
    with site.db.write() as session:
        members.set_role(session, people["olga"].id, key, people["mia"].id, "owner")
        creating.change(session, people["olga"].id, key, deputy="sam")
    leave(site, people["olga"])
    with site.db.read() as session:
        assert access.find(session, people["sam"].id, key).role == "member"
        assert session.scalar(select(Profile.members)) == 2
    with site.db.write() as session:
        core_people.enable(session, people["olga"].id)
    site.jobs.run_due()
    with site.db.read() as session:
        assert session.scalar(select(Profile.members)) == 3


# Figures


def test_figures_count_by_the_day_and_name_nobody(site, people, open_space, space_of):
    key = open_space(policy="free", members=["mia"])
    space = space_of(key)
    with site.db.write() as session:
        joining.join(session, people["sam"].id, key)
        audience = audiences.of_space(session, space.id)
        for name, ref in (("feed.published", "feed.post:1"), ("comments.published", "x.y:1"), ("likes.reacted", "x.y:2")):
            figures.count(session, Event(name, people["sam"].id, ObjectRef.parse(ref), audience))
        figures.count(session, Event("feed.published", None, ObjectRef("feed.post", "2"), None, {"space": space.id}))
        figures.count(session, Event("feed.published", None, ObjectRef("feed.post", "3"), audiences.everyone(session)))
    site.jobs.run_due()
    with site.db.read() as session:
        found = figures.of_space(session, people["olga"].id, key)
        # Mia's coming and sam's; who makes a space has not joined it.
        assert found.recent == {"posts": 2, "comments": 1, "reactions": 1, "joined": 2}
        assert (found.members, found.before["posts"], found.weeks[-1].posts) == (3, 0, 2)
        assert (found.listeners, found.requests) == (3, 0)
        assert figures.active(session) == (1, 1)
        seat = access.find(session, people["olga"].id, key)
        assert seat.profile.active_at is not None


def test_spaces_that_have_gone_quiet_are_reported_to_site_administrators(site, people, open_space, admin):
    quiet, lively = open_space("Quiet"), open_space("Lively")
    with site.db.write() as session:
        old = utcnow() - dt.timedelta(days=300)
        session.execute(update(Profile).values(opened_at=old, created_at=old))
        space_id = organisation.space_by_key(session, lively).id
        session.execute(update(Profile).where(Profile.space_id == space_id).values(active_at=utcnow()))
    with site.db.read() as session:
        assert [one.key for one in figures.quiet(session, admin.id)] == [quiet]
        assert figures.quiet(session, admin.id, months=24) == []
        with pytest.raises(NotFound):
            figures.quiet(session, people["olga"].id)


# Kept right


def test_wrong_counts_are_found_and_mended(site, people, open_space):
    open_space(members=["mia"])
    with site.db.write() as session:
        assert health.check(session).ok
        session.execute(update(Profile).values(members=7))
        assert not health.check(session).ok
        health.repair(session)
        assert health.check(session).ok
        assert session.scalar(select(Profile.members)) == 2


def test_a_space_that_the_core_made_has_a_profile_soon(site, people):
    made = make_space(site, "plain", name="Plain Œuvre", members=[people["sam"]])
    with site.db.read() as session:
        assert access.find(session, people["sam"].id, "plain").profile.kind == "team"
    site.jobs.run_due()
    with site.db.read() as session:
        assert (session.get_one(Profile, made.id).folded, session.get_one(Profile, made.id).members) == ("plain oeuvre", 1)
    with site.db.write() as session:
        session.delete(session.get_one(Profile, made.id))
    with site.db.write() as session:
        objects.complete(session)
    with site.db.write() as session:
        organisation.leave_space(session, made.id, people["sam"].id)
    site.jobs.run_due()
    with site.db.read() as session:
        assert session.get_one(Profile, made.id).members == 0


def test_what_is_kept_of_a_person_is_exported_and_erased(site, people, open_space):
    key = open_space(policy="request", members=["mia"])
    other = open_space("Other", policy="request", owner="mia")
    with site.db.write() as session:
        joining.ask(session, people["sam"].id, key, "Let me in")
        inviting.invite(session, people["olga"].id, key, "ada", message="Come, Ada")
        joining.ask(session, people["olga"].id, other, "Me too")
        session.add(Exclusion(space_id=organisation.space_by_key(session, key).id, person_id=people["sam"].id))
        creating.change(session, people["olga"].id, key, deputy="mia")
    with site.db.read() as session:
        export = json.dumps(privacy.export(session, people["sam"].id), default=str)
        assert "Let me in" in export
        assert "Come, Ada" in json.dumps(privacy.export(session, people["olga"].id), default=str)
    with site.db.write() as session:
        for name in ("sam", "olga"):
            privacy.erase(session, people[name].id, actor=Actor("test"))
    site.jobs.run_due()
    with site.db.read() as session:
        assert session.scalars(select(JoinRequest.message)).all() == []
        assert session.scalars(select(Invitation.invited_by)).all() == [None]
        seat = access.find(session, people["mia"].id, key)
        assert (seat.role, seat.profile.created_by, seat.profile.members) == ("owner", None, 1)
        assert health.check(session).ok


# Commands


@pytest.fixture
def rse(site):
    def run(*words):
        return CliRunner().invoke(cli, words, obj=State(lambda: site))

    return run


def test_spaces_and_members_are_listed_at_the_command_line(site, people, open_space, rse):
    key = open_space(visibility="secret", members=["mia"])
    found = json.loads(rse("space", "list", "--json").output)
    assert [(one["key"], one["visibility"], one["members"]) for one in found] == [(key, "secret", 2)]
    assert key in rse("space", "list").output
    assert rse("space", "list", "--kind", "project").output == ""
    rows = json.loads(rse("space", "members", key, "--json").output)
    assert {row["username"]: row["role"] for row in rows} == {"olga": "owner", "mia": "member"}
    assert rse("space", "members", "nothing").exit_code == 1
    assert rse("space", "add", key).exit_code == 2


def test_lists_are_worked_through_at_the_command_line_with_exit_codes(site, people, open_space, rse, tmp_path):
    key, path = open_space(), tmp_path / "people.csv"
    path.write_text("username,role\nsam,writer\nmia,\n")
    answer = rse("space", "add", key, "--csv", str(path), "--json")
    assert (answer.exit_code, [one["outcome"] for one in json.loads(answer.stdout)]) == (0, ["added", "added"])
    # A second run says so and is no failure.
    assert rse("space", "add", key, "--csv", str(path)).exit_code == 0
    path.write_text("sam\nnobody\n")
    answer = rse("space", "remove", key, "--csv", str(path))
    assert answer.exit_code == 1
    assert "nobody" in answer.stdout
    with site.db.read() as session:
        rows = session.execute(select(Audit.act).where(Audit.act.startswith("communities.list_")).order_by(Audit.id)).all()
        assert [row.act for row in rows] == ["communities.list_add", "communities.list_add", "communities.list_remove"]
        assert access.find(session, people["sam"].id, key).role is None
