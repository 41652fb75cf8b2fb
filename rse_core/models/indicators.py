"""What indicators are computed from: acts and visits under pseudonyms, who stood where and when, and what is rolled up.

``Fact`` and ``Visit`` are the raw record, ``Standing`` and ``StandingTree`` the history of the organisation; these three are
sources. Everything else here follows from them and can be made again.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import CoreBase, Key, utcnow

_OPEN = text("until IS NULL")


class Pseudonym(CoreBase):
    """The number under which a person's acts are counted. Random; gone with the person: then it leads to nobody."""

    __tablename__ = "rse_core_pseudonym"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    who: Mapped[int] = mapped_column(Key, unique=True)


class Signal(CoreBase):
    """One kind of act, an event's name, and the place of its bit. 0 is the visit."""

    __tablename__ = "rse_core_signal"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(80), unique=True)


class Fact(CoreBase):
    """One act that some indicator counts. ``ref``: the object that came of it; ``on_ref``: the one it was done to."""

    __tablename__ = "rse_core_fact"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    event_id: Mapped[str] = mapped_column(String(36), unique=True)
    signal: Mapped[int]
    who: Mapped[int] = mapped_column(Key)
    day: Mapped[dt.date] = mapped_column(Date)
    at: Mapped[dt.datetime]
    space_id: Mapped[int | None] = mapped_column(Key)
    ref: Mapped[str] = mapped_column(String(600), default="")
    on_ref: Mapped[str] = mapped_column(String(600), default="")
    __table_args__ = (
        Index("ix_rse_core_fact_day", "day", "who"),
        Index("ix_rse_core_fact_signal", "signal", "day"),
    )


class Standing(CoreBase):
    """Somebody stood here from the end of ``since`` until the end of ``until`` (None: still), in days (UTC).

    ``kind``: ``entity`` (``target`` 0: in none; every active member of the staff has one), ``group``, ``space``, or
    ``manager`` (``target`` 1).
    """

    __tablename__ = "rse_core_standing"
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    target: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    who: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    since: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    until: Mapped[dt.date | None] = mapped_column(Date)
    __table_args__ = (
        Index("ix_rse_core_standing_open", "kind", "who", "target", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_rse_core_standing_until", "until"),
    )


class StandingTree(CoreBase):
    """An entity stood below another (or is it) from the end of ``since`` until the end of ``until``."""

    __tablename__ = "rse_core_standing_tree"
    entity_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    ancestor_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    since: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    depth: Mapped[int]
    until: Mapped[dt.date | None] = mapped_column(Date)


class Presence(CoreBase):
    """What somebody did on a day: one bit for each :class:`Signal`. ``run`` is the roll-up that last changed it."""

    __tablename__ = "rse_core_presence"
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    who: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    bits: Mapped[int] = mapped_column(Key)
    run: Mapped[int] = mapped_column(Key, default=0)
    __table_args__ = ({"sqlite_with_rowid": False},)


class PresenceMonth(CoreBase):
    """What somebody did in a month (its first day), and on which days they were here: one bit for each, 1 for the first."""

    __tablename__ = "rse_core_presence_month"
    month: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    who: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    bits: Mapped[int] = mapped_column(Key)
    days: Mapped[int] = mapped_column(Key, default=0, server_default="0")
    __table_args__ = ({"sqlite_with_rowid": False},)


class PresenceSpace(CoreBase):
    """What somebody did in a space on a day."""

    __tablename__ = "rse_core_presence_space"
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    space_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    who: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    bits: Mapped[int] = mapped_column(Key)
    __table_args__ = (
        Index("ix_rse_core_presence_space_space", "space_id", "day"),
        {"sqlite_with_rowid": False},
    )


class RollupDay(CoreBase):
    """A day that was rolled up. ``dirty``: something of it became known since."""

    __tablename__ = "rse_core_rollup_day"
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    dirty: Mapped[bool] = mapped_column(default=True)
    rolled_at: Mapped[dt.datetime | None]


class RollupState(CoreBase):
    """One row (id 1): the number of the last roll-up, and how far a rebuild has come (None: none is under way)."""

    __tablename__ = "rse_core_rollup_state"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run: Mapped[int] = mapped_column(Key, default=0)
    rebuilt_to: Mapped[dt.date | None] = mapped_column(Date)
    rebuild_to: Mapped[dt.date | None] = mapped_column(Date)
    changed_at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class IndicatorCell(CoreBase):
    """A finished figure: an indicator, a month, a place. ``shown`` is whether it may be shown to anybody."""

    __tablename__ = "rse_core_indicator_cell"
    month: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    scope: Mapped[str] = mapped_column(String(10), primary_key=True)
    indicator: Mapped[str] = mapped_column(String(80), primary_key=True)
    people: Mapped[str] = mapped_column(String(10), primary_key=True)
    target: Mapped[str] = mapped_column(String(120), primary_key=True)
    numerator: Mapped[int] = mapped_column(Key)
    denominator: Mapped[int] = mapped_column(Key)
    persons: Mapped[int] = mapped_column(Key)
    shown: Mapped[bool]
    #: what else there is to say: the median of a time, in hours
    more: Mapped[Any] = mapped_column(JSON, default=dict)
    __table_args__ = ({"sqlite_with_rowid": False},)


class IndicatorMonth(CoreBase):
    """An indicator of a month is finished for every place, also where there was nothing to count.

    ``waves`` and ``levels``: a mark of the plans and the levels by which people were told apart; empty where that is
    unknown, and then spaces are not finished.
    """

    __tablename__ = "rse_core_indicator_month"
    month: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    indicator: Mapped[str] = mapped_column(String(80), primary_key=True)
    waves: Mapped[str] = mapped_column(String(40), default="")
    levels: Mapped[str] = mapped_column(String(40), default="")
    __table_args__ = ({"sqlite_with_rowid": False},)


class WorkCalendar(CoreBase):
    """The calendar of working days of an entity and those below it; ``public``: see :mod:`rse_core.calendars`."""

    __tablename__ = "rse_core_work_calendar"
    entity_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_entity.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    public: Mapped[str] = mapped_column(String(40))
    changed_at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Holiday(CoreBase):
    """A day of an entity's calendar that is no working day, beside the public ones."""

    __tablename__ = "rse_core_holiday"
    entity_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_entity.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="")
