"""Reactions over HTTP: the bar, its form with and without JavaScript, the pages, and what is refused."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update

from rse_core import charter, organisation, policy
from rse_core.api import Actor, ObjectRef
from rse_core.audiences import of_space
from rse_core.models.content import Page
from rse_core.testing import as_person, count_queries
from rse_core.testing.organisation import make_person, make_space, set_level
from rse_likes import service

PATH = "/news/1"
PAGE = ObjectRef("page", PATH)
REACT = "/rse/likes/react"


@pytest.fixture
def client(site, rse_app, anna):
    return as_person(rse_app.test_client(), anna)


def counts(core, ref=PAGE):
    with core.db.read() as session:
        return service.counts(session, [ref]).get(ref, {})


def react_as(core, person, kind="like", ref=PAGE):
    with core.db.write() as session:
        service.react(session, person.id, ref, kind)


def slots(client, address=PATH, **more):
    """The answer that the script in the page gets, and the token that it sends back."""
    answer = client.get("/rse/embed/slots", query_string={"address": address, "slots": "reactions", "lang": "en"} | more)
    assert answer.status_code == 200, answer.text
    return answer.json["slots"]["reactions"]["html"], answer.headers.get("X-RSE-CSRF", ""), answer


def send(client, act, *, ref=str(PAGE), token=None, embed=True, **headers):
    if token is None:
        token = slots(client)[1]
    headers = {"X-RSE-CSRF": token, "X-RSE-Lang": "en", **({"X-RSE-Embed": "1"} if embed else {}), **headers}
    return client.post(REACT, data={"ref": ref, "act": act}, headers=headers)


def buttons(html):
    """Key of the reaction → (pressed, name), as a reader of the page is told."""
    found = {}
    for attributes, text in re.findall(r"<button([^>]*)>(.*?)</button>", html, re.S):
        key = re.search(r'value="\w+:(\w+)"', attributes)[1]
        label = re.search(r'aria-label="([^"]*)"', attributes)
        plain = " ".join(re.sub(r"<[^>]+>", "", text).split())
        found[key] = ('aria-pressed="true"' in attributes, label[1] if label else plain)
    return found


def test_the_bar_offers_every_reaction_as_a_button_that_says_its_state_and_count(site, client, ben):
    react_as(site, ben)
    html, _token, _answer = slots(client)
    assert buttons(html) == {
        "like": (False, "Like, 1 person"),
        "useful": (False, "Useful"),
        "bravo": (False, "Bravo"),
        "thanks": (False, "Thanks"),
    }


def test_the_bar_is_french_in_french(site, client, ben):
    react_as(site, ben)
    assert buttons(slots(client, lang="fr")[0])["like"] == (False, "J’aime, 1 personne")


def test_reacting_from_the_page_answers_with_the_bar_as_it_is_now(site, client):
    answer = send(client, "react:useful")
    assert answer.status_code == 200
    assert answer.json["announce"] == "Your reaction was added."
    assert buttons(answer.json["slots"]["reactions"]["html"])["useful"] == (True, "Useful, 1 person")
    assert counts(site) == {"useful": 1}
    assert send(client, "react:bravo").json["announce"] == "Your reaction was changed."
    assert send(client, "withdraw:bravo").json["announce"] == "Your reaction was withdrawn."
    assert counts(site) == {}


def test_a_form_sent_twice_does_one_thing(site, client):
    for _ in range(2):
        assert send(client, "react:like").status_code == 200
        assert counts(site) == {"like": 1}
    for _ in range(2):
        assert send(client, "withdraw:like").status_code == 200
        assert counts(site) == {}


def test_without_javascript_the_form_comes_back_to_the_page_and_says_so_there(site, client):
    query = {"address": PATH, "lang": "fr", "return_to": PATH}
    html = client.get("/rse/embed/fragment/reactions", query_string=query).text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
    assert fields["ref"] == str(PAGE)
    answer = client.post(REACT, data={**fields, "act": "react:like"})
    assert answer.status_code == 303
    where, _, anchor = answer.headers["Location"].partition("#")
    assert where == PATH
    html = client.get("/rse/embed/fragment/reactions", query_string=query).text
    assert f'id="{anchor}"' in html
    assert "Votre réaction est ajoutée." in html
    assert buttons(html)["like"] == (True, "J’aime, 1 personne")


@pytest.mark.parametrize("headers", [{"X-RSE-CSRF": ""}, {"X-RSE-CSRF": "0" * 64}, {"Origin": "https://evil.test"}])
def test_another_sites_form_reacts_to_nothing(site, client, headers):
    refused = send(client, "react:like", **headers)
    assert refused.status_code == 403
    assert refused.json["code"] == "csrf"
    assert counts(site) == {}


def test_the_bar_is_asked_for_again_without_being_sent_again(site, client, ben):
    _html, _token, answer = slots(client)
    tag = answer.headers["ETag"]
    query = {"address": PATH, "slots": "reactions", "lang": "en"}
    assert client.get("/rse/embed/slots", query_string=query, headers={"If-None-Match": tag}).status_code == 304
    react_as(site, ben)
    changed = client.get("/rse/embed/slots", query_string=query, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag


def test_the_bar_costs_the_same_queries_whoever_reacted(site, client):
    slots(client)
    costs = []
    for _ in range(2):
        with count_queries(site) as counter:
            slots(client)
        costs.append(len(counter))
        for kind in ("like", "useful", "bravo"):
            react_as(site, make_person(site), kind)
    assert costs[0] == costs[1]


def test_a_level_lowered_meanwhile_refuses_and_deletes_nothing(site, client):
    token = slots(client)[1]
    send(client, "react:like")
    set_level(site, "inform")
    for act in ("react:bravo", "withdraw:like"):
        refused = send(client, act, token=token)
        assert refused.status_code == 403
        assert refused.json["reason"] == "level"
    assert counts(site) == {"like": 1}
    assert slots(client)[0] == "", "at INFORM the intranet is as it was"


def test_a_reader_sees_counts_and_no_button(rse_core, make_person):
    core = rse_core(inform_shows="counts")
    from rse_core.extension import create_app
    from rse_core.testing.organisation import make_person as make

    react_as(core, make(core, level="react"))
    client = as_person(create_app(core).test_client(), make(core))
    html, _token, _answer = slots(client)
    assert "<button" not in html
    assert "Who reacted" not in html
    assert re.search(r'Like</span> <span class="rse-count">1<', html)
    assert slots(client, "/news/2")[0] == ""


def test_before_the_charter_is_accepted_the_bar_says_so_and_leads_to_it(site, client, anna):
    with site.db.write() as session:
        text = charter.publish(session, title="Usage", body="Be kind.", actor=Actor("cli"))
    html, _token, _answer = slots(client)
    assert "<button" not in html
    assert "please read and accept the charter “Usage”" in html
    (link,) = re.findall(r'href="([^"]*/charter/[^"]*)"', html)
    assert client.get(link).status_code == 200
    refused = send(client, "react:like")
    assert (refused.status_code, refused.json["reason"]) == (403, "charter")
    with site.db.write() as session:
        charter.accept(session, anna.id, text.id)
    assert send(client, "react:like").status_code == 200


def test_nobody_is_signed_in_nothing_is_shown_and_nothing_is_taken(site, rse_app):
    client = rse_app.test_client()
    assert slots(client)[0] == ""
    assert client.get("/rse/likes/mine").status_code == 401
    assert client.get("/rse/likes/who", query_string={"ref": str(PAGE)}).status_code == 401


@pytest.mark.parametrize(
    ("ref", "status"),
    [
        ("", 422), ("page", 422), ("page:", 422), ("Page:/news/1", 422), ("page:\x00", 422), ("page:/" + "a" * 600, 422),
        ("page:https://evil.test/", 404), ("page://evil.test/", 404), ("nothing.here:1", 404), ("' OR 1=1 --:1", 422),
        ("page:javascript:alert(1)", 404),
    ],
)  # fmt: skip
def test_what_names_no_object_of_the_intranet_is_refused(site, client, ref, status):
    token = slots(client)[1]
    for answer in (
        send(client, "react:like", ref=ref, token=token),
        client.get("/rse/likes/who", query_string={"ref": ref}, headers={"Accept": "application/json"}),
    ):
        assert answer.status_code == status, answer.text
        assert answer.json["detail"]
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    "act", ["", "like", "react", "react:", "react:hate", "explode:like", "react:" + "x" * 5000, "react:\x00"]
)
def test_an_act_that_does_not_exist_is_refused_with_a_sentence(site, client, act):
    refused = send(client, act)
    assert refused.status_code == 422
    assert refused.json["detail"]
    assert counts(site) == {}


def test_a_huge_form_is_refused_before_it_is_read(site, client):
    token = slots(client)[1]
    data = {"ref": str(PAGE), "act": "react:like", "more": "x" * 20_000_000}
    assert client.post(REACT, data=data, headers={"X-RSE-CSRF": token, "X-RSE-Embed": "1"}).status_code == 413
    assert counts(site) == {}


def test_markup_in_a_label_is_text(site, client):
    label = "<img src=x onerror=alert(1)>\"'"
    with site.db.write() as session:
        site.options.set(session, "likes.reactions", [{"key": "like", "label": label, "meaning": label}], Actor("cli"))
    react_as(site, make_person(site))
    assert "<img" not in slots(client)[0]
    assert "<img" not in client.get("/rse/likes/who", query_string={"ref": str(PAGE)}).text


def test_a_retired_reaction_can_be_taken_back_by_its_owner_and_chosen_by_nobody(site, client, rse_app, anna, ben):
    react_as(site, anna, "bravo")
    with site.db.write() as session:
        site.options.set(session, "likes.reactions", [{"key": "like"}, {"key": "bravo", "retired": True}], Actor("cli"))
    assert buttons(slots(client)[0])["bravo"][0] is True
    others = slots(as_person(rse_app.test_client(), ben))[0]
    assert set(buttons(others)) == {"like"}
    assert "Bravo" in others, "it is still counted"
    assert send(client, "withdraw:bravo").status_code == 200
    assert "Bravo" not in slots(client)[0]


def test_who_reacted_is_a_page_of_names_by_keyset(site, client):
    for number in range(service.PAGE + 2):
        react_as(site, make_person(site, name=f"Reader {number:02}"), "like" if number % 2 else "useful")
    first = client.get("/rse/likes/who", query_string={"ref": str(PAGE)}).text
    shown = re.findall(r"Reader \d\d", first)
    assert shown[0] == "Reader 31"
    assert len(shown) == service.PAGE
    more = re.search(r'href="(/rse/likes/who[^"]*after=[^"]*)"', first)[1].replace("&amp;", "&")
    assert re.findall(r"Reader \d\d", client.get(more).text) == ["Reader 01", "Reader 00"]
    useful = client.get("/rse/likes/who", query_string={"ref": str(PAGE), "kind": "useful"}).text
    assert len(re.findall(r"Reader \d\d", useful)) == (service.PAGE + 2) // 2
    wrong = client.get(more.replace("ref=page:/news/1", "ref=page:/news/2"), headers={"Accept": "application/json"})
    assert wrong.status_code == 422, "a cursor belongs to one list"


def test_a_page_with_a_very_long_address_has_a_second_page_of_names(site, client):
    ref = ObjectRef("page", "/" + "long" * 100)
    for _ in range(service.PAGE + 1):
        react_as(site, make_person(site), ref=ref)
    first = client.get("/rse/likes/who", query_string={"ref": str(ref)}).text
    more = re.search(r'href="(/rse/likes/who[^"]*after=[^"]*)"', first)[1].replace("&amp;", "&")
    assert client.get(more).status_code == 200


def test_my_reactions_name_what_i_still_see(site, client, anna):
    space = make_space(site, "secret", visibility="secret", members=[anna])
    react_as(site, anna, "thanks")
    secret = ObjectRef("page", "/secret/plans")
    react_as(site, anna, "bravo", secret)
    with site.db.write() as session:
        session.execute(update(Page).where(Page.key == secret.id).values(audience_id=of_space(session, space.id)))
        policy.touch(session)
    page = client.get("/rse/likes/mine?lang=en").text
    assert "Thanks" in page
    assert f'href="{PATH}"' in page
    assert f'href="{secret.id}"' in page
    with site.db.write() as session:
        organisation.leave_space(session, space.id, anna.id)
    page = client.get("/rse/likes/mine?lang=en").text
    assert secret.id not in page
    assert "Something you can no longer see" in page


def test_my_page_leads_to_my_reactions(site, client):
    assert 'href="/rse/likes/mine"' in client.get("/rse/me/").text


def test_switched_off_for_everybody_there_is_no_bar_and_no_page(site, client):
    with site.db.write() as session:
        site.plugins.disable(session, "likes", Actor("cli"))
    assert slots(client)[0] == ""
    assert client.get("/rse/likes/mine").status_code == 404
