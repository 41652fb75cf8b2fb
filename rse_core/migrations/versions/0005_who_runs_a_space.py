"""who runs a space is found without reading all its members

Revision 0005, 2026-11-27.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("ix_rse_core_space_member_role", "rse_core_space_member", ["space_id", "role"])
