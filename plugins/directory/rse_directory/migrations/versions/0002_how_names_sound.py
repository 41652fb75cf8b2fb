"""how names sound; initials with œ; names written in one

Revision 0002, 2026-11-28.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rse_directory import sounds

revision = "0002"
down_revision = "0001"

_near = sa.table("rse_directory_near", sa.column("part", sa.String), sa.column("word", sa.String))
_token = sa.table(
    "rse_directory_token", sa.column("kind", sa.SmallInteger), sa.column("token", sa.String),
    sa.column("person_id", sa.Integer), sa.column("field", sa.String),
)  # fmt: skip
_indexed = sa.table("rse_directory_indexed", sa.column("person_id", sa.Integer))
_BEFORE = (
    "le", "la", "les", "l", "de", "du", "des", "d", "n", "el", "al", "ben", "bel", "ould", "van", "von", "der", "den", "di",
    "da", "dos", "do", "mac", "mc", "o", "saint", "sainte", "st", "ste",
)  # fmt: skip


def upgrade() -> None:
    # Each word of a name once, not each person: some ten thousands at most, so that nobody waits for a job.
    known = op.get_bind().execute(sa.select(_near.c.word).where(_near.c.part == _near.c.word)).scalars().all()
    rows = [{"part": key, "word": word} for word in known if (key := sounds.key(word))]
    if rows:
        op.bulk_insert(_near, rows)
    # Those who have an initial of two letters, or words that may be written in one, are indexed anew by the job that
    # follows people.
    begins = [sa.and_(_token.c.token >= two, _token.c.token < after) for two, after in (("ae", "af"), ("oe", "of"))]
    theirs = sa.select(_token.c.person_id).where(
        _token.c.kind == 1, _token.c.field == "name", sa.or_(*begins, _token.c.token.in_(_BEFORE))
    )
    op.execute(sa.delete(_indexed).where(_indexed.c.person_id.in_(theirs)))
