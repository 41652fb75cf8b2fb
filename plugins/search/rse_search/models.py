"""The index: a row for each thing that may be found, the words behind "did you mean", and where a rebuilding stands."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow

Base = plugin_base("search")

#: A column of PostgreSQL alone. SQLite has a table of its own for it, ``rse_search_text``, which the migration makes.
Vector = TSVECTOR().with_variant(Text(), "sqlite")


class Document(Base):
    """What is kept of one object. Texts are as they are shown; ``vector`` (PostgreSQL) is what they are found by.

    ``digest`` says whether anything changed; ``generation`` in which rebuilding the row was last confirmed.
    """

    __tablename__ = "rse_search_document"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ref_type: Mapped[str] = mapped_column(String(81))
    ref_id: Mapped[str] = mapped_column(String(500))
    kind: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(500))
    body: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    parent_type: Mapped[str | None] = mapped_column(String(81))
    parent_id: Mapped[str | None] = mapped_column(String(500))
    audience_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_audience.id", ondelete="CASCADE"))
    author_id: Mapped[int | None] = mapped_column(Key)
    space_id: Mapped[int | None] = mapped_column(Key)
    entity_id: Mapped[int | None] = mapped_column(Key)
    at: Mapped[dt.datetime]
    digest: Mapped[str] = mapped_column(String(32))
    generation: Mapped[int] = mapped_column(default=0)
    vector: Mapped[str | None] = mapped_column(Vector, deferred=True)
    __table_args__ = (
        UniqueConstraint("ref_type", "ref_id"),
        Index("ix_rse_search_document_audience", "audience_id", "at", "id"),
        Index("ix_rse_search_document_author", "author_id", "at"),
        Index("ix_rse_search_document_space", "space_id", "at"),
        Index(
            "ix_rse_search_document_parent", "parent_type", "parent_id", "id",
            sqlite_where=text("parent_type IS NOT NULL"), postgresql_where=text("parent_type IS NOT NULL"),
        ),
        Index("ix_rse_search_document_generation", "ref_type", "generation"),
        # Empty on SQLite, where the column is.
        Index(
            "ix_rse_search_document_vector", "vector", postgresql_using="gin", sqlite_where=text("vector IS NOT NULL")
        ),
    )  # fmt: skip


class Near(Base):
    """Words of the index, each under itself and under what is left of it when one letter is taken away: two words of which
    one is a slip of the other meet here. What is proposed from it is first looked for in what the person may see.
    """

    __tablename__ = "rse_search_near"
    part: Mapped[str] = mapped_column(String(24), primary_key=True)
    word: Mapped[str] = mapped_column(String(24), primary_key=True)
    __table_args__ = (Index("ix_rse_search_near_word", "word"),)


class Rebuild(Base):
    """Where a rebuilding stands, for each type of object: it goes on there when it was interrupted."""

    __tablename__ = "rse_search_rebuild"
    ref_type: Mapped[str] = mapped_column(String(81), primary_key=True)
    generation: Mapped[int] = mapped_column(default=0)
    after: Mapped[str | None] = mapped_column(String(500))
    done: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[dt.datetime | None]


class EntityName(Base):
    """The name of an entity as its people's documents have it; another one in the organisation means: index them again."""

    __tablename__ = "rse_search_entity"
    entity_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(300))


class Watermark(Base):
    """Up to which change of a person the index has followed."""

    __tablename__ = "rse_search_watermark"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[dt.datetime]
