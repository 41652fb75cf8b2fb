"""Messages that leave, how far each broadcast and each digest has been worked off, when a person wants their digest."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow

Base = plugin_base("notifications")


class Message(Base):
    """One message to one person by one channel.

    ``kind``: ``notice`` (of the row ``source_id``), ``broadcast`` or ``digest``. ``key`` is unique: the channel, what it is
    about and the person, so that it is made once however often the making is interrupted. ``state``: queued, sending (under
    a lease), sent, failed (for good) or dropped (not wanted, or not allowed, any more when it was to be sent).
    """

    __tablename__ = "rse_notifications_message"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    channel: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    source_id: Mapped[int | None] = mapped_column(Key)
    #: of a digest: daily or weekly
    rhythm: Mapped[str] = mapped_column(String(10), default="")
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    lease_until: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    done_at: Mapped[dt.datetime | None]
    #: why it failed or was dropped; never what it said
    note: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (
        Index("ix_rse_notifications_message_due", "state", "due_at", "id"),
        Index("ix_rse_notifications_message_done", "done_at"),
        Index("ix_rse_notifications_message_of", "person_id", "channel", "kind", "done_at"),
    )


class Spread(Base):
    """How far a broadcast has been turned into messages of one channel: up to this person; ``done_at`` at the end."""

    __tablename__ = "rse_notifications_spread"
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(Key, primary_key=True)
    upto: Mapped[int] = mapped_column(Key, default=0)
    done_at: Mapped[dt.datetime | None]


class Round(Base):
    """One digest of all who want theirs at this hour in this zone: made up to this person; ``done_at`` at the end."""

    __tablename__ = "rse_notifications_round"
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    rhythm: Mapped[str] = mapped_column(String(10), primary_key=True)
    zone: Mapped[str] = mapped_column(String(60), primary_key=True)
    hour: Mapped[int] = mapped_column(primary_key=True)
    #: the day it is for, in that zone: 2027-03-28
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    upto: Mapped[int] = mapped_column(Key, default=0)
    done_at: Mapped[dt.datetime | None]


class Schedule(Base):
    """When this person wants their digest, where that is not as the site says."""

    __tablename__ = "rse_notifications_schedule"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    hour: Mapped[int | None]
    zone: Mapped[str] = mapped_column(String(60), default="")
    __table_args__ = (Index("ix_rse_notifications_schedule_when", "zone", "hour"),)


class Address(Base):
    """An address that refused messages for good; at three nothing more is sent there until it changes or is cleared."""

    __tablename__ = "rse_notifications_address"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    address: Mapped[str] = mapped_column(String(320))
    refused: Mapped[int] = mapped_column(default=0)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)
