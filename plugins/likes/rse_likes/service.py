"""Reactions: who may react to what, and what is read back. Knows nothing of the web."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rse_core.api import (
    BadInput,
    ContentInfo,
    Decision,
    Event,
    Forbidden,
    Level,
    NotFound,
    ObjectRef,
    Reason,
    core_of,
    emit,
    option,
    require,
    resolve,
    seen,
    translator,
)
from rse_core.audiences import sees
from rse_core.objects import SHOWN, closed
from rse_core.people import PersonCard, names
from rse_core.policy import can_many, level_of
from rse_core.ratelimit import limit
from rse_core.refs import among
from rse_core.statements import Statement

from . import counting
from .kinds import SETTING, SPACES, Kind
from .models import Reaction, ReactionCount

_t = translator(__file__, "rse_likes")
_ = _t.gettext

CAPABILITY = "likes.react"
#: Reactions of one person within a minute; far above what a hand can do.
PER_MINUTE = 60
PAGE = 30


def kinds(session: Session, space_id: int | None = None) -> tuple[Kind, ...]:
    """Every reaction of the site, retired ones included, in the site's order.

    :param space_id: in a space that has a set of its own, what is not in it counts as retired.
    """
    found: tuple[Kind, ...] = option(session, SETTING)
    if space_id is None:
        return found
    sets = option(session, SPACES)
    space = core_of(session).policy.snapshot().spaces.get(space_id) if sets else None
    if space is None or space.key not in sets:
        return found
    return tuple(kind if kind.key in sets[space.key] else replace(kind, retired=True) for kind in found)


def offered(session: Session, space_id: int | None = None) -> tuple[Kind, ...]:
    """The reactions one may choose now."""
    return tuple(kind for kind in kinds(session, space_id) if not kind.retired)


def react(session: Session, person_id: int, ref: ObjectRef, kind: str, *, via: str = "web") -> str | None:
    """React, or change one's reaction; doing it twice changes nothing.

    :returns: ``"added"``, ``"changed"``, or None when it already was so.
    :raises NotFound: for an object that does not exist, or that this person may not know of.
    :raises Forbidden: when the level or another rule refuses it, or for one's own content.
    :raises BadInput: for a reaction that is not offered.
    """
    info = _reactable(session, person_id, ref)
    choice = [k.key for k in offered(session, info.space_id)]
    if kind not in choice:
        raise BadInput(
            _("The reaction “%(kind)s” is not offered here.", kind=kind[:40]),
            remedy=_("Choose one of: %(all)s.", all=", ".join(choice)) if choice else None,
        )
    if _own(session, person_id, info):
        raise Forbidden(_("Reactions come from others: you cannot react to what you wrote yourself."))
    limit(session, person_id, "likes.react", most=PER_MINUTE, seconds=60)
    done = counting.put(session, person_id, info.ref, kind, via)
    if done is not None:
        name = "likes.reacted" if done == "added" else "likes.changed"
        emit(session, Event(name, person_id, info.ref, info.audience_id, {"kind": kind, "via": via}))
    return done


def unreact(session: Session, person_id: int, ref: ObjectRef) -> str | None:
    """Withdraw one's reaction; the kind withdrawn, None when there was none.

    :raises Forbidden: when the level has been lowered: what was written then stays as it is.
    """
    info = _reactable(session, person_id, ref)
    limit(session, person_id, "likes.react", most=PER_MINUTE, seconds=60)
    kind = counting.take(session, person_id, info.ref)
    if kind is not None:
        emit(session, Event("likes.withdrawn", person_id, info.ref, info.audience_id, {"kind": kind}))
    return kind


def counts(session: Session, refs: Sequence[ObjectRef]) -> dict[ObjectRef, dict[str, int]]:
    """Counts by kind for many objects, in one query; objects without reactions are left out."""
    if not refs:
        return {}
    rows = session.execute(
        select(ReactionCount.ref_type, ReactionCount.ref_id, ReactionCount.kind, ReactionCount.count).where(
            among(ReactionCount.ref_type, ReactionCount.ref_id, refs),
            ReactionCount.count > 0,
        )
    )
    found: dict[ObjectRef, dict[str, int]] = {}
    for ref_type, ref_id, kind, count in rows:
        found.setdefault(ObjectRef(ref_type, ref_id), {})[kind] = count
    return found


def mine(session: Session, person_id: int | None, refs: Sequence[ObjectRef]) -> dict[ObjectRef, str]:
    """This person's own reactions to many objects, in one query."""
    if person_id is None or not refs:
        return {}
    rows = session.execute(
        select(Reaction.ref_type, Reaction.ref_id, Reaction.kind).where(
            Reaction.person_id == person_id,
            among(Reaction.ref_type, Reaction.ref_id, refs),
        )
    )
    return {ObjectRef(ref_type, ref_id): kind for ref_type, ref_id, kind in rows}


_READ = Statement(
    "SELECT ref_id, kind, count FROM rse_likes_count WHERE ref_type = :type AND ref_id IN :ids AND count > 0 "
    "UNION ALL SELECT ref_id, kind, 0 FROM rse_likes_reaction "
    "WHERE person_id = :person AND ref_type = :type AND ref_id IN :ids",
    ids=str,
)


def _counts_and_mine(
    session: Session, person_id: int | None, refs: Sequence[ObjectRef]
) -> tuple[dict[ObjectRef, dict[str, int]], dict[ObjectRef, str]]:
    """As :func:`counts` and :func:`mine`, in one query for each type among the objects: a feed has one."""
    counted: dict[ObjectRef, dict[str, int]] = {}
    own: dict[ObjectRef, str] = {}
    for kind in {ref.type for ref in refs}:
        ids = [ref.id for ref in refs if ref.type == kind]
        for ref_id, reaction, count in _READ(session, type=kind, ids=ids, person=person_id):
            if count:
                counted.setdefault(ObjectRef(kind, ref_id), {})[reaction] = count
            else:
                own[ObjectRef(kind, ref_id)] = reaction
    return counted, own


@dataclass(frozen=True, slots=True)
class State:
    """What one person sees of the reactions to one object, and may do.

    ``reason`` is ``ok`` when they may react, else the decision's reason, ``own`` or ``closed``; ``names`` says whether they
    may also see who reacted.
    """

    info: ContentInfo
    counts: dict[str, int]
    mine: str | None
    kinds: tuple[Kind, ...]
    decision: Decision
    reason: str
    names: bool

    @property
    def open(self) -> bool:
        """Whether this person may react now."""
        return self.reason == "ok"

    @property
    def total(self) -> int:
        """How many people reacted."""
        return sum(self.counts.values())


def states(session: Session, person_id: int | None, refs: Sequence[ObjectRef]) -> dict[ObjectRef, State]:
    """The state of many objects in a constant number of queries; what this person may not know of is left out."""
    types = core_of(session).plugins.content_types
    infos = seen(session, person_id, [ref for ref in refs if ref.type in types and types[ref.type].likable])
    if not infos:
        return {}
    stored = [info.ref for info in infos.values()]
    counted, own = _counts_and_mine(session, person_id, stored)
    found: dict[ObjectRef, State] = {}
    sets: dict[int | None, tuple[Kind, ...]] = {}
    decisions = can_many(session, person_id, CAPABILITY, list(infos.values()))
    for (ref, info), decision in zip(infos.items(), decisions, strict=True):
        reach = _reach_at(session, decision.effective_level)
        if reach == "nothing" or decision.reason in (Reason.UNKNOWN_OBJECT, Reason.PLUGIN_OFF):
            continue
        if info.space_id not in sets:
            sets[info.space_id] = kinds(session, info.space_id)
        found[ref] = State(
            info, counted.get(info.ref, {}), own.get(info.ref), sets[info.space_id], decision,
            _reason(session, person_id, info, decision), reach == "all",
        )  # fmt: skip
    return found


def _reason(session: Session, person_id: int | None, info: ContentInfo, decision: Decision) -> str:
    # What nothing will open comes first: nobody is asked to accept a charter for an object that is closed anyway.
    if decision.allowed or decision.reason is Reason.CHARTER:
        if info.state != "published":
            return "closed"
        if _own(session, person_id, info):
            return "own"
    return str(decision.reason)


@dataclass(frozen=True, slots=True)
class Reactor:
    """One line of "who reacted". ``person`` None: somebody counted but not named (left, or erased)."""

    row: int
    kind: str
    at: dt.datetime
    person: PersonCard | None


def who(
    session: Session, viewer_id: int | None, ref: ObjectRef, *, kind: str | None = None, before: int | None = None,
    most: int = PAGE,
) -> list[Reactor]:  # fmt: skip
    """Who reacted, newest first, by keyset on the row, in a constant number of queries.

    :raises NotFound: when the viewer may not know of the object, or is at a level at which the site shows no names.
    """
    info = _visible(session, viewer_id, ref)
    if info.state not in SHOWN or _reach(session, viewer_id, info) != "all":
        raise NotFound(_("There is nothing to react to here."))
    query = select(Reaction.id, Reaction.kind, Reaction.created_at, Reaction.person_id).where(
        Reaction.ref_type == info.ref.type, Reaction.ref_id == info.ref.id
    )
    if kind is not None:
        query = query.where(Reaction.kind == kind)
    if before is not None:
        query = query.where(Reaction.id < before)
    rows = session.execute(query.order_by(Reaction.id.desc()).limit(most)).all()
    people = names(session, [row.person_id for row in rows])
    shown = {i: card for i, card in people.items() if card.active}
    return [Reactor(row.id, row.kind, row.created_at, shown.get(row.person_id)) for row in rows]


def first_reactors(session: Session, ref: ObjectRef, most: int) -> list[int]:
    """Ids of the people who reacted first and still do; erased ones are left out."""
    query = select(Reaction.person_id).where(
        Reaction.ref_type == ref.type, Reaction.ref_id == ref.id, Reaction.person_id.is_not(None)
    )
    return [person_id for person_id in session.scalars(query.order_by(Reaction.id).limit(most)) if person_id is not None]


def rank(session: Session, person_id: int, ref: ObjectRef) -> int | None:
    """Whether this person was the first, second … to react to this object, of those who still do; None when they do not."""
    mark = select(Reaction.id).where(
        Reaction.person_id == person_id, Reaction.ref_type == ref.type, Reaction.ref_id == ref.id
    )
    row = session.scalar(mark)
    if row is None:
        return None
    earlier = select(func.count()).where(Reaction.ref_type == ref.type, Reaction.ref_id == ref.id, Reaction.id <= row)
    return session.scalar(earlier)


def my_reactions(session: Session, person_id: int, *, before: int | None = None, most: int = PAGE) -> list[Reaction]:
    """A person's own reactions, newest first, by keyset on the row."""
    query = select(Reaction).where(Reaction.person_id == person_id)
    if before is not None:
        query = query.where(Reaction.id < before)
    return list(session.scalars(query.order_by(Reaction.id.desc()).limit(most)))


def _visible(session: Session, person_id: int | None, ref: ObjectRef) -> ContentInfo:
    kind = core_of(session).plugins.content_types.get(ref.type)
    info = resolve(session, [ref]).get(ref)
    known = kind is not None and kind.likable and info is not None
    if not known or info is None or not sees(session, person_id, info.audience_id) or closed(session, person_id, info):
        raise NotFound(_("There is nothing to react to here."))
    return info


def _reach(session: Session, person_id: int | None, info: ContentInfo) -> str:
    """``all``, ``counts`` or ``nothing``: at INFORM the site decides (``inform_shows``)."""
    return _reach_at(session, level_of(session, person_id, info))


def _reach_at(session: Session, level: int | None) -> str:
    setting = core_of(session).settings.inform_shows
    return "all" if setting == "all" or (level or Level.INFORM) > Level.INFORM else setting


def _own(session: Session, person_id: int | None, info: ContentInfo) -> bool:
    return person_id is not None and info.author_id == person_id and not option(session, "likes.own_content")


def _reactable(session: Session, person_id: int, ref: ObjectRef) -> ContentInfo:
    info = _visible(session, person_id, ref)
    if info.state not in SHOWN:
        # A draft, a pending or a deleted thing must not be confirmed to exist; archived and locked ones are seen.
        raise NotFound(_("There is nothing to react to here."))
    require(session, person_id, CAPABILITY, info)
    if info.state != "published":
        raise Forbidden(_("This is closed: it can be read, but no longer reacted to."))
    if ref.type == "page":
        core_of(session).pages.ensure(session, info.ref)
    return info
