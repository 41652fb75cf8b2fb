"""Who keeps an object since its author has left is told of what is said of it."""

from __future__ import annotations

from sqlalchemy import select

from rse_comments import service
from rse_core.api import ObjectRef
from rse_core.models.runtime import NotificationRow
from rse_core.testing.organisation import make_person


def test_both_are_told_while_both_are_there(noted):
    core, notes = noted
    author, keeper, other = (make_person(core, name) for name in ("author", "keeper", "other"))
    notes["1"] = {"author_id": author.id, "keeper_id": keeper.id}
    with core.db.write() as session:
        service.write(session, other.id, ObjectRef("notes.note", "1"), "Une question")
    core.jobs.run_due()
    with core.db.read() as session:
        rows = session.execute(select(NotificationRow.person_id, NotificationRow.type))
        assert sorted((row[0], row[1]) for row in rows) == [
            (author.id, "comments.commented"), (keeper.id, "comments.commented")
        ]  # fmt: skip
