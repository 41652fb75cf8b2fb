"""The feed as a person meets it: pages, forms, and what is not for them."""

from __future__ import annotations

import re
from html import unescape

import pytest

from rse_core import moderation, people, roles, spaces
from rse_core.api import Actor
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_feed import drafting, places, reading
from rse_feed.texts import Written


def send(client, path, **form):
    page = client.get("/rse/feed/compose").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    return client.post(path, data={"csrf_token": token, **form})


def write(core, person, body="Bonjour", audience="everyone", **values):
    with core.db.write() as session:
        return drafting.write(session, person.id, Written(body=body, audience=audience, **values)).post


def listed(core, person, *, space_id=None, sort="new", most=20):
    found, before = [], None
    while True:
        with core.db.read() as session:
            page = reading.page(session, person.id, reading.Wanted(sort, space_id=space_id), before=before, most=most)
        found += [line.post_id for line in page.lines]
        before = page.next
        if before is None:
            return found


@pytest.fixture
def as_anna(rse_client, as_person, anna):
    as_person(rse_client, anna)
    return rse_client


def test_a_post_is_written_read_and_deleted_by_forms(site, as_anna, ben):
    answer = send(as_anna, "/rse/feed/compose", body="Deux places **libres**", title="Formation", audience="everyone")
    assert answer.status_code == 303
    address = answer.headers["Location"]
    page = as_anna.get(address).text
    assert "<strong>libres</strong>" in page
    assert "Formation" in as_anna.get("/rse/feed/").text
    post_id = int(address.rsplit("/", 1)[1])
    assert listed(site, ben) == [post_id]
    assert send(as_anna, f"/rse/feed/posts/{post_id}/delete", version="1").status_code == 303
    assert listed(site, ben) == []
    assert as_anna.get(address).status_code == 404


def test_a_refused_form_comes_back_with_what_was_typed(site, as_anna):
    answer = send(as_anna, "/rse/feed/compose", body="Un texte précieux", title="x" * 300, audience="everyone")
    assert answer.status_code == 422 or answer.status_code == 400
    assert "Un texte précieux" in answer.text
    answer = send(as_anna, "/rse/feed/compose", body="Un autre", audience="group:secret")
    assert "Un autre" in answer.text
    assert answer.status_code >= 400


def test_sent_twice_it_is_posted_once(site, as_anna, ben):
    for _ in range(2):
        send(as_anna, "/rse/feed/compose", body="Une fois", audience="everyone", idempotency_key="k" * 22)
    assert len(listed(site, ben)) == 1


def test_each_sees_what_is_for_them_and_nobody_else(site):
    north, south = make_entity(site, "north"), make_entity(site, "south")
    set_level(site, "contribute", entity=north)
    secret = make_space(site, "secret", visibility="secret")
    author = make_person(site, "author", entity=north, spaces=[secret])
    inside = make_person(site, "inside", entity=south, spaces=[secret])
    beside = make_person(site, "beside", entity=north)
    guest = make_person(site, "guest", external=True, spaces=[secret])
    quiet = make_person(site, "quiet", level="inform")
    for_all = write(site, author).id
    for_north = write(site, author, audience="entity:north").id
    hidden = write(site, author, audience="space:secret").id
    write(site, author, act="draft")
    assert listed(site, author) == [hidden, for_north, for_all]
    assert listed(site, inside) == [hidden, for_all]
    assert listed(site, beside) == [for_north, for_all]
    assert listed(site, guest) == [hidden]
    assert listed(site, quiet) == []
    assert listed(site, inside, space_id=secret.id) == [hidden]
    assert listed(site, beside, space_id=secret.id) == []


def test_a_post_that_is_not_for_me_is_as_one_that_does_not_exist(site, rse_client, as_person, anna, ben):
    secret = make_space(site, "secret", visibility="secret", members=[anna])
    post = write(site, anna, "Entre nous", audience="space:secret")
    as_person(rse_client, ben)
    known, unknown = rse_client.get(f"/rse/feed/posts/{post.id}"), rse_client.get(f"/rse/feed/posts/{post.id + 999}")
    assert (known.status_code, unknown.status_code) == (404, 404)
    assert known.text.replace(f"posts/{post.id}", "") == unknown.text.replace(f"posts/{post.id + 999}", "")
    for path in (f"/rse/feed/posts/{post.id}/history", f"/rse/feed/posts/{post.id}/edit"):
        assert rse_client.get(path).status_code == 404
    assert secret.key not in rse_client.get("/rse/feed/").text


def test_what_waits_for_a_moderator_is_in_nobody_elses_list(site, anna, ben):
    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=Actor("cli"), subject="site")
    post = write(site, anna)
    assert post.state == "pending"
    assert listed(site, ben) == listed(site, anna) == []
    with site.db.write() as session:
        (held,) = moderation.queue(session)
        moderation.decide(session, held.id, True, Actor("cli"))
    site.jobs.run_due()
    assert listed(site, ben) == [post.id]


@pytest.mark.parametrize("sort", ["new", "active"])
def test_the_list_comes_by_keyset_without_a_gap_or_a_repeat(site, anna, ben, make_post, sort):
    made = [make_post(anna).id for _ in range(23)]
    assert listed(site, ben, sort=sort, most=5) == made[::-1]


def test_a_page_costs_the_same_queries_for_one_post_as_for_many_and_for_many_memberships(site, anna, make_post):
    make_post(anna)
    reader = make_person(site, "reader")
    member = make_person(site, "member", spaces=[make_space(site) for _ in range(40)])

    def cost(person):
        with site.db.read() as session:
            places.of(session, person.id)
        with site.db.read() as session, count_queries(site) as queries:
            reading.page(session, person.id, reading.Wanted("new"))
        return len(queries)

    few = cost(reader)
    for number in range(19):
        make_post(anna, title=str(number))
    assert cost(reader) == few
    assert cost(member) == few


def test_an_edit_that_came_too_late_keeps_its_text(site, as_anna, anna):
    post = write(site, anna, "Premier")
    with site.db.write() as session:
        drafting.edit(session, anna.id, post.id, Written(body="Deuxième", audience="everyone"), version=1)
    answer = send(as_anna, f"/rse/feed/posts/{post.id}/edit", body="Troisième", audience="everyone", version="1")
    assert answer.status_code == 409
    assert "Troisième" in answer.text
    answer = send(as_anna, f"/rse/feed/posts/{post.id}/edit", body="Troisième", audience="everyone", version="2")
    assert answer.status_code == 303


def test_more_people_see_it_only_when_the_author_confirms(site, as_anna, ben):
    north = make_entity(site, "north")
    with site.db.write() as session:
        person = people.by_username(session, "anna")
        people.move(session, person.id, north.id)
    post = write(site, person, audience="entity:north")
    form = {"body": "Bonjour", "audience": "everyone", "version": "1"}
    assert send(as_anna, f"/rse/feed/posts/{post.id}/edit", **form).status_code >= 400
    assert send(as_anna, f"/rse/feed/posts/{post.id}/edit", **form, widen="1").status_code == 303


def test_new_posts_of_others_are_counted_and_an_unchanged_answer_is_empty(site, as_anna, anna, ben):
    address = unescape(re.search(r'data-rse-new="([^"]+)"', as_anna.get("/rse/feed/").text)[1])
    first = as_anna.get(address)
    assert first.json == {"count": 0, "label": ""}
    write(site, ben)
    write(site, anna)
    second = as_anna.get(address)
    assert second.json["count"] == 1
    assert as_anna.get(address, headers={"If-None-Match": second.headers["ETag"]}).status_code == 304
    for wrong in ("yesterday", "", "0"):
        assert as_anna.get(f"/rse/feed/new?since={wrong}").status_code == 422


def test_a_space_that_closes_takes_its_posts_out_of_sight_at_once(site, anna, ben):
    space = make_space(site, "square", visibility="public", members=[anna])
    post = write(site, anna, audience="space:square")
    assert listed(site, ben) == [post.id]
    with site.db.write() as session:
        spaces.change_visibility(session, space.id, "listed", actor=Actor("cli"))
    assert listed(site, ben) == []
    assert listed(site, anna) == [post.id]


def test_somebody_at_inform_is_refused_with_the_reason(site, rse_client, as_person):
    quiet = make_person(site, "quiet", level="inform")
    as_person(rse_client, quiet)
    assert rse_client.get("/rse/feed/").status_code == 403
    assert rse_client.get("/rse/feed/compose").status_code == 403
    assert 'href="/rse/feed/"' not in rse_client.get("/rse/").text


def test_below_contributing_one_reads_and_has_no_button(site, rse_client, as_person, anna):
    write(site, anna, "Bonjour à toutes et à tous")
    reader = make_person(site, "reader", level="react")
    as_person(rse_client, reader)
    page = rse_client.get("/rse/feed/").text
    assert "Bonjour à toutes" in page
    assert "/rse/feed/compose" not in page


def test_a_moderator_gives_a_reason_for_deleting(site, rse_client, as_person, anna):
    mona = make_person(site, "mona")
    with site.db.write() as session:
        roles.grant(session, mona.id, "moderator", actor=Actor("cli"))
    post = write(site, anna)
    as_person(rse_client, mona)
    assert send(rse_client, f"/rse/feed/posts/{post.id}/delete", version="1").status_code >= 400
    assert send(rse_client, f"/rse/feed/posts/{post.id}/delete", version="1", reason="Hors sujet").status_code == 303
    assert listed(site, anna) == []
