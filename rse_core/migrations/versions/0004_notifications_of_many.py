"""broadcasts to an audience, what each person wants to be told of, one unread notification for one thing

Revision 0004, 2026-11-25.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNREAD, FRESH = sa.text("read_at IS NULL"), sa.text("NOT forwarded")
CAUSED, PLACED = sa.text("cause IS NOT NULL"), sa.text("space_id IS NOT NULL")


def upgrade() -> None:
    _rows()
    _broadcasts()
    _wishes()


def _rows() -> None:
    table = "rse_core_notification"
    op.add_column(table, sa.Column("audience_id", KEY, nullable=True))
    op.add_column(table, sa.Column("space_id", KEY, nullable=True))
    op.add_column(table, sa.Column("cause", sa.String(length=120), nullable=True))
    op.add_column(table, sa.Column("firm", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column(table, sa.Column("shown", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column(table, sa.Column("forwarded", sa.Boolean(), server_default=sa.false(), nullable=False))
    # What was told before anything carried it elsewhere is not carried now.
    op.execute(sa.text(f"UPDATE {table} SET forwarded = true"))
    # Two at once could make two unread rows of one thing: the newest stands, the others count as read.
    op.execute(
        sa.text(
            f"UPDATE {table} SET read_at = updated_at WHERE read_at IS NULL AND EXISTS (SELECT 1 FROM {table} AS later "
            f"WHERE later.person_id = {table}.person_id AND later.group_key = {table}.group_key "
            f"AND later.read_at IS NULL AND later.id > {table}.id)"
        )
    )
    op.drop_index("ix_rse_core_notification_group", table_name=table)
    op.create_index("ix_rse_core_notification_group", table, ["group_key", "person_id"])
    op.create_index("ix_rse_core_notification_latest", table, ["person_id", "updated_at", "id"])
    op.create_index(
        "uq_rse_core_notification_unread", table, ["person_id", "group_key"], unique=True,
        sqlite_where=UNREAD, postgresql_where=UNREAD,
    )  # fmt: skip
    op.create_index("ix_rse_core_notification_cause", table, ["cause"], sqlite_where=CAUSED, postgresql_where=CAUSED)
    op.create_index("ix_rse_core_notification_space", table, ["space_id"], sqlite_where=PLACED, postgresql_where=PLACED)
    op.create_index("ix_rse_core_notification_fresh", table, ["id"], sqlite_where=FRESH, postgresql_where=FRESH)
    op.create_index(op.f("ix_rse_core_notification_actor_cause"), "rse_core_notification_actor", ["cause"])


def _broadcasts() -> None:
    op.create_table(
        "rse_core_broadcast",
        sa.Column("id", KEY, nullable=False),
        sa.Column("audience_id", KEY, nullable=False),
        sa.Column("space_id", KEY, nullable=True),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("thread", sa.String(length=600), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("actor_id", KEY, nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("firm", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_broadcast_actor_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["audience_id"], ["rse_core_audience.id"], name=op.f("fk_rse_core_broadcast_audience_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_broadcast")),
        sa.UniqueConstraint("cause", name=op.f("uq_rse_core_broadcast_cause")),
    )
    op.create_index("ix_rse_core_broadcast_audience", "rse_core_broadcast", ["audience_id", "id"])
    op.create_index("ix_rse_core_broadcast_space", "rse_core_broadcast", ["space_id", "id"])
    op.create_index("ix_rse_core_broadcast_at", "rse_core_broadcast", ["created_at"])
    op.create_index(op.f("ix_rse_core_broadcast_actor_id"), "rse_core_broadcast", ["actor_id"])
    op.create_table(
        "rse_core_broadcast_reader",
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("upto", KEY, nullable=False),
        _of_person("broadcast_reader"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_rse_core_broadcast_reader")),
    )
    op.create_table(
        "rse_core_broadcast_mark",
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("broadcast_id", KEY, nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["rse_core_broadcast.id"], name=op.f("fk_rse_core_broadcast_mark_broadcast_id"),
            ondelete="CASCADE",
        ),
        _of_person("broadcast_mark"),
        sa.PrimaryKeyConstraint("person_id", "broadcast_id", name=op.f("pk_rse_core_broadcast_mark")),
    )  # fmt: skip
    op.create_index(op.f("ix_rse_core_broadcast_mark_broadcast_id"), "rse_core_broadcast_mark", ["broadcast_id"])


def _wishes() -> None:
    op.create_table(
        "rse_core_mute",
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("hears", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _of_person("mute"),
        sa.PrimaryKeyConstraint("person_id", "ref_type", "ref_id", name=op.f("pk_rse_core_mute")),
    )
    op.create_index("ix_rse_core_mute_ref", "rse_core_mute", ["ref_type", "ref_id"])
    op.create_table(
        "rse_core_notification_choice",
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=10), nullable=False),
        _of_person("notification_choice"),
        sa.PrimaryKeyConstraint("person_id", "type", "channel", name=op.f("pk_rse_core_notification_choice")),
    )
    op.create_table(
        "rse_core_notification_default",
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("type", "channel", name=op.f("pk_rse_core_notification_default")),
    )


def _of_person(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person_id"], ["rse_core_person.id"], name=op.f(f"fk_rse_core_{name}_person_id"), ondelete="CASCADE"
    )
