"""People in several entities and their assistants, as the directory shows them."""

from __future__ import annotations

import pytest

from rse_core import places
from rse_core.testing.organisation import make_entity
from rse_core.testing.queries import count_queries
from rse_directory import access, chart, editing


@pytest.fixture
def north(site):
    return make_entity(site.core, "north", name="North")


@pytest.fixture
def south(site):
    return make_entity(site.core, "south", name="South")


@pytest.fixture
def paul(site, north, south):
    paul = site.person("paul", name="Paul Petit", entity=north, job_title="Director")
    with site.core.db.write() as session:
        places.set_others(session, paul.id, [south.id])
    return paul


def assist(site, person, *helpers):
    with site.core.db.write() as session:
        places.set_assistants(session, person.id, [one.id for one in helpers])


def test_somebody_is_found_in_each_of_their_entities_and_counts_once_in_each(site, anna, north, south, paul):
    site.person("mia", name="Mia", entity=south)
    assert site.find(anna, entity="north") == ["paul"]
    assert site.find(anna, entity="south") == ["mia", "paul"]
    assert site.facet(anna, "entity") == {"north": 1, "south": 2}


def test_two_entities_below_the_same_one_count_once_there(site, anna, north):
    one = make_entity(site.core, "one", parent=north)
    other = make_entity(site.core, "other", parent=north)
    paul = site.person("paul", name="Paul", entity=one)
    with site.core.db.write() as session:
        places.set_others(session, paul.id, [other.id])
    assert site.facet(anna, "entity") == {"north": 1}
    assert site.facet(anna, "entity", entity="north") == {"north": 1, "one": 1, "other": 1}


def test_the_card_and_the_profile_say_where_else_somebody_is(site, anna, paul):
    text = site.get(anna, "people/paul").text
    assert "South" in text
    assert "South" in site.get(anna, "?q=paul").text
    body = site.client(anna).get("/rse/api/v1/directory/people/paul").get_json()
    assert body["person"]["other_entities"] == ["South"]
    assert body["entities"] == ["North"]


def test_a_field_for_ones_entity_is_shown_to_who_is_there_beside_another(site, anna, north, south, paul):
    mia = site.person("mia", name="Mia", entity=south, phone="01 45 67 89 01")
    site.set(fields={"phone": {"audience": "entity", "imposed": True}})
    assert site.page(paul, "mia").card.value("phone")
    assert site.find(paul, "678901") == ["mia"]
    assert site.page(anna, "mia").card.value("phone") == ""
    assert site.page(mia, "paul").card.value("phone") == ""


def test_who_is_in_an_isolated_entity_beside_another_sees_both(site, north, south, paul):
    site.person("mia", name="Mia", entity=south)
    site.person("tom", name="Tom", entity=north)
    site.set(isolated=["south"])
    assert site.find(paul) == ["mia", "paul", "tom"]


def test_assistants_are_linked_both_ways_and_gone_with_who_leaves(site, anna, paul):
    zoe, tom = site.person("zoe", name="Zoé Helper"), site.person("tom", name="Tom Other")
    assist(site, paul, zoe, tom)
    page = site.page(anna, "paul")
    assert [one.username for one in page.assistants] == ["tom", "zoe"]
    assert [one.username for one in site.page(anna, "zoe").assists] == ["paul"]
    assert "Zoé Helper" in site.get(anna, "people/paul").text
    assert "Paul Petit" in site.get(anna, "people/zoe").text
    body = site.client(anna).get("/rse/api/v1/directory/people/zoe").get_json()
    assert [one["username"] for one in body["assists"]] == ["paul"]
    site.change(tom, status="disabled")
    assert [one.username for one in site.page(anna, "paul").assistants] == ["zoe"]


def test_a_hidden_assistant_is_hidden_both_ways_and_an_opted_out_one_is_not_named(site, anna, paul):
    zoe = site.person("zoe", name="Zoé Helper")
    assist(site, paul, zoe)
    site.set(fields={"assistant": {"audience": "nobody", "imposed": True}})
    assert site.page(anna, "paul").assistants == site.page(anna, "zoe").assists == ()
    assert [one.username for one in site.page(paul, "paul").assistants] == ["zoe"], "one's own"
    site.set(fields={})
    site.edit(zoe, listed=False)
    assert site.page(anna, "paul").assistants == ()
    assert "Zoé" not in site.get(anna, "chart?of=paul").text


def test_the_chart_names_assistants_in_a_constant_number_of_queries(site, anna, paul):
    below = [site.person(f"b{number}", name=f"Below {number}", manager=paul) for number in range(6)]
    zoe = site.person("zoe", name="Zoé Helper")
    assist(site, paul, zoe)
    with site.core.db.read() as session:
        chart.by_manager(session, anna.id, "paul")  # settings are in memory from here on
        with count_queries(site.core) as few:
            chart.by_manager(session, anna.id, "paul")
    for person in below:
        assist(site, person, zoe)
    with site.core.db.read() as session, count_queries(site.core) as many:
        found = chart.by_manager(session, anna.id, "paul")
    assert len(many.statements) == len(few.statements)
    assert [one.username for one in found.nodes[0].assistants] == ["zoe"]
    assert [one.username for one in found.nodes[0].below[0].assistants] == ["zoe"]
    text = site.get(anna, "chart?of=paul").text
    assert "Zoé Helper" in text
    assert "South" in text, "where else somebody is stands there too"


def test_nobody_changes_these_of_themselves(site, anna, paul):
    from rse_core.api import BadInput

    with site.core.db.write() as session, pytest.raises(BadInput):
        editing.edit(session, paul.id, {"assistant": "anna"})
    with site.core.db.read() as session:
        assert access.sight(session, paul.id).path
