"""Reports: what people say of an object, and what moderators decide. Appeals are in :mod:`.appeals`.

An object has one case. A report after a decision opens it again, and only reports since then count towards taking it down.
Its author never learns who reported it.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, and_, delete, false, func, not_, or_, select
from sqlalchemy.orm import Session

from rse_core.api import (
    Actor,
    BadInput,
    Conflict,
    ContentInfo,
    Event,
    Handling,
    NotFound,
    ObjectRef,
    Target,
    Text,
    core_of,
    dialect_insert,
    emit,
    option,
    record,
    require,
    resolve,
    seen,
    translator,
    utcnow,
    withdraw,
)
from rse_core.models.organisation import Person
from rse_core.objects import SHOWN
from rse_core.ratelimit import limit

from . import access
from .models import Binned, Case, Report

_t = translator(__file__, "rse_governance")
_, lazy = _t.gettext, _t.lazy

KINDS: dict[str, Text] = {
    "hurtful": lazy("It hurts or attacks somebody"),
    "private": lazy("It says something private or confidential"),
    "false": lazy("It is false or misleading"),
    "off_topic": lazy("It does not belong here, or is advertising"),
    "illegal": lazy("It may be against the law"),
    "other": lazy("Something else"),
}
HIDE_AFTER = "governance.hide_after"
APPEAL_DAYS = "governance.appeal_days"
LONGEST = 2_000
PER_HOUR = 20
#: States in which a moderator decides; in which the object is taken down.
WAITING, DOWN = ("open", "appealed"), ("hidden", "appealed", "confirmed")


def report(session: Session, person_id: int, ref: ObjectRef, *, kind: str, text: str = "") -> bool:
    """Report an object that the person can read; False when they had done so already.

    :raises NotFound: for an object that does not exist, or that they may not see.
    :raises BadInput: for a kind that does not exist, or “other” without a text.
    :raises Conflict: for one's own.
    """
    info = readable(session, person_id, ref)
    text = clean(text)
    if kind not in KINDS:
        raise BadInput(_("Choose a reason."), fields={"kind": _("Choose a reason.")})
    if kind == "other" and not text:
        raise BadInput(_("Say what is wrong."), fields={"text": _("Say what is wrong.")})
    case = _opened(session, ref, info.author_id, Target(info.audience_id, space_id=info.space_id))
    new = session.execute(
        dialect_insert(session, Report)
        .values(case_id=case.id, person_id=person_id, kind=kind, text=text, at=utcnow())
        .on_conflict_do_nothing(index_elements=["case_id", "person_id"])
        .returning(Report.id)
    ).scalar()
    if new is None:
        return False
    limit(session, person_id, access.REPORT, most=PER_HOUR, seconds=3600)
    case.reports += 1
    case.version += 1
    _reopen(case)
    session.flush()
    most = option(session, HIDE_AFTER)
    handling = _handling(session, case)
    if most and case.reports >= most and case.state == "open" and not case.automatic and handling.hide is not None:
        _take_down(session, case, Actor("governance"), _("It was reported by %(num)s people.", num=str(case.reports)))
        case.automatic = True
        emit(session, Event("governance.hidden", None, ref, case.audience_id, {"case": case.id}))
    emit(session, Event("governance.reported", None, ref, case.audience_id, {"case": case.id}))
    return True


def note(session: Session, ref: ObjectRef, *, author_id: int | None, target: Target) -> Case:
    """A word rule noted it: its moderators look at it as at a report."""
    case = _opened(session, ref, author_id, target)
    case.noted = True
    _reopen(case)
    session.flush()
    emit(session, Event("governance.reported", None, ref, case.audience_id, {"case": case.id}))
    return case


def noted_down(
    session: Session, ref: ObjectRef, *, author_id: int | None, by_id: int | None, reason: str, target: Target
) -> None:
    """A moderator took it down where it stands: its author may appeal here as against any decision."""
    case = _opened(session, ref, author_id, target)
    if case.state not in DOWN:
        _noted(session, case, by_id, reason)


def noted_deleted(
    session: Session, ref: ObjectRef, *, author_id: int, by_id: int, reason: str, target: Target, kept: bool
) -> None:
    """A moderator deleted it: its author is told why, and may appeal while it can be shown again.

    :param kept: whether it is in the recycle bin.
    """
    case = _opened(session, ref, author_id, target)
    if case.state in ("appealed", "confirmed"):
        # Looked at already; who answers the appeal answers for this as well.
        return
    _noted(session, case, by_id, reason)
    if not kept:
        case.appeal_until = case.decided_at
        session.flush()
    emit(session, Event("governance.decided", by_id, ref, case.audience_id, {"case": case.id, "state": case.state}))


def term(session: Session) -> dt.timedelta:
    """How long after a decision its author may appeal."""
    return dt.timedelta(days=option(session, APPEAL_DAYS))


def readable(session: Session, person_id: int, ref: ObjectRef) -> ContentInfo:
    """An object that this person may report.

    :raises NotFound: for any other; the same for one that does not exist and one that they may not see.
    :raises Forbidden: below the level from which one reports.
    """
    info = seen(session, person_id, [ref]).get(ref)
    if info is None or ref.type.startswith("governance."):
        raise NotFound(_("There is nothing to report here."))
    require(session, person_id, access.REPORT, Target(info.audience_id, info.sections, info.space_id))
    if info.author_id == person_id:
        raise Conflict(_("This is your own; you can edit or delete it."))
    return info


def decide(
    session: Session, person_id: int, case_id: int, *, hide: bool, reason: str, version: int | None = None
) -> Case:  # fmt: skip
    """Leave the object in place, or take it down, with a reason that its author is told.

    :raises NotFound: for a case that the person does not moderate or may not look into.
    :raises Conflict: when it was decided meanwhile, or its plugin cannot take it down.
    """
    case = one(session, person_id, case_id, lock=True)
    if version is not None and case.version != version:
        raise Conflict(_("This case has changed since you opened it."), remedy=_("Read it again, then decide."))
    if case.state != "open":
        raise Conflict(_("This was decided before."), remedy=_("Reload the list."))
    reason = clean(reason)
    if hide and not reason:
        raise BadInput(_("Give the reason: its author is shown it."), fields={"reason": _("Missing.")})
    actor = access.actor_of(session, person_id)
    if hide and not case.automatic:
        _take_down(session, case, actor, reason)
    elif not hide and case.automatic:
        put_back(session, case, actor)
    case.state, case.decided_by, case.decided_at, case.reason = "hidden" if hide else "kept", person_id, utcnow(), reason
    case.appeal_until = utcnow() + term(session) if hide else None
    case.reports, case.noted, case.automatic = 0, False, False
    case.version += 1
    return told(session, case, actor, "governance.decided", reason)


def one(session: Session, person_id: int, case_id: int, *, lock: bool = False) -> Case:
    """A case that this person moderates and may look into.

    :raises NotFound: for every other.
    """
    query = select(Case).where(
        Case.id == case_id, access.mine(session, person_id, Case), access.open_to(person_id, Case.audience_id)
    )
    return found_or_none(session.scalar(query.with_for_update(of=Case) if lock else query))


def found_or_none(case: Case | None) -> Case:
    """The case.

    :raises NotFound: without one.
    """
    if case is None:
        raise NotFound(_("There is no such case among those that you moderate."))
    return case


def shown_again(session: Session, ref: ObjectRef, person_id: int, why: str) -> None:
    """A moderator took it out of the recycle bin: an appeal that waits is answered by that."""
    case = session.scalar(select(Case).where(Case.ref_type == ref.type, Case.ref_id == ref.id).with_for_update())
    if case is None or case.state not in DOWN:
        return
    if case.state == "appealed":
        case.appeal_decided_by, case.appeal_reason, case.disclosed = person_id, why, ""
        withdraw(session, f"case:{case.id}")
    case.state, case.version = "restored", case.version + 1
    session.flush()


def forget(session: Session, ref: ObjectRef) -> None:
    """The object is gone for good: so is its case."""
    session.execute(delete(Case).where(Case.ref_type == ref.type, Case.ref_id == ref.id))


def count_waiting(session: Session, person_id: int) -> int:
    """Cases that wait for this person; one query beside that for their roles."""
    there = and_(access.mine(session, person_id, Case), access.open_to(person_id, Case.audience_id))
    own = and_(Case.state == "appealed", Case.decided_by == person_id)
    query = select(func.count()).select_from(Case).where(
        Case.state.in_(WAITING), or_(there, access.escalated(session, person_id)), not_(coalesced(own))
    )  # fmt: skip
    return session.scalar(query) or 0


def coalesced(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """False where it is unknown: nobody has decided."""
    return func.coalesce(condition, false())


# -- steps -------------------------------------------------------------------------------------------------------------


def _opened(session: Session, ref: ObjectRef, author_id: int | None, target: Target) -> Case:
    entity = select(Person.entity_id).where(Person.id == author_id)
    session.execute(
        dialect_insert(session, Case)
        .values(
            ref_type=ref.type, ref_id=ref.id, author_id=author_id, audience_id=target.audience_id or None,
            entity_id=None if author_id is None else session.scalar(entity), space_id=target.space_id, opened_at=utcnow(),
            state="open", reports=0, noted=False, automatic=False, version=1, reason="", appeal="", appeal_reason="",
        )
        .on_conflict_do_nothing(index_elements=["ref_type", "ref_id"])
    )  # fmt: skip
    query = select(Case).where(Case.ref_type == ref.type, Case.ref_id == ref.id).with_for_update()
    case = session.scalars(query.execution_options(populate_existing=True)).one()
    # It may stand elsewhere than when it was reported first.
    case.audience_id, case.space_id = target.audience_id or None, target.space_id
    return case


def _noted(session: Session, case: Case, by_id: int | None, reason: str) -> None:
    now = utcnow()
    case.state, case.decided_by, case.decided_at, case.reason = "hidden", by_id, now, reason
    case.appeal_until = now + term(session)
    case.reports, case.noted, case.automatic = 0, False, False
    _without_appeal(case)
    case.version += 1
    session.flush()


def _reopen(case: Case) -> None:
    if case.state in ("kept", "restored"):
        case.state, case.opened_at = "open", utcnow()
        case.appeal_until = None
        _without_appeal(case)


def _without_appeal(case: Case) -> None:
    case.appealed_at, case.appeal, case.escalated, case.disclosed = None, "", False, ""


def _take_down(session: Session, case: Case, actor: Actor, reason: str) -> None:
    hide = _handling(session, case).hide
    if hide is None:
        raise Conflict(_("What this plugin keeps cannot be taken down from here."), remedy=_("Open it and delete it there."))
    hide(session, case.ref_id, actor, reason)


def put_back(session: Session, case: Case, actor: Actor) -> None:
    """Show it again.

    :raises Conflict: when its plugin cannot.
    """
    info = resolve(session, [ref_of(case)]).get(ref_of(case))
    if info is not None and info.state in SHOWN:
        # Somebody has shown it again where it stands.
        return
    restore = _handling(session, case).restore
    if restore is None:
        raise Conflict(_("What this plugin keeps cannot be shown again from here."))
    restore(session, case.ref_id, actor)
    # Else the job would empty what is shown again.
    session.execute(delete(Binned).where(Binned.ref_type == case.ref_type, Binned.ref_id == case.ref_id))


def _handling(session: Session, case: Case) -> Handling:
    kind = core_of(session).plugins.content_types.get(case.ref_type)
    return Handling() if kind is None else kind.handling


def told(session: Session, case: Case, actor: Actor, event: str, why: str) -> Case:
    """Write a decision into the log, and tell of it."""
    session.flush()
    ref = ref_of(case)
    record(session, actor, event, str(ref), after=case.state, why=why)
    emit(session, Event(event, actor.person_id, ref, case.audience_id, {"case": case.id, "state": case.state}))
    return case


def ref_of(case: Case) -> ObjectRef:
    """What it is about."""
    return ObjectRef(case.ref_type, case.ref_id)


def clean(text: str) -> str:
    """What somebody wrote, without blanks around it.

    :raises BadInput: for what is too long.
    """
    text = text.strip()
    if len(text) > LONGEST or "\x00" in text:
        message = _("Write at most %(most)s characters.", most=str(LONGEST))
        raise BadInput(message, fields={"text": message, "reason": message})
    return text
