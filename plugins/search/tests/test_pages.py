"""The page, the proposals, the box, REST: what they show, and to whom."""

from __future__ import annotations

import pytest

from rse_core.api import Level
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_person, make_space

PAGE, SUGGEST, API = "/rse/search/", "/rse/search/suggest", "/rse/api/v1/search"


@pytest.fixture
def client(site, anna, rse_client, as_person):
    as_person(rse_client, anna)
    return rse_client


@pytest.fixture
def garden(site, anna):
    site.index_people(anna)
    site.write("one", "Le jardin <b>", "Un jardin & son potager", author_id=anna.id)
    for number in range(25):
        site.write(f"n{number:02}", f"Plan {number}", "Le plan du site")
    site.work()
    return site


def test_the_page_shows_a_form_before_anything_was_asked(garden, client):
    html = client.get(PAGE).get_data(as_text=True)
    assert 'role="search"' in html
    assert 'name="q"' in html
    assert "rse-search-hit" not in html
    assert "opensearchdescription+xml" in html


def test_results_have_headings_marks_and_facets_and_no_markup_of_others(garden, client):
    html = client.get(PAGE + "?q=jardin").get_data(as_text=True)
    assert "Le <mark>jardin</mark> &lt;b&gt;" in html
    assert "Un <mark>jardin</mark> &amp; son potager" in html
    assert 'href="/notes/one"' in html
    assert "Anna Sérès" in html
    assert "?q=jardin&amp;author=anna" in html


def test_what_was_typed_comes_back_escaped(garden, client):
    html = client.get(PAGE, query_string={"q": '"><script>alert(1)</script>'}).get_data(as_text=True)
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html


def test_a_slip_and_nothing_at_all_are_said(garden, client):
    html = client.get(PAGE + "?q=jadrin").get_data(as_text=True)
    assert "<strong>jardin</strong>" in html
    assert "rse-search-hit" in html
    html = client.get(PAGE + "?q=introuvable&kind=note").get_data(as_text=True)
    assert "rse-search-hit" not in html
    assert 'href="/rse/search/?q=introuvable"' in html


def test_more_results_follow_by_link(garden, client):
    first = client.get(PAGE + "?q=plan")
    html = first.get_data(as_text=True)
    assert html.count('class="rse-search-hit"') == 20
    address = html.split('data-rse-more="rse-search-list" href="')[1].split('"')[0].replace("&amp;", "&")
    more = client.get(address).get_data(as_text=True)
    assert more.count('class="rse-search-hit"') == 5
    assert "data-rse-more" not in more


def test_a_cursor_of_another_search_begins_anew(garden, client):
    html = client.get(PAGE + "?q=plan").get_data(as_text=True)
    cursor = html.split("after=")[1].split('"')[0]
    answer = client.get(f"{PAGE}?q=jardin&after={cursor}")
    assert answer.status_code == 200
    assert "is-warning" in answer.get_data(as_text=True)
    assert client.get(f"{PAGE}?q=plan&after=nonsense").status_code == 200


def test_an_address_that_makes_no_sense_still_shows_something(garden, client):
    odd = {"q": "plan", "date": "yesterday", "sort": "random", "kind": "x" * 5_000, "space": "\x00", "entity": "é"}
    assert client.get(PAGE, query_string=odd).status_code == 200
    assert client.get(PAGE, query_string={"q": "x" * 10_000}).status_code == 200


def test_below_the_level_the_page_is_refused_with_the_reason_and_not_in_the_menu(site, client, as_person):
    assert f'href="{PAGE}"' in client.get(PAGE).get_data(as_text=True)
    as_person(client, make_person(site.core, "low", level=Level.INFORM))
    for address in (PAGE, SUGGEST + "?q=pl", API + "?q=pl"):
        assert client.get(address).status_code == 403, address
    assert f'href="{PAGE}"' not in client.get("/rse/me/").get_data(as_text=True)


def test_nobody_is_asked_to_sign_in(site, rse_client):
    for address in (PAGE, SUGGEST, API):
        assert rse_client.get(address).status_code in (302, 401)


def test_the_number_of_queries_of_the_page_is_constant(garden, client):
    def queries(text):
        client.get(PAGE, query_string={"q": text})
        with count_queries(garden.core) as count:
            assert client.get(PAGE, query_string={"q": text}).status_code == 200
        return len(count)

    twenty = queries("plan")
    for number in range(25, 120):
        garden.write(f"n{number}", f"Plan {number}")
    garden.work()
    assert queries("plan") == twenty <= 10


def test_proposals_come_while_typing_and_only_of_what_one_may_see(garden, anna, client, as_person):
    secret = make_person(garden.core, "annabelle", name="Annabelle", external=True)
    garden.index_people(secret)
    answer = client.get(SUGGEST + "?q=an")
    assert [one["title"] for one in answer.json] == ["Anna Sérès"]
    assert client.get(SUGGEST + "?q=an", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert client.get(SUGGEST + "?q=a").json == []
    assert client.get(SUGGEST).json == []
    # Words of a text are not proposed, names are.
    assert client.get(SUGGEST + "?q=potager").json == []


def test_proposals_are_few_and_not_endless(garden, client, monkeypatch):
    from rse_search import views

    people = [make_person(garden.core, f"marie{number}", name=f"Marie {number}") for number in range(12)]
    garden.index_people(*people)
    assert len(client.get(SUGGEST + "?q=mar").json) == 8
    monkeypatch.setattr(views, "PER_MINUTE", 1)
    answer = client.get(SUGGEST + "?q=mar")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_rest_answers_with_facets_and_a_cursor(garden, client):
    answer = client.get(API + "?q=plan&limit=10&facets=true").json
    assert len(answer["items"]) == 10
    assert answer["count"] == 25
    assert {facet["name"]: facet["values"][0]["count"] for facet in answer["facets"]}["kind"] == 25
    seen = {one["ref"] for one in answer["items"]}
    while answer["next"]:
        answer = client.get(API, query_string={"q": "plan", "limit": 10, "cursor": answer["next"]}).json
        seen |= {one["ref"] for one in answer["items"]}
    assert len(seen) == 25
    assert client.get(API + "?q=jadrin").json["better"] == "jardin"
    hit = client.get(API + "?q=jardin").json["items"][0]
    assert hit["title"] == "Le jardin <b>"
    assert hit["snippet_html"] == "Un <mark>jardin</mark> &amp; son potager"
    assert hit["author"] == {"username": "anna", "name": "Anna Sérès"}


@pytest.mark.parametrize(
    "bad", ["limit=0", "limit=51", "sort=random", "date=never", "cursor=nonsense", "since=then", "q=" + "x" * 501]
)
def test_rest_refuses_what_makes_no_sense(garden, client, bad):
    answer = client.get(f"{API}?{bad}" if bad.startswith("q=") else f"{API}?q=plan&{bad}")
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


def test_rest_narrows_by_time(garden, client):
    assert (
        client.get(API, query_string={"q": "plan", "facets": "true", "until": "2020-01-01T00:00:00+00:00"}).json["count"]
        == 0
    )
    assert (
        client.get(API, query_string={"q": "plan", "facets": "true", "since": "2020-01-01T00:00:00+00:00"}).json["count"]
        == 25
    )


def test_the_box_is_a_form_in_any_page_for_whom_search_is_open(site, anna, client, as_person):
    from rse_core.api import ObjectRef, Viewer
    from rse_search import plugin

    page = "/rse/embed/slots?slots=search-box&address=/news/1"
    assert "rse-search-box" in client.get(page).get_data(as_text=True)
    as_person(client, make_person(site.core, "low", level=Level.INFORM))
    assert "rse-search-box" not in client.get(page).get_data(as_text=True)
    with site.core.db.read() as session:
        assert plugin.rse_slot_items("bell", [ObjectRef("page", "/")], Viewer(anna.id, "fr"), session) == []


def test_a_browser_can_add_the_search(site, client):
    answer = client.get("/rse/search/opensearch.xml")
    assert answer.mimetype == "application/opensearchdescription+xml"
    assert "/rse/search/?q={searchTerms}" in answer.get_data(as_text=True)


def test_a_space_s_name_is_not_told_to_whom_it_is_secret(site, anna, client):
    ben = make_person(site.core, "ben")
    make_space(site.core, "fusion", name="Projet Fusion Alpha", visibility="secret", members=[ben])
    assert "Projet Fusion Alpha" not in client.get(PAGE + "?space=fusion&q=plan").get_data(as_text=True)
