"""What a message may say, decided at the moment at which it is made.

Everything is asked again: the person is here and reads at more than INFORM there, has not read it meanwhile, wants it by
this way, has not muted it, and the object is published and open to them. What fails any of it is in no message.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import notify, preferences
from rse_core.api import (
    ContentInfo,
    Core,
    DigestLine,
    Level,
    NotificationType,
    ObjectRef,
    can,
    core_of,
    option,
    resolve,
    utcnow,
)
from rse_core.cursor import NOWHERE, plugin_on
from rse_core.i18n import normalise_locale
from rse_core.models.organisation import Person
from rse_core.notify_choices import Wish
from rse_core.notify_lines import Line, lines
from rse_core.policy import level_of

from . import clock, options
from .models import Message, Schedule

#: The type under which a person says whether a digest also tells what is worth reading.
READING = "notifications.reading"
SHOWN = ("published", "locked", "archived")
#: Lines of a digest; what is beyond is on the page.
MOST = 40
#: A digest looks back at most this far, however long none was sent.
FARTHEST = dt.timedelta(days=35)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message is for, and how they read."""

    id: int
    name: str
    address: str
    locale: str
    zone: str
    hour: int


@dataclass(frozen=True, slots=True)
class Section:
    """Lines of a digest under one heading ("" for what concerns the person)."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Digest:
    """What one digest says."""

    rhythm: str
    since: dt.datetime
    mine: Sequence[Line] = ()
    announced: Sequence[Line] = ()
    reading: Mapping[str, Sequence[DigestLine]] = field(default_factory=dict)
    more: bool = False

    def __bool__(self) -> bool:
        return bool(self.mine or self.announced or self.reading)

    @property
    def count(self) -> int:
        """Lines in all."""
        return len(self.mine) + len(self.announced) + sum(len(some) for some in self.reading.values())


def recipient(session: Session, person_id: int) -> Recipient | None:
    """The person, in three queries; None for somebody who has left."""
    row = session.execute(
        select(Person.display_name, Person.email, Person.locale, Schedule.zone, Schedule.hour)
        .outerjoin(Schedule, Schedule.person_id == Person.id)
        .where(Person.id == person_id, Person.status == "active")
    ).first()
    if row is None:
        return None
    settings = core_of(session).settings
    chosen = normalise_locale(str(preferences.get(session, person_id, "core.locale", "")))
    locale = chosen or normalise_locale(row.locale) or settings.default_locale
    hour = option(session, options.HOUR) if row.hour is None else row.hour
    return Recipient(person_id, row.display_name, row.email, locale, row.zone or settings.timezone, hour)


def single(session: Session, who: Recipient, key: str, channel: str) -> Line | None:
    """The one notification of an immediate message, as far as it may be sent now."""
    found = notify.of_person(session, who.id, only=[key], only_unread=True, unshown=True)
    if not found:
        return None
    wish = notify.wishes(session, who.id).get((found[0].type, channel))
    if wish is None or wish.value != "immediate":
        return None
    told = _may_be_told(session, who.id, found)
    return told[0] if told else None


def digest(session: Session, who: Recipient, rhythm: str, channel: str, since: dt.datetime) -> Digest:
    """What a digest says to this person now; empty when there is nothing."""
    wishes = notify.wishes(session, who.id)
    types = [kind for (kind, by), wish in wishes.items() if by == channel and wish.value == rhythm and kind != READING]
    found: list[notify.Notice] = []
    if types:
        found = notify.of_person(session, who.id, only_unread=True, unshown=True, types=types, after=since, limit=MOST + 1)
    told = _may_be_told(session, who.id, found[:MOST])
    reading: dict[str, list[DigestLine]] = {}
    if _wants(wishes, READING, channel) == rhythm:
        known = {line.notice.ref for line in told if line.notice is not None}
        for one in worth_reading(session, who.id, since):
            if one.ref not in known:
                known.add(one.ref)
                reading.setdefault(str(one.section), []).append(one)
    return Digest(
        rhythm, since,
        [line for line in told if not line.key.startswith("b")], [line for line in told if line.key.startswith("b")],
        reading, len(found) > MOST,
    )  # fmt: skip


def worth_reading(session: Session, person_id: int, since: dt.datetime) -> list[DigestLine]:
    """What plugins have to tell, of those that are on for the person; the best first within what each says."""
    core = core_of(session)
    snapshot, facts = core.policy.snapshot(), core.policy.person(person_id)
    if facts is None or core.policy.level_of(session, person_id) <= Level.INFORM:
        return []
    on = [name for name in core.plugins.states if plugin_on(snapshot, name, facts, NOWHERE)[0]]
    return core.plugins.digest(session, person_id, since, plugins=on)


def last_sent(session: Session, person_id: int, channel: str, rhythm: str) -> dt.datetime | None:
    """When the last digest of this rhythm was made for this person; what came since is in the next."""
    return session.scalar(
        select(Message.done_at)
        .where(
            Message.person_id == person_id, Message.channel == channel, Message.kind == "digest",
            Message.rhythm == rhythm, Message.state == "sent",
        )
        .order_by(Message.done_at.desc())
        .limit(1)
    )  # fmt: skip


def looks_back(session: Session, who: Recipient, channel: str, rhythm: str) -> dt.datetime:
    """From when on a digest made now tells."""
    now = utcnow()
    zone = clock.zone_of(who.zone)
    usual = clock.since(rhythm, now.astimezone(zone).date(), who.hour, zone)
    last = last_sent(session, who.id, channel, rhythm)
    return max(last or usual, now - FARTHEST)


def _wants(wishes: Mapping[tuple[str, str], Wish], kind: str, channel: str) -> str:
    wish = wishes.get((kind, channel))
    return "none" if wish is None else wish.value


def _may_be_told(session: Session, person_id: int, found: Sequence[notify.Notice]) -> list[Line]:
    """Those of these that may be told outside the page, as lines; a number of queries that does not depend on how many."""
    core = core_of(session)
    kinds = {kind.name: kind for _plugin, kind in core.plugins.contributions(NotificationType)}
    infos = resolve(session, list({one.ref for one in found}))
    muted = _muted(session, person_id, found, infos)
    kept = [
        one for one in found
        if one.type in kinds and _is_open(session, core, person_id, kinds[one.type], infos.get(one.ref))
        and (one.firm or not _is_muted(kinds[one.type], one, infos.get(one.ref), muted))
    ]  # fmt: skip
    return lines(session, person_id, kept)


def _is_open(session: Session, core: Core, person_id: int, kind: NotificationType, info: ContentInfo | None) -> bool:
    if info is None:
        # Of an object that nobody knows of, nothing says to whom it may be told.
        return False
    if info.state not in SHOWN and (kind.capability is not None or info.author_id != person_id):
        return False
    if level_of(session, person_id, info) <= Level.INFORM:
        return False
    return kind.capability is None or can(session, person_id, kind.capability, info).allowed


def _spots(one: notify.Notice, info: ContentInfo | None) -> list[ObjectRef]:
    spots = [one.ref]
    if info is not None and info.parent is not None:
        spots.append(info.parent)
    space = one.space_id or (info.space_id if info is not None else None)
    return [*spots, ObjectRef("communities.space", str(space))] if space is not None else spots


def _muted(
    session: Session, person_id: int, found: Iterable[notify.Notice], infos: Mapping[ObjectRef, ContentInfo]
) -> Mapping[ObjectRef, str]:
    return notify.hears(session, person_id, list({ref for one in found for ref in _spots(one, infos.get(one.ref))}))


def _is_muted(kind: NotificationType, one: notify.Notice, info: ContentInfo | None, heard: Mapping[ObjectRef, str]) -> bool:
    if one.key.startswith("b"):
        return False  # the query has looked
    enough = ("all", "mentions") if kind.personal else ("all",)
    return any(heard.get(ref, "all") not in enough for ref in _spots(one, info))
