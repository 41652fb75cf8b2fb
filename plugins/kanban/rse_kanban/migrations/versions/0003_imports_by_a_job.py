"""imports of large files, taken by a job

Revision 0003, 2026-11-28.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    table = "rse_kanban_import"
    op.create_table(
        table,
        sa.Column("id", KEY, nullable=False),
        sa.Column("board_id", KEY, nullable=False),
        sa.Column("person_id", KEY, nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("left", sa.JSON(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_import_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_import_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_import")),
    )
    for name in ("board_id", "person_id", "state"):
        op.create_index(op.f(f"ix_rse_kanban_import_{name}"), table, [name])
