"""The plugin keeps the contract, and does what it says, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rse_core.api import Forbidden, Level, ObjectRef, Viewer
from rse_core.testing import assert_plugin_contract, count_queries

PAGE = ObjectRef("page", "/news/canteen")


@pytest.fixture
def alice(make_person):
    return make_person("alice", level=Level.REACT)


def test_it_keeps_the_contract(rse_plugins):
    assert_plugin_contract(*rse_plugins)


def test_a_page_is_kept_once(core, alice):
    from rse_bookmarks import service

    with core.db.write() as session:
        assert service.keep(session, alice.id, PAGE)
        assert not service.keep(session, alice.id, PAGE)
    with core.db.read() as session:
        assert service.kept(session, alice.id, [PAGE]) == {PAGE}


def test_below_its_level_it_is_refused_and_what_was_kept_can_still_go(core, alice, set_level):
    from rse_bookmarks import service

    with core.db.write() as session:
        service.keep(session, alice.id, PAGE)
    set_level(Level.INFORM, kind="ceiling")
    with core.db.write() as session:
        with pytest.raises(Forbidden):
            service.keep(session, alice.id, ObjectRef("page", "/news/parking"))
        assert service.drop(session, alice.id, PAGE)


def test_what_one_person_keeps_nobody_else_sees(core, alice, make_person):
    from rse_bookmarks import service

    bruno = make_person("bruno", level=Level.REACT)
    with core.db.write() as session:
        service.keep(session, alice.id, PAGE)
    with core.db.read() as session:
        assert service.mine(session, bruno.id) == ([], None)
        assert [k.info.ref for k in service.mine(session, alice.id)[0]] == [PAGE]


def test_the_list_goes_on_page_by_page(core, alice):
    from rse_bookmarks import service

    with core.db.write() as session:
        for number in range(service.PAGE + 2):
            service.keep(session, alice.id, ObjectRef("page", f"/news/{number}"))
    with core.db.read() as session:
        first, more = service.mine(session, alice.id)
        rest, end = service.mine(session, alice.id, before=more)
    assert (len(first), len(rest), end) == (service.PAGE, 2, None)


def test_forty_buttons_cost_as_many_queries_as_two(core, alice, rse_app):
    from rse_bookmarks.slots import items

    def cost(many):
        refs = [ObjectRef("page", f"/news/{number}") for number in range(many)]
        with rse_app.test_request_context("/"), core.db.read() as session:
            items("bookmarks", refs, Viewer(alice.id, "en"), session)
            with count_queries(core) as count:
                assert len(items("bookmarks", refs, Viewer(alice.id, "en"), session)) == many
        return len(count)

    assert cost(40) == cost(2)


def test_the_button_and_the_list_in_french(rse_client, as_person, alice):
    as_person(rse_client, alice)
    slots = rse_client.get("/rse/embed/slots?slots=bookmarks&address=/news/canteen&lang=fr")
    assert "Garder" in slots.json["slots"]["bookmarks"]["html"]
    answer = rse_client.post(
        "/rse/bookmarks/keep",
        data={"ref": str(PAGE), "act": "keep"},
        headers={"X-RSE-CSRF": slots.headers["X-RSE-CSRF"], "X-RSE-Embed": "1", "Accept-Language": "fr"},
    )
    assert answer.status_code == 200, answer.text
    assert 'aria-pressed="true"' in answer.json["slots"]["bookmarks"]["html"]
    page = rse_client.get("/rse/bookmarks/?lang=fr").text
    assert "Pages gardées" in page
    assert "/news/canteen" in page


def test_at_inform_there_is_no_button(rse_client, as_person, make_person):
    as_person(rse_client, make_person("carla"))
    slots = rse_client.get("/rse/embed/slots?slots=bookmarks&address=/news/canteen")
    assert slots.json["slots"]["bookmarks"]["html"] == ""


def test_a_persons_bookmarks_are_exported_and_erased(core, alice):
    from rse_bookmarks import personal, service
    from rse_bookmarks.models import Bookmark

    with core.db.write() as session:
        service.keep(session, alice.id, PAGE)
        assert [row["object"] for row in personal.export(session, alice.id)] == ["page:/news/canteen"]
        assert personal.erase(session, alice.id) == 1
        assert session.scalars(select(Bookmark)).all() == []
