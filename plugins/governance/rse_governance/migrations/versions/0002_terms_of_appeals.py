"""until when one may appeal

Revision 0002, 2026-11-28. What was decided before has no end.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("rse_governance_case", sa.Column("appeal_until", sa.DateTime(timezone=True), nullable=True))
