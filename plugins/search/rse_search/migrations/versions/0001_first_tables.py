"""documents, the words near others, where a rebuilding stands; on SQLite the table that words are found in

Revision 0001, 2026-11-25.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "rse_search_entity",
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("entity_id", name=op.f("pk_rse_search_entity")),
    )
    op.create_table(
        "rse_search_near",
        sa.Column("part", sa.String(length=24), nullable=False),
        sa.Column("word", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("part", "word", name=op.f("pk_rse_search_near")),
    )
    op.create_index("ix_rse_search_near_word", "rse_search_near", ["word"], unique=False)
    op.create_table(
        "rse_search_rebuild",
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("after", sa.String(length=500), nullable=True),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("ref_type", name=op.f("pk_rse_search_rebuild")),
    )
    op.create_table(
        "rse_search_watermark",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rse_search_watermark")),
    )
    op.create_table(
        "rse_search_document",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("parent_type", sa.String(length=81), nullable=True),
        sa.Column("parent_id", sa.String(length=500), nullable=True),
        sa.Column("audience_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("vector", postgresql.TSVECTOR().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["audience_id"], ["rse_core_audience.id"], name=op.f("fk_rse_search_document_audience_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_search_document")),
        sa.UniqueConstraint("ref_type", "ref_id", name=op.f("uq_rse_search_document_ref_type_ref_id")),
    )
    op.create_index("ix_rse_search_document_audience", "rse_search_document", ["audience_id", "at", "id"], unique=False)
    op.create_index("ix_rse_search_document_author", "rse_search_document", ["author_id", "at"], unique=False)
    op.create_index("ix_rse_search_document_generation", "rse_search_document", ["ref_type", "generation"], unique=False)
    op.create_index(
        "ix_rse_search_document_parent",
        "rse_search_document",
        ["parent_type", "parent_id", "id"],
        unique=False,
        sqlite_where=sa.text("parent_type IS NOT NULL"),
        postgresql_where=sa.text("parent_type IS NOT NULL"),
    )
    op.create_index("ix_rse_search_document_space", "rse_search_document", ["space_id", "at"], unique=False)
    op.create_index(
        "ix_rse_search_document_vector",
        "rse_search_document",
        ["vector"],
        unique=False,
        postgresql_using="gin",
        sqlite_where=sa.text("vector IS NOT NULL"),
    )
    if op.get_context().dialect.name == "sqlite":
        # Only folded words go in; remove_diacritics is for what folding in Python leaves.
        op.execute(
            "CREATE VIRTUAL TABLE rse_search_text USING fts5(title, words, body, title_stems, stems, "
            "tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4')"
        )
        # A document that goes, by whatever statement, takes its words with it.
        op.execute(
            "CREATE TRIGGER rse_search_document_gone AFTER DELETE ON rse_search_document "
            "BEGIN DELETE FROM rse_search_text WHERE rowid = old.id; END"
        )
