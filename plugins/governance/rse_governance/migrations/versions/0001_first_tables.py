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
        "rse_governance_found",
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ref_type", "ref_id", name=op.f("pk_rse_governance_found")),
    )
    op.create_table(
        "rse_governance_tool",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("use", sa.String(length=200), nullable=False),
        sa.Column("tool", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=1000), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_governance_tool")),
    )
    op.create_table(
        "rse_governance_binned",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("audience_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("deleted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["audience_id"], ["rse_core_audience.id"], name=op.f("fk_rse_governance_binned_audience_id")
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["rse_core_person.id"], name=op.f("fk_rse_governance_binned_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["deleted_by"], ["rse_core_person.id"], name=op.f("fk_rse_governance_binned_deleted_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["rse_core_entity.id"], name=op.f("fk_rse_governance_binned_entity_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_governance_binned_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_governance_binned")),
        sa.UniqueConstraint("ref_type", "ref_id", name=op.f("uq_rse_governance_binned_ref_type_ref_id")),
    )
    op.create_index(op.f("ix_rse_governance_binned_author_id"), "rse_governance_binned", ["author_id"], unique=False)
    op.create_index(op.f("ix_rse_governance_binned_until"), "rse_governance_binned", ["until"], unique=False)
    op.create_table(
        "rse_governance_case",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("audience_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("noted", sa.Boolean(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("appealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appeal", sa.Text(), nullable=False),
        sa.Column("appeal_decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("appeal_reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appeal_decided_by"],
            ["rse_core_person.id"],
            name=op.f("fk_rse_governance_case_appeal_decided_by"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["audience_id"], ["rse_core_audience.id"], name=op.f("fk_rse_governance_case_audience_id")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["rse_core_person.id"], name=op.f("fk_rse_governance_case_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["rse_core_person.id"], name=op.f("fk_rse_governance_case_decided_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["rse_core_entity.id"], name=op.f("fk_rse_governance_case_entity_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_governance_case_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_governance_case")),
        sa.UniqueConstraint("ref_type", "ref_id", name=op.f("uq_rse_governance_case_ref_type_ref_id")),
    )
    op.create_index(op.f("ix_rse_governance_case_author_id"), "rse_governance_case", ["author_id"], unique=False)
    op.create_index("ix_rse_governance_case_state", "rse_governance_case", ["state", "id"], unique=False)
    op.create_table(
        "rse_governance_term",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["set_by"], ["rse_core_person.id"], name=op.f("fk_rse_governance_term_set_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rse_governance_term")),
    )
    op.create_table(
        "rse_governance_word_rule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["rse_core_person.id"], name=op.f("fk_rse_governance_word_rule_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_governance_word_rule")),
    )
    op.create_index("ix_rse_governance_word_rule_scope", "rse_governance_word_rule", ["scope", "scope_id"], unique=False)
    op.create_table(
        "rse_governance_report",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["rse_governance_case.id"], name=op.f("fk_rse_governance_report_case_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_governance_report_person_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_governance_report")),
        sa.UniqueConstraint("case_id", "person_id", name=op.f("uq_rse_governance_report_case_id_person_id")),
    )
    op.create_index(op.f("ix_rse_governance_report_person_id"), "rse_governance_report", ["person_id"], unique=False)
