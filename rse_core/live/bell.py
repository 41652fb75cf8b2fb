"""The topic ``core.notices:<person>``: what this person is told of has changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy.orm import Session

from .. import audiences
from ..contributions import LiveTopic
from . import say_changed

NOTICES, TOLD = "core.notices", "core.told"
#: Beyond so many people at once, all are asked to look: PostgreSQL takes few bytes at a time.
MANY = 300


def say_told(session: Session, people: Collection[int]) -> None:
    """What these people are told of has changed."""
    from ..runtime import core_of

    if not people or not core_of(session).live.on:
        return
    if len(people) > MANY:
        say_broadcast(session, [audiences.everyone(session)])
    else:
        say_changed(session, *(f"{NOTICES}:{one}" for one in sorted(people)))


def say_broadcast(session: Session, ids: Iterable[int]) -> None:
    """What these audiences are told of has changed."""
    say_changed(session, *(f"{TOLD}:{one}" for one in ids))


def _own(_session: Session, person_id: int, ident: str) -> bool:
    return ident == str(person_id)


def _signs(session: Session, person_id: int, ident: str) -> list[str]:
    told = [f"{TOLD}:{one}" for one in audiences.of_person(session, person_id)]
    return [f"{NOTICES}:{ident}", *told]


#: The topics of the core itself.
TOPICS = (LiveTopic(NOTICES, _own, stands_for=_signs),)
