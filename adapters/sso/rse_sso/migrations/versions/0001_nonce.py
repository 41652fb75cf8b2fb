"""Nonces of hand-off tokens that have served."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sso_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rse_sso_nonce",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_rse_sso_nonce"),
    )
    op.create_index("ix_rse_sso_nonce_expires_at", "rse_sso_nonce", ["expires_at"])


def downgrade() -> None:
    op.drop_index("ix_rse_sso_nonce_expires_at", table_name="rse_sso_nonce")
    op.drop_table("rse_sso_nonce")
