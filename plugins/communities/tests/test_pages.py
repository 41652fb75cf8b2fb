"""The pages: what each person finds there, what a form does, and what hostile and clumsy ones get."""

from __future__ import annotations

import io
import re

import pytest
from sqlalchemy import func, select

from rse_communities import inviting, joining, members
from rse_communities.models import Profile
from rse_core import roles
from rse_core.api import Actor
from rse_core.models.organisation import Space, SpaceMember
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_group, make_person, set_level

HERE = "/rse/communities/"
#: Every page of a space, and who may open it: 0 for who sees the space, 1 for members, 2 for those who run it.
PAGES = {
    "": 0, "members": 1, "invitations": 2, "names": 2, "manage/": 2, "manage/sheet": 2, "manage/rights": 2,
    "manage/plugins": 2, "manage/figures": 2, "manage/visibility": 2, "manage/end": 2, "manage/requests": 2,
    "manage/people": 2, "manage/groups": 2,
}  # fmt: skip


def token_of(client, path="/rse/me/"):
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)[1]


def send(client, path, **form):
    return client.post(HERE + path, data={"csrf_token": token_of(client), **form})


def said(answer):
    return [text.strip() for text in re.findall(r'role="alert">([^<]+)<', answer.text)]


def role_of(core, key, person):
    with core.db.read() as session:
        space = select(Space.id).where(Space.key == key).scalar_subquery()
        return session.scalar(
            select(SpaceMember.role).where(SpaceMember.space_id == space, SpaceMember.person_id == person.id)
        )


@pytest.fixture
def olga(client, people):
    return client(people["olga"])


@pytest.fixture
def sam(client, people):
    return client(people["sam"])


# -- making and opening one --------------------------------------------------------------------------------------------


def test_a_space_is_prepared_framed_and_opened_through_its_pages(site, olga, sam, people):
    assert 'href="/rse/communities/-/new"' in olga.get(HERE).text
    made = send(olga, "-/new", name="Beekeepers", kind="community", purpose="Hives on the roof", visibility="listed")
    assert made.status_code == 303
    sheet = made.headers["Location"]
    key = sheet.split("/")[-3]
    assert "Still to be filled in:" in olga.get(sheet).text
    assert sam.get(f"{HERE}{key}/").status_code == 404, "until it opens, nobody else knows of it"
    early = send(olga, f"{key}/manage/sheet", act="open", posts="members")
    assert early.status_code == 422
    assert 'value="members" selected' in early.text, "what was chosen is still there"
    opened = send(
        olga, f"{key}/manage/sheet", act="open", posts="members", likes="all", comments="all", moderates="after",
        purpose="Hives on the roof", contact="olga",
    )  # fmt: skip
    assert opened.status_code == 303
    assert "Hives on the roof" in sam.get(f"{HERE}{key}/").text
    assert "Beekeepers" in sam.get(HERE).text


def test_a_form_sent_twice_makes_one_space(site, olga):
    page = olga.get(f"{HERE}-/new").text
    once = re.search(r'name="idempotency_key" value="([^"]+)"', page)[1]
    first, second = (send(olga, "-/new", name="Once", kind="team", idempotency_key=once) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Space)) == 1


@pytest.mark.parametrize(
    "form",
    [{"name": ""}, {"name": "x" * 301}, {"name": "A", "kind": "palace"}, {"name": "A", "visibility": "invisible"}],
)
def test_a_refused_form_says_why_and_keeps_what_was_typed(site, olga, form):
    answer = send(olga, "-/new", purpose="Kept <words>", **{"kind": "team", **form})
    assert answer.status_code == 422
    assert said(answer)
    assert "Kept &lt;words&gt;" in answer.text
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Space)) == 0


def test_below_its_level_nobody_opens_a_space(site, people, sam):
    set_level(site, "contribute")
    assert "/-/new" not in sam.get(HERE).text
    assert sam.get(f"{HERE}-/new").status_code == 403
    assert send(sam, "-/new", name="No", kind="community").status_code == 403


# -- who opens which page ----------------------------------------------------------------------------------------------


def test_each_page_opens_for_whom_it_is_and_for_nobody_else(client, people, open_space):
    key = open_space(members=["mia"])
    answers = {
        name: {path: client(people[name]).get(f"{HERE}{key}/{path}").status_code for path in PAGES}
        for name in ("olga", "mia", "sam")
    }
    assert set(answers["olga"].values()) == {200}
    assert {path for path, code in answers["mia"].items() if code == 200} == {
        path for path, who in PAGES.items() if who < 2
    }
    assert {path for path, code in answers["sam"].items() if code == 200} == {""}
    assert {code for path, code in answers["sam"].items() if path} <= {403, 404}


@pytest.mark.parametrize("path", PAGES)
def test_a_secret_space_is_answered_as_one_that_does_not_exist(client, people, open_space, path):
    key = open_space("Quiet circle", visibility="secret", members=["mia"])
    sam = client(people["sam"])
    real, none = sam.get(f"{HERE}{key}/{path}"), sam.get(f"{HERE}no-such-space/{path}")
    assert (real.status_code, none.status_code) == (404, 404)
    assert real.text.replace(key, "no-such-space") == none.text
    assert "Quiet circle" not in sam.get(HERE).text
    assert "Quiet circle" in client(people["mia"]).get(HERE).text


@pytest.mark.parametrize("act", ["join", "leave", "withdraw", "hear", "manage/end", "manage/people", "invitations"])
def test_a_form_sent_to_a_secret_space_tells_nothing(site, client, people, open_space, act):
    key = open_space("Quiet circle", visibility="secret")
    sam = client(people["sam"])
    real, none = send(sam, f"{key}/{act}", act="archive"), send(sam, f"no-such-space/{act}", act="archive")
    assert real.status_code == none.status_code
    assert real.text.replace(key, "no-such-space") == none.text
    assert role_of(site, key, people["sam"]) is None


def test_without_the_token_of_the_form_nothing_happens(site, sam, people, open_space):
    key = open_space(policy="free")
    assert sam.post(f"{HERE}{key}/join").status_code == 403
    assert role_of(site, key, people["sam"]) is None


def test_an_enormous_form_is_refused(sam, open_space):
    key = open_space(policy="request")
    answer = send(sam, f"{key}/join", message="x" * 40_000_000)
    assert answer.status_code == 413


# -- coming and going --------------------------------------------------------------------------------------------------


def test_somebody_joins_sees_what_is_inside_and_leaves(site, sam, people, open_space):
    key = open_space(policy="free")
    assert "Join" in sam.get(f"{HERE}{key}/").text
    assert send(sam, f"{key}/join").status_code == 303
    page = sam.get(f"{HERE}{key}/").text
    assert "You are a member now." in page
    assert "Leave this space" in page
    send(sam, f"{key}/join")
    assert role_of(site, key, people["sam"]) == "member", "a second click changes nothing"
    assert send(sam, f"{key}/hear", notify="mentions").status_code == 303
    wrong = send(sam, f"{key}/hear", notify="everything")
    assert (wrong.status_code, bool(said(wrong))) == (422, True)
    assert send(sam, f"{key}/leave").headers["Location"] == HERE
    assert role_of(site, key, people["sam"]) is None


def test_the_last_owner_is_told_why_they_cannot_leave(site, olga, people, open_space):
    key = open_space()
    answer = send(olga, f"{key}/leave")
    assert answer.status_code == 409
    assert said(answer)
    assert role_of(site, key, people["olga"]) == "owner"


def test_a_request_is_asked_answered_and_asked_again(site, olga, sam, people, open_space):
    key = open_space(policy="request")
    assert send(sam, f"{key}/join", message="I keep bees <too>").status_code == 303
    waiting = olga.get(f"{HERE}{key}/manage/requests").text
    assert "I keep bees &lt;too&gt;" in waiting
    number = re.search(r'name="request" value="(\d+)"', waiting)[1]
    assert send(olga, f"{key}/manage/requests", request=number, answer="refuse", reason="Full for now").status_code == 303
    assert "Full for now" in sam.get(f"{HERE}{key}/").text
    again = send(olga, f"{key}/manage/requests", request=number, answer="accept")
    assert again.status_code in (404, 409), "it was answered already"
    assert role_of(site, key, people["sam"]) is None


def test_another_spaces_request_is_not_answered_from_here(site, client, people, open_space):
    key, other = open_space(policy="request"), open_space("Other", owner="ada", policy="request")
    with site.db.write() as session:
        row = joining.ask(session, people["sam"].id, other, "Please")
    answer = send(client(people["olga"]), f"{key}/manage/requests", request=str(row.id), answer="accept")
    assert answer.status_code == 404
    assert role_of(site, other, people["sam"]) is None


def test_an_invitation_is_sent_seen_and_accepted_by_its_own_person_only(site, client, people, open_space):
    key = open_space("Quiet circle", visibility="secret")
    olga, sam, mia = (client(people[name]) for name in ("olga", "sam", "mia"))
    assert send(olga, f"{key}/invitations", person="sam", message="Come along").status_code == 303
    mine = sam.get(f"{HERE}-/invitations").text
    assert "Quiet circle" in mine
    assert "Come along" in mine
    number = re.search(r"/-/invitations/(\d+)", mine)[1]
    assert send(mia, f"-/invitations/{number}", answer="accept").status_code == 404
    assert role_of(site, key, people["mia"]) is None
    assert send(sam, f"-/invitations/{number}", answer="accept").status_code == 303
    assert role_of(site, key, people["sam"]) == "member"
    unknown = send(olga, f"{key}/invitations", person="nobody-here", message="Kept words")
    assert unknown.status_code in (404, 422)
    assert "Kept words" in unknown.text


# -- running one -------------------------------------------------------------------------------------------------------


def test_a_stale_form_of_the_sheet_overwrites_nothing(site, client, people, open_space):
    key = open_space(members=["mia"])
    with site.db.write() as session:
        members.set_role(session, people["olga"].id, key, people["mia"].id, "admin")
    olga, mia = client(people["olga"]), client(people["mia"])
    stale = re.search(r'name="version" value="(\d+)"', olga.get(f"{HERE}{key}/manage/sheet").text)[1]
    sheet = {"posts": "members", "likes": "members", "comments": "members", "moderates": "after", "contact": "olga"}
    assert send(mia, f"{key}/manage/sheet", act="save", version=stale, purpose="By Mia", **sheet).status_code == 303
    late = send(olga, f"{key}/manage/sheet", act="save", version=stale, purpose="By Olga", **sheet)
    assert late.status_code == 409
    assert "By Olga" in late.text, "what was typed is not lost"
    with site.db.read() as session:
        assert session.scalar(select(Profile.purpose)) == "By Mia"


def test_a_list_of_people_has_an_answer_for_each_line(site, olga, people, open_space):
    key = open_space()
    file = (io.BytesIO(b"sam;writer\nnobody\nmia\nsam\n"), "people.csv")
    answer = olga.post(
        f"{HERE}{key}/manage/people", data={"csrf_token": token_of(olga), "act": "list_add", "list": "", "file": file},
    )  # fmt: skip
    assert answer.status_code == 303
    report = olga.get(answer.headers["Location"])
    assert "nobody" in report.text
    table = olga.get(answer.headers["Location"] + "?format=csv")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert len(table.text.strip().splitlines()) == 5
    assert (role_of(site, key, people["sam"]), role_of(site, key, people["mia"])) == ("writer", "member")


def test_a_group_brings_its_people_in_after_a_look_at_who_would_come(site, olga, people, open_space):
    group = make_group(site, "gardeners")
    sam = make_person(site, "gus", name="Gus Gardener", groups=[group])
    key = open_space()
    path = f"{key}/manage/groups"
    look = send(olga, path, act="preview", kind="group", feeder="gardeners", role="member")
    assert "1 person would become a member." in look.text
    assert role_of(site, key, sam) is None
    assert send(olga, path, act="add", kind="group", feeder="gardeners", role="member").status_code == 303
    while site.jobs.run_due():
        pass
    assert role_of(site, key, sam) == "member"
    wrong = send(olga, path, act="preview", kind="group", feeder="no-such-group", role="member")
    assert wrong.status_code in (404, 422)


def test_rights_of_the_grid_are_changed_and_fixed_cells_are_not(site, olga, open_space):
    key = open_space(members=["mia"])
    page = olga.get(f"{HERE}{key}/manage/rights").text
    assert "Write on the wall" in page
    explained = olga.get(f"{HERE}{key}/manage/rights?capability=wall.write&person=mia").text
    assert "Mïa Member" in explained or "mia" in explained
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    field = re.search(r'name="([^"]*wall\.write)"', page)[1]
    assert send(olga, f"{key}/manage/rights", version=version, **{field: "managers"}).status_code == 303
    assert re.search(r'<option value="managers" selected', olga.get(f"{HERE}{key}/manage/rights").text)
    wrong = send(olga, f"{key}/manage/rights", **{field: "martians"})
    assert wrong.status_code == 422


def test_a_space_is_hidden_archived_opened_again_and_its_figures_name_nobody(site, olga, sam, open_space):
    key = open_space(members=["mia"])
    figures = olga.get(f"{HERE}{key}/manage/figures").text
    counted, hearing = figures.split("Who hears of every post")
    assert "<table" in counted
    assert "Mïa" not in counted.split("<main")[1]
    assert "Mïa Member" in hearing, "who runs a space sees whom a post in it reaches"
    look = send(olga, f"{key}/manage/visibility", visibility="secret")
    assert look.status_code == 200
    version = re.search(r'name="version" value="(\d+)"', look.text)
    extra = {"version": version[1]} if version else {}
    assert send(olga, f"{key}/manage/visibility", visibility="secret", act="apply", **extra).status_code == 303
    assert sam.get(f"{HERE}{key}/").status_code == 404
    assert send(olga, f"{key}/manage/end", act="archive", why="Done").status_code == 303
    assert "Open it again" in olga.get(f"{HERE}{key}/manage/end").text
    assert send(olga, f"{key}/manage/end", act="unarchive").status_code == 303


def test_a_merge_is_looked_at_first_and_the_former_address_leads_on(site, olga, sam, people, open_space):
    first, second = open_space("First", members=["mia"]), open_space("Second", policy="free")
    look = send(olga, f"{first}/manage/end", act="preview", target=f"https://x.example{HERE}{second}/")
    assert "Into “Second”" in look.text
    assert role_of(site, second, people["mia"]) is None
    assert send(olga, f"{first}/manage/end", act="merge", target=second).status_code == 303
    moved = sam.get(f"{HERE}{first}/")
    assert (moved.status_code, moved.headers["Location"]) == (302, f"{HERE}{second}/")
    assert role_of(site, second, people["mia"]) == "member"


def test_a_split_makes_a_space_of_some_members(site, olga, people, open_space):
    key = open_space(members=["mia", "sam"])
    made = send(olga, f"{key}/manage/end", act="split", name="Offshoot", people="mia", leaving="1")
    assert made.status_code == 303
    assert (role_of(site, key, people["mia"]), role_of(site, key, people["sam"])) == (None, "member")
    assert "Offshoot" in olga.get(HERE).text
    clumsy = send(olga, f"{key}/manage/end", act="split", name="Offshoot", people="mia nobody")
    assert clumsy.status_code in (404, 422)
    assert "mia nobody" in clumsy.text


def test_only_site_administrators_see_orphans_and_assign_them(site, client, people, open_space):
    key = open_space("Left alone", members=["mia"])
    with site.db.write() as session:
        roles.grant(session, people["ada"].id, "site_admin", actor=Actor("test"))
        session.execute(SpaceMember.__table__.update().where(SpaceMember.role == "owner").values(role="member"))
    ada, sam = client(people["ada"]), client(people["sam"])
    assert sam.get(f"{HERE}-/administration").status_code in (403, 404)
    assert send(sam, "-/administration", act="assign", space=key, person="sam").status_code in (403, 404)
    assert "Left alone" in ada.get(f"{HERE}-/administration").text
    assert send(ada, "-/administration", act="assign", space=key, person="mia").status_code == 303
    assert role_of(site, key, people["mia"]) == "owner"
    assert role_of(site, key, people["sam"]) is None


def test_names_to_type_are_given_to_who_may_use_them_only(client, people, open_space):
    key = open_space(members=["mia"])
    found = client(people["olga"]).get(f"{HERE}{key}/names?q=sa").json
    assert [one["username"] for one in found] == ["sam"]
    assert client(people["sam"]).get(f"{HERE}{key}/names?q=sa").status_code == 403


# -- what it costs -----------------------------------------------------------------------------------------------------


def _queries(core, client, path):
    client.get(path)
    with count_queries(core) as count:
        assert client.get(path).status_code == 200
    return len(count)


def test_the_directory_asks_the_same_number_of_times_for_one_space_as_for_many(site, sam, people, open_space):
    open_space("First")
    few = _queries(site, sam, HERE)
    for number in range(12):
        open_space(f"More {number}", members=["mia"] if number % 2 else ["mia", "sam"])
    assert _queries(site, sam, HERE) == few


def test_a_space_asks_the_same_number_of_times_however_many_are_in_it(site, client, people, open_space):
    key = open_space(members=["mia"])
    mia = client(people["mia"])
    before = [_queries(site, mia, f"{HERE}{key}/{path}") for path in ("", "members")]
    entity = make_entity(site, "south")
    for number in range(15):
        person = make_person(site, f"p{number}", name=f"Person {number}", entity=entity)
        with site.db.write() as session:
            members.add(session, people["olga"].id, key, person.username)
    for number in range(8):
        open_space(f"Other {number}", members=["mia"])
    assert [_queries(site, mia, f"{HERE}{key}/{path}") for path in ("", "members")] == before


def test_in_french_nothing_english_is_left(site, client, people, open_space):
    key = open_space(members=["mia"])
    with site.db.write() as session:
        inviting.invite(session, people["olga"].id, key, "sam")
    olga = client(people["olga"])
    olga.environ_base["HTTP_ACCEPT_LANGUAGE"] = "fr"
    for path in PAGES:
        if path != "names":
            page = olga.get(f"{HERE}{key}/{path}").text
            assert '<html lang="fr">' in page
            assert not re.search(r">\s*(Join|Leave|Members|Save|Search|Invite|Add|Archive)\s*<", page), path
