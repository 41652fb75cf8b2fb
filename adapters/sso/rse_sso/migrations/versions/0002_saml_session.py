"""What identity providers call the sessions that began by SAML."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sso_0002"
down_revision = "sso_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rse_sso_saml_session",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("name_digest", sa.String(64), nullable=False),
        sa.Column("sid", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rse_sso_saml_session"),
    )
    for column in ("name_digest", "sid", "expires_at"):
        op.create_index(f"ix_rse_sso_saml_session_{column}", "rse_sso_saml_session", [column])


def downgrade() -> None:
    for column in ("expires_at", "sid", "name_digest"):
        op.drop_index(f"ix_rse_sso_saml_session_{column}", table_name="rse_sso_saml_session")
    op.drop_table("rse_sso_saml_session")
