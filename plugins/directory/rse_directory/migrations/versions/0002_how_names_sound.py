"""how names sound; initials with œ

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


def upgrade() -> None:
    # Each word of a name once, not each person: some ten thousands at most, so that nobody waits for a job.
    known = op.get_bind().execute(sa.select(_near.c.word).where(_near.c.part == _near.c.word)).scalars().all()
    rows = [{"part": key, "word": word} for word in known if (key := sounds.key(word))]
    if rows:
        op.bulk_insert(_near, rows)
    # Those who have an initial of two letters now are indexed anew by the job that follows people.
    begins = [sa.and_(_token.c.token >= two, _token.c.token < after) for two, after in (("ae", "af"), ("oe", "of"))]
    theirs = sa.select(_token.c.person_id).where(_token.c.kind == 1, _token.c.field == "name", sa.or_(*begins))
    op.execute(sa.delete(_indexed).where(_indexed.c.person_id.in_(theirs)))
