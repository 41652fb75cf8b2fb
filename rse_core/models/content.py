"""Pages of the legacy intranet and the addresses they are known by; whom a text names; files that people bring."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import CoreBase, Key, utcnow


class Page(CoreBase):
    """A page of the existing intranet.

    ``key`` is the id in ``page:<key>`` and never changes: the canonical address at which the page was first known
    (path and significant query, no host; ``<site>:`` before it for any but the main site). ``address`` is its present one.
    """

    __tablename__ = "rse_core_page"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(500), unique=True)
    site: Mapped[str] = mapped_column(String(40), default="")
    address: Mapped[str] = mapped_column(String(500), index=True)
    native_id: Mapped[str | None] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(500), default="")
    section: Mapped[str] = mapped_column(String(300), default="")
    locale: Mapped[str] = mapped_column(String(10), default="")
    audience_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_audience.id"))
    #: writing on this one page is closed (old comments stay)
    locked_at: Mapped[dt.datetime | None]
    first_seen: Mapped[dt.datetime] = mapped_column(default=utcnow)
    last_seen: Mapped[dt.datetime] = mapped_column(default=utcnow)
    gone_at: Mapped[dt.datetime | None]
    #: what the intranet itself published, as a source told it (``legacy.py``); None for a page that was only visited
    published_at: Mapped[dt.datetime | None]
    #: published by an entity, or by somebody whose name the source gives as text
    #: (no foreign key: SQLite cannot add one without rebuilding the table under what points at it)
    entity_id: Mapped[int | None] = mapped_column(Key)
    byline: Mapped[str] = mapped_column(String(300), default="", server_default="")
    summary: Mapped[str] = mapped_column(String(1000), default="", server_default="")
    source: Mapped[str] = mapped_column(String(80), default="", server_default="")


class PageAlias(CoreBase):
    """Another name of a page: ``native:<site>:<profile>:<id>`` or an address it had or is reached by.

    ``trusted``: it counts for everybody, because the server's side said so or two people's browsers did. One that a single
    person's browser said (``claimed_by``) counts for that person only.
    """

    __tablename__ = "rse_core_page_alias"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    alias: Mapped[str] = mapped_column(String(520), unique=True)
    page_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_page.id", ondelete="CASCADE"))
    trusted: Mapped[bool] = mapped_column(default=False)
    claimed_by: Mapped[int | None] = mapped_column(
        Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index("ix_rse_core_page_alias_page", "page_id"),)


class Mention(CoreBase):
    """Somebody named in a text; only people who can read it are recorded. ``typed`` is the username as it stands in the
    text: the person may be called otherwise since.
    """

    __tablename__ = "rse_core_mention"
    ref_type: Mapped[str] = mapped_column(String(81), primary_key=True)
    ref_id: Mapped[str] = mapped_column(String(500), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    typed: Mapped[str] = mapped_column(String(200))


class File(CoreBase):
    """A file that somebody brought: part of an object (``ref``), or for a day of nothing yet.

    ``key`` is its unguessable name in addresses and in the store; knowing it lets nobody in: who may read the object may
    read the file. ``kind`` is ``image`` (made anew in our own sizes, without what the camera noted) or ``file``.
    """

    __tablename__ = "rse_core_file"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(43), unique=True)
    ref_type: Mapped[str | None] = mapped_column(String(81))
    ref_id: Mapped[str | None] = mapped_column(String(500))
    owner_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(255))
    alt: Mapped[str] = mapped_column(String(500), default="")
    media_type: Mapped[str] = mapped_column(String(120))
    size: Mapped[int] = mapped_column(Key)
    sha256: Mapped[str] = mapped_column(String(64))
    width: Mapped[int | None]
    height: Mapped[int | None]
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        Index("ix_rse_core_file_ref", "ref_type", "ref_id", "position"),
        Index("ix_rse_core_file_loose", "created_at", sqlite_where=text("ref_type IS NULL"),
              postgresql_where=text("ref_type IS NULL")),
    )  # fmt: skip


class LegacySync(CoreBase):
    """Where the reading of one source of the intranet's content stands: its own notes, and how the last run went."""

    __tablename__ = "rse_core_legacy_sync"
    source: Mapped[str] = mapped_column(String(80), primary_key=True)
    state: Mapped[Any] = mapped_column(JSON, default=dict)
    ran_at: Mapped[dt.datetime | None]
    ok_at: Mapped[dt.datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")
    failures: Mapped[int] = mapped_column(default=0)
    seen: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
