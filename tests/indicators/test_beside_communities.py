"""Indicators beside communities: a space's figures among its pages, and one indicator of active communities."""

from __future__ import annotations

import pytest

import rse_communities
import rse_indicators
from rse_communities import creating
from rse_core import indicators_built, roles
from rse_core.api import Actor
from rse_core.testing import as_person
from rse_core.testing.organisation import make_person, set_level


@pytest.fixture
def rse_plugins():
    return [rse_communities.plugin, rse_indicators.plugin]


@pytest.fixture
def space(core):
    set_level(core, "cocreate")
    anna, ben = make_person(core, "anna", locale="en"), make_person(core, "ben", locale="en")
    with core.db.write() as session:
        made = creating.create(session, anna.id, name="Bees", kind="community")
        key = made.key
    return anna, ben, key


def test_the_tab_is_for_those_who_run_the_space(core, space, rse_client):
    from rse_core import organisation
    from rse_core.models.organisation import Space

    anna, ben, key = space
    with core.db.write() as session:
        ident = session.query(Space).filter_by(key=key).one().id
        organisation.join_space(session, ident, ben.id, "member")
    address = f"/rse/indicators/space/{key}/"
    assert f'href="{address}"' in as_person(rse_client, anna).get(f"/rse/communities/{key}/").text
    assert f'href="{address}"' not in as_person(rse_client, ben).get(f"/rse/communities/{key}/").text
    assert as_person(rse_client, anna).get(address).status_code == 200
    page = as_person(rse_client, anna).get(address).text
    assert 'class="rse-space-head"' in page
    assert page.count("<h1") == 1
    for other in ("", "members"):
        assert f'href="/rse/communities/{key}/{other}' in page
    assert f'href="{address}" aria-current="page"' in page
    assert as_person(rse_client, ben).get(address).status_code == 403


def test_active_communities_are_listed_once(core, space, rse_client):
    anna = space[0]
    with core.db.write() as session:
        roles.grant(session, anna.id, "site_admin", actor=Actor("test"))
    labels = [str(one.label) for one in indicators_built.all_of(core).values()]
    assert len(labels) == len(set(labels))
    page = as_person(rse_client, anna).get("/rse/indicators/?lang=en").text
    assert page.count("/rse/indicators/active_communities/") >= 1
    assert "communities.active" not in page


def test_the_head_of_a_space_is_for_those_who_know_of_it_and_not_for_the_intranets_pages(core, space, rse_client):
    from rse_core.models.organisation import Space
    from rse_core.organisation import space_ref

    anna, ben, key = space
    with core.db.write() as session:
        row = session.query(Space).filter_by(key=key).one()
        row.visibility = "secret"
        ref = space_ref(row.id)
    asked = f"/rse/embed/slots?ref={ref}&slots=space_head"
    for person in (anna, ben):
        answer = as_person(rse_client, person).get(asked)
        assert "rse-space-head" not in answer.text
    with core.db.read() as session:
        from rse_communities.slots import items
        from rse_core.api import Viewer

        assert items("space_head", [ref], Viewer(ben.id, "en", embed=False), session) == []
