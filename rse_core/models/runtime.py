"""Outbox and deliveries, jobs, notifications, settings, visits, idempotency keys, tokens."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, LargeBinary, String, Text, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from ..db import CoreBase, Key, utcnow


class Outbox(CoreBase):
    """An event, written in the transaction that caused it. ``done_at`` once every consumer has had it."""

    __tablename__ = "rse_core_outbox"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    event_id: Mapped[str] = mapped_column(String(36), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    at: Mapped[dt.datetime]
    actor_id: Mapped[int | None] = mapped_column(Key)
    ref_type: Mapped[str | None] = mapped_column(String(81))
    ref_id: Mapped[str | None] = mapped_column(String(500))
    audience_id: Mapped[int | None] = mapped_column(Key)
    data: Mapped[Any] = mapped_column(JSON, default=dict)
    done_at: Mapped[dt.datetime | None]
    __table_args__ = (
        Index(
            "ix_rse_core_outbox_waiting",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )


class Delivery(CoreBase):
    """This consumer has had this event; written in the consumer's own transaction. ``state``: done, retry or dead."""

    __tablename__ = "rse_core_delivery"
    event_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    consumer: Mapped[str] = mapped_column(String(120), primary_key=True)
    state: Mapped[str] = mapped_column(String(10), default="done")
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[dt.datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class JobRow(CoreBase):
    """A background job. ``state``: queued, running or dead; a finished one is deleted. ``key`` is unique among them."""

    __tablename__ = "rse_core_job"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    args: Mapped[Any] = mapped_column(JSON, default=dict)
    key: Mapped[str | None] = mapped_column(String(200), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    run_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    lease_until: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=8)
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index("ix_rse_core_job_due", "state", "run_at"),)


class NotificationRow(CoreBase):
    """What names a person. Grouped by ``group_key``: one unread row for one type and object, with its actors beside it.

    ``audience_id`` and ``space_id`` are where the object stands, for types that ask for a capability: the row is shown while
    the person may use it there. ``shown``: the person wants this type in the page, not by mail alone. ``forwarded``: those
    who carry notifications elsewhere have seen it.
    """

    __tablename__ = "rse_core_notification"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(80))
    ref_type: Mapped[str] = mapped_column(String(81))
    ref_id: Mapped[str] = mapped_column(String(500))
    group_key: Mapped[str] = mapped_column(String(600))
    data: Mapped[Any] = mapped_column(JSON, default=dict)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    read_at: Mapped[dt.datetime | None]
    audience_id: Mapped[int | None] = mapped_column(Key)
    space_id: Mapped[int | None] = mapped_column(Key)
    #: what happened, when no person caused it; else the causes stand with the actors
    cause: Mapped[str | None] = mapped_column(String(120))
    #: whoever muted it hears it all the same
    firm: Mapped[bool] = mapped_column(default=False, server_default=false())
    shown: Mapped[bool] = mapped_column(default=True, server_default=true())
    forwarded: Mapped[bool] = mapped_column(default=False, server_default=false())
    __table_args__ = (
        Index("ix_rse_core_notification_person", "person_id", "read_at", "id"),
        Index("ix_rse_core_notification_latest", "person_id", "updated_at", "id"),
        Index("ix_rse_core_notification_group", "group_key", "person_id"),
        Index("uq_rse_core_notification_unread", "person_id", "group_key", unique=True,
              sqlite_where=text("read_at IS NULL"), postgresql_where=text("read_at IS NULL")),
        Index("ix_rse_core_notification_cause", "cause", sqlite_where=text("cause IS NOT NULL"),
              postgresql_where=text("cause IS NOT NULL")),
        Index("ix_rse_core_notification_space", "space_id", sqlite_where=text("space_id IS NOT NULL"),
              postgresql_where=text("space_id IS NOT NULL")),
        Index("ix_rse_core_notification_fresh", "id", sqlite_where=text("NOT forwarded"),
              postgresql_where=text("NOT forwarded")),
    )  # fmt: skip


class NotificationActor(CoreBase):
    """One actor behind a grouped notification; withdrawn (deleted) when the cause is."""

    __tablename__ = "rse_core_notification_actor"
    notification_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_notification.id", ondelete="CASCADE"), primary_key=True
    )
    actor_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    cause: Mapped[str] = mapped_column(String(120), primary_key=True, index=True)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class SettingRow(CoreBase):
    """A setting changed at run time: ``key`` is ``<plugin>.<name>``."""

    __tablename__ = "rse_core_setting"
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    changed_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    changed_by: Mapped[str] = mapped_column(String(200), default="")


class Preference(CoreBase):
    """A person's own choice: ``comments.sort`` → ``newest``."""

    __tablename__ = "rse_core_preference"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


class Visit(CoreBase):
    """This person was here on this day (UTC); recorded at every level, so that the baseline exists."""

    __tablename__ = "rse_core_visit"
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    person_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class IdempotencyKey(CoreBase):
    """A creating call that was already answered: the same key gives the same answer, another body a conflict."""

    __tablename__ = "rse_core_idempotency"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    operation: Mapped[str] = mapped_column(String(120))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    result: Mapped[str] = mapped_column(String(500), default="")
    at: Mapped[dt.datetime] = mapped_column(default=utcnow, index=True)


class Token(CoreBase):
    """A REST token; only its SHA-256 is kept. ``scopes``: space-separated."""

    __tablename__ = "rse_core_token"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), index=True)
    scopes: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    last_used: Mapped[dt.date | None] = mapped_column(Date)


class SignedSession(CoreBase):
    """A session that RSE began; only the SHA-256 of its text is kept. ``sid``: what the provider calls it."""

    __tablename__ = "rse_core_session"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), index=True)
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(300))
    sid: Mapped[str] = mapped_column(String(200), default="")
    label: Mapped[str] = mapped_column(String(100), default="")
    began_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    seen_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    ended_at: Mapped[dt.datetime | None]
    ended_why: Mapped[str] = mapped_column(String(40), default="")
    __table_args__ = (
        Index("ix_rse_core_session_subject", "issuer", "subject"),
        Index("ix_rse_core_session_sid", "issuer", "sid"),
    )


class RateMark(CoreBase):
    """Fixed-window counter of a person's acts; pruned."""

    __tablename__ = "rse_core_rate"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    what: Mapped[str] = mapped_column(String(80), primary_key=True)
    window: Mapped[int] = mapped_column(Key, primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
