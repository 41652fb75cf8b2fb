"""The REST shell: tokens and scopes, problems, cursors, idempotency keys, and the core's resources."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from rse_core import roles
from rse_core.api import Actor, Capability, Level, Manifest, Plugin, hookimpl
from rse_core.commands import State
from rse_core.commands.token import token as token_command
from rse_core.db import utcnow
from rse_core.extension import create_app
from rse_core.models.runtime import Token
from rse_core.rest.cursors import Cursor, CursorError, decode_cursor, encode_cursor
from rse_core.tokens import create_token, revoke_token

API = "/rse/api/v1"


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self) -> list[Capability]:
        return [Capability("talk.react", "React", Level.REACT), Capability("talk.write", "Write", Level.COMMENT)]


@pytest.fixture
def core(use_plugin: Any) -> Any:
    return use_plugin(Talk())


@pytest.fixture
def app(core: Any) -> Flask:
    return create_app(core)


@pytest.fixture
def boss(core: Any, make_person: Any) -> Any:
    person = make_person("boss", level=Level.COMMENT)
    with core.db.write() as session:
        roles.grant(session, person.id, "site_admin", actor=Actor("test"))
    return person


def bearer(core: Any, person: Any, *scopes: str, **values: Any) -> dict[str, str]:
    with core.db.write() as session:
        text = create_token(session, person, "test", scopes, Actor("test"), **values)
    return {"Authorization": f"Bearer {text}"}


def test_a_token_acts_as_its_owner_within_its_scopes(app: Flask, core: Any, boss: Any) -> None:
    client = app.test_client()
    read = bearer(core, boss, "read")
    assert client.get(f"{API}/me", headers=read).json["username"] == "boss"
    place = {"scope": "site", "level": 1}
    refused = client.post(f"{API}/levels", json=place, headers=read)
    assert (refused.status_code, refused.mimetype) == (403, "application/problem+json")
    assert "write" in refused.json["detail"]
    assert client.post(f"{API}/levels", json=place, headers=bearer(core, boss, "read", "write")).status_code == 403
    full = bearer(core, boss, "read", "write", "admin")
    assert client.post(f"{API}/levels", json=place, headers=full).json["placed"] is True


def test_a_token_that_is_unknown_expired_or_revoked_is_nobody(app: Flask, core: Any, boss: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), boss)
    assert client.get(f"{API}/me", headers={"Authorization": "Bearer rse_nonsense"}).status_code == 401
    headers = bearer(core, boss, "read", days=1)
    assert client.get(f"{API}/me", headers=headers).status_code == 200
    with core.db.write() as session:
        row = session.query(Token).one()
        assert row.last_used == utcnow().date()
        row.expires_at = utcnow() - dt.timedelta(seconds=1)
    assert client.get(f"{API}/me", headers=headers).status_code == 401
    other = bearer(core, boss, "read")
    with core.db.write() as session:
        revoke_token(session, session.query(Token).order_by(Token.id.desc()).first().id, Actor("test"))
    assert client.get(f"{API}/me", headers=other).status_code == 401


def test_the_text_of_a_token_is_kept_nowhere(core: Any, boss: Any) -> None:
    text = bearer(core, boss, "read")["Authorization"][7:]
    with core.db.read() as session:
        rows = session.connection().exec_driver_sql("SELECT * FROM rse_core_token").all()
        assert text not in repr(rows)


def test_a_session_needs_the_csrf_token_and_json(app: Flask, boss: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), boss)
    place = {"scope": "site", "level": 1}
    assert client.post(f"{API}/levels", json=place).status_code == 403
    token = client.get("/rse/embed/slots?address=/n&slots=a").headers["X-RSE-CSRF"]
    assert client.post(f"{API}/levels", data=place, headers={"X-RSE-CSRF": token}).status_code == 415
    assert client.post(f"{API}/levels", json=place, headers={"X-RSE-CSRF": token}).status_code == 200


def test_a_decision_is_answered_with_its_reason(app: Flask, boss: Any, as_person: Any, make_person: Any) -> None:
    client = as_person(app.test_client(), boss)
    yes = client.get(f"{API}/decisions?capability=talk.write&ref=page:/news/1").json
    assert (yes["allowed"], yes["reason"], yes["required_level"]) == (True, "ok", 2)
    make_person("ada")
    no = as_person(client, "ada").get(f"{API}/decisions?capability=talk.write").json
    assert (no["allowed"], no["reason"], no["effective_level"]) == (False, "level", 0)
    assert no["trail"] == []
    assert [step["rule"] for step in yes["trail"]]
    assert client.get(f"{API}/decisions").status_code == 422
    assert client.get(f"{API}/decisions?capability=x&ref=nonsense").status_code == 422
    assert client.get(f"{API}/decisions?capability=x&at=2026-01-01T00:00:00").status_code == 422
    nobody = as_person(client, None).get(f"{API}/decisions?capability=talk.write").json
    assert (nobody["allowed"], nobody["reason"]) == (False, "unknown_person")


def test_placing_a_level_answers_its_effect_and_once_for_each_key(app: Flask, core: Any, boss: Any) -> None:
    client = app.test_client()
    headers = {**bearer(core, boss, "read", "write", "admin"), "Idempotency-Key": "k1"}
    body = {"scope": "entity", "key": "entity-of-boss", "level": "réagir", "why": "wave 1"}
    dry = client.post(f"{API}/levels", json={**body, "dry_run": True}, headers=headers).json
    assert (dry["placed"], dry["loses"]) == (False, {"talk.write": 1})
    first = client.post(f"{API}/levels", json=body, headers=headers).json
    again = client.post(f"{API}/levels", json=body, headers=headers).json
    assert first["id"] == again["id"]
    other = client.post(f"{API}/levels", json={**body, "level": 3}, headers=headers)
    assert (other.status_code, other.json["code"]) == (409, "conflict")
    rows = client.get(f"{API}/levels?scope=entity&key=entity-of-boss", headers=headers).json
    assert [(row["level"], row["in_force"], row["why"]) for row in rows if row["in_force"]] == [(1, True, "wave 1")]
    assert client.post(f"{API}/levels", json={**body, "level": 9}, headers=headers).status_code == 422
    assert client.post(f"{API}/levels", json={**body, "lvl": 1}, headers=headers).status_code == 422


def test_an_entitys_administrator_has_the_same_rights_as_on_the_pages(
    app: Flask, core: Any, boss: Any, make_entity: Any, make_person: Any
) -> None:
    north, _south = make_entity("north"), make_entity("south")
    chief = make_person("chief", entity=north)
    with core.db.write() as session:
        roles.grant(session, chief.id, "entity_admin", scope="entity", scope_id=north.id, actor=Actor("test"))
    client, headers = app.test_client(), bearer(core, chief, "read", "write", "admin")
    own = {"scope": "entity", "key": "north", "level": 1}
    assert client.post(f"{API}/levels", json=own, headers=headers).status_code == 200
    for body in ({"scope": "site"}, {"scope": "entity", "key": "south"}, {**own, "kind": "ceiling"}):
        assert client.post(f"{API}/levels", json={"level": 1, **body}, headers=headers).status_code == 403
    switch = {"scope": "entity", "key": "north", "enabled": False}
    assert client.put(f"{API}/plugins/talk", json=switch, headers=headers).status_code == 200
    assert client.put(f"{API}/plugins/talk", json={"enabled": False}, headers=headers).status_code == 403
    assert client.get(f"{API}/audit", headers=headers).status_code == 403
    assert client.patch(f"{API}/capabilities/talk.react", json={"level": 3}, headers=headers).status_code == 403


def test_plugins_capabilities_and_the_log_are_read_and_changed(app: Flask, core: Any, boss: Any) -> None:
    client, headers = app.test_client(), bearer(core, boss, "read", "write", "admin")
    plugin = client.put(f"{API}/plugins/talk", json={"enabled": False}, headers=headers).json
    assert plugin["switches"] == [{"scope": "site", "key": "", "enabled": False}]
    assert {p["name"] for p in client.get(f"{API}/plugins", headers=headers).json} >= {"talk"}
    changed = client.patch(f"{API}/capabilities/talk.react", json={"level": "comment"}, headers=headers).json
    assert (changed["level"], changed["default_level"]) == (2, 1)
    assert client.patch(f"{API}/capabilities/talk.raect", json={"level": 1}, headers=headers).status_code == 404
    acts = [row["act"] for row in client.get(f"{API}/audit", headers=headers).json["items"]]
    assert {"capability.shift", "plugin.disable", "token.create"} <= set(acts)


def test_entities_page_by_cursor_to_the_end_without_a_gap(app: Flask, core: Any, boss: Any, make_entity: Any) -> None:
    top = make_entity("top")
    for n in range(7):
        make_entity(f"e{n}", parent=top)
    client, headers = app.test_client(), bearer(core, boss, "read")
    seen: list[str] = []
    cursor = ""
    while True:
        query = f"{API}/entities?parent=top&limit=3" + (f"&cursor={cursor}" if cursor else "")
        page = client.get(query, headers=headers).json
        seen += [row["key"] for row in page["items"]]
        assert all(row["parent"] == "top" for row in page["items"])
        if page["next"] is None:
            break
        cursor = page["next"]
    assert seen == [f"e{n}" for n in range(7)]
    assert client.get(f"{API}/entities?cursor={cursor}", headers=headers).status_code == 422


@pytest.mark.parametrize("text", ["", "!!!", "AAAA", "é", "A" * 500])
def test_a_cursor_that_was_not_made_here_is_refused(core: Any, text: str) -> None:
    with pytest.raises(CursorError):
        decode_cursor(core.settings, text, "list")


def test_a_cursor_belongs_to_one_list_and_cannot_be_changed(core: Any) -> None:
    made = encode_cursor(core.settings, Cursor("list", (12, "x")))
    assert decode_cursor(core.settings, made, "list").after == (12, "x")
    for bad, scope in ((made, "other"), (made[:-2] + ("AA" if not made.endswith("AA") else "BB"), "list")):
        with pytest.raises(CursorError):
            decode_cursor(core.settings, bad, scope)


def test_the_description_is_openapi_3_1_and_names_what_exists(app: Flask) -> None:
    spec = app.test_client().get(f"{API}/openapi.json").json
    assert spec["openapi"] == "3.1.0"
    assert {"/api/v1/decisions", "/api/v1/me", "/api/v1/levels", "/api/v1/audit"} <= set(spec["paths"])
    assert spec["servers"] == [{"url": "/rse"}]
    assert "token" in spec["components"]["securitySchemes"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("get", "/nothing", 404), ("delete", "/me", 405), ("get", "/me", 401), ("get", "/levels", 401)],
)
def test_every_error_of_the_api_is_a_problem(app: Flask, method: str, path: str, status: int) -> None:
    answer = getattr(app.test_client(), method)(API + path)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    body = json.loads(answer.data)
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    if status == 405:
        assert "GET" in answer.headers["Allow"]


def test_the_command_makes_lists_and_revokes_tokens(app: Flask, core: Any, boss: Any) -> None:
    def rse(*arguments: str) -> Any:
        return CliRunner().invoke(token_command, list(arguments), obj=State(lambda: core))

    made = rse("create", "boss", "--name", "backup robot", "--scope", "read")
    assert made.exit_code == 0
    text = made.stdout.strip()
    headers = {"Authorization": f"Bearer {text}"}
    assert app.test_client().get(f"{API}/me", headers=headers).status_code == 200
    listed = json.loads(rse("list", "--json").stdout)
    assert [(row["name"], row["scopes"]) for row in listed] == [("backup robot", ["read"])]
    assert text not in rse("list").stdout
    assert rse("revoke", str(listed[0]["id"])).exit_code == 0
    assert app.test_client().get(f"{API}/me", headers=headers).status_code == 401
    assert rse("revoke", str(listed[0]["id"])).exit_code == 1


def test_readiness_names_what_is_missing(app: Flask, core: Any, rse_core: Any) -> None:
    ready = app.test_client().get("/rse/readyz")
    assert ready.status_code == 200
    assert ready.json["checks"]["database"]["ok"]
    core.plugins.quarantine("talk", "“talk” is broken.", "Mend it.")
    still = app.test_client().get("/rse/readyz")
    assert still.status_code == 200, "a broken plugin does not take the site out of service"
    assert "“talk” is broken." in still.json["checks"]["plugins"]["detail"]


def test_a_site_without_its_tables_is_not_ready(rse_core: Any) -> None:
    empty = rse_core(migrated=False)
    answer = create_app(empty).test_client().get("/rse/readyz")
    assert answer.status_code == 503
    assert "rse init" in json.dumps(answer.json) or "rse upgrade" in json.dumps(answer.json)


def test_metrics_are_for_this_machine_or_for_a_token_that_says_so(app: Flask, core: Any, boss: Any) -> None:
    client = app.test_client()
    client.get("/rse/")
    local = client.get("/rse/metrics")
    assert local.status_code == 200
    assert 'rse_requests_total{endpoint="rse_core.home",method="GET",status="2xx"} 1.0' in local.text
    assert "rse_oldest_job_seconds" in local.text
    passed_on = {"X-Forwarded-For": "10.0.0.7"}
    assert client.get("/rse/metrics", headers=passed_on).status_code == 403
    assert client.get("/rse/metrics", environ_overrides={"REMOTE_ADDR": "10.0.0.7"}).status_code == 403
    assert client.get("/rse/metrics", headers={**passed_on, **bearer(core, boss, "read")}).status_code == 403
    assert client.get("/rse/metrics", headers={**passed_on, **bearer(core, boss, "metrics")}).status_code == 200
