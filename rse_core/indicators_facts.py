"""The raw record of acts, under pseudonyms: a consumer notes each event that some indicator counts, once.

Visits stand in a table of their own (:func:`rse_core.indicators.record_visit`); when somebody is erased, what they did stays
as numbers that lead to nobody.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import Select, cast, delete, func, insert, select
from sqlalchemy.orm import Session

from .content import ObjectRef
from .contributions import Consumer
from .db import Key, dialect_insert
from .events import Event
from .indicators_built import VISIT, counted
from .models.indicators import Fact, Pseudonym, RollupDay, Signal
from .models.organisation import Audience, Person
from .models.runtime import Visit

if TYPE_CHECKING:
    from .runtime import Core

#: Bits of a 64-bit number that can be used, its sign left out.
MOST_SIGNALS = 62
VISIT_BIT = 1


def consumer(core: Core) -> Consumer:
    """What the dispatcher tells of every event that counts."""
    return Consumer("core.indicators", counted(core), note)


def note(session: Session, event: Event) -> None:
    """Write one act down; an event without a person, or of somebody erased, is none."""
    if event.actor_id is None:
        return
    who = pseudonym(session, event.actor_id)
    signal = _signal(session, event.name)
    if who is None or signal is None:
        return
    day = event.at.astimezone(dt.UTC).date()
    # First, and for the length of the transaction: a roll-up that clears the mark then sees this act, or is seen by it.
    mark(session, day)
    statement = dialect_insert(session, Fact).values(
        event_id=event.id, signal=signal, who=who, day=day, at=event.at, space_id=_space(session, event),
        ref="" if event.ref is None else str(event.ref)[:600], on_ref=str(event.data.get("object") or "")[:600],
    )  # fmt: skip
    session.execute(statement.on_conflict_do_nothing(index_elements=["event_id"]))


def mark(session: Session, day: dt.date) -> None:
    """Something of a day became known: it is rolled up again."""
    statement = dialect_insert(session, RollupDay).values(day=day, dirty=True, rolled_at=None)
    session.execute(statement.on_conflict_do_update(index_elements=["day"], set_={"dirty": True}))


def pseudonym(session: Session, person_id: int) -> int | None:
    """The number under which somebody is counted, made when first needed; None for nobody, or somebody erased."""
    query = select(Pseudonym.who).where(Pseudonym.person_id == person_id)
    found = session.scalar(query)
    if found is None:
        give_pseudonyms(session, person_id)
        found = session.scalar(query)
    return found


def give_pseudonyms(session: Session, person_id: int | None = None) -> None:
    """Give a number to everybody who has none (or to one person)."""
    random = func.abs(func.random() % 9007199254740992) if _sqlite(session) else cast(func.random() * 9007199254740991, Key)
    # Those who have left are counted for the time before: only the erased have no number.
    query: Select[int, int] = select(Person.id, random).where(
        Person.source != "erased", ~select(Pseudonym.who).where(Pseudonym.person_id == Person.id).exists()
    )
    if person_id is not None:
        query = query.where(Person.id == person_id)
    # Two numbers in nine thousand million million that are the same: whoever is left out has one the next time.
    session.execute(dialect_insert(session, Pseudonym).from_select(["person_id", "who"], query).on_conflict_do_nothing())


def _signal(session: Session, name: str) -> int | None:
    found = session.scalar(select(Signal.id).where(Signal.name == name))
    if found is not None:
        return found
    next_one = session.scalar(select(func.coalesce(func.max(Signal.id), 0) + 1)) or 1
    if next_one > MOST_SIGNALS:
        return None
    session.execute(dialect_insert(session, Signal).values(id=next_one, name=name).on_conflict_do_nothing())
    found = session.scalar(select(Signal.id).where(Signal.name == name))
    # Another process has just taken that place for another name: the next one.
    return found if found is not None else _signal(session, name)


def mask(session: Session, events: tuple[str, ...]) -> int:
    """The bits of these events; those that never happened have none."""
    ids = session.scalars(select(Signal.id).where(Signal.name.in_(events)))
    return sum(1 << ident for ident in ids) | (VISIT_BIT if VISIT in events else 0)


def _space(session: Session, event: Event) -> int | None:
    space = event.data.get("space")
    if isinstance(space, int):
        return space
    audience = session.get(Audience, event.audience_id) if event.audience_id is not None else None
    if audience is not None and audience.kind == "space":
        return audience.target_id
    if event.ref is None or audience is None:
        return None
    from .objects import resolve

    refs = [event.ref] + ([ObjectRef.parse(str(event.data["object"]))] if event.data.get("object") else [])
    known = resolve(session, refs)
    return next((info.space_id for ref in refs if (info := known.get(ref)) is not None and info.space_id is not None), None)


def forget(session: Session, person_id: int) -> int:
    """Cut the link between a person and what was counted of them; the number of rows that nobody's name leads to now.

    Their visits become acts without a name, so that a rebuild finds what it found before.
    """
    who = session.scalar(select(Pseudonym.who).where(Pseudonym.person_id == person_id))
    if who is None:
        return 0
    days = session.scalars(select(Visit.day).where(Visit.person_id == person_id)).all()
    rows = [
        {
            "event_id": f"visit:{who}:{number}", "signal": 0, "who": who, "day": day,
            "at": dt.datetime.combine(day, dt.time(), dt.UTC), "ref": "", "on_ref": "",
        }
        for number, day in enumerate(days)
    ]  # fmt: skip
    if rows:
        session.execute(insert(Fact), rows)
    session.execute(delete(Visit).where(Visit.person_id == person_id))
    session.execute(delete(Pseudonym).where(Pseudonym.person_id == person_id))
    return len(days) + 1


def _sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"

