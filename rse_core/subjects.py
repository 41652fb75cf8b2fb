"""What an act is on: a :class:`Target`, a loaded object, a reference or nothing; where that stands for the rules."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from .content import ContentInfo, ObjectRef
from .cursor import NOWHERE, Place

#: States in which an object is shown to its author and its moderators only.
UNPUBLISHED = frozenset({"draft", "pending", "scheduled"})


@dataclass(frozen=True, slots=True)
class Target:
    """What an act is on, as far as the rules need it. A service that has loaded the object passes this, so that nothing
    is queried; an :class:`ObjectRef` is resolved (cached for pages).

    One with a ``ref`` and no audience is an object that only its author and its moderators see; one with neither is an
    act on nothing in particular.
    """

    audience_id: int | None = None
    #: sections of the legacy intranet it stands in: the path of its address, and the one learnt from a trusted source
    sections: tuple[str, ...] = ()
    space_id: int | None = None
    ref: ObjectRef | None = None
    author_id: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What ``rse_decide`` and ``rse_review`` are asked."""

    person_id: int
    capability: str
    target: Target
    at: dt.datetime


Subject = Target | ContentInfo | ObjectRef | None
#: A subject, resolved: where it stands (None: there is no such thing) and what plugins are told of it.
Resolved = tuple[Place | None, Target]


def memory_key(capability: str, subject: Subject) -> tuple[Any, ...] | None:
    """What a decision is remembered by; None for a subject that must be looked at anew."""
    if type(subject) is Target:
        ref = subject.ref
        if ref is not None and subject.audience_id is None:
            return None
        page = ref is not None and ref.type == "page"
        return (capability, subject.audience_id, subject.sections, subject.space_id, page)
    if subject is None:
        return (capability,)
    # Whatever changes a page changes the structure, and that forgets every decision.
    return (capability, subject) if type(subject) is ObjectRef and subject.type == "page" else None


def stands(subject: Target | ContentInfo | None) -> Resolved:
    """Where a loaded subject stands; None for one that was deleted."""
    if subject is None:
        return NOWHERE, Target()
    page = subject.ref is not None and subject.ref.type == "page"
    if isinstance(subject, Target):
        hidden = subject.audience_id is None and subject.ref is not None
        return Place(subject.audience_id, subject.sections, subject.space_id, page, hidden, subject.author_id), subject
    target = Target(subject.audience_id, subject.sections, subject.space_id, subject.ref, subject.author_id)
    if subject.state == "deleted":
        return None, target
    hidden = subject.audience_id is None or subject.state in UNPUBLISHED
    return Place(subject.audience_id, subject.sections, subject.space_id, page, hidden, subject.author_id), target


def name_of(subject: Subject) -> str:
    """``type:id`` for the trail; empty for an act on nothing in particular."""
    ref = subject if subject is None or isinstance(subject, ObjectRef) else subject.ref
    return "" if ref is None else str(ref)
