"""spaces that are renamed and merged, and what their members are told of by default

Revision 0003, 2026-11-25.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "rse_core_space_alias",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_core_space_alias_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rse_core_space_alias")),
    )
    op.create_index(op.f("ix_rse_core_space_alias_space_id"), "rse_core_space_alias", ["space_id"], unique=False)
    op.add_column("rse_core_space", sa.Column("notify", sa.String(length=10), server_default="", nullable=False))
    op.add_column(
        "rse_core_space", sa.Column("merged_into", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
