"""Nobody decides on an appeal against their own decision: where nobody else moderates, the site's moderators do, and a
secret space stays secret to everybody, to them as well."""

from __future__ import annotations

import re

import pytest

from rse_core import roles
from rse_core.api import Actor, Conflict, Forbidden, NotFound
from rse_core.models.organisation import Space, SpaceMember
from rse_core.organisation import join_space, leave_space
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_person, make_space
from rse_governance import appeals, badge, cases, casework, personal
from rse_governance.models import Case

ACTOR = Actor("cli:tests")
WORDS, SECRET = "between us alone", "Project Zorglub"


@pytest.fixture
def inner(site, people):
    """A secret space that max alone runs; anna and ben are in it."""
    return make_space(
        site, "zorglub", name=SECRET, visibility="secret", members=[people["anna"], people["ben"]], managers=[people["max"]]
    )


@pytest.fixture
def deleted(site, people, wall, inner, told):
    """What anna wrote there and max deleted."""
    note = wall.write(site, people["anna"], WORDS, space=inner)
    wall.delete(site, people["max"], note.id)
    told(people["anna"])
    return note


def number_of(core, person):
    with core.db.read() as session:
        return casework.own(session, person.id).lines[0].row.id


def appeal(core, person, **more):
    number = number_of(core, person)
    with core.db.write() as session:
        appeals.appeal(session, person.id, number, "I quoted somebody.", **more)
    return number


def answer(core, person, number, *, grant=True):
    with core.db.write() as session:
        return appeals.decide_appeal(session, person.id, number, grant=grant, reason="Looked at again.")


def listed(core, person, state="appealed"):
    with core.db.read() as session:
        return casework.page(session, person.id, state=state)


def csrf(browser):
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/rse/me/").text)
    return {"X-RSE-CSRF": found[1]}


def test_who_took_it_down_does_not_decide_and_the_site_does(site, people, wall, told, deleted):
    number = appeal(site, people["anna"])
    with pytest.raises(Forbidden, match="another moderator decides"):
        answer(site, people["max"], number)
    assert any("a moderator of the whole site decides" in line for line in told(people["mo"]))
    assert not any("appeals" in line for line in told(people["max"]))
    answer(site, people["mo"], number)
    assert wall.notes[deleted.id].state == "published"
    assert any("Your appeal was granted" in line for line in told(people["anna"]))
    with pytest.raises(Conflict):
        answer(site, people["ada"], number)


def test_the_sites_moderators_see_the_appeal_and_nothing_of_the_space(site, people, client, told, deleted):
    appeal(site, people["anna"])
    for name in ("mo", "ada"):
        page = listed(site, people[name])
        [line] = page.lines
        assert line.blind
        assert (line.text, line.info, line.by, line.place, line.found) == (None, None, None, "", "")
        assert (line.row.appeal, line.row.reason) == ("I quoted somebody.", "a reason")
        assert (page.reports, page.elsewhere) == ({}, 0)
        browser = client(people[name])
        shown = browser.get("/rse/moderation/reports?state=appealed").text
        assert "I quoted somebody." in shown
        assert "did not disclose" in shown
        rest = browser.get("/rse/api/v1/governance/reports?state=appealed").text
        for text in (shown, rest, browser.get("/rse/notifications/").text, "".join(told(people[name]))):
            assert not any(word in text for word in (WORDS, SECRET, "zorglub", "Max Dubois"))


def test_they_read_what_its_author_discloses_until_they_have_decided(site, people, client, deleted):
    number = appeal(site, people["anna"], disclose=True)
    assert [line.text for line in listed(site, people["mo"]).lines] == [WORDS]
    assert SECRET not in client(people["mo"]).get("/rse/moderation/reports?state=appealed").text
    answer(site, people["mo"], number, grant=False)
    [line] = listed(site, people["mo"], "decided").lines
    assert (line.blind, line.text, line.row.state) == (True, None, "confirmed")
    with site.db.read() as session:
        assert session.get(Case, number).disclosed == ""


def test_the_author_alone_discloses_and_only_while_the_appeal_waits(site, people, client, deleted):
    number = number_of(site, people["anna"])
    with site.db.write() as session, pytest.raises(Conflict):
        appeals.disclose(session, people["anna"].id, number)
    appeal(site, people["anna"])
    for name in ("ben", "max", "mo", "ada"):
        with site.db.write() as session, pytest.raises(NotFound):
            appeals.disclose(session, people[name].id, number)
    assert [line.text for line in listed(site, people["mo"]).lines] == [None]
    anna = client(people["anna"])
    assert "Let them read it" in anna.get("/rse/moderation/mine").text
    address = f"/rse/api/v1/governance/reports/{number}/disclosure"
    assert anna.put(address).status_code == 403
    assert anna.put(address, headers=csrf(anna)).status_code == 204
    assert [line.text for line in listed(site, people["mo"]).lines] == [WORDS]
    answer(site, people["mo"], number, grant=False)
    assert anna.put(address, headers=csrf(anna)).status_code == 409


@pytest.mark.parametrize("name", ["anna", "ben", "cleo", "head"])
def test_nobody_else_sees_or_decides_it(site, people, client, deleted, name):
    if name == "head":
        # Who moderates the author's entity, or another group: not of the space, not of the site.
        entity = make_entity(site, "north")
        people["head"] = make_person(site, "head", entity=entity, locale="en")
        with site.db.write() as session:
            roles.grant(session, people["head"].id, "moderator", scope="entity", scope_id=entity.id, actor=ACTOR)
            session.get(Case, number_of(site, people["anna"])).entity_id = entity.id
    number = appeal(site, people["anna"], disclose=True)
    with pytest.raises(NotFound):
        answer(site, people[name], number)
    browser = client(people[name])
    asked = f"/rse/api/v1/governance/reports/{number}/appeal"
    given = browser.post(asked, json={"grant": True, "reason": "Mine."}, headers=csrf(browser))
    assert given.status_code == 404
    if name == "head":
        page = listed(site, people[name])
        assert (list(page.lines), page.elsewhere) == ([], 1)
        assert WORDS not in browser.get("/rse/moderation/reports?state=appealed").text


def test_neither_who_decided_nor_the_author_decides_as_a_moderator_of_the_site(site, people, deleted):
    with site.db.write() as session:
        for name in ("max", "anna"):
            roles.grant(session, people[name].id, "moderator", actor=ACTOR)
    number = appeal(site, people["anna"])
    with pytest.raises(Forbidden):
        answer(site, people["max"], number)
    with pytest.raises(NotFound):
        answer(site, people["anna"], number)
    assert [line.blind for line in listed(site, people["max"]).lines] == [False]
    assert list(listed(site, people["anna"]).lines) == []
    with site.db.write() as session:
        roles.revoke(session, people["mo"].id, "moderator", actor=ACTOR)
    with pytest.raises(NotFound):
        answer(site, people["mo"], number)
    answer(site, people["ada"], number)


def test_another_moderator_of_the_space_decides_and_the_site_hears_nothing(site, people, told, inner, deleted):
    with site.db.write() as session:
        join_space(session, inner.id, people["cleo"].id, "moderator")
    number = appeal(site, people["anna"], disclose=True)
    assert any("another moderator decides" in line for line in told(people["cleo"]))
    assert [told(people[name]) for name in ("mo", "ada")] == [[], []]
    assert list(listed(site, people["mo"]).lines) == []
    with site.db.read() as session:
        row = session.get(Case, number)
        assert (row.escalated, row.disclosed) == (False, "")
    with pytest.raises(NotFound):
        answer(site, people["mo"], number)
    answer(site, people["cleo"], number)


def test_when_the_other_moderator_leaves_the_appeal_goes_to_the_site(site, people, told, inner, deleted):
    with site.db.write() as session:
        join_space(session, inner.id, people["cleo"].id, "moderator")
    number = appeal(site, people["anna"])
    with site.db.write() as session:
        appeals.hand_over(session)
    assert told(people["mo"]) == []
    with site.db.write() as session:
        leave_space(session, inner.id, people["cleo"].id)
    with site.db.write() as session:
        appeals.hand_over(session)
        appeals.hand_over(session)
    assert len([line for line in told(people["mo"]) if "whole site" in line]) == 1
    with pytest.raises(NotFound):
        answer(site, people["cleo"], number)
    answer(site, people["mo"], number)


def test_appealing_says_who_will_read_it(site, people, client, wall, inner, deleted):
    anna = client(people["anna"])
    shown = anna.get("/rse/moderation/mine").text
    assert "A moderator of the whole site decides, and will read your appeal and the reason given above." in shown
    assert 'name="disclose"' in shown
    token = re.search(r'name="csrf_token" value="([^"]+)"', shown)[1]
    number, headers = number_of(site, people["anna"]), {"Origin": "http://localhost"}
    form = {"csrf_token": token, "text": "A quotation.", "disclose": "1"}
    address = f"/rse/moderation/cases/{number}/appeal"
    assert anna.post(address, data={"text": "x"}, headers=headers).status_code == 403
    assert anna.post(address, data={**form, "text": " "}, headers=headers).status_code == 422
    assert anna.post(address, data=form, headers=headers).status_code == 303
    after = anna.get("/rse/moderation/mine").text
    assert "Your appeal waits for a moderator of the whole site." in after
    assert "They may read what was taken down until they have decided." in after
    own = client(people["max"]).get("/rse/moderation/reports?state=appealed").text
    assert "nobody else moderates here: a moderator of the whole site decides" in own
    assert "appeal-decision" not in own
    # Where somebody else moderates, nothing of the kind is said.
    note = wall.write(site, people["anna"], "weeds")
    wall.delete(site, people["mo"], note.id)
    first = anna.get("/rse/moderation/mine").text.split("<article")[1]
    assert "weeds" in first
    assert "whole site decides" not in first


def test_the_number_beside_moderation_counts_what_one_can_decide(site, people, deleted):
    appeal(site, people["anna"])
    with site.db.read() as session:
        for name, number in (("mo", 1), ("ada", 1), ("max", 0), ("anna", 0), ("ben", 0)):
            assert badge.count(session, people[name].id) == number, name
            assert cases.count_waiting(session, people[name].id) == number, name


def test_who_is_alone_is_who_has_no_others_in_a_constant_number_of_queries(site, people, wall):
    north = make_entity(site, "north")
    guard = make_person(site, "guard", entity=north)
    writer = make_person(site, "writer", entity=north)
    with site.db.write() as session:
        roles.grant(session, guard.id, "moderator", scope="entity", scope_id=north.id, actor=ACTOR)
    # Who runs it, who else is in it, and whether everybody sees it.
    max_, cleo, mo, ben = (people[name] for name in ("max", "cleo", "mo", "ben"))
    spaces = {
        "one": ([max_], [], "secret"), "two": ([max_, cleo], [], "secret"), "site": ([max_], [mo], "secret"),
        "entity": ([max_], [guard], "secret"), "granted": ([max_], [ben], "secret"), "open": ([max_], [], "public"),
    }  # fmt: skip
    ids = {}
    for key, (managers, more, visibility) in spaces.items():
        members = [people["anna"], writer, *more]
        space = make_space(site, key, visibility=visibility, members=members, managers=managers)
        if key == "granted":
            with site.db.write() as session:
                roles.grant(session, people["ben"].id, "animator", scope="space", scope_id=space.id, actor=ACTOR)
        for author in (people["anna"], writer):
            note = wall.write(site, author, f"{key} note", space=space)
            wall.delete(site, people["max"], note.id)
            ids[note.id] = (key, author.username)
    with site.db.read() as session:
        rows = list(session.query(Case).order_by(Case.id))
        assert len(rows) == 12
        with count_queries(site) as few:
            lonely = appeals.alone(session, rows[:2])
        with count_queries(site) as all_:
            lonely = appeals.alone(session, rows)
        assert len(all_) <= max(len(few), 6)
        assert lonely == {row.id for row in rows if not appeals.others(session, row)}
        named = {ids[int(row.ref_id)] for row in rows if row.id in lonely}
    # Who moderates the author's entity decides where they are in the space.
    assert named == {("one", "anna"), ("one", "writer"), ("entity", "anna")}


def test_erasing_the_author_takes_what_they_disclosed(site, people, deleted):
    number = appeal(site, people["anna"], disclose=True)
    with site.db.write() as session:
        personal.erase(session, people["anna"].id)
    with site.db.read() as session:
        row = session.get(Case, number)
        assert (row.disclosed, row.appeal, row.author_id) == ("", "", None)
        assert session.query(Space).filter_by(name=SECRET).count() == 1
        assert session.query(SpaceMember).count() > 0
