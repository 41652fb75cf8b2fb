"""people from outside, mentions and files of every plugin, what the intranet published

Revision 0002, 2026-11-25.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "rse_core_legacy_sync",
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ok_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_rse_core_legacy_sync")),
    )
    op.create_table(
        "rse_core_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=43), nullable=False),
        sa.Column("ref_type", sa.String(length=81), nullable=True),
        sa.Column("ref_id", sa.String(length=500), nullable=True),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("alt", sa.String(length=500), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_file_owner_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_file")),
        sa.UniqueConstraint("key", name=op.f("uq_rse_core_file_key")),
    )
    op.create_index(
        "ix_rse_core_file_loose",
        "rse_core_file",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("ref_type IS NULL"),
        postgresql_where=sa.text("ref_type IS NULL"),
    )
    op.create_index(op.f("ix_rse_core_file_owner_id"), "rse_core_file", ["owner_id"], unique=False)
    op.create_index("ix_rse_core_file_ref", "rse_core_file", ["ref_type", "ref_id", "position"], unique=False)
    op.create_table(
        "rse_core_mention",
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("typed", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_mention_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ref_type", "ref_id", "person_id", name=op.f("pk_rse_core_mention")),
    )
    op.create_index(op.f("ix_rse_core_mention_person_id"), "rse_core_mention", ["person_id"], unique=False)
    op.add_column("rse_core_page", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "rse_core_page", sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
    op.add_column("rse_core_page", sa.Column("byline", sa.String(length=300), server_default="", nullable=False))
    op.add_column("rse_core_page", sa.Column("summary", sa.String(length=1000), server_default="", nullable=False))
    op.add_column("rse_core_page", sa.Column("source", sa.String(length=80), server_default="", nullable=False))
    op.add_column("rse_core_person", sa.Column("external", sa.Boolean(), server_default=sa.false(), nullable=False))
    bind = op.get_bind()
    if sa.inspect(bind).has_table("rse_comments_mention"):
        # The comments kept their mentions themselves until now; their own migration drops what is copied here.
        op.execute(
            "INSERT INTO rse_core_mention (ref_type, ref_id, person_id, typed) "
            "SELECT 'comments.comment', CAST(comment_id AS VARCHAR(20)), person_id, typed FROM rse_comments_mention"
        )
