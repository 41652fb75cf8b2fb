"""what cards said before they were changed

Revision 0004, 2026-11-28.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    table = "rse_kanban_revision"
    op.create_table(
        table,
        sa.Column("id", KEY, nullable=False),
        sa.Column("card_id", KEY, nullable=False),
        sa.Column("board_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("unpublished", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["card_id"], ["rse_kanban_card.id"], name=op.f("fk_rse_kanban_revision_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_revision_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["by_id"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_revision_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_revision")),
    )
    for name in ("board_id", "by_id"):
        op.create_index(op.f(f"ix_rse_kanban_revision_{name}"), table, [name])
    op.create_index("ix_rse_kanban_revision_card", table, ["card_id", "id"])
