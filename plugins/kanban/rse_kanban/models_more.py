"""What works on boards by itself or from outside: templates, recurring cards, rules, saved filters, addresses."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, utcnow

from .models import Base


class Template(Base):
    """What boards, columns or cards can be made from. It is its board's, or (a board's) for whom that board was."""

    __tablename__ = "rse_kanban_template"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(6))
    name: Mapped[str] = mapped_column(String(100))
    board_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_kanban_board.id", ondelete="CASCADE"), index=True)
    audience_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_audience.id"), index=True)
    space_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"))
    owner_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    data: Mapped[Any] = mapped_column(JSON)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Recurrence(Base):
    """A card that is made again and again by a job, as if ``person_id`` made it.

    ``every``: day, week, month or year; ``times`` of them between two cards. ``next_at`` None: it rests; ``note`` says why.
    """

    __tablename__ = "rse_kanban_recurrence"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_board.id", ondelete="CASCADE"), index=True)
    column_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_column.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(String(300))
    data: Mapped[Any] = mapped_column(JSON)
    every: Mapped[str] = mapped_column(String(5))
    times: Mapped[int] = mapped_column(default=1)
    zone: Mapped[str] = mapped_column(String(60))
    #: the first of all, from which months are counted: the 31st stays the 31st
    starts_at: Mapped[dt.datetime]
    made: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[dt.datetime | None] = mapped_column(index=True)
    note: Mapped[str] = mapped_column(String(300), default="")


class Rule(Base):
    """When something happens to a card, do something with it. ``trigger`` and ``act`` are of few known kinds."""

    __tablename__ = "rse_kanban_rule"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_board.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    trigger: Mapped[str] = mapped_column(String(20))
    trigger_id: Mapped[int | None] = mapped_column(Key)
    act: Mapped[str] = mapped_column(String(20))
    act_id: Mapped[int | None] = mapped_column(Key)
    active: Mapped[bool] = mapped_column(default=True)
    created_by: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))


class RuleRun(Base):
    """A rule acted, or could not; ``outcome``: done, refused, loop."""

    __tablename__ = "rse_kanban_rule_run"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_board.id", ondelete="CASCADE"))
    rule_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_kanban_rule.id", ondelete="SET NULL"))
    card_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_kanban_card.id", ondelete="CASCADE"), index=True)
    outcome: Mapped[str] = mapped_column(String(10))
    note: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index("ix_rse_kanban_rule_run_board", "board_id", "id"),)


class SavedFilter(Base):
    """A question that somebody kept; ``shared``: with all who see the board."""

    __tablename__ = "rse_kanban_filter"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_board.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(String(500))
    shared: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (UniqueConstraint("board_id", "person_id", "name"),)


class Import(Base):
    """A large file that is put on a board by a job, some cards at a time.

    ``state``: waiting, done or failed. ``place``: how many cards of ``data`` were looked at; ``data`` goes when it is over.
    ``left``: a line for each thing not taken.
    """

    __tablename__ = "rse_kanban_import"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_board.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), index=True)
    source: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10), default="waiting", index=True)
    total: Mapped[int]
    place: Mapped[int] = mapped_column(default=0)
    made: Mapped[int] = mapped_column(default=0)
    known: Mapped[int] = mapped_column(default=0)
    left: Mapped[Any] = mapped_column(JSON, default=list)
    data: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[dt.datetime | None]


class Address(Base):
    """An address that reads as its owner would, without signing in; only a digest of its token is kept.

    ``kind``: calendar (of a board, or without one of all that is assigned to the owner) or screen (a board, read-only).
    """

    __tablename__ = "rse_kanban_address"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), index=True)
    board_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_kanban_board.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    last_used_on: Mapped[dt.date | None]
    revoked_at: Mapped[dt.datetime | None]
