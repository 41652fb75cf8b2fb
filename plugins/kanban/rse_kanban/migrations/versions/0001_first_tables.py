"""first tables

Revision 0001, 2026-11-27.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "rse_kanban_board",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("audience_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("default_role", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["audience_id"], ["rse_core_audience.id"], name=op.f("fk_rse_kanban_board_audience_id")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_board_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["rse_core_entity.id"], name=op.f("fk_rse_kanban_board_entity_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_board_owner_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_kanban_board_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_board")),
    )
    op.create_index(op.f("ix_rse_kanban_board_audience_id"), "rse_kanban_board", ["audience_id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_board_owner_id"), "rse_kanban_board", ["owner_id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_board_space_id"), "rse_kanban_board", ["space_id"], unique=False)
    op.create_table(
        "rse_kanban_address",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_address_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_address_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_address")),
        sa.UniqueConstraint("digest", name=op.f("uq_rse_kanban_address_digest")),
    )
    op.create_index(op.f("ix_rse_kanban_address_board_id"), "rse_kanban_address", ["board_id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_address_person_id"), "rse_kanban_address", ["person_id"], unique=False)
    op.create_table(
        "rse_kanban_column",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=5), nullable=False),
        sa.Column("wip_limit", sa.Integer(), nullable=True),
        sa.Column("wip_hard", sa.Boolean(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_column_board_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_column")),
    )
    op.create_index(op.f("ix_rse_kanban_column_board_id"), "rse_kanban_column", ["board_id"], unique=False)
    op.create_table(
        "rse_kanban_field",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("on_board", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_field_board_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_field")),
        sa.UniqueConstraint("board_id", "name", name=op.f("uq_rse_kanban_field_board_id_name")),
    )
    op.create_index(op.f("ix_rse_kanban_field_board_id"), "rse_kanban_field", ["board_id"], unique=False)
    op.create_table(
        "rse_kanban_filter",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.String(length=500), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_filter_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_filter_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_filter")),
        sa.UniqueConstraint("board_id", "person_id", "name", name=op.f("uq_rse_kanban_filter_board_id_person_id_name")),
    )
    op.create_index(op.f("ix_rse_kanban_filter_board_id"), "rse_kanban_filter", ["board_id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_filter_person_id"), "rse_kanban_filter", ["person_id"], unique=False)
    op.create_table(
        "rse_kanban_label",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("hue", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_label_board_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_label")),
        sa.UniqueConstraint("board_id", "name", name=op.f("uq_rse_kanban_label_board_id_name")),
    )
    op.create_index(op.f("ix_rse_kanban_label_board_id"), "rse_kanban_label", ["board_id"], unique=False)
    op.create_table(
        "rse_kanban_lane",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_lane_board_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_lane")),
    )
    op.create_index(op.f("ix_rse_kanban_lane_board_id"), "rse_kanban_lane", ["board_id"], unique=False)
    op.create_table(
        "rse_kanban_role",
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("target_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_role_board_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("board_id", "kind", "target_id", name=op.f("pk_rse_kanban_role")),
    )
    op.create_index("ix_rse_kanban_role_target", "rse_kanban_role", ["kind", "target_id"], unique=False)
    op.create_table(
        "rse_kanban_rule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("trigger", sa.String(length=20), nullable=False),
        sa.Column("trigger_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("act_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_rule_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_rule_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_rule")),
    )
    op.create_index(op.f("ix_rse_kanban_rule_board_id"), "rse_kanban_rule", ["board_id"], unique=False)
    op.create_table(
        "rse_kanban_template",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("audience_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["audience_id"], ["rse_core_audience.id"], name=op.f("fk_rse_kanban_template_audience_id")),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_template_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_template_owner_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_kanban_template_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_template")),
    )
    op.create_index(op.f("ix_rse_kanban_template_audience_id"), "rse_kanban_template", ["audience_id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_template_board_id"), "rse_kanban_template", ["board_id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_template_owner_id"), "rse_kanban_template", ["owner_id"], unique=False)
    op.create_table(
        "rse_kanban_card",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("column_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lane_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "rank", sa.String(length=120).with_variant(sa.String(length=120, collation="C"), "postgresql"), nullable=True
        ),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stamps", sa.JSON(), nullable=False),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remind", sa.Integer(), nullable=True),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["author_id"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_card_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_card_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["column_id"], ["rse_kanban_column.id"], name=op.f("fk_rse_kanban_card_column_id")),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_card_ended_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["lane_id"], ["rse_kanban_lane.id"], name=op.f("fk_rse_kanban_card_lane_id")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["rse_kanban_card.id"], name=op.f("fk_rse_kanban_card_parent_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_card")),
        sa.UniqueConstraint("board_id", "origin", name=op.f("uq_rse_kanban_card_board_id_origin")),
        sa.UniqueConstraint("column_id", "rank", name=op.f("uq_rse_kanban_card_column_id_rank")),
    )
    op.create_index(op.f("ix_rse_kanban_card_author_id"), "rse_kanban_card", ["author_id"], unique=False)
    op.create_index("ix_rse_kanban_card_board", "rse_kanban_card", ["board_id", "state", "id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_card_lane_id"), "rse_kanban_card", ["lane_id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_card_parent_id"), "rse_kanban_card", ["parent_id"], unique=False)
    op.create_index("ix_rse_kanban_card_remind", "rse_kanban_card", ["remind_at"], unique=False)
    op.create_table(
        "rse_kanban_passage",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("to_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("who", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_passage_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["from_id"], ["rse_kanban_column.id"], name=op.f("fk_rse_kanban_passage_from_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["to_id"], ["rse_kanban_column.id"], name=op.f("fk_rse_kanban_passage_to_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_passage")),
    )
    op.create_index(op.f("ix_rse_kanban_passage_board_id"), "rse_kanban_passage", ["board_id"], unique=False)
    op.create_table(
        "rse_kanban_recurrence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("column_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("every", sa.String(length=5), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_recurrence_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["column_id"], ["rse_kanban_column.id"], name=op.f("fk_rse_kanban_recurrence_column_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_recurrence_person_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_recurrence")),
    )
    op.create_index(op.f("ix_rse_kanban_recurrence_board_id"), "rse_kanban_recurrence", ["board_id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_recurrence_next_at"), "rse_kanban_recurrence", ["next_at"], unique=False)
    op.create_index(op.f("ix_rse_kanban_recurrence_person_id"), "rse_kanban_recurrence", ["person_id"], unique=False)
    op.create_table(
        "rse_kanban_activity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("card_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("verb", sa.String(length=20), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_activity_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["rse_kanban_card.id"], name=op.f("fk_rse_kanban_activity_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_activity_person_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_activity")),
    )
    op.create_index(op.f("ix_rse_kanban_activity_board_id"), "rse_kanban_activity", ["board_id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_activity_card_id"), "rse_kanban_activity", ["card_id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_activity_person_id"), "rse_kanban_activity", ["person_id"], unique=False)
    op.create_table(
        "rse_kanban_card_label",
        sa.Column("card_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("label_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"], ["rse_kanban_card.id"], name=op.f("fk_rse_kanban_card_label_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["label_id"], ["rse_kanban_label.id"], name=op.f("fk_rse_kanban_card_label_label_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("card_id", "label_id", name=op.f("pk_rse_kanban_card_label")),
    )
    op.create_index(op.f("ix_rse_kanban_card_label_label_id"), "rse_kanban_card_label", ["label_id"], unique=False)
    op.create_table(
        "rse_kanban_card_person",
        sa.Column("card_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"], ["rse_kanban_card.id"], name=op.f("fk_rse_kanban_card_person_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_card_person_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("card_id", "person_id", name=op.f("pk_rse_kanban_card_person")),
    )
    op.create_index(op.f("ix_rse_kanban_card_person_person_id"), "rse_kanban_card_person", ["person_id"], unique=False)
    op.create_table(
        "rse_kanban_check",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("card_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["card_id"], ["rse_kanban_card.id"], name=op.f("fk_rse_kanban_check_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["done_by"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_check_done_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_check_person_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_check")),
    )
    op.create_index(op.f("ix_rse_kanban_check_card_id"), "rse_kanban_check", ["card_id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_check_person_id"), "rse_kanban_check", ["person_id"], unique=False)
    op.create_table(
        "rse_kanban_link",
        sa.Column("card_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("other_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"], ["rse_kanban_card.id"], name=op.f("fk_rse_kanban_link_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["rse_kanban_card.id"], name=op.f("fk_rse_kanban_link_other_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("card_id", "other_id", "kind", name=op.f("pk_rse_kanban_link")),
    )
    op.create_index(op.f("ix_rse_kanban_link_other_id"), "rse_kanban_link", ["other_id"], unique=False)
    op.create_table(
        "rse_kanban_ref",
        sa.Column("card_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"], ["rse_kanban_card.id"], name=op.f("fk_rse_kanban_ref_card_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("card_id", "ref_type", "ref_id", name=op.f("pk_rse_kanban_ref")),
    )
    op.create_index("ix_rse_kanban_ref_object", "rse_kanban_ref", ["ref_type", "ref_id"], unique=False)
    op.create_table(
        "rse_kanban_rule_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("card_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_rule_run_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["rse_kanban_card.id"], name=op.f("fk_rse_kanban_rule_run_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["rse_kanban_rule.id"], name=op.f("fk_rse_kanban_rule_run_rule_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_rule_run")),
    )
    op.create_index("ix_rse_kanban_rule_run_board", "rse_kanban_rule_run", ["board_id", "id"], unique=False)
    op.create_index(op.f("ix_rse_kanban_rule_run_card_id"), "rse_kanban_rule_run", ["card_id"], unique=False)
    op.create_table(
        "rse_kanban_transition",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("board_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("card_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("to_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["rse_kanban_board.id"], name=op.f("fk_rse_kanban_transition_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["rse_kanban_card.id"], name=op.f("fk_rse_kanban_transition_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_kanban_transition_person_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_kanban_transition")),
    )
    op.create_index("ix_rse_kanban_transition_board", "rse_kanban_transition", ["board_id", "at"], unique=False)
    op.create_index(op.f("ix_rse_kanban_transition_card_id"), "rse_kanban_transition", ["card_id"], unique=False)
    op.create_table(
        "rse_kanban_value",
        sa.Column("card_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("field_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"], ["rse_kanban_card.id"], name=op.f("fk_rse_kanban_value_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["field_id"], ["rse_kanban_field.id"], name=op.f("fk_rse_kanban_value_field_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("card_id", "field_id", name=op.f("pk_rse_kanban_value")),
    )
    op.create_index(op.f("ix_rse_kanban_value_field_id"), "rse_kanban_value", ["field_id"], unique=False)
