"""A person's own access tokens: made once, seen once, revoked; what each scope lets in, on every resource."""

from __future__ import annotations

import re

import pytest
from flask.views import MethodView
from flask_smorest import Blueprint
from sqlalchemy import select

from rse_core import people, tokens
from rse_core.api import Actor, BadInput, Conflict, Forbidden, Manifest, Plugin, hookimpl
from rse_core.extension import create_app
from rse_core.models.runtime import Token
from rse_core.testing import as_person, make_person

HERE = "/rse/me/tokens"


class Notes(Plugin):
    """A vendor's plugin with resources of its own."""

    manifest = Manifest("notes", "Notes")

    @hookimpl
    def rse_rest_blueprints(self):
        blueprint = Blueprint("rse_notes_api", __name__, url_prefix="/notes")

        @blueprint.route("")
        class All(MethodView):
            @blueprint.response(200)
            def get(self):
                """Read."""
                return {"notes": []}

            @blueprint.response(201)
            def post(self):
                """Write."""
                return {"made": True}

        return [blueprint]


@pytest.fixture
def rse_plugins():
    return [Notes()]


@pytest.fixture
def anna(core):
    return make_person(core, "anna")


@pytest.fixture
def app(core):
    app = create_app(core)
    app.testing = True
    return app


@pytest.fixture
def browser(app, anna):
    client = as_person(app.test_client(), anna)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def post(client, **form):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(HERE).text)[1]
    return client.post(HERE, data={"csrf_token": token, **form})


def text_of(answer):
    return re.search(r'value="(rse_[\w-]+)"', answer.text)[1]


def call(app, text, method="GET", path="/notes", **json):
    client = app.test_client()
    headers = {"Authorization": f"Bearer {text}", "Accept-Language": "en"}
    return client.open(f"/rse/api/v1{path}", method=method, json=json or None, headers=headers)


def own(core, person, *scopes, days=30):
    with core.db.write() as session:
        return tokens.create_own(session, person.id, "test", scopes, days=days)


def test_a_token_is_made_seen_once_used_and_revoked(core, app, browser, anna):
    made = post(browser, name="My script", scope="read", days="30")
    assert made.status_code == 200
    assert made.headers["Cache-Control"] == "no-store"
    text = text_of(made)
    assert call(app, text, path="/me").json["username"] == "anna"
    page = browser.get(HERE).text
    assert "My script" in page
    assert text not in page
    number = re.search(r'name="revoke" value="(\d+)"', page)[1]
    assert post(browser, revoke=number).status_code == 303
    assert call(app, text, path="/me").status_code == 401
    assert "You have no token." in browser.get(HERE).text


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "scope": "read"}, {"name": "x" * 201, "scope": "read"}, {"name": "x"}, {"name": "x", "scope": "admin"},
        {"name": "x", "scope": "metrics"}, {"name": "x", "scope": "none:read"}, {"name": "x", "scope": "read", "days": "0"},
        {"name": "x", "scope": "read", "days": "9999"}, {"name": "x", "scope": "read", "days": "ten"},
    ],
)  # fmt: skip
def test_a_refused_form_says_why_and_keeps_what_was_typed(core, browser, form):
    answer = post(browser, **form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    if form["name"] == "x":
        assert 'value="x"' in answer.text
    with core.db.read() as session:
        assert session.scalars(select(Token)).all() == []


@pytest.mark.parametrize(
    ("scopes", "reads", "writes", "elsewhere"),
    [
        (("read",), 200, 403, 200), (("write",), 403, 201, 403), (("read", "write"), 200, 201, 200),
        (("notes:read",), 200, 403, 403), (("notes:write",), 403, 201, 403), (("notes:read", "notes:write"), 200, 201, 403),
    ],
)  # fmt: skip
def test_a_scope_lets_in_what_it_says_and_nothing_else(core, app, anna, scopes, reads, writes, elsewhere):
    text = own(core, anna, *scopes)
    assert call(app, text).status_code == reads
    assert call(app, text, "POST", note="x").status_code == writes
    refused = call(app, text, path="/me")
    assert refused.status_code == elsewhere
    if elsewhere == 403:
        assert refused.headers["Content-Type"].startswith("application/problem+json")
        assert "read" in refused.json["detail"]


def test_every_operation_refuses_a_token_without_its_scope(core, app, anna):
    none, reader = own(core, anna, "notes:write"), own(core, anna, "read")
    document = call(app, own(core, anna, "read"), path="/openapi.json")
    document = document if document.status_code == 200 else app.test_client().get("/rse/api/v1/openapi.json")
    seen = 0
    for path, operations in document.json["paths"].items():
        address = re.sub(r"\{\w+\}", "1", path).removeprefix("/api/v1")
        for method in operations:
            if method not in ("get", "post", "put", "patch", "delete") or address.startswith("/notes"):
                continue
            text = none if method == "get" else reader
            assert call(app, text, method.upper(), address).status_code == 403, (method, path)
            seen += 1
    assert seen > 15


def test_a_token_in_the_address_is_none(core, app, anna):
    text = own(core, anna, "read")
    assert app.test_client().get(f"/rse/api/v1/me?access_token={text}&token={text}").status_code == 401


def test_a_token_ends_with_its_owner_and_with_its_time(core, app, anna):
    import datetime as dt

    import time_machine

    from rse_core.api import utcnow

    text = own(core, anna, "read", days=2)
    assert call(app, text, path="/me").status_code == 200
    with time_machine.travel(utcnow() + dt.timedelta(days=3)):
        assert call(app, text, path="/me").status_code == 401
    with core.db.write() as session:
        people.disable(session, anna.id)
    assert call(app, text, path="/me").status_code == 401


def test_another_persons_token_is_not_there_for_me(core, app, browser):
    ben = make_person(core, "ben")
    text = own(core, ben, "read")
    with core.db.read() as session:
        number = session.scalar(select(Token.id))
    assert post(browser, revoke=str(number)).status_code == 404
    assert post(browser, revoke="x").status_code == 422
    assert call(app, text, path="/me").json["username"] == "ben"


def test_so_many_and_no_more(core, anna):
    for _ in range(tokens.MOST):
        own(core, anna, "read")
    with pytest.raises(Conflict):
        own(core, anna, "read")


def test_where_the_site_says_so_only_administrators_make_them(rse_core, tmp_path):
    core = rse_core([Notes()], personal_tokens=False)
    anna = make_person(core, "anna")
    with pytest.raises(Forbidden):
        own(core, anna, "read")
    client = as_person(create_app(core).test_client(), anna)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    assert "only administrators make access tokens" in client.get(HERE).text
    with core.db.write() as session:
        person = people.by_username(session, "anna")
        assert tokens.create_token(session, person, "by command", ("notes:read",), Actor("cli:test"))
        with pytest.raises(BadInput):
            tokens.create_token(session, person, "by command", ("nothing:read",), Actor("cli:test"))
