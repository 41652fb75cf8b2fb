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
        "rse_directory_indexed",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_rse_directory_indexed")),
    )
    op.create_table(
        "rse_directory_near",
        sa.Column(
            "part", sa.String(length=120).with_variant(sa.String(length=120, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column(
            "word", sa.String(length=120).with_variant(sa.String(length=120, collation="C"), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("part", "word", name=op.f("pk_rse_directory_near")),
    )
    op.create_table(
        "rse_directory_skill",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "key", sa.String(length=120).with_variant(sa.String(length=120, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_directory_skill")),
        sa.UniqueConstraint("key", name=op.f("uq_rse_directory_skill_key")),
    )
    op.create_table(
        "rse_directory_token",
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column(
            "token", sa.String(length=120).with_variant(sa.String(length=120, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("choice", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "token", "person_id", "field", name=op.f("pk_rse_directory_token")),
    )
    op.create_index(op.f("ix_rse_directory_token_person_id"), "rse_directory_token", ["person_id"], unique=False)
    op.create_table(
        "rse_directory_choice",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("audience", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_directory_choice_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "field", name=op.f("pk_rse_directory_choice")),
    )
    op.create_table(
        "rse_directory_endorsement",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("skill_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["rse_core_person.id"], name=op.f("fk_rse_directory_endorsement_by_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_directory_endorsement_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["skill_id"], ["rse_directory_skill.id"], name=op.f("fk_rse_directory_endorsement_skill_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "skill_id", "by_id", name=op.f("pk_rse_directory_endorsement")),
    )
    op.create_index(op.f("ix_rse_directory_endorsement_by_id"), "rse_directory_endorsement", ["by_id"], unique=False)
    op.create_table(
        "rse_directory_look",
        sa.Column("viewer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["viewer_id"], ["rse_core_person.id"], name=op.f("fk_rse_directory_look_viewer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("viewer_id", "hour", "subject_id", name=op.f("pk_rse_directory_look")),
    )
    op.create_index(op.f("ix_rse_directory_look_hour"), "rse_directory_look", ["hour"], unique=False)
    op.create_table(
        "rse_directory_own",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_directory_own_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "field", name=op.f("pk_rse_directory_own")),
    )
    op.create_table(
        "rse_directory_person_skill",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("skill_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_directory_person_skill_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["skill_id"], ["rse_directory_skill.id"], name=op.f("fk_rse_directory_person_skill_skill_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "skill_id", name=op.f("pk_rse_directory_person_skill")),
    )
    op.create_index(op.f("ix_rse_directory_person_skill_skill_id"), "rse_directory_person_skill", ["skill_id"], unique=False)
    op.create_table(
        "rse_directory_profile",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("experience", sa.Text(), nullable=False),
        sa.Column("projects", sa.Text(), nullable=False),
        sa.Column("languages", sa.String(length=300), nullable=False),
        sa.Column("birth_day", sa.Integer(), nullable=True),
        sa.Column("birth_month", sa.Integer(), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("filled", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_directory_profile_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_rse_directory_profile")),
    )
    op.create_index("ix_rse_directory_profile_birthday", "rse_directory_profile", ["birth_month", "birth_day"], unique=False)
    op.create_index("ix_rse_directory_profile_listed", "rse_directory_profile", ["listed"], unique=False)
    op.create_table(
        "rse_directory_question",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("to_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("skill", sa.String(length=120), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["from_id"], ["rse_core_person.id"], name=op.f("fk_rse_directory_question_from_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["to_id"], ["rse_core_person.id"], name=op.f("fk_rse_directory_question_to_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_directory_question")),
    )
    op.create_index(op.f("ix_rse_directory_question_from_id"), "rse_directory_question", ["from_id"], unique=False)
    op.create_index(op.f("ix_rse_directory_question_to_id"), "rse_directory_question", ["to_id"], unique=False)
