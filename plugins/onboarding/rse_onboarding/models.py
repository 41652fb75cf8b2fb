"""The site's own tutorials, what each person noted of any of them, and which openings have been told."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow

Base = plugin_base("onboarding")


class SitePage(Base):
    """A tutorial written by the site's administrators; ``locale`` "" for readers of any language."""

    __tablename__ = "rse_onboarding_page"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    level: Mapped[int]
    locale: Mapped[str] = mapped_column(String(10), default="")
    position: Mapped[int] = mapped_column(default=100)
    video: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    changed_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    #: grows with every change, so that a stale form changes nothing
    version: Mapped[int] = mapped_column(default=1)


class Note(Base):
    """What one person noted of one tutorial: that they have done it, whether it was useful to them."""

    __tablename__ = "rse_onboarding_note"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    #: ``likes.react`` of a plugin's, ``site.12`` of the site's own
    tutorial: Mapped[str] = mapped_column(String(100), primary_key=True)
    done_at: Mapped[dt.datetime | None]
    useful: Mapped[bool | None]
    __table_args__ = (Index("ix_rse_onboarding_note_tutorial", "tutorial", "useful"),)


class Opening(Base):
    """How far the people of one dated level have been told that it opened: up to this person; ``done_at`` at the end."""

    __tablename__ = "rse_onboarding_opening"
    #: the row of the core's table of levels
    level_id: Mapped[int] = mapped_column(Key, primary_key=True)
    upto: Mapped[int] = mapped_column(Key, default=0)
    done_at: Mapped[dt.datetime | None]


class Indexed(Base):
    """What the search was given of a plugin's tutorial in one language, so that a new version is given again."""

    __tablename__ = "rse_onboarding_indexed"
    #: ``likes.react.fr``
    key: Mapped[str] = mapped_column(String(110), primary_key=True)
    level: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(40))
