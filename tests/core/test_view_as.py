"""“View as”: an administrator reads as somebody of an entity at a level, writes nothing, and both ends are logged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask
from sqlalchemy import select

from rse_core import onlookers, organisation, people, roles, view_as
from rse_core.api import Actor, Capability, Level, Manifest, Plugin, can, hookimpl, open_audiences
from rse_core.audiences import everyone, of_entity, of_members, of_person, sees
from rse_core.charter import missing, publish
from rse_core.extension import create_app
from rse_core.i18n import use_locale
from rse_core.models.governance import Audit
from rse_core.models.runtime import Preference
from rse_core.people import card
from rse_core.policy import explain, level_of
from rse_core.preferences import put
from rse_core.subjects import Target
from rse_core.tokens import create_token
from rse_core.web.identity import current_person_id, sign_out
from rse_core.web.state import core as running

VIEW = "/rse/admin/view-as"


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self) -> list[Capability]:
        return [
            Capability("talk.read", "Read talk", Level.INFORM, writes=False),
            Capability("talk.write", "Write talk", Level.COMMENT),
            Capability("talk.post", "Begin a talk", Level.CONTRIBUTE),
        ]

    @hookimpl
    def rse_blueprints(self) -> list[Blueprint]:
        """A page that writes when it is looked at."""
        pages = Blueprint("rse_talk", __name__)

        @pages.get("/sly/<int:person_id>")
        def sly(person_id: int) -> str:
            with running().db.write() as session:
                put(session, person_id, "talk.seen", 1)
            return "written"

        return [pages]


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
def world(core: Any, make_entity: Any, make_person: Any, make_space: Any) -> dict[str, Any]:
    top = make_entity("top", name="Assurance publique")
    north = make_entity("north", name="Nord", parent=top)
    town = make_entity("town", name="Ville du Nord", parent=north)
    south = make_entity("south", name="Sud", parent=top)
    boss, chief = make_person("boss", entity=top), make_person("chief", entity=north)
    clerk = make_person("clerk", entity=town)
    space = make_space("hidden", visibility="secret", members=[boss, clerk])
    with core.db.write() as session:
        roles.grant(session, boss.id, "site_admin", actor=Actor("test"))
        roles.grant(session, chief.id, "entity_admin", scope="entity", scope_id=north.id, actor=Actor("test"))
    return {
        "top": top, "north": north, "town": town, "south": south, "boss": boss, "chief": chief, "clerk": clerk,
        "space": space,
    }  # fmt: skip


def token_of(client: Any, address: str = VIEW) -> str:
    return re.search(r'name="csrf_token" value="([0-9a-f]{64})"', client.get(address).text).group(1)  # type: ignore[union-attr]


def look(client: Any, entity: str = "town", level: str = "2", why: str = "") -> Any:
    form = {"csrf_token": token_of(client, f"{VIEW}?entity={entity}"), "entity": entity, "level": level, "why": why}
    return client.post(VIEW, data=form)


def log(core: Any) -> list[tuple[str, str, str, Any, str]]:
    with core.db.read() as session:
        rows = session.scalars(select(Audit).where(Audit.act.startswith("view_as")).order_by(Audit.id))
        return [(row.act, row.actor, row.subject, row.after, row.why) for row in rows]


# -- the service -----------------------------------------------------------------------------------------------


def test_an_onlooker_is_in_the_audiences_of_the_entity_and_nothing_else(core: Any, world: Any) -> None:
    somebody = onlookers.onlooker(world["town"].id, Level.COMMENT)
    with core.db.read() as session:
        wanted = {everyone(session), *(of_entity(session, world[key].id) for key in ("town", "north", "top"))}
        assert of_person(session, somebody) == wanted
        facts = core.policy.person(somebody)
        assert facts.audiences == wanted
        assert (facts.groups, facts.spaces, facts.roles) == (frozenset(), {}, frozenset())
        assert not sees(session, somebody, of_members(session, world["space"].id))
        assert not sees(session, somebody, of_entity(session, world["south"].id))
        assert sees(session, somebody, of_entity(session, world["north"].id))
        assert set(open_audiences(session, somebody, "talk.write")) == wanted


@pytest.mark.parametrize("ident", [-1, -7, -15, -8_000_000, -(10**9) * 8 - 7])
def test_an_id_that_stands_for_nothing_is_nobody(core: Any, world: Any, ident: int) -> None:
    with core.db.read() as session:
        assert core.policy.person(ident) is None
        assert of_person(session, ident) == frozenset()
        assert card(session, ident) is None
        assert not can(session, ident, "talk.read")


def test_the_chosen_level_counts_exactly_under_the_caps(core: Any, world: Any, set_level: Any) -> None:
    set_level(Level.COLLABORATE, entity=world["town"])
    set_level(Level.REACT, entity=world["north"], kind="cap")
    somebody = onlookers.onlooker(world["town"].id, Level.COMMENT)
    with core.db.read() as session:
        assert level_of(session, somebody) == Level.COMMENT
        assert can(session, somebody, "talk.write")
        assert not can(session, somebody, "talk.post")
        capped = Target(of_entity(session, world["north"].id))
        assert not can(session, somebody, "talk.write", capped)
        step = next(step for step in explain(session, somebody, "talk.write").trail if step.rule == "level")
        assert step.detail["chosen"] == Level.COMMENT
    set_level(Level.REACT, entity=world["top"], kind="ceiling")
    with core.db.read() as session:
        assert level_of(session, somebody) == Level.REACT


def test_a_charter_does_not_stand_in_the_way(core: Any, world: Any) -> None:
    with core.db.write() as session:
        publish(session, title="Charte", body="Soyez aimables.", actor=Actor("test"))
    somebody = onlookers.onlooker(world["town"].id, Level.COMMENT)
    with core.db.read() as session:
        assert can(session, somebody, "talk.write")
        assert missing(session, somebody) == []
        assert not can(session, world["clerk"].id, "talk.write")


# -- the pages -------------------------------------------------------------------------------------------------


def test_it_begins_and_ends_and_both_are_logged(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    answer = look(client, why=" What they  see ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/rse/")
    page = client.get("/rse/?lang=en").text
    assert "Somebody of Ville du Nord, level “comment”" in page
    assert 'role="status"' in page
    assert "Your level of interactivity is “comment”" in page
    assert "Administration" not in page
    ended = client.post(f"{VIEW}/end", data={"csrf_token": token_of(client)})
    assert ended.status_code == 303
    page = client.get("/rse/?lang=en").text
    assert "Somebody of" not in page
    assert "Administration" in page
    (first, second) = log(core)
    assert (first[0], first[1], first[2], first[3]["level"], first[4]) == (
        "view_as.begin", "boss", "entity:town", "comment", "What they see",
    )  # fmt: skip
    assert second == ("view_as.end", "boss", "entity:town", {"level": "comment", "how": "stopped"}, "")


def test_the_administration_and_pages_about_oneself_are_closed(app: Flask, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    look(client)
    for path in ("/rse/admin/", "/rse/admin/journal/", "/rse/admin/why/"):
        assert client.get(path).status_code == 403
    for path in ("/rse/me/", "/rse/me/sessions", "/rse/me/tokens", "/rse/api/v1/me"):
        refused = client.get(f"{path}?lang=en")
        assert refused.status_code == 403, path
        assert "nobody to show" in refused.text
    assert client.get(VIEW).status_code == 200, "where it is ended"


def test_everything_unsafe_is_refused(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    look(client)
    token = token_of(client)
    said = set()
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        own = rule.endpoint in ("rse_admin.view_as_end", "rse_core.language", "rse_core.leave")
        if own or getattr(view, "rse_csrf_exempt", False) or not rule.methods & {"POST", "PUT", "PATCH", "DELETE"}:
            continue
        path = "/rse" + re.sub(r"<[^>]*>", "1", rule.rule)
        for method in sorted(rule.methods & {"POST", "PUT", "PATCH", "DELETE"}):
            headers = {"X-RSE-CSRF": token, "Accept-Language": "en"}
            answer = client.open(path, method=method, headers=headers)
            said.add((answer.status_code, "nothing was saved" in answer.text))
    assert said == {(403, True)}
    assert [line[0] for line in log(core)] == ["view_as.begin"]


def test_a_view_that_writes_in_a_get_request_cannot(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client, boss = as_person(app.test_client(), world["boss"]), world["boss"].id
    look(client)
    assert client.get(f"/rse/sly/{boss}").status_code == 403
    with core.db.read() as session:
        assert session.scalars(select(Preference)).all() == []
    assert as_person(app.test_client(), world["boss"]).get(f"/rse/sly/{boss}").text == "written", "that of another request"


def test_only_what_one_administers_and_below_its_ceiling(
    app: Flask, core: Any, world: Any, as_person: Any, set_level: Any
) -> None:
    client = as_person(app.test_client(), world["chief"])
    token = token_of(client)
    for entity in ("south", "top", "nowhere"):
        answer = client.post(VIEW, data={"csrf_token": token, "entity": entity, "level": "1"})
        assert answer.status_code == 404, entity
    set_level(Level.REACT, entity=world["north"], kind="ceiling")
    answer = client.post(VIEW, data={"csrf_token": token, "entity": "town", "level": "2"})
    assert answer.status_code == 422
    assert log(core) == []
    assert client.post(VIEW, data={"csrf_token": token, "entity": "town", "level": "1"}).status_code == 303
    clerk = as_person(app.test_client(), world["clerk"])
    assert clerk.get(VIEW).status_code == 403
    assert "View as" not in clerk.get("/rse/?lang=en").text


def test_a_role_that_is_taken_ends_it(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["chief"])
    look(client)
    assert "level “comment”" in client.get("/rse/?lang=en").text
    with core.db.write() as session:
        roles.revoke(
            session, world["chief"].id, "entity_admin", scope="entity", scope_id=world["north"].id, actor=Actor("test")
        )
    assert "Somebody of" not in client.get("/rse/?lang=en").text
    assert log(core)[-1][3] == {"level": "comment", "how": "over"}


@pytest.mark.parametrize("lost", ["role", "account", "entity"])
def test_a_cookie_that_was_kept_is_worth_no_more_than_the_right_of_its_owner(
    app: Flask, core: Any, world: Any, as_person: Any, lost: str
) -> None:
    name = core.settings.session_cookie
    client = as_person(app.test_client(), world["chief"])
    look(client)
    kept = client.get_cookie(name, path="/").value
    chief, north, town = world["chief"].id, world["north"].id, world["town"].id
    with core.db.write() as session:
        if lost == "role":
            roles.revoke(session, chief, "entity_admin", scope="entity", scope_id=north, actor=Actor("test"))
        elif lost == "account":
            people.disable(session, chief)
        else:
            organisation.move_entity(session, town, world["south"].id)
    for _again in range(2):
        client.set_cookie(name, kept, path="/")
        page = client.get("/rse/?lang=en")
        assert "Somebody of" not in page.text
        assert "level “comment”" not in page.text
    client.set_cookie(name, kept, path="/")
    slots = client.get("/rse/embed/slots", query_string={"address": "/a", "slots": "comments", "lang": "en"})
    assert "Somebody of" not in slots.text


@pytest.mark.parametrize("change", ["late", "long", "other", "entity", "level", "garbled", "text"])
def test_a_cookie_that_is_over_or_not_ours_shows_nothing(
    app: Flask, core: Any, world: Any, as_person: Any, change: str
) -> None:
    client = as_person(app.test_client(), world["chief"])
    look(client)
    with client.session_transaction(base_url="http://localhost/rse/") as kept:
        by, entity, level, until = kept["view"]
        kept["view"] = {
            "late": [by, entity, level, until - 3_700],
            "long": [by, entity, level, until + 7_200],
            "other": [world["boss"].id, entity, level, until],
            "entity": [by, world["south"].id, level, until],
            "level": [by, entity, 9, until],
            "garbled": [by, entity],
            "text": "boss",
        }[change]
    page = client.get("/rse/?lang=en")
    assert page.status_code == 200
    assert "Somebody of" not in page.text
    assert "Administration" in page.text
    assert client.get("/rse/me/").status_code == 200


def test_a_forged_cookie_is_no_session(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["clerk"])
    client.set_cookie(core.settings.session_cookie, "eyJ2aWV3IjpbMSwxLDIsOTk5OTk5OTk5OTldfQ.aaaaaa.forged", path="/")
    page = client.get("/rse/?lang=en").text
    assert "Somebody of" not in page
    assert log(core) == []


def test_another_person_in_the_same_browser_is_themselves(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    look(client)
    page = as_person(client, world["clerk"]).get("/rse/?lang=en").text
    assert "Somebody of" not in page
    assert log(core)[-1][0] == "view_as.end"


def test_a_form_of_another_tab_is_not_sent_as_somebody_else(app: Flask, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    mine = token_of(client)
    look(client)
    viewing = token_of(client)
    assert client.post(f"{VIEW}/end", data={"csrf_token": mine}).status_code == 403, "made before it began"
    assert client.post(f"{VIEW}/end", data={"csrf_token": viewing}).status_code == 303
    stale = client.post("/rse/me/notifications", data={"csrf_token": viewing})
    assert stale.status_code == 403
    assert client.post("/rse/me/notifications", data={"csrf_token": token_of(client)}).status_code == 303


def test_a_token_is_never_somebody_else(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    with core.db.write() as session:
        text = create_token(session, world["boss"], "program", ("read", "write"), Actor("test"))
    client = as_person(app.test_client(), world["boss"])
    look(client)
    mine = client.get("/rse/api/v1/me", headers={"Authorization": f"Bearer {text}"})
    assert (mine.status_code, mine.json["username"]) == (200, "boss")
    decision = client.get("/rse/api/v1/decisions?capability=talk.post").json
    assert (decision["allowed"], decision["trail"]) == (False, []), "by the session's cookie, the onlooker asks"


def test_the_language_changes_and_signing_out_ends_it(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    with core.db.write() as session:
        put(session, world["boss"].id, "talk.order", "mine")
    look(client)
    token = token_of(client)
    assert client.post("/rse/me/language", data={"csrf_token": token, "lang": "en"}).status_code == 303
    assert "Somebody of" in client.get("/rse/").text
    assert client.post("/rse/sign-out", data={"csrf_token": token_of(client)}).status_code == 303
    assert log(core)[-1][3]["how"] == "signed out"
    with core.db.read() as session:
        kept = {row.key: row.value for row in session.scalars(select(Preference))}
    assert kept == {"talk.order": "mine", "core.locale": "en"}


def test_slots_show_what_the_onlooker_would_see_and_count_no_visit(
    app: Flask, core: Any, world: Any, as_person: Any
) -> None:
    client = as_person(app.test_client(), world["boss"])
    look(client)
    before = rows(core)
    answer = client.get("/rse/embed/slots?slots=reactions,comments&address=/news/12")
    assert answer.json["person"]["id"] == onlookers.onlooker(world["town"].id, Level.COMMENT)
    assert client.get("/rse/").status_code == 200
    assert rows(core) == before


def rows(core: Any) -> dict[str, list[Any]]:
    """Every row of every table."""
    from sqlalchemy import MetaData

    found = MetaData()
    found.reflect(core.db.engine)
    with core.db.engine.connect() as connection:
        return {name: sorted(repr(row) for row in connection.execute(select(table))) for name, table in found.tables.items()}


def test_the_service_says_who_may(core: Any, world: Any) -> None:
    from rse_core.api import BadInput, NotFound
    from rse_core.delegation import rights_of

    with core.db.write() as session, use_locale("en"):
        chief = rights_of(session, world["chief"].id)
        actor = Actor("chief", world["chief"].id)
        made = view_as.begin(session, chief, "town", "comment", actor=actor)
        assert view_as.holds(session, made)
        with pytest.raises(NotFound, match="administer no entity"):
            view_as.begin(session, chief, "south", "comment", actor=actor)
        with pytest.raises(BadInput):
            view_as.begin(session, chief, "town", "loud", actor=actor)
        with pytest.raises(BadInput):
            view_as.begin(session, chief, "town", "comment", actor=actor, why="x" * 501)
        clerk = rights_of(session, world["clerk"].id)
        with pytest.raises(NotFound):
            view_as.begin(session, clerk, "town", "comment", actor=actor)


@pytest.mark.parametrize("main", [True, False])
def test_the_bar_stands_in_the_intranets_look_too(use_plugin: Any, tmp_path: Path, as_person: Any, main: bool) -> None:
    from rse_core.testing.organisation import make_entity, make_person

    file = tmp_path / "layout.html"
    inner = "<!-- rse:content -->"
    page = f"<main>{inner}</main>" if main else f"<div>{inner}</div>"
    file.write_text(f"<!doctype html><html><head><title>I</title></head><body>{page}</body></html>", encoding="utf-8")
    core = use_plugin(Talk(), layout=str(file))
    boss = make_person(core, "boss", entity=make_entity(core, "town", name="Ville"))
    with core.db.write() as session:
        roles.grant(session, boss.id, "site_admin", actor=Actor("test"))
    client = as_person(create_app(core).test_client(), boss)
    look(client)
    page = client.get("/rse/?lang=en").text
    assert page.count('class="rse-viewing"') == 1
    assert page.index('class="rse-viewing"') < page.index('id="rse-content"')
    assert page.count("<main") == 1


def test_what_is_logged_of_it_stands_in_the_journal(app: Flask, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    look(client, why="Formation")
    client.post(f"{VIEW}/end", data={"csrf_token": token_of(client)})
    page = client.get("/rse/admin/journal/?act=view_as.begin").text
    assert "Formation" in page
    assert "entity:town" in page


class Door(Plugin):
    """An adapter whose provider ends sessions by an address that the browser opens."""

    manifest = Manifest("door", "Door", kind="adapter")

    @hookimpl
    def rse_blueprints(self) -> list[Blueprint]:
        """``/door/out``."""
        pages = Blueprint("rse_door", __name__, url_prefix="/door")

        @pages.get("/out")
        def out() -> str:
            with running().db.write() as session:
                put(session, current_person_id() or 0, "door.out", 1)
            sign_out()
            return "out"

        return [pages]


def test_a_provider_may_end_the_session_meanwhile(use_plugin: Any, as_person: Any) -> None:
    from rse_core.testing.organisation import make_entity, make_person

    core = use_plugin(Door())
    boss = make_person(core, "boss", entity=make_entity(core, "town", name="Ville"))
    with core.db.write() as session:
        roles.grant(session, boss.id, "site_admin", actor=Actor("test"))
    client = as_person(create_app(core).test_client(), boss)
    look(client)
    assert client.get("/rse/door/out").text == "out"
    assert log(core)[-1][3]["how"] == "signed out"
    assert "Somebody of" not in client.get("/rse/?lang=en").text
