"""Rollout plans: the text that was applied, its waves, and the levels that each wave placed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import CoreBase, Key, utcnow


class RolloutPlan(CoreBase):
    """A plan as it was last saved. ``text`` is TOML, and the one truth: the screens change it and nothing else."""

    __tablename__ = "rse_core_rollout_plan"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    text: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)
    saved_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    saved_by: Mapped[str] = mapped_column(String(200), default="")
    #: the version that was applied last; 0: never
    applied_version: Mapped[int] = mapped_column(default=0)
    applied_at: Mapped[dt.datetime | None]
    applied_by: Mapped[str] = mapped_column(String(200), default="")


class RolloutWave(CoreBase):
    """A wave of an applied plan.

    ``state``: ``planned`` (its levels are placed and begin at its start), ``waiting`` (for its start, then its gate),
    ``closed`` (its start has come and its gate does not hold), ``open``, ``held``, ``rolled_back`` or ``gone`` (no longer in
    the plan). ``entities`` and ``groups`` are ids: those that the plan names, ``*`` resolved.
    """

    __tablename__ = "rse_core_rollout_wave"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    plan_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_rollout_plan.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    position: Mapped[int]
    level: Mapped[int]
    starts_on: Mapped[dt.date] = mapped_column(Date)
    #: midnight of that day in the site's time zone
    starts_at: Mapped[dt.datetime]
    entities: Mapped[Any] = mapped_column(JSON, default=list)
    groups: Mapped[Any] = mapped_column(JSON, default=list)
    gate: Mapped[Any] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    #: when its levels began, or will: None while they are not placed
    opened_at: Mapped[dt.datetime | None]
    #: the gate was last looked at, and what was found
    checked_at: Mapped[dt.datetime | None]
    findings: Mapped[Any] = mapped_column(JSON, default=list)
    told_at: Mapped[dt.datetime | None]
    changed_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    changed_by: Mapped[str] = mapped_column(String(200), default="")
    why: Mapped[str] = mapped_column(Text, default="")


class RolloutPlace(CoreBase):
    """A level that a wave placed, and the row that took it back, if one did."""

    __tablename__ = "rse_core_rollout_place"
    level_row_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_level.id"), primary_key=True, autoincrement=False)
    wave_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_rollout_wave.id", ondelete="CASCADE"), index=True)
    undone_by: Mapped[int | None] = mapped_column(Key)
