from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient
from rse_example_intranet.app import OLD_PAGES, create_intranet
from rse_example_intranet.content import ContentError, load_pages, parse_page

PAGES = load_pages()
NEWS = [page for page in PAGES if page.section == "actualites"]


@pytest.fixture
def client() -> FlaskClient:
    return create_intranet().test_client()


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href")
        if target and target.startswith("/"):
            self.found.add(target)


def test_there_are_twenty_news_pages_of_a_real_length_dated_2026() -> None:
    assert len(NEWS) == 20
    for page in NEWS:
        words = len(re.sub(r"<[^>]+>", " ", f"{page.summary} {page.body}").split())
        assert 150 <= words <= 400, (page.path, words)
        assert page.published.year == 2026
        assert page.publisher


def test_sections_have_the_pages_an_intranet_has() -> None:
    count = {section: sum(p.section == section for p in PAGES) for section in ("rh", "organisation", "english")}
    assert count == {"rh": 6, "organisation": 4, "english": 3}
    assert {p.lang for p in PAGES if p.section == "english"} == {"en"}


def test_native_ids_and_permalinks_are_unique() -> None:
    assert len({p.number for p in PAGES}) == len({p.path for p in PAGES}) == len(PAGES)


def test_every_link_of_every_page_leads_somewhere(client: FlaskClient) -> None:
    seen: set[str] = set()
    todo = {"/"}
    while todo:
        address = todo.pop()
        seen.add(address)
        with client.get(address) as answer:
            assert answer.status_code == 200, address
            if answer.mimetype == "text/html":
                links = _Links()
                links.feed(answer.get_data().decode("iso-8859-15"))
                todo |= links.found - seen
    assert {page.path for page in PAGES} <= seen
    assert set(OLD_PAGES) <= seen


def test_an_article_reads_the_same_by_its_permalink_and_by_its_id(client: FlaskClient) -> None:
    page = NEWS[0]
    by_path, by_id = client.get(page.path), client.get(f"/page?id={page.number}")
    assert f'<link rel="canonical" href="http://localhost{page.path}">' in by_path.text
    assert re.sub(r'aria-current="\w+"', "", by_path.text).count(page.title) == by_id.text.count(page.title)
    assert f'<link rel="canonical" href="http://localhost{page.path}">' in by_id.text


def test_the_canonical_link_may_name_another_host() -> None:
    client = create_intranet(canonical_origin="https://interne.example").test_client()
    assert f'href="https://interne.example{NEWS[0].path}"' in client.get(NEWS[0].path).text


@pytest.mark.parametrize("address", ["/page", "/page?id=0", "/page?id=abc", "/page?id=999", "/actualites/?page=99"])
def test_an_unknown_address_answers_a_page_of_the_house(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert "Page introuvable" in answer.text


def test_an_article_is_revalidated_by_the_browser(client: FlaskClient) -> None:
    first = client.get(NEWS[3].path)
    assert client.get(NEWS[3].path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert client.get(NEWS[3].path, headers={"If-Modified-Since": first.headers["Last-Modified"]}).status_code == 304


def test_the_old_pages_are_what_the_old_site_sent(client: FlaskClient) -> None:
    euro = client.get("/archives/2003/passage-a-l-euro.html")
    assert euro.content_type == "text/html; charset=ISO-8859-15"
    assert "main-d'œuvre".encode("iso-8859-15") in euro.data
    assert "3,7 M€".encode("iso-8859-15") in euro.data
    with pytest.raises(UnicodeDecodeError):
        euro.data.decode("utf-8")
    assert b"<FONT" in euro.data
    assert client.get("/archives/2005/oeuvres-sociales.html").content_type == "text/html"


def test_one_page_has_no_end_of_head(client: FlaskClient) -> None:
    assert b"</head>" not in client.get("/divers/plan-acces.html").data.lower()


@pytest.mark.parametrize("question", ["dejeuner", "DÉJEUNER", "petit  déjeuner"])
def test_the_search_forgives_accents_and_capitals(client: FlaskClient, question: str) -> None:
    assert "/actualites/2026/parcours-nouveaux-arrivants" in client.get("/recherche", query_string={"q": question}).text


def test_the_search_folds_ligatures_and_apostrophes(client: FlaskClient) -> None:
    assert "/actualites/2026/voeux-de-la-direction" in client.get("/recherche?q=voeux").text
    assert "prix-initiative" in client.get("/recherche", query_string={"q": "l'initiative"}).text


def test_the_search_shows_a_question_as_text(client: FlaskClient) -> None:
    text = client.get("/recherche", query_string={"q": "<script>alert(1)</script>"}).text
    assert "<script>" not in text
    assert "Aucune page" in text


def test_french_punctuation_never_starts_a_line() -> None:
    for page in PAGES:
        if page.lang == "fr":
            text = re.sub(r"<[^>]+>", "", f"{page.title}\n{page.summary}\n{page.body}")
            assert not re.search(r"« | »| [;:!?]|'", text), (
                page.path,
                re.search(r".{9}(« | »| [;:!?]|').{5}", text),
            )


def test_the_intranet_knows_nothing_of_what_extends_it() -> None:
    everything = "".join(create_intranet().test_client().get(p.path).text for p in PAGES)
    assert "/rse" not in everything
    assert "rse-" not in everything


def test_a_content_file_without_a_key_says_which() -> None:
    with pytest.raises(ContentError, match=r"rh/vide: add the missing line.* publisher, summary"):
        parse_page("rh", "vide", "id: 1\ntitle: Vide\ndate: 2026-01-01\n\n<p>x</p>")
    with pytest.raises(ContentError, match="line 2 is not of the form"):
        parse_page("rh", "faux", "id: 1\ntitle\n\n<p>x</p>")
