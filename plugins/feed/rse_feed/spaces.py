"""A space whose content is for other people now, or stands in another space: posts and entries follow, set by set."""

from __future__ import annotations

from sqlalchemy import case, update
from sqlalchemy.orm import Session

from rse_core.api import SpaceChange
from rse_core.audiences import of_members

from . import counting
from .models import Entry, Pin, Post


def changed(session: Session, change: SpaceChange) -> None:
    """In the transaction of the change. What was for the members alone of a public space stays for the members alone."""
    members = of_members(session, change.space_id)
    alone = members if change.into is None else of_members(session, change.into)
    for table in (Post, Entry):
        # Compared with what it was: "members" first only where the space as a whole was for others.
        rules = [(table.audience_id == change.audience_before, change.audience_after)]
        if members != change.audience_before:
            rules.append((table.audience_id == members, alone))
        values: dict[str, object] = {"audience_id": case(*rules, else_=table.audience_id)}
        if change.into is not None:
            values["space_id"] = change.into
        session.execute(
            update(table).where(table.space_id == change.space_id).values(values)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
    if change.into is not None:
        session.execute(
            update(Pin).where(Pin.space_id == change.space_id).values(space_id=change.into)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        counting.recount(session, [change.space_id, change.into])
    session.expire_all()
