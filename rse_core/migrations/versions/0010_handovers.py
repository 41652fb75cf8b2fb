"""what leavers left, and who keeps it

Revision 0010, 2026-11-28.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "rse_core_handover",
        sa.Column("id", KEY, nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("taker_id", KEY, nullable=False),
        sa.Column("space_id", KEY, nullable=True),
        sa.Column("audience_id", KEY, nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["audience_id"], ["rse_core_audience.id"], name=op.f("fk_rse_core_handover_audience_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_handover_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_core_handover_space_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["taker_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_handover_taker_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_handover")),
    )
    for column in ("audience_id", "person_id", "space_id", "taker_id"):
        op.create_index(op.f(f"ix_rse_core_handover_{column}"), "rse_core_handover", [column], unique=False)
    op.create_table(
        "rse_core_handover_item",
        sa.Column("handover_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("ident", sa.String(length=200), nullable=False),
        sa.Column("was", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["handover_id"], ["rse_core_handover.id"], name=op.f("fk_rse_core_handover_item_handover_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("handover_id", "kind", "ident", name=op.f("pk_rse_core_handover_item")),
    )  # fmt: skip
