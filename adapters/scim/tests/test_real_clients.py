"""Real clients: scim2-client always; Canaille, over HTTP on the loopback, where ``RSE_TEST_CANAILLE`` names its Python.

    make canaille-env
    RSE_TEST_CANAILLE=.make/canaille/bin/python .venv/bin/python -m pytest adapters/scim/tests/test_real_clients.py

``requirements/canaille.in`` says why this Canaille wants an environment of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import warnings
from pathlib import Path

import pytest
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import PatchOp, PatchOperation, SearchRequest, UniquenessException
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from rse_core.models.organisation import Entity, Group, GroupMember, Person

CANAILLE = os.environ.get("RSE_TEST_CANAILLE", "")


class Quiet(WSGIRequestHandler):
    """Without a line for each request."""

    def log(self, *_args):
        pass


@pytest.fixture
def address(app):
    """Where the running site is."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/rse/scim/v2"
    server.shutdown()
    thread.join(10)
    server.server_close()


def person(core, username):
    with core.db.read() as session:
        return session.scalar(select(Person).where(Person.username == username))


def members(core, name):
    with core.db.read() as session:
        found = select(Person.username).join(GroupMember, GroupMember.person_id == Person.id)
        found = found.join(Group, Group.id == GroupMember.group_id).where(Group.name == name, Group.source == "scim.main")
        return sorted(session.scalars(found))


def test_scim2_client_discovers_the_server_and_keeps_people_and_groups(core, app, token):
    with warnings.catch_warnings():
        # What its own libraries deprecate is not ours to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        client = WSGISCIMClient(app, "http://localhost/rse/scim/v2", headers={"Authorization": f"Bearer {token}"})
        client.discover()
        user_class, group_class = client.get_resource_model("User"), client.get_resource_model("Group")
        made = client.create(user_class(user_name="ana", display_name="Ana", title="Buyer"))
        with pytest.raises(UniquenessException):
            client.create(user_class(user_name="ANA"))
        made.title = "Seller"
        assert client.replace(made).title == "Seller"
        patch = PatchOp[user_class](operations=[PatchOperation(op="replace", path="displayName", value="Ana M")])
        client.modify(user_class, made.id, patch)
        team = client.create(group_class(display_name="Team", members=[group_class.Members(value=made.id)]))
        found = client.query(user_class, query_parameters=SearchRequest(filter='userName eq "ana"'))
        assert [one.display_name for one in found.resources] == ["Ana M"]
        assert found.resources[0].groups[0].value == team.id
        assert (person(core, "ana").job_title, members(core, "Team")) == ("Seller", ["ana"])
        client.delete(group_class, team.id)
        client.delete(user_class, made.id)
    assert person(core, "ana").status == "disabled"
    assert members(core, "Team") == []


@pytest.fixture
def canaille(address, token):
    """``canaille(do=…, name=…)``: it does that to its own people and groups."""
    if not CANAILLE:
        pytest.skip("RSE_TEST_CANAILLE names no Python with Canaille: make canaille-env")
    script = Path(__file__).with_name("canaille_site.py")
    command = [CANAILLE, "-I", str(script), address, token]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = []

    def until(word):
        for line in process.stdout:
            if line.strip() == word:
                return
            said.append(line)
        raise AssertionError("".join(said))

    def do(**step):
        process.stdin.write(json.dumps(step) + "\n")
        process.stdin.flush()
        until("done")
        failed = [line for line in said if "failed" in line or "not supported" in line or "Unable" in line]
        assert not failed, failed

    try:
        until("ready")
        yield do
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


@pytest.mark.slow
def test_canaille_provisions_people_and_groups(core, canaille):
    canaille(
        do="user", name="ana",
        values={
            "emails": ["ana@corp.example"], "title": "Buyer", "department": "Finance", "given_name": "Ana",
            "phone_numbers": ["555-000-001"], "preferred_language": "fr", "locality": "Nantes", "display_name": "Ana M",
        },
    )  # fmt: skip
    ana = person(core, "ana")
    assert (ana.display_name, ana.email, ana.job_title, ana.phone, ana.site, ana.locale, ana.source) == (
        "Ana M", "ana@corp.example", "Buyer", "555-000-001", "Nantes", "fr", "scim.main",
    )  # fmt: skip
    with core.db.read() as session:
        assert session.get(Entity, ana.entity_id).name == "Finance"
    canaille(do="user", name="bob")
    canaille(do="group", name="Team", members=["ana", "bob"])
    assert members(core, "Team") == ["ana", "bob"]
    canaille(do="user", name="ana", values={"title": "Seller", "department": "Sales", "user_name": "ana.martin"})
    renamed = person(core, "ana.martin")
    assert (renamed.id, renamed.external_id, renamed.job_title) == (ana.id, ana.external_id, "Seller")
    canaille(do="group", name="Team", members=["bob"])
    assert members(core, "Team") == ["bob"]
    canaille(do="rename group", name="Team", to="Crew")
    assert members(core, "Crew") == ["bob"]
    canaille(do="user", name="ana", lock=True)
    assert person(core, "ana.martin").status == "disabled"
    canaille(do="user", name="ana", lock=False)
    assert person(core, "ana.martin").status == "active"
    canaille(do="delete user", name="ana")
    left = person(core, "ana.martin")
    assert (left.id, left.status) == (ana.id, "disabled")
    canaille(do="delete group", name="Team")
    assert members(core, "Crew") == []
