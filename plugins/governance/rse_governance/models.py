"""Reports and what became of them, words to look for, what was deleted and can come back, tools, terms of keeping."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow

Base = plugin_base("governance")


class Case(Base):
    """An object that was reported, or noted by a word rule; one for each object, opened again by a later report.

    ``state``: open, kept (left in place), hidden (taken down), appealed, confirmed (the appeal was refused) or restored (it
    was granted). The three ids say whose moderators decide, as they do for what waits for a moderator.
    """

    __tablename__ = "rse_governance_case"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ref_type: Mapped[str] = mapped_column(String(81))
    ref_id: Mapped[str] = mapped_column(String(500))
    author_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    audience_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_audience.id"))
    entity_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_entity.id", ondelete="SET NULL"))
    space_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(10), default="open")
    #: reports since the last decision, and whether a word rule noted it since
    reports: Mapped[int] = mapped_column(default=0)
    noted: Mapped[bool] = mapped_column(default=False)
    #: taken down by the number of reports alone; nobody has decided yet
    automatic: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    decided_at: Mapped[dt.datetime | None]
    decided_by: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(Text, default="")
    #: until when its author may appeal; None without end: nobody has decided yet, or it was decided before there was a term
    appeal_until: Mapped[dt.datetime | None]
    appealed_at: Mapped[dt.datetime | None]
    appeal: Mapped[str] = mapped_column(Text, default="")
    #: nobody but who took it down moderates there: those of the whole site decide, and see what its author discloses
    escalated: Mapped[bool] = mapped_column(default=False, server_default=false())
    disclosed: Mapped[str] = mapped_column(Text, default="", server_default="")
    appeal_decided_by: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    appeal_reason: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (
        UniqueConstraint("ref_type", "ref_id"),
        Index("ix_rse_governance_case_state", "state", "id"),
    )

    @property
    def appealable(self) -> bool:
        """Whether its author may appeal now: once, within the term, against what was taken down."""
        down = self.state == "hidden" or (self.state == "open" and self.automatic)
        return down and self.appealed_at is None and (self.appeal_until is None or self.appeal_until > utcnow())


class Report(Base):
    """One person's report of one object; once a person and object."""

    __tablename__ = "rse_governance_report"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_governance_case.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (UniqueConstraint("case_id", "person_id"),)


class WordRule(Base):
    """Words to look for in what people write, whole and folded. ``scope``: site, entity or space; ``act``: hold, refuse or
    note. ``words`` one expression a line."""

    __tablename__ = "rse_governance_word_rule"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    scope: Mapped[str] = mapped_column(String(10))
    scope_id: Mapped[int] = mapped_column(Key, default=0)
    act: Mapped[str] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(String(500), default="")
    created_by: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    version: Mapped[int] = mapped_column(default=1)
    __table_args__ = (Index("ix_rse_governance_word_rule_scope", "scope", "scope_id"),)


class Found(Base):
    """Which expressions a word rule found in an object, the last time that it was looked at."""

    __tablename__ = "rse_governance_found"
    ref_type: Mapped[str] = mapped_column(String(81), primary_key=True)
    ref_id: Mapped[str] = mapped_column(String(500), primary_key=True)
    act: Mapped[str] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Binned(Base):
    """Something deleted that can come back until ``until``."""

    __tablename__ = "rse_governance_binned"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ref_type: Mapped[str] = mapped_column(String(81))
    ref_id: Mapped[str] = mapped_column(String(500))
    author_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    audience_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_audience.id"))
    entity_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_entity.id", ondelete="SET NULL"))
    space_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"))
    deleted_by: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    until: Mapped[dt.datetime] = mapped_column(index=True)
    __table_args__ = (UniqueConstraint("ref_type", "ref_id"),)


class Tool(Base):
    """A line of the register “which tool for which use”."""

    __tablename__ = "rse_governance_tool"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    use: Mapped[str] = mapped_column(String(200))
    tool: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(1000), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
    position: Mapped[int] = mapped_column(default=0)
    #: shown beside the forms in which people write
    shown: Mapped[bool] = mapped_column(default=True)


class Term(Base):
    """After how many days one kind of personal data is pruned, where the site says otherwise than the plugin; 0: never."""

    __tablename__ = "rse_governance_term"
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    days: Mapped[int]
    set_by: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))
    set_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
