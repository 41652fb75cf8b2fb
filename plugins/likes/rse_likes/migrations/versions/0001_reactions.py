"""reactions and their counters

Revision 0001, 2026-11-23.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "rse_likes_reaction",
        sa.Column("id", _key, nullable=False),
        sa.Column("person_id", _key, nullable=True),
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("via", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_likes_reaction_person_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_likes_reaction")),
        sa.UniqueConstraint("person_id", "ref_type", "ref_id", name=op.f("uq_rse_likes_reaction_person_id_ref_type_ref_id")),
    )
    op.create_index("ix_rse_likes_reaction_mine", "rse_likes_reaction", ["person_id", "id"])
    op.create_index("ix_rse_likes_reaction_ref", "rse_likes_reaction", ["ref_type", "ref_id", "id"])
    op.create_table(
        "rse_likes_count",
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("count >= 0", name=op.f("ck_rse_likes_count_not_negative")),
        sa.PrimaryKeyConstraint("ref_type", "ref_id", "kind", name=op.f("pk_rse_likes_count")),
    )
