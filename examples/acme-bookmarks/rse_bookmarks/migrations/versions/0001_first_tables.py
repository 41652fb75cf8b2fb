"""first tables

Revision 0001, 2026-11-23.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "rse_bookmarks_bookmark",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_bookmarks_bookmark_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_bookmarks_bookmark")),
        sa.UniqueConstraint(
            "person_id", "ref_type", "ref_id", name=op.f("uq_rse_bookmarks_bookmark_person_id_ref_type_ref_id")
        ),
    )
    op.create_index("ix_rse_bookmarks_bookmark_mine", "rse_bookmarks_bookmark", ["person_id", "id"], unique=False)
