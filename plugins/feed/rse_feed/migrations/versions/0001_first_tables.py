"""first tables

Revision 0001, 2026-11-25.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "rse_feed_topic",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_feed_topic")),
        sa.UniqueConstraint("space_id", "key", name=op.f("uq_rse_feed_topic_space_id_key")),
    )
    op.create_table(
        "rse_feed_space_count",
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("posts >= 0", name=op.f("ck_rse_feed_space_count_not_negative")),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_feed_space_count_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space_id", name=op.f("pk_rse_feed_space_count")),
    )
    op.create_table(
        "rse_feed_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("event", sa.String(length=80), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("audience_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("low", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_activity", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["rse_core_person.id"], name=op.f("fk_rse_feed_entry_actor_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["audience_id"], ["rse_core_audience.id"], name=op.f("fk_rse_feed_entry_audience_id")),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["rse_core_entity.id"], name=op.f("fk_rse_feed_entry_entity_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_feed_entry_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_feed_entry")),
        sa.UniqueConstraint("ref_type", "ref_id", "event", name=op.f("uq_rse_feed_entry_ref_type_ref_id_event")),
    )
    op.create_index(
        "ix_rse_feed_entry_active", "rse_feed_entry", ["audience_id", "low", "last_activity", "id"], unique=False
    )
    op.create_index(op.f("ix_rse_feed_entry_actor_id"), "rse_feed_entry", ["actor_id"], unique=False)
    op.create_index("ix_rse_feed_entry_new", "rse_feed_entry", ["audience_id", "low", "created_at", "id"], unique=False)
    op.create_index(
        "ix_rse_feed_entry_space_active", "rse_feed_entry", ["space_id", "low", "last_activity", "id"], unique=False
    )
    op.create_index("ix_rse_feed_entry_space_new", "rse_feed_entry", ["space_id", "low", "created_at", "id"], unique=False)
    op.create_table(
        "rse_feed_post",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("audience_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("link", sa.JSON(), nullable=True),
        sa.Column("announcement", sa.Boolean(), nullable=False),
        sa.Column("must_read", sa.Boolean(), nullable=False),
        sa.Column("firm", sa.Boolean(), nullable=False),
        sa.Column("acknowledge_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("publish_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("publish_zone", sa.String(length=60), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["audience_id"], ["rse_core_audience.id"], name=op.f("fk_rse_feed_post_audience_id")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["rse_core_person.id"], name=op.f("fk_rse_feed_post_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["rse_core_person.id"], name=op.f("fk_rse_feed_post_decided_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["rse_core_entity.id"], name=op.f("fk_rse_feed_post_entity_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_feed_post_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_feed_post")),
    )
    op.create_index(
        "ix_rse_feed_post_announced",
        "rse_feed_post",
        ["audience_id", "id"],
        unique=False,
        sqlite_where=sa.text("announcement"),
        postgresql_where=sa.text("announcement"),
    )
    op.create_index("ix_rse_feed_post_author", "rse_feed_post", ["author_id", "id"], unique=False)
    op.create_index(
        "ix_rse_feed_post_due",
        "rse_feed_post",
        ["publish_at"],
        unique=False,
        sqlite_where=sa.text("state = 'scheduled'"),
        postgresql_where=sa.text("state = 'scheduled'"),
    )
    op.create_index(
        "ix_rse_feed_post_must_read",
        "rse_feed_post",
        ["audience_id", "id"],
        unique=False,
        sqlite_where=sa.text("must_read = 1"),
        postgresql_where=sa.text("must_read"),
    )
    op.create_index("ix_rse_feed_post_space", "rse_feed_post", ["space_id", "id"], unique=False)
    op.create_table(
        "rse_feed_subscription",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_feed_subscription_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_feed_subscription_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_feed_subscription")),
        sa.UniqueConstraint("digest", name=op.f("uq_rse_feed_subscription_digest")),
    )
    op.create_index(op.f("ix_rse_feed_subscription_person_id"), "rse_feed_subscription", ["person_id"], unique=False)
    op.create_table(
        "rse_feed_topic_follow",
        sa.Column("topic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_feed_topic_follow_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["rse_feed_topic.id"], name=op.f("fk_rse_feed_topic_follow_topic_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("topic_id", "person_id", name=op.f("pk_rse_feed_topic_follow")),
    )
    op.create_index(op.f("ix_rse_feed_topic_follow_person_id"), "rse_feed_topic_follow", ["person_id"], unique=False)
    op.create_table(
        "rse_feed_acknowledgement",
        sa.Column("post_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_feed_acknowledgement_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["rse_feed_post.id"], name=op.f("fk_rse_feed_acknowledgement_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", "person_id", name=op.f("pk_rse_feed_acknowledgement")),
    )
    op.create_index(op.f("ix_rse_feed_acknowledgement_person_id"), "rse_feed_acknowledgement", ["person_id"], unique=False)
    op.create_table(
        "rse_feed_pin",
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pinned_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["rse_feed_entry.id"], name=op.f("fk_rse_feed_pin_entry_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["pinned_by"], ["rse_core_person.id"], name=op.f("fk_rse_feed_pin_pinned_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["rse_core_space.id"], name=op.f("fk_rse_feed_pin_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space_id", "entry_id", name=op.f("pk_rse_feed_pin")),
    )
    op.create_index(op.f("ix_rse_feed_pin_entry_id"), "rse_feed_pin", ["entry_id"], unique=False)
    op.create_table(
        "rse_feed_post_topic",
        sa.Column("topic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("post_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["rse_feed_post.id"], name=op.f("fk_rse_feed_post_topic_post_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["rse_feed_topic.id"], name=op.f("fk_rse_feed_post_topic_topic_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("topic_id", "post_id", name=op.f("pk_rse_feed_post_topic")),
    )
    op.create_index(op.f("ix_rse_feed_post_topic_post_id"), "rse_feed_post_topic", ["post_id"], unique=False)
    op.create_table(
        "rse_feed_revision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("post_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"], ["rse_core_person.id"], name=op.f("fk_rse_feed_revision_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["rse_feed_post.id"], name=op.f("fk_rse_feed_revision_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_feed_revision")),
    )
    op.create_index(op.f("ix_rse_feed_revision_post_id"), "rse_feed_revision", ["post_id"], unique=False)
