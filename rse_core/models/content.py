"""Pages of the legacy intranet and the addresses they are known by."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String
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
