"""Posts, and the entries of the feed that point at them and at any other plugin's objects.

The feed is fanned out when it is read: an entry has one audience, a person is in many, and every list is one ordered walk
per audience through a covering index. What is not to be listed (a draft, something held, hidden or deleted) has no
audience here, so that no list needs a second condition.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow

Base = plugin_base("feed")

_SCHEDULED = text("state = 'scheduled'")
_ANNOUNCED = text("announcement")


class Post(Base):
    """Something a person wrote for an audience.

    ``state``: draft, scheduled, pending, published, refused, hidden (taken down by a moderator), archived or deleted.
    Whether comments are closed is the comments' own affair. ``audience_id`` is whom it is *for*, from the draft on.
    """

    __tablename__ = "rse_feed_post"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    author_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    #: who answers for it since its author has left: has its author's rights (no foreign key: SQLite cannot add one
    #: without rebuilding the table)
    owner_id: Mapped[int | None] = mapped_column(Key)
    #: written in the name of an entity
    entity_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_entity.id", ondelete="SET NULL"))
    audience_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_audience.id"))
    space_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default="draft")
    version: Mapped[int] = mapped_column(default=1)
    #: {"url", "title", "description", "site"}, fetched with the author's consent; None without one
    link: Mapped[Any | None] = mapped_column(JSON)
    #: an announcement: tells its whole audience; ``must_read`` asks each to confirm; ``firm`` passes muted spaces
    announcement: Mapped[bool] = mapped_column(default=False)
    must_read: Mapped[bool] = mapped_column(default=False)
    firm: Mapped[bool] = mapped_column(default=False)
    acknowledge_by: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    edited_at: Mapped[dt.datetime | None]
    published_at: Mapped[dt.datetime | None]
    #: when a scheduled post appears, and the zone in which its author said so
    publish_at: Mapped[dt.datetime | None]
    publish_zone: Mapped[str] = mapped_column(String(60), default="")
    deleted_at: Mapped[dt.datetime | None]
    #: since when nobody may comment on it or react to it; what was written stays
    locked_at: Mapped[dt.datetime | None]
    decided_by: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    #: why it was hidden, refused or deleted
    reason: Mapped[str] = mapped_column(String(500), default="")
    __table_args__ = (
        Index("ix_rse_feed_post_author", "author_id", "id"),
        Index(
            "ix_rse_feed_post_owner", "owner_id", "id", sqlite_where=text("owner_id IS NOT NULL"),
            postgresql_where=text("owner_id IS NOT NULL"),
        ),
        Index("ix_rse_feed_post_space", "space_id", "id"),
        Index("ix_rse_feed_post_due", "publish_at", sqlite_where=_SCHEDULED, postgresql_where=_SCHEDULED),
        Index("ix_rse_feed_post_announced", "audience_id", "id", sqlite_where=_ANNOUNCED, postgresql_where=_ANNOUNCED),
        # What a person has still to confirm is counted on every page: few posts ask for it.
        Index(
            "ix_rse_feed_post_must_read", "audience_id", "id",
            sqlite_where=text("must_read = 1"), postgresql_where=text("must_read"),
        ),
    )


class PostRevision(Base):
    """What a post said before an edit."""

    __tablename__ = "rse_feed_revision"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    post_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_feed_post.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(200), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))


class Topic(Base):
    """A subject that posts carry, ``#retraite``: of the whole site, or of one space. ``key`` is folded."""

    __tablename__ = "rse_feed_topic"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(60))
    #: 0: of the whole site
    space_id: Mapped[int] = mapped_column(Key, default=0)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (UniqueConstraint("space_id", "key"),)


class PostTopic(Base):
    """This post is about this topic."""

    __tablename__ = "rse_feed_post_topic"
    topic_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_feed_topic.id", ondelete="CASCADE"), primary_key=True)
    post_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_feed_post.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class TopicFollow(Base):
    """This person follows this topic: is told of what is posted on it, as far as they may see it."""

    __tablename__ = "rse_feed_topic_follow"
    topic_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_feed_topic.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    since: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Entry(Base):
    """One line of the feed: somebody (or an entity) did something to an object. The object stays where it is.

    ``audience_id`` is None while it must not be listed. ``title`` is a copy of the object's at the time, for lists only.
    ``event`` names the :class:`~rse_core.api.Activity`.
    """

    __tablename__ = "rse_feed_entry"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ref_type: Mapped[str] = mapped_column(String(81))
    ref_id: Mapped[str] = mapped_column(String(500))
    event: Mapped[str] = mapped_column(String(80))
    actor_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    entity_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_entity.id", ondelete="SET NULL"))
    audience_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_audience.id"))
    space_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(300), default="")
    #: of little value to most people: listed only for those who want everything
    low: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    last_activity: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        UniqueConstraint("ref_type", "ref_id", "event"),
        Index("ix_rse_feed_entry_new", "audience_id", "low", "created_at", "id"),
        Index("ix_rse_feed_entry_active", "audience_id", "low", "last_activity", "id"),
        Index("ix_rse_feed_entry_space_new", "space_id", "low", "created_at", "id"),
        Index("ix_rse_feed_entry_space_active", "space_id", "low", "last_activity", "id"),
    )


class Pin(Base):
    """An entry kept at the head of its space's page until a time; without effect in anybody's general feed."""

    __tablename__ = "rse_feed_pin"
    space_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"), primary_key=True)
    entry_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_feed_entry.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    until: Mapped[dt.datetime | None]
    pinned_by: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    pinned_at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Acknowledgement(Base):
    """This person confirmed having read this announcement."""

    __tablename__ = "rse_feed_acknowledgement"
    post_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_feed_post.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Subscription(Base):
    """An address by which a program reads a feed as its owner would (Atom, JSON feed); only a digest of its token is kept.

    ``space_id`` None: the personal feed.
    """

    __tablename__ = "rse_feed_subscription"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), index=True)
    space_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    last_used_on: Mapped[dt.date | None]
    revoked_at: Mapped[dt.datetime | None]


class SpaceCount(Base):
    """Published posts of a space and when the last one came; kept in the same transaction."""

    __tablename__ = "rse_feed_space_count"
    space_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"), primary_key=True)
    posts: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[dt.datetime | None]
    __table_args__ = (CheckConstraint("posts >= 0", name="not_negative"),)
