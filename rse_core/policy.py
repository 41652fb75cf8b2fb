"""May this person do this here? The rule of the cursor (DESIGN §3) over an in-memory snapshot.

``can()`` answers from memory: no query when the person is known and the subject is a :class:`Target`, a page, or
nothing. Any error while deciding refuses.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy.orm import Session

from . import cursor, refusals
from .content import ContentInfo, ObjectRef
from .contributions import Capability
from .cursor import NOWHERE, PersonFacts, Snapshot
from .db import utcnow
from .decision import Decision, Mode, Reason, Step, Trail
from .errors import Forbidden, SignInNeeded
from .freshness import DIRTY, HOLDS, listen, touch, touch_pages
from .levels import Level
from .memory import Known, Memory
from .remembered import Remembered
from .rules import Case, Verdict, judge, visible
from .snapshot import load_people, load_snapshot
from .subjects import Question, Resolved, Subject, Target, memory_key, name_of, stands

if TYPE_CHECKING:
    from .runtime import Core

__all__ = [
    "Policy", "Question", "Subject", "Target", "can", "can_many", "explain", "level_of", "open_audiences", "require",
    "touch", "touch_pages",
]  # fmt: skip

logger = logging.getLogger("rse.policy")
_monotonic, _time = time.monotonic, time.time


class _Asked(NamedTuple):
    """What plugins are still to be asked about a decision that the core's own rules allow."""

    case: Case
    question: Question
    #: the plugins that are on for this person here
    on: list[str]


class Policy(Remembered):
    """The core's policy: one per :class:`~rse_core.runtime.Core`."""

    def __init__(self, core: Core) -> None:
        super().__init__(core, Memory(core.db))
        listen(core.db.sessions, self.memory.stale)

    # -- life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Watch for changes made elsewhere in a background thread; what serves calls this once."""
        self.memory.watch()

    def stop(self) -> None:
        """Stop watching and close the policy's own connections."""
        self.memory.close()

    def forget(self) -> None:
        """Drop all that is remembered; called when the plugins that run have changed."""
        self.memory.forget()

    def everyone(self) -> int:
        """The id of the audience of everyone; 0, which the rules take for the same, before the first person exists."""
        audiences = self.memory.snapshot().audiences
        return next((ident for ident, (kind, _target) in audiences.items() if kind == "everyone"), 0)

    def snapshot(self) -> Snapshot:
        """The structure, at most 2 s behind the database."""
        return self.memory.snapshot()

    def person(self, person_id: int) -> PersonFacts | None:
        """What decisions know of a person; None when there is nobody of this id."""
        return self.memory.person(person_id, self.memory.snapshot()).facts

    def preload(self, person_ids: Iterable[int]) -> None:
        """Load many people's facts at once, before asking about each."""
        self.memory.load(person_ids, self.memory.snapshot())

    # -- deciding --------------------------------------------------------------------------------------------

    def can(
        self, session: Session, person_id: int | None, capability: str, subject: Subject = None,
        *, at: dt.datetime | None = None,
    ) -> Decision:  # fmt: skip
        """See :func:`can`."""
        key: tuple[Any, ...] | None = None
        if at is None:
            key = memory_key(capability, subject)
            memory = self.memory
            if key is not None and DIRTY not in session.info and 0.0 <= _monotonic() - memory.confirmed < HOLDS:
                known = memory.people.get(person_id)  # type: ignore[arg-type]
                if known is not None:
                    hit = known.memo.get(key)
                    if hit is not None and hit[0] <= _time() < hit[1]:
                        decision: Decision = hit[2]
                        if hit[3] is None:
                            return decision
                        target = subject if type(subject) is Target else hit[3].question.target
                        return self._ask_plugins(decision, hit[3], replace(hit[3].question, target=target, at=utcnow()))
        return self._decide(session, person_id, capability, subject, at, key)

    def _decide(
        self, session: Session, person_id: int | None, capability: str, subject: Subject,
        at: dt.datetime | None, key: tuple[Any, ...] | None = None, *, candid: bool = False,
        resolved: Resolved | None = None,
    ) -> Decision:  # fmt: skip
        if at is not None and at.tzinfo is None:
            raise ValueError("“at” was given without a time zone; use rse_core.db.utcnow() or an aware datetime")
        try:
            snapshot, known, own = self._known(session, person_id)
            moment = at or utcnow()
            place, target = resolved or self.resolve(session, subject)
            plugins = self.core.plugins
            offered: Capability | None = plugins.capabilities.get(capability)
            case = Case(
                known.facts, capability, offered, plugins.owner(capability) or "", place, moment, at is None,
                name_of(subject), candid,
            )  # fmt: skip
            verdict = judge(snapshot, case)
            decision = self._decision(snapshot, case, verdict, person_id, lazily=key is not None)
            asked = None
            if decision.allowed and (plugins.decides or (case.reviewed and plugins.implementations("rse_review"))):
                on = [
                    name for name in plugins.states
                    if known.facts is not None and cursor.plugin_on(snapshot, name, known.facts, place or NOWHERE)[0]
                ]  # fmt: skip
                asked = _Asked(case, Question(person_id or 0, capability, target, moment), on)
            if key is not None and not own and person_id is not None:
                self.memory.keep(known, key, snapshot, moment, decision, asked)
            return decision if asked is None else self._ask_plugins(decision, asked, asked.question)
        except Exception:  # isolation point: whatever goes wrong while deciding, the answer is no
            logger.exception("deciding on %s for person %s failed; refused", capability, person_id)
            return _unchecked()

    def _known(self, session: Session, person_id: int | None) -> tuple[Snapshot, Known, bool]:
        """The snapshot and the person; from the session itself when its own transaction has changed the facts."""
        if DIRTY in session.info:
            facts = load_people(session, [person_id]).get(person_id) if person_id is not None else None
            return load_snapshot(session), Known(facts), True
        snapshot = self.memory.snapshot()
        if person_id is None:
            return snapshot, Known(None), False
        return snapshot, self.memory.person(person_id, snapshot), False

    def _decision(
        self, snapshot: Snapshot, case: Case, verdict: Verdict, person_id: int | None, *, lazily: bool
    ) -> Decision:
        message = refusals.sentence(verdict, case, self.core.settings.timezone)
        if person_id is None:
            message = refusals.SIGN_IN
        # The trail of a decision that is kept is made again when somebody reads it: few ever do, and it is long.
        trail: Sequence[Step] = Trail(lambda: judge(snapshot, case).steps) if lazily else verdict.steps
        return Decision(
            verdict.reason is Reason.OK, verdict.mode, verdict.reason, message, verdict.effective, verdict.required,
            verdict.opens_at, trail,
        )  # fmt: skip

    def _ask_plugins(self, decision: Decision, asked: _Asked, question: Question) -> Decision:
        def after(rule: str, passed: bool, **detail: Any) -> Trail:
            return Trail(lambda: (*decision.trail, Step(rule, passed, {k: str(v) for k, v in detail.items()})))

        try:
            veto = self.core.plugins.decide(question, plugins=asked.on)
        except Exception as error:  # isolation point: a plugin that cannot say is taken to say no to writing
            logger.exception("rse_decide failed on %s for person %s", question.capability, question.person_id)
            trail = after("decide", not asked.case.writes, error=error)
            return replace(_unchecked(decision) if asked.case.writes else decision, trail=trail)
        if veto is not None:
            trail = after("decide", False, code=veto.code, message=veto.message)
            return replace(decision, allowed=False, reason=Reason.DENIED, message=veto.message, trail=trail)
        if asked.case.reviewed and decision.mode is Mode.OPEN:
            wish = self.core.plugins.review(question, plugins=asked.on)
            if wish is not None:
                trail = after("review", True, message=wish.message)
                return replace(decision, mode=Mode.REVIEW, message=wish.message, trail=trail)
        return replace(decision, trail=after("decide", True))

    def can_many(
        self, session: Session, person_id: int | None, capability: str, subjects: Sequence[Subject]
    ) -> list[Decision]:
        """One decision for each subject, in order; references are resolved by one query for each type."""
        try:
            resolved = self.resolve_many(session, subjects)
        except Exception:  # isolation point: a content type that fails to load its objects closes them
            logger.exception("resolving %d objects for %s failed; refused", len(subjects), capability)
            return [_unchecked() for _subject in subjects]
        answers = []
        for subject, (place, target) in zip(subjects, resolved, strict=True):
            if memory_key(capability, subject) is not None:
                answers.append(self.can(session, person_id, capability, subject))
            elif place is not None and not place.hidden:
                # What is there for its whole audience is decided by where it stands: remembered as that.
                answers.append(self.can(session, person_id, capability, target))
            else:
                answers.append(
                    self._decide(session, person_id, capability, subject, None, resolved=(place, target))
                )  # fmt: skip
        return answers

    def open_audiences(self, session: Session, person_id: int | None, capability: str) -> list[int]:
        """See :func:`open_audiences`."""
        if person_id is None:
            return []
        if self.core.plugins.decides:
            return self._open_audiences(session, person_id, capability)
        found: tuple[int, ...] = self.kept(
            session, person_id, ("open", capability), lambda: tuple(self._open_audiences(session, person_id, capability))
        )
        return list(found)

    def _open_audiences(self, session: Session, person_id: int, capability: str) -> list[int]:
        facts = self.person(person_id)
        if facts is None:
            return []
        kinds = self.snapshot().audiences
        found = []
        for audience_id in sorted(facts.audiences):
            kind, target = kinds.get(audience_id, ("", 0))
            space_id = target if kind == "space" else None
            if self.can(session, person_id, capability, Target(audience_id, space_id=space_id)).allowed:
                found.append(audience_id)
        return found

    def explain(
        self, session: Session, person_id: int | None, capability: str, subject: Subject = None,
        *, at: dt.datetime | None = None, resolved: Resolved | None = None,
    ) -> Decision:  # fmt: skip
        """As :meth:`can`, for an administrator: the trail tells even of an object that the person may not see.

        :param resolved: the subject as :meth:`resolve_many` gave it, when many are asked about.
        """
        return self._decide(session, person_id, capability, subject, at, candid=True, resolved=resolved)

    def level_of(
        self, session: Session, person_id: int | None, subject: Subject = None, at: dt.datetime | None = None
    ) -> Level:
        """See :func:`level_of`."""
        if person_id is None:
            return Level.INFORM
        try:
            snapshot, known, _own = self._known(session, person_id)
            moment = at or utcnow()
            place, _target = self.resolve(session, subject)
            person = known.facts
            if person is None or place is None or not visible(snapshot, person, place):
                return Level.INFORM
            if person.disabled_at is not None and person.disabled_at <= moment:
                return Level.INFORM
            return Level(cursor.effective(snapshot, person, place, moment))
        except Exception:  # isolation point: somebody whose level is not known reads
            logger.exception("the level of person %s cannot be computed", person_id)
            return Level.INFORM

    # -- subjects --------------------------------------------------------------------------------------------

    def resolve(self, session: Session, subject: Subject) -> Resolved:
        """Where a subject stands; a place of None when there is no such object."""
        if isinstance(subject, ObjectRef):
            return self.resolve_many(session, [subject])[0]
        return stands(subject)

    def resolve_many(self, session: Session, subjects: Sequence[Subject]) -> list[Resolved]:
        """As :meth:`resolve`, one query for each type of reference."""
        by_type: dict[str, list[str]] = {}
        for subject in subjects:
            if isinstance(subject, ObjectRef) and subject.type != "page":
                by_type.setdefault(subject.type, []).append(subject.id)
        infos: dict[ObjectRef, ContentInfo] = {}
        for name, ids in by_type.items():
            kind = self.core.plugins.content_types.get(name)
            if kind is not None:
                infos |= {ObjectRef(name, ident): info for ident, info in kind.resolve(session, ids).items()}
        found: list[Resolved] = []
        for subject in subjects:
            if not isinstance(subject, ObjectRef):
                found.append(stands(subject))
                continue
            known = self.core.pages.target(session, subject) if subject.type == "page" else infos.get(subject)
            found.append((None, Target(ref=subject)) if known is None else stands(known))
        return found


def _unchecked(known: Decision | None = None) -> Decision:
    return Decision(
        False, Mode.OPEN, Reason.DENIED, refusals.UNCHECKED,
        known.effective_level if known else None, known.required_level if known else None,
        None, (Step("check", False, {"error": "internal"}),),
    )  # fmt: skip


def can(
    session: Session, person_id: int | None, capability: str, subject: Subject = None, *, at: dt.datetime | None = None
) -> Decision:
    """May this person do this, here, now?

    :param subject: a :class:`Target`, a :class:`~rse_core.content.ContentInfo` or a reference; None for an act that is
        on nothing in particular.
    :param at: another moment, past or future: computed from the dated rows.
    :returns: a :class:`~rse_core.decision.Decision`, true when allowed; refused when anything fails while deciding.
    """
    policy: Policy = session.info["rse_core"].policy
    return policy.can(session, person_id, capability, subject, at=at)


def open_audiences(session: Session, person_id: int | None, capability: str) -> list[int]:
    """The audiences that this person is in and in which they may do this, sorted: what a list is filtered by in SQL.

    No query for a person who is known: each audience is one decision from memory. For reading sessions.
    """
    policy: Policy = session.info["rse_core"].policy
    return policy.open_audiences(session, person_id, capability)


def require(session: Session, person_id: int | None, capability: str, subject: Subject = None) -> Decision:
    """As :func:`can`.

    :raises SignInNeeded: when nobody is signed in.
    :raises Forbidden: when refused; carries the decision.
    """
    decision = can(session, person_id, capability, subject)
    if decision.allowed:
        return decision
    if person_id is None:
        raise SignInNeeded(str(decision.message))
    raise Forbidden(str(decision.message), decision=decision)


def can_many(session: Session, person_id: int | None, capability: str, subjects: Sequence[Subject]) -> list[Decision]:
    """As :func:`can` for many subjects, in order."""
    policy: Policy = session.info["rse_core"].policy
    return policy.can_many(session, person_id, capability, subjects)


def explain(
    session: Session, person_id: int | None, capability: str, subject: Subject = None, *, at: dt.datetime | None = None
) -> Decision:
    """As :func:`can` with the trail an administrator may read."""
    policy: Policy = session.info["rse_core"].policy
    return policy.explain(session, person_id, capability, subject, at=at)


def level_of(
    session: Session, person_id: int | None, subject: Subject = None, at: dt.datetime | None = None
) -> Level:
    """The effective level of this person here; INFORM for nobody, for what they may not see, and on any error."""
    policy: Policy = session.info["rse_core"].policy
    return policy.level_of(session, person_id, subject, at)
