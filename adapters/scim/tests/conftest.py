"""A site with the adapter, an administrator's token, and a client that speaks SCIM."""

from __future__ import annotations

import json

import pytest

from rse_core import roles
from rse_core.api import Actor
from rse_core.extension import create_app
from rse_core.testing.organisation import make_person
from rse_core.tokens import create_token
from rse_scim.plugin import Scim

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
ROOT = "/rse/scim/v2"


@pytest.fixture
def rse_plugins():
    return [Scim()]


@pytest.fixture
def scim_settings():
    """The keys of ``[scim]``; a test module or class overrides it."""
    return {}


@pytest.fixture
def core(rse_core, scim_settings):
    return rse_core(sections={"scim": scim_settings}, default_locale="en")


@pytest.fixture
def token(core):
    return make_token(core)


def make_token(core, username="root", scopes=("scim:provision",), *, admin=True, name="Entra ID"):
    """A token of somebody, who administers the site unless said otherwise."""
    person = make_person(core, username)
    with core.db.write() as session:
        if admin:
            roles.grant(session, person.id, "site_admin", actor=Actor("tests"))
        return create_token(session, person, name, scopes, Actor("tests"))


class Client:
    """Requests as an identity provider sends them; ``expect`` is the status that the answer must have."""

    def __init__(self, app, token):
        self.app, self.token, self.http = app, token, app.test_client()

    def send(self, method, path, body=None, *, expect=None, headers=None, raw=None, **query):
        sent = {"Authorization": f"Bearer {self.token}", "Accept": "application/scim+json", **(headers or {})}
        if body is not None or raw is not None:
            sent.setdefault("Content-Type", "application/scim+json; charset=utf-8")
        data = raw if raw is not None else None if body is None else json.dumps(body)
        answer = self.http.open(ROOT + path, method=method, data=data, headers=sent, query_string=query)
        if expect is not None:
            assert answer.status_code == expect, (answer.status_code, answer.text)
        return answer

    def get(self, path, *, expect=200, headers=None, **query):
        return self.send("GET", path, expect=expect, headers=headers, **query).json

    def post(self, path, body, *, expect=201, **more):
        return self.send("POST", path, body, expect=expect, **more).json

    def put(self, path, body, *, expect=200, **more):
        return self.send("PUT", path, body, expect=expect, **more).json

    def patch(self, path, *operations, expect=204, **more):
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return self.send("PATCH", path, body, expect=expect, **more).json if expect != 204 else self.send(
            "PATCH", path, body, expect=204, **more
        )

    def delete(self, path, *, expect=204, **more):
        return self.send("DELETE", path, expect=expect, **more)

    def user(self, user_name, /, *, expect=201, **values):
        """Make a person; ``enterprise=…`` goes into the extension."""
        extension = values.pop("enterprise", None)
        body = {"schemas": [USER], "userName": user_name, **values}
        if extension is not None:
            body["schemas"] = [USER, ENTERPRISE]
            body[ENTERPRISE] = extension
        return self.post("/Users", body, expect=expect)

    def group(self, name, members=(), /, *, expect=201, **values):
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": one} for one in members], **values}
        return self.post("/Groups", body, expect=expect)

    def find(self, text, *, kind="Users", expect=200, **query):
        return self.get(f"/{kind}", filter=text, expect=expect, **query)

    def names(self, text, **query):
        """The userNames that a filter finds."""
        return [one["userName"] for one in self.find(text, **query).get("Resources", [])]


@pytest.fixture
def app(core):
    found = create_app(core)
    found.testing = True
    return found


@pytest.fixture
def scim(app, token):
    return Client(app, token)
