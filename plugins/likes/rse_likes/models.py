"""Reactions and their counters."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow

Base = plugin_base("likes")


class Reaction(Base):
    """One person's reaction to one object; another kind replaces it. ``person_id`` None: that person was erased."""

    __tablename__ = "rse_likes_reaction"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    ref_type: Mapped[str] = mapped_column(String(81))
    ref_id: Mapped[str] = mapped_column(String(500))
    kind: Mapped[str] = mapped_column(String(30))
    #: ``web``, ``api`` (a machine's token) …: reactions by machines can be told apart
    via: Mapped[str] = mapped_column(String(20), default="web")
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    changed_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        UniqueConstraint("person_id", "ref_type", "ref_id"),
        Index("ix_rse_likes_reaction_ref", "ref_type", "ref_id", "id"),
        Index("ix_rse_likes_reaction_mine", "person_id", "id"),
    )


class ReactionCount(Base):
    """Narrow counter, changed in the same transaction as the reactions; ``rse doctor`` can recount it."""

    __tablename__ = "rse_likes_count"
    ref_type: Mapped[str] = mapped_column(String(81), primary_key=True)
    ref_id: Mapped[str] = mapped_column(String(500), primary_key=True)
    kind: Mapped[str] = mapped_column(String(30), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    __table_args__ = (CheckConstraint("count >= 0", name="not_negative"),)
