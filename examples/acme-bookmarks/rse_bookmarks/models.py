"""One row for each thing that a person kept."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow

Base = plugin_base("bookmarks")


class Bookmark(Base):
    """``ref_type`` and ``ref_id`` name a page of the intranet or an object of any plugin."""

    __tablename__ = "rse_bookmarks_bookmark"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"))
    ref_type: Mapped[str] = mapped_column(String(81))
    ref_id: Mapped[str] = mapped_column(String(500))
    kept_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        UniqueConstraint("person_id", "ref_type", "ref_id"),
        Index("ix_rse_bookmarks_bookmark_mine", "person_id", "id"),
    )
