"""people in several entities, and their assistants

Revision 0008, 2026-11-27.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table, other, referred in (
        ("rse_core_person_entity", "entity_id", "rse_core_entity.id"),
        ("rse_core_assistant", "assistant_id", "rse_core_person.id"),
    ):
        op.create_table(
            table,
            sa.Column("person_id", KEY, nullable=False),
            sa.Column(other, KEY, nullable=False),
            sa.ForeignKeyConstraint(
                ["person_id"], ["rse_core_person.id"], name=op.f(f"fk_{table}_person_id"), ondelete="CASCADE"
            ),
            sa.ForeignKeyConstraint([other], [referred], name=op.f(f"fk_{table}_{other}"), ondelete="CASCADE"),
            sa.PrimaryKeyConstraint("person_id", other, name=op.f(f"pk_{table}")),
        )
        op.create_index(op.f(f"ix_{table}_{other}"), table, [other], unique=False)
