"""What is announced to an audience in one row, who has read it, and what each person wants to be told of."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import CoreBase, Key, utcnow


class Broadcast(CoreBase):
    """One notification for a whole audience. ``cause`` is unique: what happened tells once, and is taken back by it.

    ``space_id`` and ``thread`` (``type:id``) are where it stands, so that whoever muted them does not hear of it, unless it
    is ``firm``.
    """

    __tablename__ = "rse_core_broadcast"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    audience_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_audience.id", ondelete="CASCADE"))
    space_id: Mapped[int | None] = mapped_column(Key)
    type: Mapped[str] = mapped_column(String(80))
    ref_type: Mapped[str] = mapped_column(String(81))
    ref_id: Mapped[str] = mapped_column(String(500))
    thread: Mapped[str] = mapped_column(String(600), default="")
    cause: Mapped[str] = mapped_column(String(120), unique=True)
    actor_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    data: Mapped[Any] = mapped_column(JSON, default=dict)
    firm: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        Index("ix_rse_core_broadcast_audience", "audience_id", "id"),
        Index("ix_rse_core_broadcast_space", "space_id", "id"),
        Index("ix_rse_core_broadcast_at", "created_at"),
    )


class BroadcastReader(CoreBase):
    """This person has read every broadcast up to ``upto``."""

    __tablename__ = "rse_core_broadcast_reader"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    upto: Mapped[int] = mapped_column(Key)


class BroadcastMark(CoreBase):
    """This person has read this one broadcast, or (``hidden``) does not want to see it again."""

    __tablename__ = "rse_core_broadcast_mark"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_broadcast.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    hidden: Mapped[bool] = mapped_column(default=False)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Mute(CoreBase):
    """What a person wants to hear of a space or a thread: ``mentions`` (what names them), ``none``, or ``all``, where the
    space's own default says less."""

    __tablename__ = "rse_core_mute"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    ref_type: Mapped[str] = mapped_column(String(81), primary_key=True)
    ref_id: Mapped[str] = mapped_column(String(500), primary_key=True)
    hears: Mapped[str] = mapped_column(String(10), default="mentions")
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index("ix_rse_core_mute_ref", "ref_type", "ref_id"),)


class NotificationChoice(CoreBase):
    """How this person wants to be told of this type by this channel: ``none``, ``immediate``, ``daily`` or ``weekly``;
    for the channel ``page``, ``none`` or ``immediate``."""

    __tablename__ = "rse_core_notification_choice"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    type: Mapped[str] = mapped_column(String(80), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(10))


class NotificationDefault(CoreBase):
    """As :class:`NotificationChoice`, for everybody who has not chosen; where there is no row, the type's own default."""

    __tablename__ = "rse_core_notification_default"
    type: Mapped[str] = mapped_column(String(80), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(10))
