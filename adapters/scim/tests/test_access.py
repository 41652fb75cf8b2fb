"""Who gets in: the bearer of a token with the scope, for somebody who administers the site, and nobody else."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from rse_core import people, roles, tokens
from rse_core.api import Actor, BadInput
from rse_core.models.runtime import Token
from rse_core.testing.identity import as_person
from rse_core.testing.organisation import make_person

# Test files are no package here: what they share is loaded by its path.
_spec = importlib.util.spec_from_file_location("scim_conftest", Path(__file__).with_name("conftest.py"))
kit = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = kit
_spec.loader.exec_module(kit)
Client, make_token = kit.Client, kit.make_token

ERROR = ["urn:ietf:params:scim:api:messages:2.0:Error"]
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATHS = ("/Users", "/Groups", "/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/Me", "/", "/Nothing", "/Users/1")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic cm9vdDpyb290", "Bearer rse_\xe9"])
def test_a_wrong_token_is_told_so_in_the_format_of_the_protocol(app, token, header):
    http = app.test_client()
    for path in PATHS:
        for method in ("GET", "POST"):
            headers = {} if header is None else {"Authorization": header}
            answer = http.open(f"/rse/scim/v2{path}", method=method, headers=headers, json={})
            assert answer.status_code == 401
            assert answer.content_type == "application/scim+json"
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert (answer.json["schemas"], answer.json["status"]) == (ERROR, "401")


@pytest.mark.parametrize("scopes", [("read", "write"), ("admin",), ("read", "write", "admin", "metrics")])
def test_a_token_without_the_scope_gets_in_nowhere(core, app, scopes):
    scim = Client(app, make_token(core, scopes=scopes))
    for path in PATHS:
        answer = scim.send("GET", path, expect=403)
        assert answer.json["schemas"] == ERROR
    scim.user("ana", expect=403)


def test_a_token_with_the_scope_alone_gets_in_nowhere_else(core, app, token):
    answer = app.test_client().get("/rse/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403


def test_an_administrators_session_gets_in_nowhere(core, app, token):
    http = app.test_client()
    with core.db.read() as session:
        as_person(http, people.by_username(session, "root"))
    assert http.get("/rse/scim/v2/Users").status_code == 401
    assert http.post("/rse/scim/v2/Users", json={"schemas": [USER], "userName": "x"}).status_code == 401


def test_a_token_counts_while_its_owner_administers_the_site(core, app, scim, token):
    make_token(core, "second")
    with core.db.write() as session:
        roles.revoke(session, people.by_username(session, "root").id, "site_admin", actor=Actor("tests"))
    assert scim.get("/Users", expect=403)["detail"]


def test_the_token_of_somebody_who_never_administered_or_who_has_left(core, app, scim, token):
    other = Client(app, make_token(core, "employee", admin=False))
    other.get("/Users", expect=403)
    make_token(core, "second")
    with core.db.write() as session:
        people.disable(session, people.by_username(session, "root").id)
    scim.get("/Users", expect=403)


def test_a_revoked_or_expired_token(core, scim, token):
    scim.get("/Users")
    with core.db.write() as session:
        number = session.query(Token).one().id
        tokens.revoke_token(session, number, Actor("tests"))
    scim.get("/Users", expect=401)


def test_nobody_gives_the_scope_to_a_token_of_their_own(core):
    person = make_person(core, "ana")
    with core.db.write() as session:
        with pytest.raises(BadInput):
            tokens.create_own(session, person.id, "mine", ("scim:provision",), days=7)
        with pytest.raises(BadInput):
            tokens.create_own(session, person.id, "mine", ("read", "scim:provision"), days=7)
        assert "scim:provision" in tokens.granted_scopes(session)
        assert "scim:provision" not in tokens.partial_scopes(session)


def test_the_use_of_the_token_is_noted(core, scim, token):
    scim.get("/Users")
    with core.db.read() as session:
        assert session.query(Token).one().last_used is not None


class TestRate:
    @pytest.fixture
    def scim_settings(self):
        return {"rate": 5}

    def test_too_many_requests_of_one_token_wait_and_others_do_not(self, core, app, scim, token):
        for _turn in range(5):
            scim.get("/Users")
        answer = scim.send("GET", "/Users", expect=429)
        assert answer.json["status"] == "429"
        assert int(answer.headers["Retry-After"]) > 0
        Client(app, make_token(core, "second")).get("/Users")


def test_the_core_does_not_count_what_the_adapter_counts(scim):
    # More than the core lets one address write in a minute.
    for _turn in range(620):
        scim.delete("/Users/unknown", expect=404)
