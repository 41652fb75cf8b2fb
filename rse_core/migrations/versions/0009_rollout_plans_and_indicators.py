"""rollout plans and indicators

Revision 0009, 2026-11-27.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "rse_core_fact",
        sa.Column("id", KEY, nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("signal", sa.Integer(), nullable=False),
        sa.Column("who", KEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("space_id", KEY, nullable=True),
        sa.Column("ref", sa.String(length=600), nullable=False),
        sa.Column("on_ref", sa.String(length=600), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_fact")),
        sa.UniqueConstraint("event_id", name=op.f("uq_rse_core_fact_event_id")),
    )
    op.create_index("ix_rse_core_fact_day", "rse_core_fact", ["day", "who"], unique=False)
    op.create_index("ix_rse_core_fact_signal", "rse_core_fact", ["signal", "day"], unique=False)
    op.create_table(
        "rse_core_indicator_cell",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("indicator", sa.String(length=80), nullable=False),
        sa.Column("people", sa.String(length=10), nullable=False),
        sa.Column("target", sa.String(length=120), nullable=False),
        sa.Column("numerator", KEY, nullable=False),
        sa.Column("denominator", KEY, nullable=False),
        sa.Column("persons", KEY, nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("more", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("month", "scope", "indicator", "people", "target", name=op.f("pk_rse_core_indicator_cell")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rse_core_presence",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("who", KEY, autoincrement=False, nullable=False),
        sa.Column("bits", KEY, nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.PrimaryKeyConstraint("day", "who", name=op.f("pk_rse_core_presence")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rse_core_presence_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("who", KEY, autoincrement=False, nullable=False),
        sa.Column("bits", KEY, nullable=False),
        sa.Column("workdays", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "who", name=op.f("pk_rse_core_presence_month")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rse_core_presence_space",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("space_id", KEY, autoincrement=False, nullable=False),
        sa.Column("who", KEY, autoincrement=False, nullable=False),
        sa.Column("bits", KEY, nullable=False),
        sa.PrimaryKeyConstraint("day", "space_id", "who", name=op.f("pk_rse_core_presence_space")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_rse_core_presence_space_space", "rse_core_presence_space", ["space_id", "day"], unique=False)
    op.create_table(
        "rse_core_rollout_plan",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", sa.String(length=200), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_rollout_plan")),
        sa.UniqueConstraint("name", name=op.f("uq_rse_core_rollout_plan_name")),
    )
    op.create_table(
        "rse_core_rollup_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.Column("rolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_rse_core_rollup_day")),
    )
    op.create_table(
        "rse_core_rollup_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("rebuilt_to", sa.Date(), nullable=True),
        sa.Column("rebuild_to", sa.Date(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_rollup_state")),
    )
    op.create_table(
        "rse_core_signal",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_signal")),
        sa.UniqueConstraint("name", name=op.f("uq_rse_core_signal_name")),
    )
    op.create_table(
        "rse_core_standing",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("target", KEY, autoincrement=False, nullable=False),
        sa.Column("who", KEY, autoincrement=False, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "target", "who", "since", name=op.f("pk_rse_core_standing")),
    )
    op.create_index(
        "ix_rse_core_standing_open",
        "rse_core_standing",
        ["kind", "who", "target"],
        unique=False,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_index("ix_rse_core_standing_until", "rse_core_standing", ["until"], unique=False)
    op.create_table(
        "rse_core_standing_tree",
        sa.Column("entity_id", KEY, autoincrement=False, nullable=False),
        sa.Column("ancestor_id", KEY, autoincrement=False, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("entity_id", "ancestor_id", "since", name=op.f("pk_rse_core_standing_tree")),
    )
    op.create_table(
        "rse_core_rollout_wave",
        sa.Column("id", KEY, nullable=False),
        sa.Column("plan_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entities", sa.JSON(), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("gate", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["rse_core_rollout_plan.id"], name=op.f("fk_rse_core_rollout_wave_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_rollout_wave")),
        sa.UniqueConstraint("name", name=op.f("uq_rse_core_rollout_wave_name")),
    )
    op.create_index(op.f("ix_rse_core_rollout_wave_plan_id"), "rse_core_rollout_wave", ["plan_id"], unique=False)
    op.create_table(
        "rse_core_pseudonym",
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("who", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_pseudonym_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_rse_core_pseudonym")),
        sa.UniqueConstraint("who", name=op.f("uq_rse_core_pseudonym_who")),
    )
    op.create_table(
        "rse_core_rollout_place",
        sa.Column("level_row_id", KEY, autoincrement=False, nullable=False),
        sa.Column("wave_id", KEY, nullable=False),
        sa.Column("undone_by", KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["level_row_id"], ["rse_core_level.id"], name=op.f("fk_rse_core_rollout_place_level_row_id")
        ),
        sa.ForeignKeyConstraint(
            ["wave_id"], ["rse_core_rollout_wave.id"], name=op.f("fk_rse_core_rollout_place_wave_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("level_row_id", name=op.f("pk_rse_core_rollout_place")),
    )
    op.create_index(op.f("ix_rse_core_rollout_place_wave_id"), "rse_core_rollout_place", ["wave_id"], unique=False)
