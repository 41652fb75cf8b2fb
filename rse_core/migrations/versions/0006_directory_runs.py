"""synchronisations with directories, each with its report

Revision 0006, 2026-11-27.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "rse_core_directory_run",
        sa.Column("id", KEY, nullable=False),
        sa.Column("source", sa.String(length=81), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mark", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_directory_run")),
    )
    op.create_index("ix_rse_core_directory_run_source", "rse_core_directory_run", ["source", "id"])
    running = sa.text("state = 'running'")
    op.create_index(
        "uq_rse_core_directory_run_running", "rse_core_directory_run", ["source"], unique=True,
        sqlite_where=running, postgresql_where=running,
    )  # fmt: skip
