"""The administration's pages: the cursor, plugins, capabilities, settings, the audit log, and who may enter."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from rse_core import levelsets, roles
from rse_core.api import Actor, BadInput, Capability, Level, Manifest, Plugin, Setting, hookimpl
from rse_core.extension import create_app
from rse_core.models.governance import Audit
from rse_core.models.levels import CapabilityShift, LevelRow, PluginSwitch


def number(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise BadInput("Give a number from 0 on.")
    return value


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self) -> list[Capability]:
        return [
            Capability("talk.react", "React to talk", Level.REACT),
            Capability("talk.write", "Write talk", Level.COMMENT, reviewed=True),
        ]

    @hookimpl
    def rse_settings_forms(self) -> list[Setting]:
        return [
            Setting("talk.most", "Most talks", 3, number, kind="number"),
            Setting("talk.loud", "Loud", False, bool, kind="boolean"),
        ]


@pytest.fixture
def app(use_plugin: Any) -> Flask:
    core = use_plugin(Talk())
    made = create_app(core)
    made.core = core  # type: ignore[attr-defined]
    return made


@pytest.fixture
def core(app: Flask) -> Any:
    return app.core  # type: ignore[attr-defined]


@pytest.fixture
def world(core: Any, make_entity: Any, make_person: Any) -> dict[str, Any]:
    """Two branches of one organisation, an administrator of the site and one of the north."""
    top = make_entity("top", name="Assurance publique")
    north = make_entity("north", name="Nord", parent=top)
    town = make_entity("town", name="Ville du Nord", parent=north)
    south = make_entity("south", name="Sud", parent=top)
    boss = make_person("boss", entity=top)
    chief = make_person("chief", entity=north)
    clerk = make_person("clerk", entity=town)
    for n in range(4):
        make_person(f"south{n}", entity=south)
    with core.db.write() as session:
        roles.grant(session, boss.id, "site_admin", actor=Actor("test"))
        roles.grant(session, chief.id, "entity_admin", scope="entity", scope_id=north.id, actor=Actor("test"))
    return {"top": top, "north": north, "town": town, "south": south, "boss": boss, "chief": chief, "clerk": clerk}


def token_of(client: Any, address: str = "/rse/admin/") -> str:
    page = client.get(address).text
    return re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page).group(1)  # type: ignore[union-attr]


def levels(core: Any) -> list[tuple[str, str, str, int | None]]:
    with core.db.read() as session:
        rows = session.scalars(select(LevelRow).order_by(LevelRow.id))
        return [(row.kind, row.scope, row.scope_key, row.level) for row in rows]


def test_only_those_who_administer_something_enter(app: Flask, world: Any, as_person: Any) -> None:
    client = app.test_client()
    assert client.get("/rse/admin/").status_code == 401
    assert as_person(client, world["clerk"]).get("/rse/admin/").status_code == 403
    assert as_person(client, world["chief"]).get("/rse/admin/").status_code == 200
    assert as_person(client, world["boss"]).get("/rse/admin/").status_code == 200
    for page in ("capabilities", "settings", "journal"):
        assert as_person(client, world["chief"]).get(f"/rse/admin/{page}/").status_code == 403
        assert as_person(client, world["boss"]).get(f"/rse/admin/{page}/").status_code == 200


def test_the_effect_is_shown_before_anything_is_placed(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    page = client.get("/rse/admin/?scope=entity&key=south&level=2&lang=en").text
    assert "4 people gain: React to talk, Write talk." in page
    assert "Nobody loses anything." in page
    assert levels(core) == []
    alone = client.get("/rse/admin/effect?scope=entity&key=south&kind=level&level=1&lang=en").text
    assert "4 people gain: React to talk." in alone
    assert "<html" not in alone


def test_the_cursor_is_placed_with_who_when_and_why(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    form = {"csrf_token": token_of(client), "scope": "entity", "key": "south", "level": "2", "why": "Pilot  of the south"}
    answer = client.post("/rse/admin/", data=form)
    assert (answer.status_code, levels(core)) == (303, [("level", "entity", str(world["south"].id), 2)])
    page = client.get(answer.headers["Location"]).text
    assert "Pilot of the south" in page
    assert "boss" in page
    with core.db.read() as session:
        entry = session.scalars(select(Audit).where(Audit.act == "level.set")).one()
        assert (entry.actor, entry.subject, entry.why) == ("boss", "entity:south", "Pilot of the south")


def test_a_dated_level_waits_for_its_date_in_the_sites_time(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    form = {"csrf_token": token_of(client), "scope": "site", "level": "1", "from_date": "2031-01-12", "from_time": "08:30"}
    assert client.post("/rse/admin/", data=form).status_code == 303
    with core.db.read() as session:
        row = session.scalars(select(LevelRow)).one()
        assert row.starts_at == dt.datetime(2031, 1, 12, 7, 30, tzinfo=dt.UTC)
    assert "12 Jan 2031, 08:30" in client.get("/rse/admin/?lang=en").text
    form.update(from_date="tomorrow")
    refused = client.post("/rse/admin/", data=form)
    assert refused.status_code == 422
    assert "2027-01-31" in refused.text


def test_the_ceiling_is_a_stop_on_the_screen_and_on_the_server(
    app: Flask, core: Any, world: Any, as_person: Any, set_level: Any
) -> None:
    set_level(Level.COMMENT, entity=world["top"], kind="ceiling")
    client = as_person(app.test_client(), world["boss"])
    page = client.get("/rse/admin/?scope=entity&key=south").text
    assert 'data-stop="2"' in page
    assert re.search(r'id="level-3" value="3"[^>]* disabled', page)
    assert not re.search(r'id="level-2" value="2"[^>]* disabled', page)
    form = {"csrf_token": token_of(client), "scope": "entity", "key": "south", "level": "4"}
    assert client.post("/rse/admin/", data=form).status_code == 403
    assert len(levels(core)) == 1


def test_an_administrator_of_an_entity_stays_in_its_branch(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["chief"])
    own = client.get("/rse/admin/").text
    assert "Nord" in own
    assert "Ville du Nord" in own
    assert "Sud" not in own
    assert "key=south" not in own
    token = token_of(client)
    for scope, key in (("site", ""), ("entity", "south"), ("entity", "top"), ("section", "/hr")):
        assert client.get(f"/rse/admin/?scope={scope}&key={key}&level=1").status_code == 403, scope
        assert client.get(f"/rse/admin/effect?scope={scope}&key={key}&level=1").status_code == 403
        form = {"csrf_token": token, "scope": scope, "key": key, "level": "1"}
        assert client.post("/rse/admin/", data=form).status_code == 403
    ceiling = {"csrf_token": token, "scope": "entity", "key": "town", "kind": "ceiling", "level": "1"}
    assert client.post("/rse/admin/", data=ceiling).status_code == 403
    assert levels(core) == []
    assert client.get("/rse/admin/?find=sud").text.count("key=south") == 0
    good = {"csrf_token": token, "scope": "entity", "key": "town", "level": "2"}
    assert client.post("/rse/admin/", data=good).status_code == 303
    assert levels(core) == [("level", "entity", str(world["town"].id), 2)]


def test_groups_sections_and_ceilings_have_their_own_cursor(
    app: Flask, core: Any, world: Any, as_person: Any, make_group: Any
) -> None:
    group = make_group("ambassadors", name="Ambassadeurs", members=[world["clerk"]])
    client = as_person(app.test_client(), world["boss"])
    token = token_of(client)
    for form in (
        {"scope": "group", "key": "ambassadors", "level": "3"},
        {"scope": "section", "key": "/hr/", "level": "1"},
        {"scope": "site", "kind": "ceiling", "level": "4"},
    ):
        assert client.post("/rse/admin/", data={"csrf_token": token, **form}).status_code == 303, form
    assert levels(core) == [
        ("level", "group", str(group.id), 3),
        ("cap", "section", "/hr", 1),
        ("ceiling", "site", "", 4),
    ]
    page = client.get("/rse/admin/").text
    assert "Ambassadeurs" in page
    assert "/hr" in page


def test_a_level_is_withdrawn_and_what_stands_above_counts_again(
    app: Flask, core: Any, world: Any, as_person: Any, set_level: Any
) -> None:
    set_level(Level.COMMENT, entity=world["south"])
    client = as_person(app.test_client(), world["boss"])
    page = client.get("/rse/admin/?scope=entity&key=south&level=none&lang=en").text
    assert "4 people lose: React to talk, Write talk." in page
    form = {"csrf_token": token_of(client), "scope": "entity", "key": "south", "level": "none"}
    assert client.post("/rse/admin/", data=form).status_code == 303
    assert levels(core)[-1] == ("level", "entity", str(world["south"].id), None)


def test_what_changed_meanwhile_is_counted_again_before_it_is_applied(
    app: Flask, core: Any, world: Any, as_person: Any, set_level: Any
) -> None:
    client = as_person(app.test_client(), world["boss"])
    page = client.get("/rse/admin/?scope=entity&key=south&level=2").text
    version = re.search(r'name="version" value="(\d+)"', page).group(1)  # type: ignore[union-attr]
    set_level(Level.REACT)
    form = {"csrf_token": token_of(client), "scope": "entity", "key": "south", "level": "2", "version": version}
    again = client.post("/rse/admin/", data=form)
    assert again.status_code == 409
    assert len(levels(core)) == 1
    form["version"] = re.search(r'name="version" value="(\d+)"', again.text).group(1)  # type: ignore[union-attr]
    assert client.post("/rse/admin/", data=form).status_code == 303


@pytest.mark.parametrize(
    "query", ["scope=planet", "scope=entity&key=nowhere", "scope=site&kind=cap", "level=9", "scope=section&key=hr"]
)
def test_a_place_that_makes_no_sense_is_refused_with_a_page(app: Flask, world: Any, as_person: Any, query: str) -> None:
    answer = as_person(app.test_client(), world["boss"]).get(f"/rse/admin/?{query}")
    assert answer.status_code in (404, 422)
    assert "<h1>" in answer.text


def test_plugins_are_listed_with_their_state_and_switched(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    core.plugins.quarantine("talk", "“talk” is broken.", "Mend it.")
    client = as_person(app.test_client(), world["boss"])
    page = client.get("/rse/admin/plugins/").text
    assert "“talk” is broken. Mend it." in page


def test_a_plugin_is_switched_off_for_an_entity_by_its_administrator(
    app: Flask, core: Any, world: Any, as_person: Any
) -> None:
    client = as_person(app.test_client(), world["chief"])
    token = token_of(client, "/rse/admin/plugins/")
    form = {"csrf_token": token, "plugin": "talk", "on": "0", "scope": "entity", "key": "town"}
    assert client.post("/rse/admin/plugins/", data=form).status_code == 303
    for bad in ({"scope": "site", "key": ""}, {"key": "south"}):
        assert client.post("/rse/admin/plugins/", data={**form, **bad}).status_code == 403
    assert client.post("/rse/admin/plugins/", data={**form, "plugin": "tlak"}).status_code == 404
    with core.db.read() as session:
        row = session.scalars(select(PluginSwitch)).one()
        assert (row.plugin, row.scope, row.scope_id, row.enabled) == ("talk", "entity", world["town"].id, False)
    assert "Ville du Nord" in client.get("/rse/admin/plugins/").text


def test_capabilities_stand_in_one_table_and_can_be_shifted(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    page = client.get("/rse/admin/capabilities/").text
    assert "talk.react" in page
    assert "talk.write" in page
    token = token_of(client, "/rse/admin/capabilities/")
    form = {"csrf_token": token, "capability": "talk.write", "level": "4"}
    assert client.post("/rse/admin/capabilities/", data=form).status_code == 303
    with core.db.read() as session:
        assert session.scalars(select(CapabilityShift.level)).one() == 4
    assert client.post("/rse/admin/capabilities/", data={**form, "capability": "talk.wrtie"}).status_code == 404


def test_settings_are_changed_and_what_was_typed_wrong_stays(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    token = token_of(client, "/rse/admin/settings/")
    form = {"csrf_token": token, "key": "talk.most", "value": "7"}
    assert client.post("/rse/admin/settings/", data=form).status_code == 303
    with core.db.read() as session:
        assert core.options.get(session, "talk.most") == 7
    wrong = client.post("/rse/admin/settings/", data={**form, "value": "seven"})
    assert wrong.status_code == 422
    assert 'value="seven"' in wrong.text
    assert 'aria-invalid="true"' in wrong.text
    assert client.post("/rse/admin/settings/", data={**form, "value": "-1"}).status_code == 422
    loud = {"csrf_token": token, "key": "talk.loud", "value": "1"}
    assert client.post("/rse/admin/settings/", data=loud).status_code == 303
    assert client.post("/rse/admin/settings/", data={**form, "key": "talk.none"}).status_code == 404


def test_the_audit_log_pages_and_filters(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    with core.db.write() as session:
        for n in range(60):
            levelsets.place(session, levelsets.SITE, n % 3, actor=Actor("cli:root"), why=f"step {n}")
    client = as_person(app.test_client(), world["boss"])
    first = client.get("/rse/admin/journal/?act=level.set").text
    assert "step 59" in first
    assert "step 5<" not in first
    more = re.search(r'href="([^"]*after=[^"]*)"', first).group(1).replace("&amp;", "&")  # type: ignore[union-attr]
    assert "step 5<" in client.get(more).text
    assert client.get(more.replace("level.set", "role.grant")).status_code == 422, "a cursor belongs to its list"
    assert client.get("/rse/admin/journal/?act=&after=AAAA").status_code == 422
