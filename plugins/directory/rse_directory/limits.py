"""Looking at people is free; copying the directory is not: what one person opens within an hour is limited and noted."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rse_core.api import Actor, Core, TooMany, dialect_insert, option, record, translator, utcnow
from rse_core.models.organisation import Person
from rse_core.onlookers import is_onlooker

from .models import Look

_ = translator(__file__, "rse_directory").gettext
HOUR = 3600


def admit(core: Core, viewer_id: int, *, subject_id: int | None = None, page: int | None = None) -> None:
    """Note that somebody opens a profile or a page of a list; in a transaction of its own, as a refusal is noted too.

    The same profile again within the hour counts once.

    :param page: a number that tells pages of lists apart.
    :raises TooMany: beyond the site's limit; the first time within the hour it is in the audit log.
    """
    if is_onlooker(viewer_id):
        return
    hour = int(utcnow().timestamp()) // HOUR
    subject = subject_id if subject_id is not None else -abs(page or 1)
    with core.db.write() as session:
        most: int = option(session, "directory.profiles_an_hour" if subject > 0 else "directory.pages_an_hour")
        made = dialect_insert(session, Look).values(viewer_id=viewer_id, hour=hour, subject_id=subject)
        new = session.execute(made.on_conflict_do_nothing().returning(Look.subject_id)).scalar() is not None
        of_kind = Look.subject_id > 0 if subject > 0 else Look.subject_id < 0
        mine = (Look.viewer_id == viewer_id, Look.hour == hour, of_kind)
        place = session.scalar(select(func.count()).where(*mine)) or 0
        over = place > most
        if over and new:
            # Refusals do not grow the table; the first one stays, as the mark that it was noted.
            if place == most + 1:
                username = session.scalar(select(Person.username).where(Person.id == viewer_id)) or ""
                kind = "profiles" if subject > 0 else "pages"
                record(session, Actor(username, viewer_id), "directory.too_many", f"person:{username}", after={kind: place})
            else:
                session.execute(delete(Look).where(*mine, Look.subject_id == subject))
    if over and new:
        left = HOUR - int(utcnow().timestamp()) % HOUR
        raise TooMany(
            _("You have opened very many people of the directory within an hour; please go on later."), retry_after=left
        )


def prune(session: Session) -> None:
    """Job: forget who looked at whom a day ago."""
    before = int(utcnow().timestamp()) // HOUR - 24
    session.execute(delete(Look).where(Look.hour < before).execution_options(synchronize_session=False))
