"""What a person reads: the feed, and the page of a space, by keyset, in a fixed number of queries."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from rse_core import preferences
from rse_core.api import BadInput, option, translator, utcnow
from rse_core.statements import Statement

from . import lines, places, sight, texts, walking
from .lines import Line
from .models import Post
from .walking import Place, Wanted

__all__ = ["Line", "Page", "Place", "Wanted", "mine", "news", "one", "page", "remember", "sort_of", "wanted_of"]

_ = translator(__file__, "rse_feed").gettext

SORT = "feed.sort"
PAGE = 20
#: What "new posts" counts up to.
NEW_MOST = 50
#: States of one's own posts that are not, or no longer, there for others.
UNSEEN = ("draft", "scheduled", "pending", "refused", "hidden")


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, what stands pinned above them, and where the list goes on (None: nowhere).

    ``began``: when this walk was begun; "new posts" are those that came since.
    """

    lines: tuple[Line, ...]
    next: Place | None
    pinned: tuple[Line, ...] = ()
    began: dt.datetime | None = None


def sort_of(session: Session, person_id: int, asked: str = "") -> str:
    """The order that is asked for, else the person's own, else the newest first."""
    kept = asked or preferences.get(session, person_id, SORT, "new")
    return kept if kept in walking.SORTS else "new"


def remember(session: Session, person_id: int, *, sort: str | None = None, everything: bool | None = None) -> None:
    """Keep a person's choices: the order, and whether they want everything.

    :raises BadInput: for an order that there is not.
    """
    if sort is not None:
        if sort not in walking.SORTS:
            raise BadInput(_("Use one of: %(choices)s.", choices=", ".join(walking.SORTS)))
        preferences.put(session, person_id, SORT, sort)
    if everything is not None:
        preferences.put(session, person_id, texts.EVERYTHING, everything)


def wanted_of(session: Session, person_id: int, *, sort: str, space_id: int | None = None, kind: str = "all") -> Wanted:
    """What this person's list holds: also what matters little, when they or else the site want everything."""
    everything = preferences.get(session, person_id, texts.EVERYTHING)
    if everything is None:
        everything = option(session, texts.EVERYTHING)
    return Wanted(
        sort, space_id=space_id, kind=kind if kind in walking.KINDS else "all", everything=bool(everything)
    )  # fmt: skip


def page(
    session: Session, person_id: int | None, wanted: Wanted, *, before: Place | None = None, most: int = PAGE,
    pins: bool = False,
) -> Page:  # fmt: skip
    """The next entries that this person may read.

    :param before: the key of the last one of the page before. What moves up while one pages is not shown twice: it is newer
        than the key.
    :param pins: also what stands pinned above the first page of a space; it is not shown again below.
    """
    began = utcnow()
    seen = places.of(session, person_id)
    if person_id is None or not (seen.audiences or seen.opened):
        return Page((), None, began=began)
    walk, values = walking.ids(session, seen, wanted, before=before, most=most + 1)
    rows = session.execute(lines.walked(walk), values).all()
    rest = (rows[most - 1].at, rows[most - 1].entry_id) if len(rows) > most else None
    shown = lines.fill(session, person_id, rows[:most])
    above: tuple[Line, ...] = ()
    if pins and before is None and wanted.space_id is not None:
        above = _pinned(session, person_id, wanted.space_id)
        heads = {line.entry_id for line in above}
        shown = tuple(line for line in shown if line.entry_id not in heads)
    return Page(shown, rest, above, began)


def _pinned(session: Session, person_id: int, space_id: int) -> tuple[Line, ...]:
    if not _PINS(session, space=space_id):
        return ()
    rows = session.execute(lines.pinned(space_id, sight.entries(session, person_id))).all()
    return tuple(replace(line, pinned=True) for line in lines.fill(session, person_id, rows))


_PINS = Statement("SELECT entry_id FROM rse_feed_pin WHERE space_id = :space LIMIT 1")


def news(session: Session, person_id: int, since: dt.datetime, *, wanted: Wanted | None = None) -> int:
    """How many entries of others came since, at most :data:`NEW_MOST`; one query."""
    seen = places.of(session, person_id)
    if not (seen.audiences or seen.opened):
        return 0
    return walking.count_since(session, seen, replace(wanted or Wanted(), sort="new"), since, person_id, most=NEW_MOST)


def one(session: Session, person_id: int, post_id: int) -> Line:
    """One post, as its own page shows it; the caller has made sure that the person may read it."""
    rows = session.execute(lines.of_posts([post_id])).all()
    (line,) = lines.fill(session, person_id, rows[:1], short=False)
    return line


def mine(session: Session, person_id: int, *, after: int | None = None, most: int = PAGE) -> tuple[list[Post], int | None]:
    """Posts of a person, or kept by them, that are not there for others, the newest first, and where the list goes on."""
    there = sight.where(session, person_id, Post.audience_id, Post.space_id)
    theirs = or_(Post.author_id == person_id, and_(Post.owner_id == person_id, there))
    query = select(Post).where(theirs, Post.state.in_(UNSEEN))
    if after is not None:
        query = query.where(Post.id < after)
    rows = list(session.scalars(query.order_by(Post.id.desc()).limit(most + 1)))
    return rows[:most], rows[most - 1].id if len(rows) > most else None
