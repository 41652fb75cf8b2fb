"""Charter, suspension, moderation before publishing, and the audit log."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db import CoreBase, Key, utcnow


class Charter(CoreBase):
    """A version of a text. ``kind``: use (must be accepted) or editorial. In force: the latest one published."""

    __tablename__ = "rse_core_charter"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), default="use")
    space_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"))
    version: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    published_at: Mapped[dt.datetime]
    published_by: Mapped[str] = mapped_column(String(200), default="")
    __table_args__ = (UniqueConstraint("kind", "space_id", "version"),)


class CharterAcceptance(CoreBase):
    """Evidence: who accepted which version, when."""

    __tablename__ = "rse_core_charter_acceptance"
    charter_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_charter.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    accepted_at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Suspension(CoreBase):
    """Writing is suspended from ``starts_at`` to ``ends_at`` (None: until lifted); the person still reads."""

    __tablename__ = "rse_core_suspension"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), index=True)
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(String(200), default="")
    lifted_at: Mapped[dt.datetime | None]
    lifted_by: Mapped[str] = mapped_column(String(200), default="")


class ReviewRule(CoreBase):
    """Moderated before publishing: ``scope`` site, entity, space or person."""

    __tablename__ = "rse_core_review_rule"
    scope: Mapped[str] = mapped_column(String(10), primary_key=True)
    scope_id: Mapped[int] = mapped_column(Key, primary_key=True, default=0)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    why: Mapped[str] = mapped_column(Text, default="")


class Held(CoreBase):
    """Something written that waits for a moderator, or was decided. ``state``: pending, approved or refused."""

    __tablename__ = "rse_core_held"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ref_type: Mapped[str] = mapped_column(String(81))
    ref_id: Mapped[str] = mapped_column(String(500))
    capability: Mapped[str] = mapped_column(String(80))
    author_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    audience_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_audience.id"))
    #: the author's entity at that time: the scope whose moderators decide
    entity_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_entity.id"))
    space_id: Mapped[int | None] = mapped_column(Key)
    state: Mapped[str] = mapped_column(String(10), default="pending")
    held_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    decided_at: Mapped[dt.datetime | None]
    decided_by: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (
        Index("ix_rse_core_held_state", "state", "id"),
        Index("ix_rse_core_held_ref", "ref_type", "ref_id"),
    )


class Audit(CoreBase):
    """Every act of those who run the site: who, what, on what, from what to what, why, when."""

    __tablename__ = "rse_core_audit"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow, index=True)
    actor_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    #: username, or "cli:<system user>"; kept when the person is erased only as "erased"
    actor: Mapped[str] = mapped_column(String(200))
    act: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(500), default="")
    before: Mapped[Any | None] = mapped_column(JSON)
    after: Mapped[Any | None] = mapped_column(JSON)
    why: Mapped[str] = mapped_column(Text, default="")
