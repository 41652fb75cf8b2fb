"""cards that a moderator took down, or that are kept restorable elsewhere

Revision 0002, 2026-11-28.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("rse_kanban_card", sa.Column("was", sa.String(length=10), server_default="", nullable=False))
    op.add_column("rse_kanban_card", sa.Column("kept", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_rse_kanban_activity_page", "rse_kanban_activity", ["board_id", "at", "id"])
