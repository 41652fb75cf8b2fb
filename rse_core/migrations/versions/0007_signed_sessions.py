"""sessions kept on the server

Revision 0007, 2026-11-27.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "rse_core_session",
        sa.Column("id", KEY, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("sid", sa.String(length=200), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_why", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["rse_core_person.id"], name=op.f("fk_rse_core_session_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rse_core_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_rse_core_session_digest")),
    )
    op.create_index(op.f("ix_rse_core_session_person_id"), "rse_core_session", ["person_id"])
    op.create_index(op.f("ix_rse_core_session_expires_at"), "rse_core_session", ["expires_at"])
    op.create_index("ix_rse_core_session_subject", "rse_core_session", ["issuer", "subject"])
    op.create_index("ix_rse_core_session_sid", "rse_core_session", ["issuer", "sid"])
