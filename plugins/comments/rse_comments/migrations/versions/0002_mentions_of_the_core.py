"""mentions are the core's

Revision 0002, 2026-11-25.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_index(op.f("ix_rse_comments_mention_person_id"), table_name="rse_comments_mention")
    op.drop_table("rse_comments_mention")
