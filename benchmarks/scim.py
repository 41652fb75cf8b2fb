"""Provisioning by SCIM where 75,000 people stand already, on both databases, beside a bare Flask application.

In one process, without a network: a whole request of the adapter (token, protocol, filter, person, audiences, audit log,
report of the run) against a page that writes, changes or reads rows of one table by one index and does nothing else. The
kinds of requests take turns.

    python -m benchmarks.scim [sqlite] [postgresql] [--size 75000] [--rounds 100]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask, request
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, update

from benchmarks.people_import import database
from rse_core import audiences, roles
from rse_core.api import Actor, utcnow
from rse_core.extension import create_app
from rse_core.migrate import upgrade
from rse_core.models.organisation import Entity, GroupMember, Person
from rse_core.organisation import add_entity, add_group
from rse_core.people import add
from rse_core.runtime import Core
from rse_core.settings import Settings
from rse_core.tokens import create_token
from rse_scim.documents import ENTERPRISE
from rse_scim.models import ScimGroup, ScimUser
from rse_scim.plugin import Scim

ENTITIES, PIECE = 156, 5_000
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SECRET = "only for measuring, never for serving"


def document(number: int) -> dict[str, Any]:
    """A person as Microsoft Entra sends them."""
    return {
        "userName": f"p{number:06}@corp.example", "externalId": str(uuid.UUID(int=number)), "active": True,
        "displayName": f"Person {number}", "title": "Adviser",
        "name": {"familyName": f"Number {number}", "givenName": "Person"},
        "emails": [{"value": f"p{number:06}@corp.example", "type": "work", "primary": True}],
        "phoneNumbers": [{"value": f"01 {number:08}", "type": "work"}],
        ENTERPRISE: {"department": f"e{number % ENTITIES:03}", "employeeNumber": str(number)},
    }  # fmt: skip


def keys(number: int) -> dict[str, Any]:
    """The same, as it is compared."""
    return {
        "active": "true", "display_name": f"person {number}", "title": "adviser",
        "name": {"family_name": f"number {number}", "given_name": "person"},
        "emails": [{"value": f"p{number:06}@corp.example", "type": "work", "primary": "true"}],
        "phone_numbers": [{"value": f"01 {number:08}", "type": "work"}],
        "enterprise": {"department": f"e{number % ENTITIES:03}", "employee_number": str(number)},
    }  # fmt: skip


def fill(core: Core, size: int) -> str:
    """Everybody, a group of four fifths of them, and a token."""
    with core.db.write() as session:
        root = add(session, external_id="root", username="root", display_name="Root")
        roles.grant(session, root.id, "site_admin", actor=Actor("benchmark"))
        token = create_token(session, root, "benchmark", ("scim:provision",), Actor("benchmark"))
        for number in range(ENTITIES):
            add_entity(session, f"e{number:03}", f"Entity {number}")
        entities = dict(session.execute(select(Entity.key, Entity.id)).all())
        group = add_group(session, "large", "Large", source="scim.main")
        session.add(ScimGroup(uid=str(uuid.uuid4()), group_id=group.id, display_key="large"))
    for start in range(0, size, PIECE):
        numbers = range(start, min(size, start + PIECE))
        with core.db.write() as session:
            people = [
                {
                    "external_id": str(uuid.UUID(int=n)), "username": f"p{n:06}@corp.example", "display_name": f"Person {n}",
                    "folded_name": f"person {n}", "email": f"p{n:06}@corp.example", "job_title": "Adviser",
                    "phone": f"01 {n:08}", "entity_id": entities[f"e{n % ENTITIES:03}"], "source": "scim.main",
                }
                for n in numbers
            ]  # fmt: skip
            session.execute(insert(Person), people)
            ids = dict(session.execute(select(Person.external_id, Person.id).where(Person.source == "scim.main")).all())
            rows = [
                {
                    "uid": str(uuid.UUID(int=n)), "person_id": ids[str(uuid.UUID(int=n))],
                    "user_name_key": f"p{n:06}@corp.example", "external_id": str(uuid.UUID(int=n)), "document": document(n),
                    "keys": keys(n), "created_at": utcnow(), "changed_at": utcnow(),
                }
                for n in numbers
            ]  # fmt: skip
            session.execute(insert(ScimUser), rows)
            some = [{"group_id": group.id, "person_id": row["person_id"]} for row in rows if row["person_id"] % 5]
            session.execute(insert(GroupMember), some)
    with core.db.write() as session:
        audiences.refresh(session)
    return token


class Floor:
    """A page that does the same to one table and nothing else."""

    def __init__(self, core: Core, size: int) -> None:
        self.db = core.db
        self.table = Table(
            "floor", MetaData(), Column("id", Integer, primary_key=True), Column("uid", String(36), unique=True),
            Column("name", String(200), index=True), Column("document", String),
        )  # fmt: skip
        self.table.create(core.db.engine)
        for start in range(0, size, PIECE):
            rows = [
                {"uid": str(uuid.UUID(int=n)), "name": f"p{n:06}", "document": json.dumps(document(n))}
                for n in range(start, min(size, start + PIECE))
            ]
            with core.db.write() as session:
                session.execute(insert(self.table), rows)
        self.app = Flask("floor")
        self.app.add_url_rule("/", view_func=self.serve, methods=["GET", "POST", "PATCH"])

    def serve(self) -> Any:
        """Insert, change, or read some rows."""
        table = self.table
        if request.method == "GET":
            with self.db.read() as session:
                rows = session.execute(
                    select(table).where(table.c.id >= int(request.args["from"])).order_by(table.c.id).limit(100)
                ).all()
            return {"rows": [json.loads(row.document) for row in rows]}
        body = request.get_json()
        with self.db.write() as session:
            if request.method == "POST":
                session.execute(insert(table).values(uid=body["uid"], name=body["uid"], document=json.dumps(body)))
            else:
                session.execute(update(table).where(table.c.uid == body["uid"]).values(document=json.dumps(body)))
        return {}


def requests_of(core: Core, token: str, size: int) -> dict[str, Callable[[int], int]]:
    """Each kind of request: a call with its round that gives the status."""
    floor, http = Floor(core, size).app.test_client(), create_app(core).test_client()
    with core.db.read() as session:
        group = session.scalar(select(ScimGroup.uid))

    def scim(method: str, path: str, body: Any = None, **query: Any) -> int:
        answer = http.open(
            f"/rse/scim/v2{path}", method=method, json=body, query_string=query, headers={"Authorization": f"Bearer {token}"}
        )
        return answer.status_code

    def patch(address: str, /, **operation: Any) -> int:
        return scim("PATCH", address, {"schemas": [PATCH], "Operations": [operation]})

    def some(turn: int) -> int:
        return (turn * 7_919) % size

    def uid(turn: int) -> str:
        return str(uuid.UUID(int=some(turn)))

    name = "p{:06}@corp.example"
    return {
        "floor: insert": lambda n: floor.post("/", json={"uid": str(uuid.uuid4())}).status_code,
        "floor: change": lambda n: floor.patch("/", json={"uid": uid(n), "x": n}).status_code,
        "floor: 100 rows": lambda n: floor.get("/", query_string={"from": some(n)}).status_code,
        "create": lambda n: scim("POST", "/Users", {"schemas": [USER, ENTERPRISE], **document(size + n)}),
        "patch: a title": lambda n: patch(f"/Users/{uid(n)}", op="Replace", path="title", value=f"T{n}"),
        "patch: another entity": lambda n: patch(
            f"/Users/{uid(n + 50_000)}", op="Replace", path=f"{ENTERPRISE}:department", value=f"e{n % ENTITIES:03}"
        ),
        "patch: nothing new": lambda n: patch(f"/Users/{uid(n + 9_000)}", op="Replace", path="active", value="True"),
        "patch: into the large group": lambda n: patch(
            f"/Groups/{group}", op="Add", path="members", value=[{"value": uid(n)}]
        ),
        "one": lambda n: scim("GET", f"/Users/{uid(n)}"),
        "filter: userName": lambda n: scim("GET", "/Users", filter=f'userName eq "{name.format(some(n))}"'),
        "filter: externalId": lambda n: scim("GET", "/Users", filter=f'externalId eq "{uid(n)}"'),
        "filter: a work address": lambda n: scim(
            "GET", "/Users", filter=f'emails[type eq "work" and value eq "{name.format(some(n))}"]'
        ),
        "filter: a part of a name": lambda n: scim("GET", "/Users", filter=f'displayName co "on {some(n)}"', count=20),
        "page of 100, the first": lambda n: scim("GET", "/Users", startIndex=1, count=100),
        "page of 100, anywhere": lambda n: scim("GET", "/Users", startIndex=some(n) + 1, count=100),
        "the large group, without members": lambda n: scim("GET", f"/Groups/{group}", excludedAttributes="members"),
    }  # fmt: skip


def measure(calls: dict[str, Callable[[int], int]], rounds: int) -> None:
    """Take turns, then print the median, the 99th percentile and the rate of each kind."""
    taken: dict[str, list[float]] = {label: [] for label in calls}
    for turn in range(-3, rounds):
        for label, call in calls.items():
            began = time.perf_counter()
            status = call(turn + 3)
            if turn >= 0:
                taken[label].append((time.perf_counter() - began) * 1_000)
            assert status < 400, f"{label}: {status}"
    for label, times in taken.items():
        ordered = sorted(times)
        p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        p50, rate = statistics.median(ordered), 1_000 / statistics.mean(ordered)
        print(f"{label:<36} p50 {p50:8.1f} ms  p99 {p99:8.1f} ms  {rate:8.0f} /s", flush=True)


@contextmanager
def running(kind: str) -> Iterator[Core]:
    """A core with the adapter alone, on a database of its own."""
    with tempfile.TemporaryDirectory() as folder, database(kind, Path(folder)) as url:
        settings = Settings.load({}, database_url=url, secret_key=SECRET, worker=False)
        core = Core(Settings(**{**vars(settings), "sections": {"scim": {"rate": 1_000_000}}}), plugins=[Scim()])
        try:
            upgrade(core)
            yield core
        finally:
            core.close()


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("databases", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--size", type=int, default=75_000)
    parser.add_argument("--rounds", type=int, default=100)
    given = parser.parse_args()
    for kind in given.databases:
        with running(kind) as core:
            began = time.perf_counter()
            token = fill(core, given.size)
            filled = time.perf_counter() - began
            print(f"-- {kind}, {given.size} people (filled in {filled:.0f} s), load {os.getloadavg()[0]:.1f}")
            measure(requests_of(core, token, given.size), given.rounds)


if __name__ == "__main__":
    main()
