"""calendars of entities, days of a month, and what is finished

Revision 0012, 2026-11-28. A month keeps on which days somebody came instead of how many of them were working days: figures
then follow a change of calendar without another roll-up.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "rse_core_work_calendar",
        sa.Column("entity_id", KEY, autoincrement=False, nullable=False),
        sa.Column("public", sa.String(length=40), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["rse_core_entity.id"], name=op.f("fk_rse_core_work_calendar_entity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entity_id", name=op.f("pk_rse_core_work_calendar")),
    )
    op.create_table(
        "rse_core_holiday",
        sa.Column("entity_id", KEY, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["rse_core_entity.id"], name=op.f("fk_rse_core_holiday_entity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entity_id", "day", name=op.f("pk_rse_core_holiday")),
    )
    op.create_table(
        "rse_core_indicator_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("indicator", sa.String(length=80), nullable=False),
        sa.Column("waves", sa.String(length=40), nullable=False),
        sa.Column("levels", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("month", "indicator", name=op.f("pk_rse_core_indicator_month")),
        sqlite_with_rowid=False,
    )
    # Finished before it was noted what it hangs on: shown, and finished again when the job comes to it.
    op.execute(
        "INSERT INTO rse_core_indicator_month (month, indicator, waves, levels) "
        "SELECT DISTINCT month, indicator, '', '' FROM rse_core_indicator_cell"
    )
    op.add_column("rse_core_presence_month", sa.Column("days", KEY, nullable=False, server_default="0"))
    sqlite = op.get_bind().dialect.name == "sqlite"
    month = "date(day, 'start of month')" if sqlite else "date_trunc('month', day)::date"
    number = "CAST(strftime('%d', day) AS INTEGER)" if sqlite else "EXTRACT(DAY FROM day)::int"
    op.execute(
        "UPDATE rse_core_presence_month SET days = seen.days FROM ("
        f"SELECT {month} AS month, who, sum(1 << ({number} - 1)) AS days FROM rse_core_presence "
        "WHERE bits & 1 = 1 GROUP BY 1, 2) AS seen "
        "WHERE rse_core_presence_month.month = seen.month AND rse_core_presence_month.who = seen.who"
    )
    op.drop_column("rse_core_presence_month", "workdays")
