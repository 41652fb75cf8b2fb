"""first tables

Revision 0001, 2026-11-23.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "rse_core_audience",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("target_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_audience")),
        sa.UniqueConstraint("kind", "target_id", name=op.f("uq_rse_core_audience_kind_target_id")),
    )
    op.create_table(
        "rse_core_capability_shift",
        sa.Column("capability", sa.String(length=80), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("capability", name=op.f("pk_rse_core_capability_shift")),
    )
    op.create_table(
        "rse_core_delivery",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("consumer", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "consumer", name=op.f("pk_rse_core_delivery")),
    )
    op.create_table(
        "rse_core_entity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["rse_core_entity.id"], name=op.f("fk_rse_core_entity_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_entity")),
        sa.UniqueConstraint("key", name=op.f("uq_rse_core_entity_key")),
    )
    op.create_index(op.f("ix_rse_core_entity_parent_id"), "rse_core_entity", ["parent_id"], unique=False)
    op.create_table(
        "rse_core_group",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_group")),
        sa.UniqueConstraint("key", name=op.f("uq_rse_core_group_key")),
    )
    op.create_table(
        "rse_core_job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_job")),
        sa.UniqueConstraint("key", name=op.f("uq_rse_core_job_key")),
    )
    op.create_index("ix_rse_core_job_due", "rse_core_job", ["state", "run_at"], unique=False)
    op.create_table(
        "rse_core_level",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("scope_key", sa.String(length=500), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_level")),
    )
    op.create_index("ix_rse_core_level_scope", "rse_core_level", ["kind", "scope", "scope_key", "starts_at"], unique=False)
    op.create_table(
        "rse_core_outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ref_type", sa.String(length=81), nullable=True),
        sa.Column("ref_id", sa.String(length=500), nullable=True),
        sa.Column("audience_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_outbox")),
        sa.UniqueConstraint("event_id", name=op.f("uq_rse_core_outbox_event_id")),
    )
    op.create_index(
        "ix_rse_core_outbox_waiting",
        "rse_core_outbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "rse_core_plugin_switch",
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("plugin", "scope", "scope_id", name=op.f("pk_rse_core_plugin_switch")),
    )
    op.create_table(
        "rse_core_policy_change",
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_rse_core_policy_change")),
    )
    op.create_table(
        "rse_core_policy_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("value", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_policy_version")),
    )
    op.create_table(
        "rse_core_review_rule",
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "scope_id", name=op.f("pk_rse_core_review_rule")),
    )
    op.create_table(
        "rse_core_setting",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rse_core_setting")),
    )
    op.create_table(
        "rse_core_space",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("visibility", sa.String(length=20), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_space")),
        sa.UniqueConstraint("key", name=op.f("uq_rse_core_space_key")),
    )
    op.create_table(
        "rse_core_charter",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_core_charter_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_charter")),
        sa.UniqueConstraint("kind", "space_id", "version", name=op.f("uq_rse_core_charter_kind_space_id_version")),
    )
    op.create_table(
        "rse_core_entity_path",
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ancestor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ancestor_id"], ["rse_core_entity.id"], name=op.f("fk_rse_core_entity_path_ancestor_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["rse_core_entity.id"], name=op.f("fk_rse_core_entity_path_entity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entity_id", "ancestor_id", name=op.f("pk_rse_core_entity_path")),
    )
    op.create_index(op.f("ix_rse_core_entity_path_ancestor_id"), "rse_core_entity_path", ["ancestor_id"], unique=False)
    op.create_table(
        "rse_core_page",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("native_id", sa.String(length=200), nullable=True),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("section", sa.String(length=300), nullable=False),
        sa.Column("locale", sa.String(length=10), nullable=False),
        sa.Column("audience_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["audience_id"], ["rse_core_audience.id"], name=op.f("fk_rse_core_page_audience_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_page")),
        sa.UniqueConstraint("key", name=op.f("uq_rse_core_page_key")),
    )
    op.create_index(op.f("ix_rse_core_page_address"), "rse_core_page", ["address"], unique=False)
    op.create_table(
        "rse_core_person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("username", sa.String(length=200), nullable=False),
        sa.Column("display_name", sa.String(length=300), nullable=False),
        sa.Column("folded_name", sa.String(length=300), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("job_title", sa.String(length=300), nullable=False),
        sa.Column("manager_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("is_manager", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.String(length=10), nullable=False),
        sa.Column("phone", sa.String(length=60), nullable=False),
        sa.Column("site", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["rse_core_entity.id"], name=op.f("fk_rse_core_person_entity_id")),
        sa.ForeignKeyConstraint(
            ["manager_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_person_manager_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_person")),
        sa.UniqueConstraint("external_id", name=op.f("uq_rse_core_person_external_id")),
        sa.UniqueConstraint("username", name=op.f("uq_rse_core_person_username")),
    )
    op.create_index(op.f("ix_rse_core_person_entity_id"), "rse_core_person", ["entity_id"], unique=False)
    op.create_index(op.f("ix_rse_core_person_folded_name"), "rse_core_person", ["folded_name"], unique=False)
    op.create_index(op.f("ix_rse_core_person_manager_id"), "rse_core_person", ["manager_id"], unique=False)
    op.create_table(
        "rse_core_space_rule",
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("capability", sa.String(length=80), nullable=False),
        sa.Column("who", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_core_space_rule_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space_id", "capability", name=op.f("pk_rse_core_space_rule")),
    )
    op.create_table(
        "rse_core_audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("act", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_audit_actor_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_audit")),
    )
    op.create_index(op.f("ix_rse_core_audit_at"), "rse_core_audit", ["at"], unique=False)
    op.create_table(
        "rse_core_charter_acceptance",
        sa.Column("charter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["charter_id"], ["rse_core_charter.id"], name=op.f("fk_rse_core_charter_acceptance_charter_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_charter_acceptance_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("charter_id", "person_id", name=op.f("pk_rse_core_charter_acceptance")),
    )
    op.create_index(
        op.f("ix_rse_core_charter_acceptance_person_id"), "rse_core_charter_acceptance", ["person_id"], unique=False
    )
    op.create_table(
        "rse_core_group_member",
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["rse_core_group.id"], name=op.f("fk_rse_core_group_member_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_group_member_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "person_id", name=op.f("pk_rse_core_group_member")),
    )
    op.create_index(op.f("ix_rse_core_group_member_person_id"), "rse_core_group_member", ["person_id"], unique=False)
    op.create_table(
        "rse_core_held",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("capability", sa.String(length=80), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("audience_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["audience_id"], ["rse_core_audience.id"], name=op.f("fk_rse_core_held_audience_id")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_held_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["rse_core_person.id"], name=op.f("fk_rse_core_held_decided_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["rse_core_entity.id"], name=op.f("fk_rse_core_held_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_held")),
    )
    op.create_index(op.f("ix_rse_core_held_author_id"), "rse_core_held", ["author_id"], unique=False)
    op.create_index("ix_rse_core_held_ref", "rse_core_held", ["ref_type", "ref_id"], unique=False)
    op.create_index("ix_rse_core_held_state", "rse_core_held", ["state", "id"], unique=False)
    op.create_table(
        "rse_core_idempotency",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("operation", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("result", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_idempotency_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "key", name=op.f("pk_rse_core_idempotency")),
    )
    op.create_index(op.f("ix_rse_core_idempotency_at"), "rse_core_idempotency", ["at"], unique=False)
    op.create_table(
        "rse_core_identity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_identity_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_rse_core_identity_issuer_subject")),
    )
    op.create_index(op.f("ix_rse_core_identity_person_id"), "rse_core_identity", ["person_id"], unique=False)
    op.create_table(
        "rse_core_membership",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("audience_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["audience_id"], ["rse_core_audience.id"], name=op.f("fk_rse_core_membership_audience_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_membership_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "audience_id", name=op.f("pk_rse_core_membership")),
    )
    op.create_index("ix_rse_core_membership_audience", "rse_core_membership", ["audience_id", "person_id"], unique=False)
    op.create_table(
        "rse_core_notification",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("group_key", sa.String(length=600), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_notification_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_notification")),
    )
    op.create_index("ix_rse_core_notification_group", "rse_core_notification", ["group_key"], unique=False)
    op.create_index("ix_rse_core_notification_person", "rse_core_notification", ["person_id", "read_at", "id"], unique=False)
    op.create_table(
        "rse_core_page_alias",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alias", sa.String(length=520), nullable=False),
        sa.Column("page_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("claimed_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["claimed_by"], ["rse_core_person.id"], name=op.f("fk_rse_core_page_alias_claimed_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["page_id"], ["rse_core_page.id"], name=op.f("fk_rse_core_page_alias_page_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_page_alias")),
        sa.UniqueConstraint("alias", name=op.f("uq_rse_core_page_alias_alias")),
    )
    op.create_index(op.f("ix_rse_core_page_alias_claimed_by"), "rse_core_page_alias", ["claimed_by"], unique=False)
    op.create_index("ix_rse_core_page_alias_page", "rse_core_page_alias", ["page_id"], unique=False)
    op.create_table(
        "rse_core_preference",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_preference_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "key", name=op.f("pk_rse_core_preference")),
    )
    op.create_table(
        "rse_core_rate",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("what", sa.String(length=80), nullable=False),
        sa.Column("window", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_rate_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "what", "window", name=op.f("pk_rse_core_rate")),
    )
    op.create_table(
        "rse_core_role",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_role_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_role")),
        sa.UniqueConstraint(
            "person_id", "role", "scope", "scope_id", name=op.f("uq_rse_core_role_person_id_role_scope_scope_id")
        ),
    )
    op.create_index(op.f("ix_rse_core_role_person_id"), "rse_core_role", ["person_id"], unique=False)
    op.create_table(
        "rse_core_space_member",
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_space_member_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_core_space_member_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space_id", "person_id", name=op.f("pk_rse_core_space_member")),
    )
    op.create_index(op.f("ix_rse_core_space_member_person_id"), "rse_core_space_member", ["person_id"], unique=False)
    op.create_table(
        "rse_core_suspension",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_suspension_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_suspension")),
    )
    op.create_index(op.f("ix_rse_core_suspension_person_id"), "rse_core_suspension", ["person_id"], unique=False)
    op.create_table(
        "rse_core_token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scopes", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_token_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_rse_core_token_digest")),
    )
    op.create_index(op.f("ix_rse_core_token_person_id"), "rse_core_token", ["person_id"], unique=False)
    op.create_table(
        "rse_core_visit",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_visit_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("day", "person_id", name=op.f("pk_rse_core_visit")),
    )
    op.create_table(
        "rse_core_notification_actor",
        sa.Column("notification_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_notification_actor_actor_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["rse_core_notification.id"],
            name=op.f("fk_rse_core_notification_actor_notification_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("notification_id", "actor_id", "cause", name=op.f("pk_rse_core_notification_actor")),
    )
    op.create_index(
        op.f("ix_rse_core_notification_actor_actor_id"), "rse_core_notification_actor", ["actor_id"], unique=False
    )

    # Everybody's audience, and the version that every change of what decisions are made from counts up.
    audience = sa.table("rse_core_audience", sa.column("kind"), sa.column("target_id"))
    op.bulk_insert(audience, [{"kind": "everyone", "target_id": 0}])
    version = sa.table("rse_core_policy_version", sa.column("id"), sa.column("value"))
    op.bulk_insert(version, [{"id": 1, "value": 1}])
