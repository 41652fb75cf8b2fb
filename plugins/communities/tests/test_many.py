"""Lists of people, and members brought in by groups and entities."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rse_communities import access, bulk, feeding, members
from rse_communities.models import Batch, FedMember, Feeder
from rse_core import audiences, organisation
from rse_core import people as core_people
from rse_core.api import Actor
from rse_core.errors import BadInput, Conflict, Forbidden, NotFound
from rse_core.models.organisation import SpaceMember
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_group, make_person


@pytest.fixture
def inside(site, space_of):
    """Usernames of the members with their roles."""

    def inside(key):
        from rse_core.models.organisation import Person

        with site.db.read() as session:
            rows = select(Person.username, SpaceMember.role).join(SpaceMember, SpaceMember.person_id == Person.id)
            return dict(session.execute(rows.where(SpaceMember.space_id == space_of(key).id)).all())

    return inside


@pytest.fixture
def send(site, people):
    def send(key, text, act="add", person="olga"):
        with site.db.write() as session:
            batch = bulk.send(session, people[person].id, key, act, bulk.parse(text))
            return batch.id

    return send


def report(core, ident):
    with core.db.read() as session:
        batch = session.get_one(Batch, ident)
        return {name: outcome for _line, name, outcome in batch.report}, batch.finished_at is not None


def test_each_line_of_a_list_has_its_outcome(site, people, open_space, inside, send):
    key = open_space(members=["mia"])
    make_person(site, "guest", external=True)
    gone = make_person(site, "gone")
    with site.db.write() as session:
        core_people.disable(session, gone.id)
        session.get_one(type(gone), people["ada"].id).email = "ada@example.org"
    ident = send(
        key, "username;role\nsam;writer\nMIA;\nguest;admin\nguest;\ngone;\nnobody;\nsam;\nada@example.org;moderator\n"
    )
    found, done = report(site, ident)
    assert done
    with site.db.read() as session:
        lines = session.get_one(Batch, ident).report
    assert [(name, outcome) for _line, name, outcome in lines] == [
        ("sam", "added"), ("MIA", "already"), ("guest", "bad_role"), ("guest", "added"), ("gone", "left"),
        ("nobody", "unknown"), ("sam", "twice"), ("ada@example.org", "added"),
    ]  # fmt: skip
    assert [line for line, _name, _outcome in lines] == list(range(2, 10))
    assert found["sam"] == "twice"
    assert inside(key) == {"olga": "owner", "mia": "member", "sam": "writer", "guest": "external", "ada": "moderator"}
    ident = send(key, "sam\nolga\nnobody\nada", "remove")
    assert report(site, ident)[0] == {"sam": "removed", "olga": "owner", "nobody": "unknown", "ada": "removed"}
    assert inside(key) == {"olga": "owner", "mia": "member", "guest": "external"}
    with site.db.read() as session:
        assert access.find(session, people["olga"].id, key).profile.members == 3


def test_the_report_of_a_list_is_a_page(people, open_space, send, client):
    key = open_space()
    ident = send(key, "mia;member\nnobody.here")
    page = client(people["olga"]).get(f"/rse/communities/{key}/manage/lists/{ident}")
    assert page.status_code == 200
    assert "nobody.here" in page.text
    assert client(people["sam"]).get(f"/rse/communities/{key}/manage/lists/{ident}").status_code == 403


def test_a_long_list_is_worked_through_by_a_job_and_its_statements_do_not_grow(site, people, open_space, send, inside):
    key = open_space()
    for number in range(40):
        make_person(site, f"n{number:03}")
    names = [f"n{number:03}" for number in range(40)]
    with count_queries(site) as few:
        send(key, "\n".join(names[:2]))
    with count_queries(site) as many:
        send(key, "\n".join(names[2:30]))
    assert len(few) == len(many)
    long = send(key, "\n".join([*names[30:], *(f"x{number}" for number in range(1_190))]))
    assert report(site, long) == ({}, False)
    site.jobs.run_due()
    found, done = report(site, long)
    assert done
    assert (len(found), found["n031"], found["x7"]) == (1_200, "added", "unknown")
    assert len(inside(key)) == 41


def test_whoever_no_longer_runs_the_space_when_the_job_comes_adds_nobody(site, people, open_space, send, inside):
    key = open_space(members=["mia"])
    with site.db.write() as session:
        members.set_role(session, people["olga"].id, key, people["mia"].id, "admin")
    ident = send(key, "\n".join(["sam", *(f"x{n}" for n in range(600))]), person="mia")
    with site.db.write() as session:
        members.set_role(session, people["olga"].id, key, people["mia"].id, "member")
    site.jobs.run_due()
    found, done = report(site, ident)
    assert done
    assert set(found.values()) == {"refused"}
    assert "sam" not in inside(key)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n\n",
        b"\xff\xfea\x00",
        b"a\x00b",
        '"open',
        b"x" * (bulk.MOST_BYTES + 1),
        "\n".join(["a"] * (bulk.MOST_LINES + 1)),
    ],
    ids=["empty", "blank", "utf16", "nul", "quote", "large", "long"],
)
def test_what_is_no_list_is_refused_as_a_whole(text):
    with pytest.raises(BadInput) as refused:
        bulk.parse(text)
    assert "file" in refused.value.fields


def test_a_list_with_a_header_finds_its_columns():
    assert bulk.parse("Role,Username\nwriter,sam\n") == [[2, "sam", "writer"]]
    assert bulk.parse("sam, writer\nmia") == [[1, "sam", "writer"], [2, "mia", ""]]


def test_lists_are_for_those_who_administer_the_space(site, people, open_space, send):
    key, other = open_space(members=["mia"]), open_space("Other", owner="mia")
    with pytest.raises(Forbidden):
        send(key, "sam", person="mia")
    with pytest.raises(Forbidden):
        send(key, "sam", person="sam")
    ident = send(key, "sam")
    with site.db.read() as session, pytest.raises(NotFound):
        bulk.get(session, people["mia"].id, other, ident)
    with site.db.write() as session:
        site.options.set(session, "communities.add_directly", False, Actor("test"))
    with pytest.raises(Forbidden, match="invited"):
        send(key, "ada")


def run(core):
    core.jobs.run_due()


def test_a_group_brings_its_people_in_and_takes_them_out_again(site, people, open_space, inside, space_of):
    key = open_space(members=["mia"])
    watch = make_group(site, "watch", members=[people["mia"], people["sam"], people["ada"]])
    with site.db.read() as session:
        effect = feeding.preview(session, people["olga"].id, key, "group", "watch")
    assert (effect.add, effect.adding) == (2, ("Ada Admin", "Sam Stranger"))
    with site.db.write() as session:
        feeding.add(session, people["olga"].id, key, "group", "watch", role="writer")
    with site.db.write() as session, pytest.raises(Conflict):
        feeding.add(session, people["olga"].id, key, "group", "watch")
    # Nothing happens within the request.
    assert "sam" not in inside(key)
    run(site)
    assert inside(key) == {"olga": "owner", "mia": "member", "sam": "writer", "ada": "writer"}
    with site.db.read() as session:
        assert audiences.sees(session, people["sam"].id, audiences.of_members(session, space_of(key).id))
        assert access.find(session, people["olga"].id, key).profile.members == 4
    with site.db.write() as session:
        organisation.leave_group(session, watch.id, people["sam"].id)
        organisation.leave_group(session, watch.id, people["mia"].id)
        feeding.all_soon(session)
    run(site)
    # mia was a member before the group: she stays.
    assert inside(key) == {"olga": "owner", "mia": "member", "ada": "writer"}


def test_an_entity_brings_all_below_it_and_exclusions_hold(site, people, open_space, inside):
    north = make_entity(site, "north")
    team = make_entity(site, "team", parent=north)
    one, two = make_person(site, "one", entity=team), make_person(site, "two", entity=north)
    key = open_space()
    with site.db.write() as session:
        feeding.exclude(session, people["olga"].id, key, "two")
        feeding.add(session, people["olga"].id, key, "entity", "north")
    run(site)
    assert inside(key) == {"olga": "owner", "one": "member"}
    with site.db.write() as session:
        feeding.include(session, people["olga"].id, key, two.id)
        feeding.exclude(session, people["olga"].id, key, "one")
    run(site)
    assert inside(key) == {"olga": "owner", "two": "member"}
    with site.db.read() as session:
        lines = feeding.lines(session, access.find(session, people["olga"].id, key))
        assert [(line.key, line.row.synced_at is not None) for line in lines] == [("north", True)]
        going = feeding.preview_drop(session, people["olga"].id, key, lines[0].row.id)
        assert (going.remove, going.removing) == (1, (two.display_name,))
    with site.db.write() as session:
        core_people.move(session, two.id, None)
        feeding.all_soon(session)
    run(site)
    assert inside(key) == {"olga": "owner"}
    assert one.id


def test_somebody_in_two_groups_stays_until_both_are_gone(site, people, open_space, inside):
    key = open_space()
    for name in ("a", "b"):
        make_group(site, name, members=[people["sam"]])
        with site.db.write() as session:
            feeding.add(session, people["olga"].id, key, "group", name)
    run(site)
    ids = []
    with site.db.read() as session:
        ids = list(session.scalars(select(Feeder.id).order_by(Feeder.id)))
    with site.db.write() as session:
        feeding.drop(session, people["olga"].id, key, ids[0])
    run(site)
    assert "sam" in inside(key)
    with site.db.write() as session:
        feeding.drop(session, people["olga"].id, key, ids[1])
    run(site)
    assert inside(key) == {"olga": "owner"}


def test_somebody_given_a_role_by_hand_is_no_matter_of_groups_any_more(site, people, open_space, inside):
    key = open_space()
    group = make_group(site, "g", members=[people["sam"]])
    with site.db.write() as session:
        feeding.add(session, people["olga"].id, key, "group", "g")
    run(site)
    with site.db.write() as session:
        members.set_role(session, people["olga"].id, key, people["sam"].id, "moderator")
        organisation.leave_group(session, group.id, people["sam"].id)
        feeding.all_soon(session)
    run(site)
    assert inside(key)["sam"] == "moderator"
    with site.db.read() as session:
        assert session.scalars(select(FedMember.person_id)).all() == []


def test_a_large_group_comes_in_portions_with_as_many_statements_each(site, people, open_space, inside, monkeypatch):
    monkeypatch.setattr(feeding, "PORTION", 4)
    key = open_space()
    crowd = [make_person(site) for _ in range(10)]
    make_group(site, "crowd", members=crowd)
    with site.db.write() as session, count_queries(site) as queries:
        feeding.add(session, people["olga"].id, key, "group", "crowd")
    alone = len(queries)
    make_group(site, "small", members=crowd[:1])
    with site.db.write() as session, count_queries(site) as queries:
        feeding.add(session, people["olga"].id, key, "group", "small")
    assert len(queries) == alone
    run(site)
    assert len(inside(key)) == 11


def test_unknown_groups_and_strangers_are_refused(site, people, open_space):
    key = open_space(members=["mia"])
    with site.db.write() as session, pytest.raises(BadInput) as refused:
        feeding.add(session, people["olga"].id, key, "group", "nothing")
    assert "feeder" in refused.value.fields
    make_group(site, "g")
    with site.db.write() as session, pytest.raises(Forbidden):
        feeding.add(session, people["mia"].id, key, "group", "g")
    with site.db.write() as session, pytest.raises(BadInput):
        feeding.add(session, people["olga"].id, key, "group", "g", role="owner")


def test_guests_of_a_group_do_not_come_into_a_public_space(site, people, open_space, inside):
    guest = make_person(site, "guest", external=True)
    make_group(site, "g", members=[guest, people["sam"]])
    key = open_space(kind="information", visibility="public")
    listed = open_space("Listed")
    for one in (key, listed):
        with site.db.write() as session:
            feeding.add(session, people["olga"].id, one, "group", "g", role="writer")
    run(site)
    assert set(inside(key)) == {"olga", "sam"}
    assert inside(listed)["guest"] == "external"
