"""What communities keep beside the core's spaces, members and rules."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow

Base = plugin_base("communities")
_SPACE = "rse_core_space.id"
_PERSON = "rse_core_person.id"


class Profile(Base):
    """What a space is for, who runs it, how one gets in.

    ``state``: preparing (its members alone know of it) or open; archived and merged are the core's to say. ``wanted`` is the
    visibility that it gets when it opens. ``sheet``: the framing sheet's answers, see :mod:`rse_communities.framing`.
    """

    __tablename__ = "rse_communities_profile"
    space_id: Mapped[int] = mapped_column(Key, ForeignKey(_SPACE, ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), default="community")
    #: lower case, no accents: what the directory searches and sorts by
    folded: Mapped[str] = mapped_column(String(300))
    purpose: Mapped[str] = mapped_column(String(1000), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    #: its own editorial rules, shown beside where people write
    rules: Mapped[str] = mapped_column(Text, default="")
    contact_id: Mapped[int | None] = mapped_column(Key, ForeignKey(_PERSON, ondelete="SET NULL"), index=True)
    deputy_id: Mapped[int | None] = mapped_column(Key, ForeignKey(_PERSON, ondelete="SET NULL"), index=True)
    join_policy: Mapped[str] = mapped_column(String(10), default="request")
    state: Mapped[str] = mapped_column(String(10), default="open")
    wanted: Mapped[str] = mapped_column(String(20), default="listed")
    sheet: Mapped[Any] = mapped_column(JSON, default=dict)
    #: active members; kept in the same transaction, checked by ``rse doctor``
    members: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[int | None] = mapped_column(Key, ForeignKey(_PERSON, ondelete="SET NULL"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    opened_at: Mapped[dt.datetime | None]
    #: when something was last published in it
    active_at: Mapped[dt.datetime | None]
    __table_args__ = (
        Index("ix_rse_communities_profile_folded", "folded", "space_id"),
        CheckConstraint("members >= 0", name="not_negative"),
    )


class JoinRequest(Base):
    """Somebody asks to be let in. ``state``: pending, accepted, refused, withdrawn or expired."""

    __tablename__ = "rse_communities_request"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    space_id: Mapped[int] = mapped_column(Key, ForeignKey(_SPACE, ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(Key, ForeignKey(_PERSON, ondelete="CASCADE"), index=True)
    message: Mapped[str] = mapped_column(String(1000), default="")
    state: Mapped[str] = mapped_column(String(10), default="pending")
    answer: Mapped[str] = mapped_column(String(1000), default="")
    decided_by: Mapped[int | None] = mapped_column(Key, ForeignKey(_PERSON, ondelete="SET NULL"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    decided_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime]
    __table_args__ = (
        Index(
            "uq_rse_communities_request_pending", "space_id", "person_id", unique=True,
            sqlite_where=text("state = 'pending'"), postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_rse_communities_request_space", "space_id", "state", "id"),
    )  # fmt: skip


class Invitation(Base):
    """Somebody is asked to come. ``state``: pending, accepted, declined, revoked or expired."""

    __tablename__ = "rse_communities_invitation"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    space_id: Mapped[int] = mapped_column(Key, ForeignKey(_SPACE, ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(Key, ForeignKey(_PERSON, ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(20), default="member")
    message: Mapped[str] = mapped_column(String(1000), default="")
    state: Mapped[str] = mapped_column(String(10), default="pending")
    invited_by: Mapped[int | None] = mapped_column(Key, ForeignKey(_PERSON, ondelete="SET NULL"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    sent_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    sent: Mapped[int] = mapped_column(default=1)
    decided_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime]
    __table_args__ = (
        Index(
            "uq_rse_communities_invitation_pending", "space_id", "person_id", unique=True,
            sqlite_where=text("state = 'pending'"), postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_rse_communities_invitation_space", "space_id", "state", "id"),
        Index("ix_rse_communities_invitation_person", "person_id", "state"),
    )  # fmt: skip


class Feeder(Base):
    """A group or an entity (with all below it) whose people are members: ``kind`` group or entity, ``target_id`` its row."""

    __tablename__ = "rse_communities_feeder"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    space_id: Mapped[int] = mapped_column(Key, ForeignKey(_SPACE, ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    target_id: Mapped[int] = mapped_column(Key)
    role: Mapped[str] = mapped_column(String(20), default="member")
    created_by: Mapped[int | None] = mapped_column(Key, ForeignKey(_PERSON, ondelete="SET NULL"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    #: when the members last were those of the group
    synced_at: Mapped[dt.datetime | None]
    __table_args__ = (Index("uq_rse_communities_feeder", "space_id", "kind", "target_id", unique=True),)


class FedMember(Base):
    """This member is here because of groups or entities alone; who came by themselves has no row."""

    __tablename__ = "rse_communities_fed"
    space_id: Mapped[int] = mapped_column(Key, ForeignKey(_SPACE, ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(Key, ForeignKey(_PERSON, ondelete="CASCADE"), primary_key=True, index=True)


class Exclusion(Base):
    """This person is not brought in by a group or an entity."""

    __tablename__ = "rse_communities_exclusion"
    space_id: Mapped[int] = mapped_column(Key, ForeignKey(_SPACE, ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(Key, ForeignKey(_PERSON, ondelete="CASCADE"), primary_key=True, index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Batch(Base):
    """A list of people to add or to remove, as it was sent, and what became of each line."""

    __tablename__ = "rse_communities_batch"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    space_id: Mapped[int] = mapped_column(Key, ForeignKey(_SPACE, ondelete="CASCADE"), index=True)
    #: ``add`` or ``remove``
    act: Mapped[str] = mapped_column(String(10))
    created_by: Mapped[int | None] = mapped_column(Key, ForeignKey(_PERSON, ondelete="SET NULL"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow, index=True)
    finished_at: Mapped[dt.datetime | None]
    #: ``[line, name, role]`` each
    rows: Mapped[Any] = mapped_column(JSON, default=list)
    #: ``[line, name, outcome]`` each, as far as it got
    report: Mapped[Any] = mapped_column(JSON, default=list)


class Entry(Base):
    """A site administrator looks into a private space for an hour, and said why."""

    __tablename__ = "rse_communities_entry"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    space_id: Mapped[int] = mapped_column(Key, ForeignKey(_SPACE, ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(Key, ForeignKey(_PERSON, ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(String(1000))
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    ends_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    __table_args__ = (
        Index("ix_rse_communities_entry_person", "person_id", "space_id"),
        Index(
            "ix_rse_communities_entry_open", "ends_at",
            sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL"),
        ),
    )  # fmt: skip


class DayCount(Base):
    """How often something happened in a space on a day (UTC); numbers alone, no names."""

    __tablename__ = "rse_communities_day"
    space_id: Mapped[int] = mapped_column(Key, ForeignKey(_SPACE, ondelete="CASCADE"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    #: ``posts``, ``comments``, ``reactions`` or ``joined``
    what: Mapped[str] = mapped_column(String(20), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    __table_args__ = (Index("ix_rse_communities_day_day", "day"),)
