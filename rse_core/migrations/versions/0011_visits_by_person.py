"""visits by person

Revision 0011, 2026-11-28. The export and the erasure of a person ask for their visits.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_index(op.f("ix_rse_core_visit_person_id"), "rse_core_visit", ["person_id"], unique=False)
