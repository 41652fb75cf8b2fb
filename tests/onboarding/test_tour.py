"""The bar and the tour: what a level has opened, once, and what a lowering closed."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine

from rse_core import preferences, switches
from rse_core.api import Actor, BadInput, Level, ObjectRef, Viewer, use_locale, utcnow
from rse_core.extension import create_app
from rse_core.levelsets import shift
from rse_core.policy import level_of
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_person
from rse_onboarding import openings, slots, standing

SLOTS = "/rse/embed/slots?address=/news/1&slots=top"


def bar(core, person):
    with core.db.read() as session, use_locale("en"):
        return slots.bar(session, person.id)


def keys(core, person, above=Level.INFORM, upto=None):
    with core.db.read() as session:
        return [s.key for s in openings.steps(session, person.id, above, upto or level_of(session, person.id))]


def test_a_level_that_opens_is_told_with_what_plugins_say_of_it(core, anna, level):
    level("react")
    level("comment")
    found = bar(core, anna)
    assert found.opened == "react and comment"
    assert [(step.key, int(step.level)) for step in found.steps] == [
        ("likes.react", 1), ("feed.read", 1), ("search.use", 1), ("notifications.bell", 1), ("polls.vote", 1),
        ("comments.write", 2),
    ]  # fmt: skip


def test_there_are_at_most_five_steps_for_each_level(core, anna, level, use_plugin):
    from rse_core.api import Capability, Manifest, Plugin, hookimpl

    class Many(Plugin):
        manifest = Manifest(name="many", label="Many")

        @hookimpl
        def rse_capabilities(self):
            return [Capability(f"many.c{n}", f"Thing {n}", Level.COMMENT) for n in range(9)]

    other = use_plugin(Many())
    person = make_person(other, "ben", level="comment")
    found = keys(other, person, above=Level.REACT)
    assert len(found) == openings.MOST == 5
    assert found[0] == "comments.write"


def test_nothing_is_told_at_inform_nor_of_what_only_managers_do(core, anna, level, visit):
    assert bar(core, anna) is None
    client = visit(anna)
    assert client.get(SLOTS).json["slots"]["top"]["html"] == ""
    assert "data-rse-tour" not in client.get("/rse/me/").text
    level("react")
    assert "polls.manage" not in keys(core, anna)


def test_the_bar_stands_on_our_pages_and_the_intranets_until_it_is_put_away(core, anna, level, visit, send):
    level("comment")
    client = visit(anna)
    assert "You can now react and comment." in client.get("/rse/feed/").text
    html = client.get(SLOTS).json["slots"]["top"]["html"]
    assert "You can now react and comment." in html
    assert "<script" not in html
    assert send(client, "post", "/rse/onboarding/shown", data={"act": "later", "return_to": "/rse/feed/"}).location == (
        "/rse/feed/"
    )
    assert "You can now" not in client.get("/rse/feed/").text
    assert client.get(SLOTS).json["slots"]["top"]["html"] == ""
    level("contribute")
    assert "You can now contribute." in client.get("/rse/feed/").text


def test_the_script_in_the_intranets_page_gets_the_slot_made_anew(core, anna, level, visit, send):
    level("react")
    client = visit(anna)
    data = {"act": "keep", "step": "feed.read", "ref": "page:/news/1"}
    answer = send(client, "post", "/rse/onboarding/shown", data=data, headers={"X-RSE-Embed": "1"})
    assert "Go on with the tour" in answer.json["slots"]["top"]["html"]
    answer = send(client, "post", "/rse/onboarding/shown", data={**data, "act": "done"}, headers={"X-RSE-Embed": "1"})
    assert answer.json["slots"]["top"]["html"] == ""
    assert answer.json["announce"]


def test_a_tour_that_was_closed_goes_on_where_it_was_left(core, anna, level):
    level("react")
    with core.db.write() as session:
        standing.keep_place(session, anna.id, "search.use")
    found = bar(core, anna)
    assert found.steps[found.at].key == "search.use"
    assert not found.open
    with core.db.write() as session:
        standing.acknowledge(session, anna.id, step="search.use")
    assert bar(core, anna) is None
    with core.db.read() as session:
        where = standing.of(session, anna.id)
        assert (where.step, where.since) == ("search.use", Level.INFORM)
        assert slots.bar(session, anna.id, "search.use").open, "she follows it from the page where she found it again"
        assert slots.bar(session, anna.id, "search.nothing") is None


def test_what_a_lowering_closed_is_said_once_and_stays_on_the_page(core, anna, level, visit, send):
    level("contribute")
    with core.db.write() as session:
        standing.acknowledge(session, anna.id)
    level("react")
    found = bar(core, anna)
    assert (found.closed, found.opened, found.steps) == ("comment or contribute", "", ())
    client = visit(anna)
    assert "For now you can no longer comment or contribute. What you wrote stays." in client.get("/rse/feed/").text
    page = client.get("/rse/onboarding/").text
    assert "Closed for now" in page
    assert "Comment" in page
    send(client, "post", "/rse/onboarding/shown", data={"act": "done"})
    assert bar(core, anna) is None
    level("comment")
    assert bar(core, anna).opened == "comment"


def test_a_lowering_to_inform_shows_no_bar_and_the_page_says_so_plainly(core, anna, level, visit):
    level("comment")
    with core.db.write() as session:
        standing.acknowledge(session, anna.id)
    level("inform")
    level("comment", starts_at=utcnow() + dt.timedelta(days=20))
    assert bar(core, anna) is None
    client = visit(anna)
    page = client.get("/rse/onboarding/")
    assert page.status_code == 200
    for said in ("You read the intranet as it was", "Closed for now", "Later"):
        assert said in page.text
    assert client.get("/rse/onboarding/tour").status_code == 403
    assert client.get("/rse/onboarding/tutorials/").status_code == 403


def test_a_dated_level_opens_without_anything_running(core, anna, level):
    begins = utcnow() + dt.timedelta(days=3)
    level("comment", starts_at=begins)
    assert bar(core, anna) is None
    with time_machine.travel(begins + dt.timedelta(seconds=5), tick=True):
        assert bar(core, anna).opened == "react and comment"


def test_a_capability_that_the_site_shifted_is_told_at_its_new_level(core, anna, level):
    with core.db.write() as session:
        shift(session, core, "comments.write", Level.REACT, actor=Actor("test"))
    level("react")
    assert "comments.write" in keys(core, anna)
    level("comment")
    assert "comments.write" not in keys(core, anna, above=Level.REACT)


def test_a_plugin_that_is_off_for_them_is_not_told_of(core, anna, level, north):
    level("comment")
    with core.db.write() as session:
        for name in ("likes", "notifications"):
            switches.switch(core.plugins, session, name, False, Actor("test"), "entity", north.id)
    assert not {"likes.react", "notifications.bell"} & set(keys(core, anna))


def test_the_plugin_itself_switched_off_says_nothing(core, anna, level, north, visit):
    level("comment")
    with core.db.write() as session:
        switches.switch(core.plugins, session, "onboarding", False, Actor("test"), "entity", north.id)
    assert bar(core, anna) is None
    assert visit(anna).get("/rse/onboarding/").status_code == 404


def test_a_charter_to_accept_closes_nothing_and_is_mentioned(core, anna, level, visit):
    from rse_core import charter

    with core.db.write() as session:
        charter.publish(session, title="Our rules", body="Be kind.", actor=Actor("test"))
    level("comment")
    found = bar(core, anna)
    assert {step.key: step.charter for step in found.steps}["comments.write"]
    assert "asked to accept the charter" in visit(anna).get("/rse/onboarding/tour").text


def test_where_nothing_is_new_a_page_costs_no_query_more(core, anna, level, visit):
    level("comment")
    client = visit(anna)
    client.get("/rse/me/")
    with count_queries(core) as new:
        client.get("/rse/me/")
    with core.db.write() as session:
        standing.acknowledge(session, anna.id)
    client.get("/rse/me/")
    with count_queries(core) as old:
        client.get("/rse/me/")
    assert len(old) <= len(new)
    with core.db.read() as session:
        session.info[preferences.OWN] = (anna.id, {standing.CHOICE: {"level": 2}})
        with count_queries(core) as none:
            assert slots.items("top", [ObjectRef("page", "/")], Viewer(anna.id, "en"), session) == []
    assert len(none) == 0, str(none)


@pytest.mark.parametrize(
    "kept", [None, 3, [], {"level": "x"}, {"level": 99, "from": -1}, {"level": True, "step": 4, "at": 7}]
)
def test_whatever_stands_among_the_choices_does_no_harm(core, anna, level, kept):
    level("react")
    with core.db.write() as session:
        if kept is not None:
            preferences.put(session, anna.id, standing.CHOICE, kept)
    with core.db.read() as session:
        assert standing.of(session, anna.id).level is Level.REACT
    bar(core, anna)


@pytest.mark.parametrize("data", [{}, {"act": "other"}, {"act": "done", "step": "x" * 81}])
def test_a_form_that_says_nothing_is_refused(anna, level, visit, send, data):
    level("react")
    assert send(visit(anna), "post", "/rse/onboarding/shown", data=data).status_code == BadInput.status


def test_forms_need_their_token_and_pages_somebody_who_is_signed_in(core, anna, level, visit):
    level("react")
    assert visit(anna).post("/rse/onboarding/shown", data={"act": "done"}).status_code == 403
    stranger = create_app(core).test_client()
    for page in ("", "tour", "tutorials/", "wave", "admin/"):
        assert stranger.get(f"/rse/onboarding/{page}").status_code == 401, page


def test_the_tour_is_found_again_from_the_beginning(anna, level, visit, send):
    level("react")
    client = visit(anna)
    send(client, "post", "/rse/onboarding/shown", data={"act": "done"})
    level("comment")
    send(client, "post", "/rse/onboarding/shown", data={"act": "done"})
    page = client.get("/rse/onboarding/tour").text
    assert "Ask and answer under an article" in page
    assert "Say that something helps you" not in page
    assert "Say that something helps you" in client.get("/rse/onboarding/tour?from=start").text


def test_words_in_french(core, north, level, visit):
    level("comment")
    zoe = make_person(core, "zoe", entity=north, locale="fr")
    page = visit(zoe).get("/rse/onboarding/").text
    assert "Ce que je peux faire" in page
    assert "Vous pouvez désormais réagir et commenter." in page


def test_what_stands_on_the_intranets_pages_is_shown_on_its_newest_one(core, anna, level, visit):
    from rse_core.audiences import everyone
    from rse_core.models.content import Page

    level("react")
    client = visit(anna)
    assert re.search('href="[^"]*/#rse-tour-likes.react"', client.get("/rse/onboarding/tour").text)
    with core.db.write() as session:
        for day, (address, audience) in enumerate((("/a", everyone(session)), ("/b", everyone(session)), ("/c", None))):
            published = utcnow() - dt.timedelta(days=9 - day)
            session.add(Page(key=address, address=address, audience_id=audience, published_at=published))
    openings._examples.clear()
    for page in ("onboarding/tour", "me/"):
        assert re.search('href="[^"]*[^/]/b#rse-tour-likes.react"|href="/b#rse', client.get(f"/rse/{page}").text), page


def test_a_step_that_an_address_names_opens_the_tour_on_the_intranets_page(core, anna, level, visit):
    level("react")
    html = visit(anna).get(SLOTS + "&slot.top.anchor=rse-tour-feed.read").json["slots"]["top"]["html"]
    assert "data-rse-open" in html
    assert 'data-rse-at="1"' in html
    assert "data-rse-open" not in visit(anna).get(SLOTS + "&slot.top.anchor=rse-comment-1").json["slots"]["top"]["html"]
