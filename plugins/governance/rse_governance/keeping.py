"""How long what is kept about people stays, and the record of processing made from what the plugins declare."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import privacy
from rse_core.api import BadInput, NotFound, Text, core_of, defer, dialect_insert, record, translator, utcnow

from . import access
from .models import Term

_ = translator(__file__, "rse_governance").gettext
log = logging.getLogger("rse.governance")
JOB = "governance.retention"
#: Parts that one run deletes of one kind; the next run goes on.
PARTS = 20


@dataclass(frozen=True, slots=True)
class Processing:
    """One kind of data in the record: whose it is, what for, how long. ``days`` 0: until it is deleted or erased."""

    owner: str
    name: str
    label: Text
    purpose: Text
    retention: Text
    days: int
    #: whether the site can say after how many days it goes
    prunable: bool


def processing(session: Session) -> list[Processing]:
    """The record of processing, as the site stands now."""
    terms = {row.name: row.days for row in session.scalars(select(Term))}
    states = core_of(session).plugins.states
    return [
        Processing(
            str(states[kept.owner].label) if kept.owner in states else "RSE", kept.data.name, kept.data.label,
            kept.data.purpose, kept.data.retention, terms.get(kept.data.name, kept.data.days or 0),
            kept.data.prune is not None,
        )
        for kept in privacy.kinds(session)
    ]  # fmt: skip


def set_term(session: Session, person_id: int, name: str, days: int) -> None:
    """After how many days this kind of data goes; 0: never by itself.

    :raises Forbidden: for who is no site administrator.
    :raises NotFound: for a kind that does not grow old.
    """
    access.require_admin(session, person_id)
    kind = next((one for one in processing(session) if one.name == name), None)
    if kind is None or not kind.prunable:
        raise NotFound(_("There is no such kind of data, or it does not grow old."))
    if not 0 <= days <= 36_600 or 0 < days < 30:
        message = _("Give 0 for never, or at least 30 days.")
        raise BadInput(message, fields={"days": message})
    values = {"days": days, "set_by": person_id, "set_at": utcnow()}
    kept = dialect_insert(session, Term).values(name=name, **values)
    session.execute(kept.on_conflict_do_update(index_elements=["name"], set_=values))
    record(
        session, access.actor_of(session, person_id), "privacy.term", name, before={"days": kind.days}, after={"days": days}
    )


def apply(session: Session) -> None:
    """The job: delete what is older than its term, a part at a time. One kind that fails does not keep the others."""
    terms = {row.name: row.days for row in session.scalars(select(Term))}
    again = False
    for kept in privacy.kinds(session):
        days = terms.get(kept.data.name, kept.data.days or 0)
        if kept.data.prune is None or not days:
            continue
        before = utcnow() - dt.timedelta(days=days)
        try:
            with session.begin_nested():
                for _part in range(PARTS):
                    if not kept.data.prune(session, before):
                        break
                else:
                    again = True
        except Exception:  # isolation point: a plugin's own rows stay until it is mended
            log.exception("the data “%s” of “%s” could not be pruned", kept.data.name, kept.owner)
    if again:
        defer(session, JOB)
