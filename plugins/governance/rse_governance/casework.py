"""Cases as lists: those of moderators with what was reported of them, and an author's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, translator
from rse_core.people import PersonCard, names

from . import access, appeals, lines
from .models import Case, Report

_ = translator(__file__, "rse_governance").gettext
LISTS: Mapping[str, tuple[str, ...]] = {
    "open": ("open",), "appealed": ("appealed",), "decided": ("kept", "hidden", "confirmed", "restored"),
}  # fmt: skip
PAGE = 25
#: Reports shown under one case, the latest first.
FEW = 20


@dataclass(frozen=True, slots=True)
class Told:
    """One report, with who made it: shown to moderators alone."""

    row: Report
    person: PersonCard | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of cases with their reports."""

    lines: Sequence[lines.Line]
    reports: Mapping[int, Sequence[Told]]
    after: int | None
    #: how many more wait where one may not look
    elsewhere: int = 0


def page(
    session: Session, person_id: int, *, state: str = "open", after: int | None = None, most: int = PAGE
) -> Page:  # fmt: skip
    """Cases that the person moderates and may look into, and appeals that were handed to the moderators of the whole site:
    what is open, the eldest first; what was decided, the latest.

    :param state: ``open``, ``appealed`` or ``decided``.
    """
    access.require_some(session, person_id)
    if state not in LISTS:
        raise BadInput(_("“%(state)s” is none of open, appealed and decided.", state=state[:20]))
    there, inside = access.mine(session, person_id, Case), access.open_to(person_id, Case.audience_id)
    handed = access.escalated(session, person_id)
    query = select(Case, inside.label("inside")).where(Case.state.in_(LISTS[state]), or_(and_(there, inside), handed))
    if state == "decided":
        query = query.order_by(Case.id.desc())
        query = query if after is None else query.where(Case.id < after)
    else:
        query = query.where(Case.id > (after or 0)).order_by(Case.id)
    found = session.execute(query.limit(most + 1)).all()
    rows = [row for row, _looks in found[:most]]
    blind = {row.id for row, looks in found[:most] if not looks}
    elsewhere = 0
    if state != "decided" and after is None:
        elsewhere = session.scalar(
            select(func.count()).select_from(Case).where(Case.state.in_(LISTS[state]), there, ~inside, ~handed)
        ) or 0  # fmt: skip
    more = rows[-1].id if len(found) > most else None
    seen = [row for row in rows if row.id not in blind]
    told = {line.row.id: line for line in lines.of(session, seen)}
    if blind:
        told |= {line.row.id: line for line in lines.blind(session, [row for row in rows if row.id in blind])}
    return Page([told[row.id] for row in rows], _reports(session, seen), more, elsewhere)


def own(session: Session, person_id: int, *, after: int | None = None, most: int = PAGE) -> Page:
    """Cases about what the person wrote, once something was decided or taken down; without the reports."""
    told = or_(Case.state.not_in(("open", "kept")), Case.automatic.is_(True))
    query = select(Case).where(Case.author_id == person_id, told)
    if after is not None:
        query = query.where(Case.id < after)
    rows = list(session.scalars(query.order_by(Case.id.desc()).limit(most + 1)))
    lonely = appeals.alone(session, [row for row in rows[:most] if row.appealable])
    shown = [replace(line, alone=line.row.id in lonely) for line in lines.of(session, rows[:most])]
    return Page(shown, {}, rows[most - 1].id if len(rows) > most else None)


def _reports(session: Session, rows: Sequence[Case]) -> dict[int, list[Told]]:
    ids = [row.id for row in rows]
    if not ids:
        return {}
    found = list(session.scalars(select(Report).where(Report.case_id.in_(ids)).order_by(Report.id.desc()).limit(500)))
    cards = names(session, [report.person_id for report in found])
    told: dict[int, list[Told]] = {}
    for report in found:
        some = told.setdefault(report.case_id, [])
        if len(some) < FEW:
            some.append(Told(report, cards.get(report.person_id or 0)))
    return told
