"""answers of surveys

Revision 0001, 2026-11-27.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "rse_indicators_survey",
        sa.Column("id", KEY, nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("entity_id", KEY, nullable=False),
        sa.Column("respondents", sa.Integer(), nullable=False),
        sa.Column("daily", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_indicators_survey")),
        sa.UniqueConstraint("asked_on", "entity_id", name=op.f("uq_rse_indicators_survey_asked_on_entity_id")),
    )
