"""Statements whose text is written once: the same rows as an expression gives, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from rse_core.db import UtcDateTime
from rse_core.models.organisation import Person
from rse_core.runtime import Core
from rse_core.statements import Prepared, Statement
from rse_core.testing import count_queries, make_person

BY_NAME = Statement(
    "SELECT id, username, created_at FROM rse_core_person "
    "WHERE username IN :names AND id IN :ids AND status = :status ORDER BY id",
    columns={"created_at": UtcDateTime()},
    names=str,
    ids=int,
)


def test_lists_of_numbers_and_of_texts_are_bound_as_one_value_each(core: Core) -> None:
    people = [make_person(core, name) for name in ("anne", "o'brien", 'q"uote', "zoé,[]{}")]
    names, ids = [person.username for person in people], [person.id for person in people]
    with core.db.read() as session, count_queries(core) as queries:
        rows = BY_NAME(session, names=[*names, "nobody"], ids=ids[1:], status="active")
        assert [row.username for row in rows] == names[1:]
        assert all(row.created_at.tzinfo is dt.UTC for row in rows)
        assert not BY_NAME(session, names=[], ids=ids, status="active")
    assert len(queries.statements) == 2


def test_a_time_is_given_as_each_database_keeps_times(core: Core) -> None:
    young = Statement("SELECT username FROM rse_core_person WHERE created_at > :since", given={"since": UtcDateTime()})
    person = make_person(core, "anne")
    with core.db.read() as session:
        minute = dt.timedelta(minutes=1)
        assert [row.username for row in young(session, since=person.created_at - minute)] == ["anne"]
        assert not young(session, since=person.created_at + minute)


def test_no_number_at_all_and_very_many_are_lists_too(core: Core) -> None:
    person = make_person(core, "anne")
    by_number = Statement("SELECT username FROM rse_core_person WHERE id IN :ids", ids=int)
    prepared = Prepared(lambda lists: select(Person.username).where(Person.id.in_(lists("ids", int))))
    with core.db.read() as session:
        for ask in (by_number, prepared):
            assert not ask(session, ids=[])
            assert [row.username for row in ask(session, ids=[*range(-5_000, 0), person.id])] == ["anne"]


def test_what_is_no_number_is_not_sent_as_one(core: Core) -> None:
    by_number = Statement("SELECT username FROM rse_core_person WHERE id IN :ids", ids=int)
    with core.db.read() as session:
        if session.get_bind().dialect.name == "postgresql":
            with pytest.raises(ValueError, match="invalid literal"):
                by_number(session, ids=["1}'); --"])
        else:
            assert not by_number(session, ids=["1}'); --"])
