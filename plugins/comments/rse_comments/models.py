"""Comments, their revisions, the state of a thread, and a narrow counter."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow

Base = plugin_base("comments")


class Comment(Base):
    """One comment. ``parent_id`` is set on a reply: there is one sub-level, and a reply to a reply keeps its top comment
    as parent and names whom it answers in ``answers_id``.

    ``state``: published, pending, refused or deleted (a placeholder that keeps the thread).
    """

    __tablename__ = "rse_comments_comment"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ref_type: Mapped[str] = mapped_column(String(81))
    ref_id: Mapped[str] = mapped_column(String(500))
    parent_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_comments_comment.id"))
    answers_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_comments_comment.id"))
    author_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    audience_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_audience.id"))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default="published")
    version: Mapped[int] = mapped_column(default=1)
    #: reactions to it, kept by a consumer of their events: what "best first" sorts by
    score: Mapped[int] = mapped_column(default=0)
    #: replies that are published; kept in the same transaction
    replies: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    edited_at: Mapped[dt.datetime | None]
    deleted_at: Mapped[dt.datetime | None]
    deleted_by: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    #: why it was deleted or refused; shown in the placeholder or to the author
    reason: Mapped[str] = mapped_column(String(500), default="")
    __table_args__ = (
        Index("ix_rse_comments_comment_thread", "ref_type", "ref_id", "parent_id", "id"),
        Index("ix_rse_comments_comment_parent", "parent_id", "id"),
        Index("ix_rse_comments_comment_author", "author_id", "id"),
    )


class Revision(Base):
    """What a comment said before an edit."""

    __tablename__ = "rse_comments_revision"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    comment_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_comments_comment.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Thread(Base):
    """What is special about the comments of one object: locked, or open only between two dates."""

    __tablename__ = "rse_comments_thread"
    ref_type: Mapped[str] = mapped_column(String(81), primary_key=True)
    ref_id: Mapped[str] = mapped_column(String(500), primary_key=True)
    locked_at: Mapped[dt.datetime | None]
    locked_by: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    opens_at: Mapped[dt.datetime | None]
    closes_at: Mapped[dt.datetime | None]


class CommentCount(Base):
    """Published comments of one object, replies included; exact in the same transaction."""

    __tablename__ = "rse_comments_count"
    ref_type: Mapped[str] = mapped_column(String(81), primary_key=True)
    ref_id: Mapped[str] = mapped_column(String(500), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    __table_args__ = (CheckConstraint("count >= 0", name="not_negative"),)
