"""Communities in a profile: those that everybody sees into, and those that both are in; no other gives somebody away."""

from __future__ import annotations

import json

import pytest

rse_communities = pytest.importorskip("rse_communities")
rse_directory = pytest.importorskip("rse_directory")

from rse_core import privacy, roles  # noqa: E402
from rse_core.api import Actor  # noqa: E402
from rse_core.extension import create_app  # noqa: E402
from rse_core.organisation import join_space  # noqa: E402
from rse_core.testing import as_person, count_queries  # noqa: E402
from rse_core.testing.organisation import make_person, make_space, set_level  # noqa: E402
from rse_directory import editing, indexing, profiles  # noqa: E402


@pytest.fixture
def rse_plugins():
    return [rse_communities.plugin, rse_directory.plugin]


@pytest.fixture
def there(core):
    """Anna in a space of each visibility, and in one that is archived; a colleague of the two closed ones; a stranger."""
    set_level(core, "cocreate")
    anna, mate, stranger = (make_person(core, name, name=f"{name.title()} Person") for name in ("anna", "mate", "stranger"))
    guest = make_person(core, "guest", name="Guest Person", external=True)
    opened = make_space(core, "open", name="Open house", visibility="public", members=[anna])
    make_space(core, "other", name="Other house", visibility="public", members=[anna])
    make_space(core, "listed", name="Closed house", visibility="listed", members=[anna, mate])
    make_space(core, "secret", name="Secret house", visibility="secret", members=[anna, mate])
    with core.db.write() as session:
        join_space(session, opened.id, guest.id, role="external")
        indexing.refresh(session, [anna.id, mate.id, stranger.id, guest.id])
    return {"anna": anna, "mate": mate, "stranger": stranger, "guest": guest}


def shown(core, viewer):
    with core.db.read() as session:
        return [one.name for one in profiles.page(session, viewer.id, "anna").communities]


def test_each_is_shown_what_they_may_know(core, there):
    assert shown(core, there["anna"]) == ["Closed house", "Open house", "Other house", "Secret house"]
    assert shown(core, there["mate"]) == ["Closed house", "Open house", "Other house", "Secret house"]
    assert shown(core, there["stranger"]) == ["Open house", "Other house"]
    assert shown(core, there["guest"]) == ["Open house"]


def test_pages_and_rest_link_them_and_somebody_may_hide_them(core, there):
    app = create_app(core)

    def seen(name):
        client = app.test_client()
        as_person(client, name)
        rest = client.get("/rse/api/v1/directory/people/anna").json
        page = client.get("/rse/directory/people/anna", headers={"Accept-Language": "fr"}).text
        return [one["name"] for one in rest["communities"]], page

    names, page = seen("stranger")
    assert names == ["Open house", "Other house"]
    assert '<a href="/rse/communities/open/">Open house</a>' in page
    assert "Communautés" in page
    assert "Closed house" not in page
    assert "Secret house" not in page
    with core.db.write() as session:
        editing.edit(session, there["anna"].id, {"choices": {"communities": "nobody"}})
    names, page = seen("stranger")
    assert (names, "house" in page) == ([], False)
    assert len(seen("anna")[0]) == 4, "one's own are there all the same"
    form = app.test_client()
    as_person(form, "anna")
    assert 'name="choice_communities"' in form.get("/rse/directory/me").text


def test_many_communities_cost_no_more_queries_than_one(core, there):
    anna = there["anna"]
    with core.db.read() as session, count_queries(core) as few:
        profiles.page(session, there["stranger"].id, "anna")
    for number in range(12):
        make_space(core, f"more{number}", visibility="public", members=[anna])
    with core.db.read() as session, count_queries(core) as many:
        assert len(profiles.page(session, there["stranger"].id, "anna").communities) == 14
    assert len(many) <= len(few), many


def test_communities_leave_in_ones_own_data_alone(core, there):
    """A card stays in other people's address books for years, and whom one meets in which space is no address."""
    app = create_app(core)
    client = app.test_client()
    as_person(client, "mate")
    card = client.get("/rse/directory/people/anna/card.vcf").text
    assert "FN:Anna Person" in card
    assert "house" not in card
    with core.db.write() as session:
        roles.grant(session, there["mate"].id, "site_admin", actor=Actor("test"))
    assert "house" not in client.get("/rse/directory/export.csv").text
    with core.db.read() as session:
        assert "Secret house" in json.dumps(privacy.export(session, there["anna"].id), default=str)
