"""Whatever files follow each other, the database says what the last one says, and saying it again changes nothing."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import importer
from rse_core.audit import Actor
from rse_core.importer import Parsed, Report
from rse_core.models.organisation import Entity, EntityPath, Person

PEOPLE, ENTITIES = "abcdef", "NSW"

entity_files = st.fixed_dictionaries({}, optional={key: st.sampled_from(["", *ENTITIES]) for key in ENTITIES})
people_files = st.fixed_dictionaries(
    {},
    optional={
        key: st.tuples(st.sampled_from("123456789"), st.sampled_from(["", *ENTITIES]), st.sampled_from(["", *PEOPLE]))
        for key in PEOPLE
    },
)


def written(folder: Path, entities: dict[str, str], people: dict[str, tuple[str, str, str]]) -> Parsed:
    blank = dict.fromkeys(importer.PEOPLE_COLUMNS, "")
    rows = [
        blank
        | {
            "external_id": key,
            "username": f"user{name}",
            "display_name": key,
            "entity_id": entity,
            "manager_external_id": boss,
        }
        for key, (name, entity, boss) in people.items()
    ]
    for file, columns, lines in (
        ("entities.csv", importer.ENTITY_COLUMNS, [(key, key, parent) for key, parent in entities.items()]),
        ("people.csv", importer.PEOPLE_COLUMNS, [list(row.values()) for row in rows]),
    ):
        with (folder / file).open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([columns, *lines])
    return importer.read(folder / "people.csv", folder / "entities.csv")


def run(session: Session, parsed: Parsed, **options: Any) -> Report:
    return importer.run(session, parsed, actor=Actor("cli:tests"), allow_mass_disable=True, **options)


def state(session: Session) -> dict[str, tuple[str, str, str, str]]:
    session.expire_all()
    keys = {row.id: row.key for row in session.scalars(select(Entity))}
    people = {row.id: row for row in session.scalars(select(Person))}
    return {
        row.external_id: (
            row.status,
            row.username,
            keys.get(row.entity_id, ""),
            people[row.manager_id].external_id if row.manager_id else "",
        )
        for row in people.values()
    }


def circular(above: dict[str, str]) -> bool:
    for start in above:
        node, steps = above[start], 0
        while node and steps <= len(above):
            node, steps = above.get(node, ""), steps + 1
        if node:
            return True
    return False


@pytest.mark.parametrize("keep_going", [False, True], ids=["all or nothing", "keep going"])
@given(files=st.lists(st.tuples(entity_files, people_files), min_size=1, max_size=4))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_last_file_is_what_the_database_says(core, tmp_path, keep_going, files):
    # Each example works in a transaction that is rolled back, so that all start from an empty organisation.
    with core.db.sessions() as session:
        for entities, people in files:
            before = state(session)
            parsed = written(tmp_path, entities, people)
            trial = run(session, parsed, keep_going=keep_going, dry_run=True)
            report = run(session, written(tmp_path, entities, people), keep_going=keep_going)
            after = state(session)
            assert [str(e) for e in trial.errors] == [str(e) for e in report.errors]
            if not report.written:
                assert report.errors
                assert after == before
                continue
            assert trial.people == report.people
            bad = {e.line for e in report.errors if e.file == "people.csv"}
            for line, (key, (name, entity, boss)) in enumerate(people.items(), start=2):
                if line not in bad:
                    assert after[key] == ("active", f"user{name}", entity, boss)
                elif key in before:
                    assert after[key][0] == before[key][0] or after[key][0] == "active"
            for key in before.keys() - people.keys():
                assert after[key][0] == "disabled"
            names = [row[1] for row in after.values()]
            assert len(names) == len(set(names))
            assert not circular({key: row[3] for key, row in after.items() if row[0] == "active"})
            tree = {row.key: row.parent_id for row in session.scalars(select(Entity))}
            roots = {key for key, parent in tree.items() if parent is None}
            assert roots or not tree
            own = session.scalars(select(EntityPath.entity_id).where(EntityPath.depth == 0)).all()
            assert len(own) == len(tree)
            again = run(session, written(tmp_path, entities, people), keep_going=keep_going)
            assert (again.people.created, again.people.updated, again.people.disabled) == (0, 0, 0)
            assert (again.entities.created, again.entities.updated) == (0, 0)
            assert state(session) == after
        session.rollback()
