"""How what providers look for is found: by an index, looked for once, and kept in step with what they send."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select, text

from rse_core.testing import count_queries
from rse_scim.models import ScimUser, ScimValue

SQLITE = pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)


def plans(core, ask):
    """The plans of what ``ask`` looks for among people, in SQLite's words."""
    asked = []

    def keep(_connection, _cursor, statement, parameters, *_rest):
        if statement.startswith("SELECT") and "FROM rse_scim_user" in statement and "count(" not in statement.lower():
            asked.append((statement, parameters))

    event.listen(core.db.engine, "before_cursor_execute", keep)
    try:
        ask()
    finally:
        event.remove(core.db.engine, "before_cursor_execute", keep)
    with core.db.engine.connect() as connection:
        return [
            " | ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))
            for statement, parameters in asked
        ]


@SQLITE
@pytest.mark.parametrize(
    "wanted",
    [
        'emails eq "ana@corp.example"', 'emails.value eq "ANA@corp.example"', 'emails[value eq "ana@corp.example"]',
        'emails[type eq "work" and value eq "ana@corp.example"]', 'emails.value sw "ana@"', 'phoneNumbers.value ew "0001"',
        'displayName eq "ana m"', 'displayName co "na"', 'name.familyName sw "mar"',
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "7"',
    ],
)  # fmt: skip
def test_sqlite_reads_nobody_but_whom_it_finds(core, scim, wanted):
    scim.user(
        "ana", displayName="Ana M", name={"familyName": "Martin"}, phoneNumbers=[{"value": "555-0001"}],
        emails=[{"value": "ana@corp.example", "type": "work"}], enterprise={"employeeNumber": "7"},
    )  # fmt: skip
    scim.user("bob", displayName="Bob", emails=[{"value": "bob@corp.example", "type": "work"}])
    assert scim.names(wanted) == ["ana"]
    found = plans(core, lambda: scim.names(wanted))
    assert any("ix_rse_scim_value_path" in plan for plan in found), found
    assert not any("SCAN rse_scim_user" in plan for plan in found), found


@SQLITE
def test_the_values_follow_each_change(core, scim):
    def values():
        with core.db.read() as session:
            return sorted(session.execute(select(ScimValue.path, ScimValue.value)).all())

    ana = scim.user("ana", displayName="Ana", emails=[{"value": "A@corp.example"}, {"display": "without a value"}])
    assert values() == [("display_name", "ana"), ("emails", "a@corp.example")]
    scim.patch(f"/Users/{ana['id']}", {"op": "replace", "path": "title", "value": "Buyer"})
    scim.patch(f"/Users/{ana['id']}", {"op": "add", "path": "emails", "value": [{"value": "b@corp.example"}]})
    scim.patch(f"/Users/{ana['id']}", {"op": "replace", "path": "name.familyName", "value": "Œuvrard"})
    assert values() == [
        ("display_name", "ana"), ("emails", "a@corp.example"), ("emails", "b@corp.example"), ("name.family_name", "œuvrard"),
    ]  # fmt: skip
    scim.patch(f"/Users/{ana['id']}", {"op": "remove", "path": "emails"})
    assert values() == [("display_name", "ana"), ("name.family_name", "œuvrard")]
    with core.db.write() as session:
        # Erased: nothing of the person stays behind.
        session.delete(session.scalar(select(ScimUser)))
    assert values() == []


def test_what_few_have_is_looked_for_once_and_counted_all_the_same(core, scim):
    for number in range(5):
        scim.user(f"p{number}", title="Buyer", emails=[{"value": f"p{number}@corp.example"}])

    def counted(**query):
        with count_queries(core) as seen:
            found = scim.get("/Users", **query)
        counts = sum("count(" in one.lower() for one in seen.statements)
        return found["totalResults"], len(found.get("Resources", [])), counts

    assert counted(filter='emails eq "p3@corp.example"') == (1, 1, 0)
    assert counted(filter='emails eq "nobody@corp.example"') == (0, 0, 0)
    assert counted(count=2) == (5, 2, 1)
    assert counted(count=5) == (5, 5, 1)
    assert counted(startIndex=4, count=2) == (5, 2, 1)
    assert counted(startIndex=4, count=3) == (5, 2, 0)
    assert counted(startIndex=9, count=3) == (5, 0, 1)
    assert counted(count=0) == (5, 0, 1)


@SQLITE
def test_people_of_before_are_listed_when_the_table_comes(core, scim):
    scim.user("ana", emails=[{"value": "ana@corp.example"}])
    with core.db.write() as session:
        session.execute(text("DELETE FROM rse_scim_value"))
        # As the migration does it.
        session.execute(text("UPDATE rse_scim_user SET keys = keys"))
    assert scim.names('emails eq "ana@corp.example"') == ["ana"]
