"""The log of every act of moderation: who, what, on what, why, when. The lines are the core's audit log's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select, true
from sqlalchemy.orm import Session

from rse_core.audit import Entry
from rse_core.models.governance import Audit
from rse_core.models.organisation import Audience, Membership, Space
from rse_core.roles import is_site_admin

from . import access

#: What an act of moderation begins with, of any plugin: a decision, a deletion, an entry into a private space.
ACTS = (
    "moderation.", "governance.", "words.", "bin.", "tools.", "charter.", "suspension.", "privacy.", "role.",
)  # fmt: skip
#: And how the acts on single objects end, whichever plugin keeps them.
ENDS = (".hide", ".show", ".restore", ".amend", ".delete", ".close", ".enter", ".move", ".sheet")
PAGE = 50
PART = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What to list: an act or the beginning of one, who acted, on what, since when."""

    act: str = ""
    actor: str = ""
    subject: str = ""
    since: dt.date | None = None

    @property
    def scope(self) -> str:
        """What a cursor is bound to."""
        return f"log:{self.act}:{self.actor}:{self.subject}:{self.since}"


def _secret(session: Session, person_id: int) -> ColumnElement[bool]:
    """Acts on secret spaces are told to site administrators, who answer for all, and to those who are in them."""
    if is_site_admin(session, person_id):
        return true()
    inside = exists().where(Membership.audience_id == Audience.id, Membership.person_id == person_id)
    names = (
        select(literal("space:") + Space.key)
        .join(Audience, and_(Audience.kind == "space", Audience.target_id == Space.id))
        .where(Space.visibility == "secret", ~inside)
    )
    return Audit.subject.not_in(names)


def page(
    session: Session, person_id: int, asked: Asked, *, after: int | None = None, most: int = PAGE
) -> tuple[Sequence[Entry], int | None]:
    """Lines, the latest first, and where the next page begins.

    :raises Forbidden: for who does not moderate the whole site.
    """
    access.require_site(session, person_id)
    query = _query(asked).where(_secret(session, person_id)).order_by(Audit.id.desc()).limit(most + 1)
    rows = list(session.scalars(query if after is None else query.where(Audit.id < after)))
    return [_entry(row) for row in rows[:most]], rows[most - 1].id if len(rows) > most else None


def stream(session: Session, person_id: int, asked: Asked) -> Iterator[Entry]:
    """Every line, the earliest first, read in parts."""
    access.require_site(session, person_id)
    last, seen = 0, _secret(session, person_id)
    while True:
        rows = list(session.scalars(_query(asked).where(seen, Audit.id > last).order_by(Audit.id).limit(PART)))
        for row in rows:
            last = row.id
            yield _entry(row)
        if len(rows) < PART:
            return
        session.expunge_all()


def plain(value: object) -> str:
    """What stands in a line's “before” or “after”, in one line."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {plain(one)}" for key, one in value.items())
    return str(value)


def cell(value: object) -> str:
    """A cell of a CSV file: one that a spreadsheet would take for a formula begins with an apostrophe."""
    text = plain(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _query(asked: Asked) -> Select[Audit]:
    query = select(Audit).where(_moderating())
    if asked.act:
        query = query.where(Audit.act.startswith(asked.act, autoescape=True))
    if asked.actor:
        query = query.where(Audit.actor == asked.actor)
    if asked.subject:
        query = query.where(Audit.subject.startswith(asked.subject, autoescape=True))
    if asked.since is not None:
        query = query.where(Audit.at >= dt.datetime.combine(asked.since, dt.time(), dt.UTC))
    return query


def _moderating() -> ColumnElement[bool]:
    return or_(*(Audit.act.startswith(start) for start in ACTS), *(Audit.act.endswith(end) for end in ENDS))


def _entry(row: Audit) -> Entry:
    return Entry(row.id, row.at, row.actor, row.act, row.subject, row.before, row.after, row.why)
