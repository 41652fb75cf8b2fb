"""Words that very many people have: pages come in order, without gaps and repetitions, however they are found."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import insert, select, update

from rse_core.api import utcnow
from rse_core.models.organisation import Entity, Person
from rse_core.people import folded
from rse_core.testing.organisation import make_entity
from rse_core.testing.queries import count_queries
from rse_directory import access, finding, indexing, narrowing, words
from rse_directory.finding import Asked
from rse_directory.models import Profile

FIRST = ("Anne", "Marie", "Paul", "Jean-Paul", "Zoé", "Marc")
LAST = ("Martin", "Marin", "Durand", "Paulin", "Anneau", "Zola", "Mareuil")


@pytest.fixture
def crowd(site, anna):
    """Two hundred people: what of each is found by which word is known."""
    rng, now = random.Random(5), utcnow()
    here = make_entity(site.core, "here")
    rows = []
    for number in range(200):
        name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
        rows.append(
            {
                "external_id": f"c{number}", "username": f"c{number}", "display_name": name, "folded_name": folded(name),
                "job_title": rng.choice(("Mission locale", "Mission du siège", "Marché public")), "site": "",
                "status": "active" if number % 11 else "disabled", "source": "csv", "email": "", "phone": "",
                "entity_id": here.id if number % 3 else None, "created_at": now, "updated_at": now,
            }
        )  # fmt: skip
    with site.core.db.write() as session:
        session.execute(insert(Person), rows)
        indexing.refresh(session, indexing.behind(session))
        session.add_all([Profile(person_id=one, listed=False) for one in sorted(ids(session))[5:15]])
    return rows


def ids(session):
    return set(session.scalars(select(Person.id).where(Person.username.startswith("c"))))


def expected(session, word):
    """The slow and obvious one: whose name begins so from either end, by that; then all others, by name."""
    hidden = set(session.scalars(select(Profile.person_id).where(Profile.listed.is_(False))))
    first, then = [], []
    for person in session.scalars(select(Person).where(Person.status == "active")):
        if person.id in hidden:
            continue
        whole = sorted(token for kind, token in words.name_tokens(person.display_name) if kind == words.WHOLE)
        begins = [token for token in whole if token.startswith(word)]
        texts = [person.display_name, person.job_title]
        others = [token for kind, token in words.name_tokens(person.display_name) if kind == words.WORD]
        others += [one for text in texts for one in words.words(text)]
        if begins:
            first.append((begins[0], person.id))
        elif all(any(one.startswith(part) for one in others) for part in word.split()):
            then.append((person.folded_name, person.id))
    return [ident for _key, ident in [*sorted(first), *sorted(then)]]


@pytest.mark.parametrize("walked", [0, 7, 500])
@pytest.mark.parametrize("broad", [10, 100_000])
def test_pages_are_those_of_the_slow_model(site, anna, crowd, monkeypatch, walked, broad):
    monkeypatch.setattr(finding, "WALKED", walked)
    monkeypatch.setattr(finding, "BROAD", broad)
    with site.core.db.read() as session:
        seen = access.sight(session, anna.id)
        for word in ("mar", "m", "paul", "mission", "zo", "martin mar", "marie m", "mission du", "anne"):
            for limit in (1, 7, 60):
                found, after, turns = [], None, 0
                while True:
                    hits = finding.find(session, seen, Asked(word), after=after, limit=limit)
                    found += hits.ids
                    after, turns = hits.after, turns + 1
                    if after is None or turns > 300:
                        break
                assert found == expected(session, word), (word, limit)
                if limit == 1 and word != "mission":
                    break


@pytest.mark.parametrize("walked", [0, 7, 500])
def test_a_part_of_a_number_that_many_have_finds_them_by_name(site, anna, crowd, monkeypatch, walked):
    monkeypatch.setattr(finding, "WALKED", walked)
    monkeypatch.setattr(finding, "BROAD", 10)
    with site.core.db.write() as session:
        numbered = {one for one in ids(session) if one % 3}
        session.execute(update(Person).where(Person.id.in_(numbered)).values(phone="01 03 22 33 44"))
        indexing.refresh(session, sorted(numbered))
    with site.core.db.read() as session:
        seen = access.sight(session, anna.id)
        hidden = select(Profile.person_id).where(Profile.listed.is_(False))
        rows = select(Person.id).where(Person.id.in_(numbered), Person.status == "active", Person.id.not_in(hidden))
        wanted, found, after = list(session.scalars(rows.order_by(Person.folded_name, Person.id))), [], None
        while after is not None or not found:
            hits = finding.find(session, seen, Asked("0103 22"), after=after, limit=20)
            found += hits.ids
            after = hits.after
            if after is None:
                break
        assert len(wanted) > 50
        assert found == wanted
        assert finding.suggest(session, seen, "0103") == wanted[: finding.QUICK]


def test_of_a_broad_word_facets_have_no_numbers_and_a_filter_brings_them_back(site, anna, crowd, monkeypatch):
    monkeypatch.setattr(finding, "BROAD", 10)
    with site.core.db.read() as session:
        seen = access.sight(session, anna.id)
        broad = narrowing.facets(session, seen, Asked("mission"))
        assert broad.count is None
        assert broad.facets["entity"]
        assert {value.count for value in broad.facets["entity"]} == {None}
        narrow = narrowing.facets(session, seen, Asked("mission", entity="here"))
        assert narrow.count == len([one for one in crowd_of(session, "here") if one in expected(session, "mission")])
        assert narrow.facets["job"][0].count


def crowd_of(session, key):
    return set(session.scalars(select(Person.id).join(Entity, Entity.id == Person.entity_id).where(Entity.key == key)))


def test_a_hidden_field_is_found_by_no_way(site, anna, crowd, monkeypatch):
    monkeypatch.setattr(finding, "BROAD", 10)
    site.set(fields={"job_title": {"audience": "nobody", "imposed": True}})
    assert site.find(anna, "mission") == []
    site.set(fields={"job_title": {"audience": "entity", "imposed": True}})
    assert site.find(anna, "mission") == []


def test_a_page_takes_as_many_queries_for_many_as_for_few(site, anna, crowd, monkeypatch):
    monkeypatch.setattr(finding, "BROAD", 10)
    with site.core.db.read() as session:
        seen, numbers = access.sight(session, anna.id), []
        for word in ("mission", "zola"):
            with count_queries(site.core) as counted:
                finding.find(session, seen, Asked(word))
            numbers.append(len(counted.statements))
    assert max(numbers) <= 4
