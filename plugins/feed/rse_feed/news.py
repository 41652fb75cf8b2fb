"""The topic ``feed.mine:<person>``: there is something new in this person's feed, or something of it has gone.

What is written is said of its audience, whoever reads it; a person's own topic stands for all audiences in which they read.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from rse_core.api import say_changed

from . import places

MINE, AUDIENCE, SPACE = "feed.mine", "feed.audience", "feed.space"


def say(session: Session, *where: tuple[int | None, int | None] | None) -> None:
    """Entries of these places (audience, space) came or went; one that nobody finds counts for nothing."""
    topics: dict[str, None] = {}
    for place in where:
        if place is None or place[0] is None:
            continue
        topics[f"{AUDIENCE}:{place[0]}"] = None
        if place[1] is not None:
            topics[f"{SPACE}:{place[1]}"] = None
    say_changed(session, *topics)


def may_listen(session: Session, person_id: int, ident: str) -> bool:
    """One's own feed, while one reads one."""
    return ident == str(person_id) and bool(signs(session, person_id, ident))


def signs(session: Session, person_id: int, _ident: str) -> list[str]:
    """The places in which this person reads."""
    seen = places.of(session, person_id)
    return [f"{AUDIENCE}:{one}" for one in seen.audiences] + [f"{SPACE}:{one}" for one in seen.opened]
