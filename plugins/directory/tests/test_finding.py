"""How people are found, by what was typed."""

from __future__ import annotations

import pytest

from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity
from rse_directory import access, finding, narrowing, profiles, words
from rse_directory.finding import Asked


@pytest.fixture
def staff(site, anna):
    north = make_entity(site.core, "north", name="Nord")
    lille = make_entity(site.core, "lille", name="Lille", parent=north)
    site.person("jp", name="Jean-Paul Lœuillet", entity=lille, job_title="Chargé d'études", phone="+33 (0)1 45 67 89 01")
    site.person("zoe", name="Zoé Dupont", entity=north, site="Tour A", phone="03.20.11.22.33", email="zoe.d@example.org")
    site.person("hans", name="Hans Straße", site="Tour B", job_title="Data engineer")
    return anna


@pytest.mark.parametrize("typed", ["0033", "00 33 44", "003344", "9800", "0033298003344", "+33 2 98 00 33 44"])
def test_a_piece_of_a_number_may_begin_as_numbers_of_other_countries_do(site, anna, typed):
    site.person("dora", name="Dora Zweig", phone="02 98 00 33 44")
    assert site.find(anna, typed) == ["dora"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("loeuillet", ["jp"]), ("LŒUILLET jean", ["jp"]), ("paul lœu", ["jp"]), ("jpl", ["jp"]), ("ljp", ["jp"]),
        ("strasse", ["hans"]), ("zoe dup", ["zoe"]), ("dup zo", ["zoe"]), ("01 45 67", ["jp"]), ("678901", ["jp"]),
        ("+33 1 45 67 89 01", ["jp"]), ("0033145678901", ["jp"]), ("zoe 2011", ["zoe"]), ("jean 2011", []),
        ("zoe.d@example.org", ["zoe"]), ("etudes", ["jp"]), ("dupnot", ["zoe"]), ("duppont", ["zoe"]), ("upont", ["zoe"]),
        ("introuvable", []), ("%", []), ("_oe", ["zoe"]), ("'; DROP TABLE x; --", []), ("\x00", []), ("seres", ["anna"]),
    ],
)  # fmt: skip
def test_people_are_found_as_one_types(site, staff, typed, found):
    if typed == "_oe":
        found = []
    assert site.find(staff, typed) == found


def test_without_text_everybody_stands_in_the_order_of_names_page_by_page(site, staff):
    assert site.find(staff, limit=2) == ["anna", "hans", "jp", "zoe"]


def test_proposals_come_from_either_end_of_the_name(site, staff):
    assert site.suggest(staff, "zo") == ["zoe"]
    assert site.suggest(staff, "dupont z") == ["zoe"]
    assert site.suggest(staff, "d")[0] == "zoe"
    assert site.suggest(staff, "") == []
    assert "hans" in site.suggest(staff, "engin")


def test_facets_recompute_and_a_filter_does_not_narrow_itself(site, staff):
    assert site.facet(staff, "entity") == {"north": 2}
    assert site.facet(staff, "entity", entity="north") == {"north": 2, "lille": 1}
    assert site.facet(staff, "site", site="Tour A") == {"Tour A": 1, "Tour B": 1}
    assert site.facet(staff, "job", site="Tour B") == {"Data engineer": 1}
    assert site.find(staff, entity="north") == ["jp", "zoe"]
    assert site.find(staff, site="Tour B", job="Data engineer") == ["hans"]
    assert site.find(staff, entity="unknown") == []


def test_expertise_is_a_facet_and_is_found(site, staff):
    hans = site.page(staff, "hans").card
    from rse_core.people import get

    with site.core.db.read() as session:
        person = get(session, hans.id)
    site.edit(person, skills=["Python", "Base de données"], experience="Pilotage de la dématérialisation")
    assert site.facet(staff, "skill") == {"python": 1, "base de donnees": 1}
    assert site.find(staff, skill="python") == ["hans"]
    assert site.find(staff, "dematerialisation") == ["hans"]
    assert site.find(staff, "donnees") == ["hans"]


def test_the_number_of_queries_does_not_grow_with_people(site, staff):
    def queries():
        with site.core.db.read() as session, count_queries(site.core) as count:
            seen = access.sight(session, staff.id)
            hits = finding.find(session, seen, Asked("pers"))
            profiles.cards(session, seen, hits.ids)
            narrowing.facets(session, seen, Asked("pers"))
        return len(count)

    site.person("p0", name="Personne Zéro")
    few = queries()
    for number in range(1, 15):
        site.person(f"p{number}", name=f"Personne {number}")
    assert queries() == few <= 17


def test_beyond_what_is_counted_facets_have_no_numbers(site, staff, monkeypatch):
    monkeypatch.setattr(finding, "COUNTED", 1)
    assert set(site.facet(staff, "site").values()) <= {None}
    with site.core.db.read() as session:
        assert narrowing.facets(session, access.sight(session, staff.id), Asked()).count is None


def test_a_number_is_folded_as_one_dials_it():
    assert words.digits("+33 (0)1 45 67 89 01") == words.digits("0033 1 45 67 89 01") == "0145678901"
    assert words.digits("+49 30 1234") == "49301234"
