"""comments, revisions, mentions, threads and counters

Revision 0001, 2026-11-23.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_time = sa.DateTime(timezone=True)


def _person(table: str, column: str, ondelete: str = "SET NULL") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], ["rse_core_person.id"], name=name, ondelete=ondelete)


def upgrade() -> None:
    table = "rse_comments_comment"
    op.create_table(
        table,
        sa.Column("id", _key, nullable=False),
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("parent_id", _key, nullable=True),
        sa.Column("answers_id", _key, nullable=True),
        sa.Column("author_id", _key, nullable=True),
        sa.Column("audience_id", _key, nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("replies", sa.Integer(), nullable=False),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("edited_at", _time, nullable=True),
        sa.Column("deleted_at", _time, nullable=True),
        sa.Column("deleted_by", _key, nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], [f"{table}.id"], name=op.f(f"fk_{table}_parent_id")),
        sa.ForeignKeyConstraint(["answers_id"], [f"{table}.id"], name=op.f(f"fk_{table}_answers_id")),
        sa.ForeignKeyConstraint(["audience_id"], ["rse_core_audience.id"], name=op.f(f"fk_{table}_audience_id")),
        _person(table, "author_id"),
        _person(table, "deleted_by"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_author", table, ["author_id", "id"])
    op.create_index(f"ix_{table}_parent", table, ["parent_id", "id"])
    op.create_index(f"ix_{table}_thread", table, ["ref_type", "ref_id", "parent_id", "id"])
    op.create_table(
        "rse_comments_revision",
        sa.Column("id", _key, nullable=False),
        sa.Column("comment_id", _key, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", _time, nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], [f"{table}.id"], name=op.f("fk_rse_comments_revision_comment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_comments_revision")),
    )
    op.create_index(op.f("ix_rse_comments_revision_comment_id"), "rse_comments_revision", ["comment_id"])
    op.create_table(
        "rse_comments_mention",
        sa.Column("comment_id", _key, nullable=False),
        sa.Column("person_id", _key, nullable=False),
        sa.Column("typed", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], [f"{table}.id"], name=op.f("fk_rse_comments_mention_comment_id"), ondelete="CASCADE"
        ),
        _person("rse_comments_mention", "person_id", "CASCADE"),
        sa.PrimaryKeyConstraint("comment_id", "person_id", name=op.f("pk_rse_comments_mention")),
    )
    op.create_index(op.f("ix_rse_comments_mention_person_id"), "rse_comments_mention", ["person_id"])
    op.create_table(
        "rse_comments_thread",
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("locked_at", _time, nullable=True),
        sa.Column("locked_by", _key, nullable=True),
        sa.Column("opens_at", _time, nullable=True),
        sa.Column("closes_at", _time, nullable=True),
        _person("rse_comments_thread", "locked_by"),
        sa.PrimaryKeyConstraint("ref_type", "ref_id", name=op.f("pk_rse_comments_thread")),
    )
    op.create_table(
        "rse_comments_count",
        sa.Column("ref_type", sa.String(length=81), nullable=False),
        sa.Column("ref_id", sa.String(length=500), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("count >= 0", name=op.f("ck_rse_comments_count_not_negative")),
        sa.PrimaryKeyConstraint("ref_type", "ref_id", name=op.f("pk_rse_comments_count")),
    )
