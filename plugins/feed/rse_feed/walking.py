"""The walk through the entries that a person reads: by keyset, each audience by its own index, merged.

Never a walk along the primary key that skips what is not for them: somebody who sees little would wait for the whole
table. On PostgreSQL the audiences are joined laterally, on SQLite by a correlated sub-select, which is the same: so many
index ranges, each cut at one page. Somebody in very many audiences has their heads looked at first: only those that hold
one of the newest can hold more of them.
"""

# ruff: noqa: S608  the parts of the statements are constants of this module; every value is a parameter

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, TextualSelect, bindparam, column, text
from sqlalchemy.orm import Session

from rse_core.api import Key, UtcDateTime

from .places import Sight

#: Audiences above which their heads are looked at first.
MANY = 24
SORTS = {"new": "created_at", "active": "last_activity"}
#: Where a list may be narrowed to; the rest is never listed by an index of its own.
KINDS = ("all", "posts", "announcements", "intranet")
Place = tuple[dt.datetime, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to walk through.

    :param space_id: only what stands in this space.
    :param topic_id: only posts about this topic.
    :param kind: one of :data:`KINDS`.
    :param everything: also what is of little value to most.
    """

    sort: str = "new"
    space_id: int | None = None
    topic_id: int | None = None
    kind: str = "all"
    everything: bool = False


@dataclass(frozen=True, slots=True)
class _Shape:
    """What decides how the statement is written."""

    sqlite: bool
    sort: str
    source: str
    kind: str
    everything: bool
    many: bool
    opened: bool
    closed: bool
    withheld: bool
    bound: str
    most: int
    others: bool


def ids(
    session: Session, sight: Sight, wanted: Wanted, *, before: Place | None, most: int
) -> tuple[TextualSelect, dict[str, Any]]:
    """A statement that gives ``id`` and ``at`` of the next entries, the newest first; and its values."""
    return _statement(session, sight, wanted, bound="before" if before else "", key=before, most=most)


def count_since(session: Session, sight: Sight, wanted: Wanted, since: dt.datetime, person_id: int, *, most: int) -> int:
    """How many entries of others came after a moment; ``most`` at most."""
    clause, values = _statement(session, sight, wanted, bound="since", key=(since, 0), most=most, me=person_id)
    return len(session.execute(clause, values).all())


def _statement(
    session: Session, sight: Sight, wanted: Wanted, *, bound: str, key: Place | None, most: int, me: int | None = None
) -> tuple[TextualSelect, dict[str, Any]]:
    sqlite = session.get_bind().dialect.name == "sqlite"
    source = "space" if wanted.space_id is not None else "topic" if wanted.topic_id is not None else "audiences"
    if wanted.kind == "announcements" and source == "audiences":
        source = "announcements"
    shape = _Shape(
        sqlite, SORTS[wanted.sort], source, wanted.kind, wanted.everything, len(sight.audiences) > MANY, bool(sight.opened),
        bool(sight.closed), bool(sight.withheld), bound, most, me is not None,
    )  # fmt: skip
    values: dict[str, Any] = {"audiences": _array(sqlite, sight.audiences)}
    if source == "space":
        values["space"] = wanted.space_id
    if source == "topic":
        values["topic"] = wanted.topic_id
    if sight.opened:
        values |= {"opened": _array(sqlite, sight.opened), "everyone": sight.everyone}
    if sight.closed:
        values["closed"] = _array(sqlite, sight.closed)
    if sight.withheld:
        values["withheld"] = json.dumps(sight.withheld) if sqlite else list(sight.withheld)
    if key is not None:
        values |= {"at": key[0]} if bound == "since" else {"at": key[0], "last": key[1]}
    if me is not None:
        values["me"] = me
    return _written(shape), values


def _array(sqlite: bool, some: tuple[int, ...]) -> str | list[int]:
    return json.dumps(some) if sqlite else list(some)


@lru_cache(maxsize=256)
def _written(shape: _Shape) -> TextualSelect:
    lows = ("false", "true") if shape.everything else ("false",)
    if shape.source in ("announcements", "topic"):
        parts = [_by_posts(shape)]
    elif shape.source == "space":
        parts = [_of_space(shape, low) for low in lows]
    else:
        parts = [_by_audience(shape, low) for low in lows]
        if shape.opened:
            parts += [_opened(shape, low) for low in lows]
    union = " UNION ALL ".join(f"SELECT * FROM ({part}) AS part{number}" for number, part in enumerate(parts))
    order = "" if shape.bound == "since" else " ORDER BY at DESC, id DESC"
    clause: TextClause = text(f"SELECT id, at FROM ({union}) AS parts{order} LIMIT {shape.most}")
    if shape.bound:
        clause = clause.bindparams(bindparam("at", type_=UtcDateTime()))
    return clause.columns(column("id", Key), column("at", UtcDateTime()))


def _by_audience(shape: _Shape, low: str) -> str:
    """The newest of each audience."""
    some = _conditions(shape, "x")
    cut = _cut(shape, "x")
    within = f"x.audience_id = a.id AND x.low = {low}{some}"
    each = f"SELECT x.id, x.{shape.sort} AS at FROM rse_feed_entry x WHERE {within}{cut} LIMIT {shape.most}"
    audiences = _rows(shape, "audiences")
    if shape.many and shape.bound != "since":
        audiences = f"({_heads(shape, audiences, within, cut)})"
    if shape.sqlite:
        inner = each.replace(f", x.{shape.sort} AS at", "")
        return (
            f"SELECT e.id, e.{shape.sort} AS at FROM {audiences} AS a CROSS JOIN rse_feed_entry e WHERE e.id IN ({inner})"
        )
    return f"SELECT y.id, y.at FROM {audiences} AS a CROSS JOIN LATERAL ({each}) AS y"


def _heads(shape: _Shape, audiences: str, within: str, cut: str) -> str:
    """The audiences that hold the newest entries: as many as a page has."""
    head = f"FROM rse_feed_entry x WHERE {within}{cut} LIMIT 1"
    if shape.sqlite:
        return (
            f"SELECT a.id FROM {audiences} AS a JOIN rse_feed_entry h ON h.id = (SELECT x.id {head}) "
            f"ORDER BY h.{shape.sort} DESC, h.id DESC LIMIT {shape.most}"
        )
    return (
        f"SELECT a.id FROM {audiences} AS a CROSS JOIN LATERAL (SELECT x.id, x.{shape.sort} AS at {head}) AS h "
        f"ORDER BY h.at DESC, h.id DESC LIMIT {shape.most}"
    )


def _of_space(shape: _Shape, low: str) -> str:
    mine = f"(SELECT id FROM {_rows(shape, 'audiences')} AS a)"
    within = f"x.space_id = :space AND x.low = {low} AND x.audience_id IN {mine}{_conditions(shape, 'x')}"
    if shape.opened:
        rows = f"(SELECT id FROM {_rows(shape, 'opened')} AS o)"
        open_here = f"(x.audience_id = :everyone AND x.space_id IN {rows})"
        seen = f"(x.audience_id IN {mine} OR {open_here})"
        within = f"x.space_id = :space AND x.low = {low} AND {seen}{_conditions(shape, 'x')}"
    cut = _cut(shape, "x")
    return f"SELECT x.id, x.{shape.sort} AS at FROM rse_feed_entry x WHERE {within}{cut} LIMIT {shape.most}"


def _opened(shape: _Shape, low: str) -> str:
    """What is for everyone in public spaces where this person reads though not elsewhere."""
    within = f"x.space_id = o.id AND x.low = {low} AND x.audience_id = :everyone{_conditions(shape, 'x')}"
    cut = _cut(shape, "x")
    each = f"FROM rse_feed_entry x WHERE {within}{cut} LIMIT {shape.most}"
    rows = _rows(shape, "opened")
    if shape.sqlite:
        return (
            f"SELECT e.id, e.{shape.sort} AS at FROM {rows} AS o CROSS JOIN rse_feed_entry e "
            f"WHERE e.id IN (SELECT x.id {each})"
        )
    return f"SELECT y.id, y.at FROM {rows} AS o CROSS JOIN LATERAL (SELECT x.id, x.{shape.sort} AS at {each}) AS y"


def _by_posts(shape: _Shape) -> str:
    """From the posts to their entries: announcements, and posts about one topic, are few."""
    mine = f"(SELECT id FROM {_rows(shape, 'audiences')} AS a)"
    seen = f"p.audience_id IN {mine}"
    if shape.opened:
        rows = f"(SELECT id FROM {_rows(shape, 'opened')} AS o)"
        seen = f"({seen} OR (p.audience_id = :everyone AND p.space_id IN {rows}))"
    source, condition = "rse_feed_post p", "p.announcement AND "
    if shape.source == "topic":
        source = "rse_feed_post_topic t JOIN rse_feed_post p ON p.id = t.post_id"
        condition = "t.topic_id = :topic AND " + ("p.announcement AND " if shape.kind == "announcements" else "")
    ident = "CAST(p.id AS TEXT)" if shape.sqlite else "CAST(p.id AS VARCHAR)"
    return (
        f"SELECT x.id, x.{shape.sort} AS at FROM {source} JOIN rse_feed_entry x ON x.ref_type = 'feed.post' "
        f"AND x.ref_id = {ident} AND x.event = 'feed.published' WHERE {condition}p.state = 'published' AND {seen}"
        f"{_conditions(shape, 'x')}{_cut(shape, 'x')} LIMIT {shape.most}"
    )


def _conditions(shape: _Shape, name: str) -> str:
    """What narrows each range."""
    found = ""
    if shape.bound == "before":
        found += f" AND ({name}.{shape.sort}, {name}.id) < (:at, :last)"
    elif shape.bound == "since":
        found += f" AND {name}.{shape.sort} > :at"
    if shape.others:
        found += f" AND {name}.actor_id IS NOT :me" if shape.sqlite else f" AND {name}.actor_id IS DISTINCT FROM :me"
    if shape.closed:
        rows = f"(SELECT id FROM {_rows(shape, 'closed')} AS c)"
        found += f" AND ({name}.space_id IS NULL OR {name}.space_id NOT IN {rows})"
    if shape.withheld:
        rows = "(SELECT value FROM json_each(:withheld))" if shape.sqlite else "(SELECT unnest(CAST(:withheld AS text[])))"
        found += f" AND {name}.ref_type || ':' || COALESCE({name}.space_id, 0) NOT IN {rows}"
        found += f" AND {name}.ref_type || ':*' NOT IN {rows}"
    if shape.kind in ("posts", "announcements"):
        found += f" AND {name}.event = 'feed.published'"
        if shape.kind == "announcements" and shape.source == "space":
            # In one space these are few enough to be looked up.
            found += (
                f" AND {name}.ref_id IN (SELECT CAST(q.id AS {'TEXT' if shape.sqlite else 'VARCHAR'}) FROM rse_feed_post q "
                "WHERE q.space_id = :space AND q.announcement)"
            )
    elif shape.kind == "intranet":
        found += f" AND {name}.ref_type = 'page'"
    return found


def _cut(shape: _Shape, name: str) -> str:
    return "" if shape.bound == "since" and shape.sqlite else f" ORDER BY {name}.{shape.sort} DESC, {name}.id DESC"


def _rows(shape: _Shape, values: str) -> str:
    """Bound ids as a table with the column ``id``."""
    if shape.sqlite:
        return f"(SELECT value AS id FROM json_each(:{values}))"
    return f"(SELECT unnest(CAST(:{values} AS bigint[])) AS id)"
