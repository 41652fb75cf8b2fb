"""People and groups as SCIM sees them, and who has left lately."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "scim_0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "rse_scim_user",
        sa.Column("number", KEY, nullable=False),
        sa.Column("uid", sa.String(36), nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("user_name_key", sa.String(400), nullable=False),
        sa.Column("external_id", sa.String(200), nullable=True),
        sa.Column("manager", sa.String(200), nullable=True),
        sa.Column("document", DOCUMENT, nullable=False),
        sa.Column("keys", DOCUMENT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_rse_scim_user"),
        sa.UniqueConstraint("uid", name="uq_rse_scim_user_uid"),
        sa.UniqueConstraint("person_id", name="uq_rse_scim_user_person_id"),
        sa.UniqueConstraint("user_name_key", name="uq_rse_scim_user_user_name_key"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name="fk_rse_scim_user_person_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_rse_scim_user_external_id", "rse_scim_user", ["external_id"])
    op.create_index("ix_rse_scim_user_manager", "rse_scim_user", ["manager"])
    op.create_index(
        "ix_rse_scim_user_keys", "rse_scim_user", ["keys"], postgresql_using="gin",
        postgresql_ops={"keys": "jsonb_path_ops"}, sqlite_where=sa.text("keys IS NULL"),
    )  # fmt: skip
    op.create_table(
        "rse_scim_group",
        sa.Column("number", KEY, nullable=False),
        sa.Column("uid", sa.String(36), nullable=False),
        sa.Column("group_id", KEY, nullable=False),
        sa.Column("display_key", sa.String(600), nullable=False),
        sa.Column("external_id", sa.String(200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_rse_scim_group"),
        sa.UniqueConstraint("uid", name="uq_rse_scim_group_uid"),
        sa.UniqueConstraint("group_id", name="uq_rse_scim_group_group_id"),
        sa.UniqueConstraint("display_key", name="uq_rse_scim_group_display_key"),
        sa.ForeignKeyConstraint(
            ["group_id"], ["rse_core_group.id"], name="fk_rse_scim_group_group_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_rse_scim_group_external_id", "rse_scim_group", ["external_id"])
    op.create_table(
        "rse_scim_leaving",
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_rse_scim_leaving"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name="fk_rse_scim_leaving_person_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_rse_scim_leaving_at", "rse_scim_leaving", ["at"])


def downgrade() -> None:
    for table in ("rse_scim_leaving", "rse_scim_group", "rse_scim_user"):
        op.drop_table(table)
