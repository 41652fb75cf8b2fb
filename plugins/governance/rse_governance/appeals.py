"""The author's appeal against what was taken down or deleted, once: another moderator than the one who decided answers it.

Where nobody else moderates that may look into the place, it goes to the moderators of the whole site. They see the reason of
the decision, the appeal, and what was taken down only if its author lets them; neither the place nor who decided there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from rse_core import moderation
from rse_core.api import (
    BadInput,
    Conflict,
    Event,
    Forbidden,
    NotFound,
    core_of,
    emit,
    record,
    translator,
    utcnow,
)
from rse_core.models.organisation import Audience, Membership, Person, RoleGrant, SpaceMember
from rse_core.organisation import MANAGING_ROLES

from . import access, cases
from .models import Case

_ = translator(__file__, "rse_governance").gettext
JOB = "governance.appeals"
#: Appeals that the job looks at together.
AT_ONCE = 500


def appeal(session: Session, person_id: int, case_id: int, text: str, *, disclose: bool = False) -> Case:
    """The author asks that what was taken down or deleted be looked at again; once, within the term.

    :param disclose: where the moderators of the whole site decide, they may read what was taken down.
    :raises NotFound: for what is not one's own.
    :raises Conflict: when nothing was taken down, one appealed before, or the term is over.
    """
    case = _own(session, person_id, case_id)
    text = cases.clean(text)
    if not text:
        raise BadInput(_("Say why it should be shown again."), fields={"text": _("Missing.")})
    if not case.appealable:
        over = case.state == "hidden" and case.appealed_at is None
        raise Conflict(
            _("The time to appeal is over.") if over else _("There is nothing to appeal against, or you did so before.")
        )
    case.appeal, case.appealed_at, case.state, case.version = text, utcnow(), "appealed", case.version + 1
    case.escalated = not others(session, case)
    case.disclosed = _said(session, case) if case.escalated and disclose else ""
    session.flush()
    record(session, access.actor_of(session, person_id), "governance.appealed", str(cases.ref_of(case)), after="appealed")
    _tell(session, case, person_id)
    return case


def disclose(session: Session, person_id: int, case_id: int) -> Case:
    """The author lets the moderators of the whole site read what was taken down.

    :raises Conflict: when the appeal is none of theirs, or decided.
    """
    case = _own(session, person_id, case_id)
    if case.state != "appealed" or not case.escalated:
        raise Conflict(_("No moderator of the whole site has to decide on this."))
    case.disclosed, case.version = _said(session, case), case.version + 1
    session.flush()
    return case


def decide_appeal(session: Session, person_id: int, case_id: int, *, grant: bool, reason: str) -> Case:
    """Decide on an appeal: never who took it down.

    :raises NotFound: for a case that the person neither moderates nor was given to the moderators of the whole site.
    :raises Forbidden: for who took it down.
    """
    there = and_(access.mine(session, person_id, Case), access.open_to(person_id, Case.audience_id))
    query = select(Case).where(Case.id == case_id, or_(there, access.escalated(session, person_id)))
    case = cases.found_or_none(session.scalar(query.with_for_update(of=Case)))
    if case.state != "appealed":
        raise Conflict(_("This was decided before."), remedy=_("Reload the list."))
    if case.decided_by == person_id:
        raise Forbidden(
            _("You took it down: another moderator decides on the appeal."),
            remedy=_("Where there is none, a moderator of the whole site decides; an administrator can appoint one."),
        )
    reason = cases.clean(reason)
    if not reason:
        raise BadInput(_("Give the reason: its author is shown it."), fields={"reason": _("Missing.")})
    actor = access.actor_of(session, person_id)
    if grant:
        cases.put_back(session, case, actor)
    case.state = "restored" if grant else "confirmed"
    # What was disclosed was for this decision.
    case.appeal_decided_by, case.appeal_reason, case.disclosed = person_id, reason, ""
    case.reports, case.noted, case.automatic, case.version = 0, False, False, case.version + 1
    return cases.told(session, case, actor, "governance.appeal_decided", reason)


def others(session: Session, case: Case) -> set[int]:
    """Who could decide on the appeal beside the one who took it down, and the author."""
    every = moderation.moderators(session, audience_id=case.audience_id, entity_id=case.entity_id, space_id=case.space_id)
    return access.who_may_look(session, every - {None}, case.audience_id) - {case.decided_by, case.author_id}


def alone(session: Session, rows: Sequence[Case]) -> set[int]:
    """The ids of those cases that have no :func:`others`; a constant number of queries."""
    if not rows:
        return set()
    site = moderation.moderators(session, audience_id=None)
    audiences = {row.audience_id for row in rows if row.audience_id is not None}
    closed = set(session.scalars(select(Audience.id).where(Audience.id.in_(audiences), Audience.kind == "space")))
    inside = _inside(session, closed, {row.space_id for row in rows if row.space_id is not None})
    found = set()
    for row in rows:
        mine = {row.decided_by, row.author_id}
        if row.audience_id not in closed:
            # Whatever the place: the moderators of the site may look, too. Without any, the few are asked for one by one.
            if not site - mine and not others(session, row):
                found.add(row.id)
        elif not _moderate(session, row, inside[row.audience_id], site) - mine:
            found.add(row.id)
    return found


def _inside(session: Session, audiences: set[int], spaces: set[int]) -> dict[int | None, list[tuple[str, int, int]]]:
    """Per closed audience, who of its people has a role that may moderate: (scope, its id, person)."""
    found: dict[int | None, list[tuple[str, int, int]]] = defaultdict(list)
    roles = (
        select(Membership.audience_id, RoleGrant.scope, RoleGrant.scope_id, RoleGrant.person_id)
        .join(RoleGrant, RoleGrant.person_id == Membership.person_id).join(Person, Person.id == RoleGrant.person_id)
        .where(
            Membership.audience_id.in_(audiences), Person.status == "active",
            or_(
                (RoleGrant.scope == "entity") & RoleGrant.role.in_(("moderator", "entity_admin")),
                (RoleGrant.scope == "space") & RoleGrant.role.in_(("moderator", "animator")),
            ),
        )
    )  # fmt: skip
    managing = (
        select(Membership.audience_id, SpaceMember.space_id, SpaceMember.person_id)
        .join(SpaceMember, SpaceMember.person_id == Membership.person_id).join(Person, Person.id == SpaceMember.person_id)
        .where(
            Membership.audience_id.in_(audiences), SpaceMember.space_id.in_(spaces), Person.status == "active",
            SpaceMember.role.in_(MANAGING_ROLES),
        )
    )  # fmt: skip
    members = select(Membership.audience_id, Membership.person_id).join(
        RoleGrant, RoleGrant.person_id == Membership.person_id
    )
    members = members.join(Person, Person.id == RoleGrant.person_id).where(
        Membership.audience_id.in_(audiences), RoleGrant.scope == "site", Person.status == "active",
        RoleGrant.role.in_(("site_admin", "moderator")),
    )  # fmt: skip
    for audience, scope, ident, person in session.execute(roles):
        found[audience].append((scope, ident, person))
    for audience, space, person in session.execute(managing):
        found[audience].append(("space", space, person))
    for audience, person in session.execute(members):
        found[audience].append(("site", 0, person))
    return found


def _moderate(session: Session, row: Case, inside: Iterable[tuple[str, int, int]], site: set[int]) -> set[int]:
    path = core_of(session).policy.snapshot().paths.get(row.entity_id or 0, ())
    places = {("site", 0), ("space", row.space_id), *(("entity", above) for above in path)}
    return {person for scope, ident, person in inside if (scope, ident) in places}


def hand_over(session: Session) -> None:
    """The job: an appeal that nobody can decide any more where it stands goes to the moderators of the whole site."""
    waiting = select(Case).where(Case.state == "appealed", Case.escalated.is_(False)).order_by(Case.id).limit(AT_ONCE)
    last = 0
    while rows := list(session.scalars(waiting.where(Case.id > last))):
        last = rows[-1].id
        lonely = alone(session, rows)
        for case in rows:
            if case.id in lonely:
                case.escalated, case.version = True, case.version + 1
                session.flush()
                _tell(session, case, case.author_id)


def _own(session: Session, person_id: int, case_id: int) -> Case:
    case = session.scalar(select(Case).where(Case.id == case_id).with_for_update())
    if case is None or case.author_id != person_id:
        raise NotFound(_("There is no such decision."))
    return case


def _said(session: Session, case: Case) -> str:
    """What was taken down, as its plugin tells it now; "" where it does not."""
    kind = core_of(session).plugins.content_types.get(case.ref_type)
    if kind is None or kind.handling.text is None:
        return ""
    return kind.handling.text(session, [case.ref_id]).get(case.ref_id, "")


def _tell(session: Session, case: Case, person_id: int | None) -> None:
    emit(session, Event("governance.appealed", person_id, cases.ref_of(case), case.audience_id, {"case": case.id}))
