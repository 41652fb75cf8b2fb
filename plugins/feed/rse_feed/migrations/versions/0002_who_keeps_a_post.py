"""who keeps a post since its author has left

Revision 0002, 2026-11-28.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEPT = sa.text("owner_id IS NOT NULL")


def upgrade() -> None:
    # No foreign key: SQLite cannot add one without rebuilding the table. Accounts are emptied, never deleted.
    op.add_column("rse_feed_post", sa.Column("owner_id", KEY, nullable=True))
    op.create_index(
        "ix_rse_feed_post_owner", "rse_feed_post", ["owner_id", "id"], sqlite_where=KEPT, postgresql_where=KEPT
    )
