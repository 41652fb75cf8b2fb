"""appeals that go to the moderators of the whole site

Revision 0003, 2026-11-28. What its author lets them read is kept until the appeal is decided.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("rse_governance_case", sa.Column("escalated", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("rse_governance_case", sa.Column("disclosed", sa.Text(), nullable=False, server_default=""))
