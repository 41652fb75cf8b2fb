"""What a person sets: how each type reaches them, when their digest comes, what they muted; and the list they read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from rse_core import notify
from rse_core.api import (
    Actor,
    BadInput,
    ContentInfo,
    Forbidden,
    NotFound,
    NotificationTransport,
    NotificationType,
    ObjectRef,
    Text,
    core_of,
    dialect_insert,
    resolve,
    translator,
    utcnow,
)
from rse_core.notify_choices import PAGE, Wish, set_default
from rse_core.notify_lines import Line, objects
from rse_core.notify_reading import Place, reaches
from rse_core.roles import is_site_admin

from . import clock, contents
from .models import Schedule
from .tokens import Stop

_t = translator(__file__, "rse_notifications")
_, lazy = _t.gettext, _t.lazy
PER_PAGE = 30
WAYS: Mapping[str, Text] = {
    "none": lazy("Never"),
    "immediate": lazy("At once"),
    "daily": lazy("Each day"),
    "weekly": lazy("Each week"),
}
IN_PAGE: Mapping[str, Text] = {"none": lazy("No"), "immediate": lazy("Yes")}


@dataclass(frozen=True, slots=True)
class Channel:
    """A way by which notifications reach somebody, and what can be said of it."""

    name: str
    label: Text
    ways: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class TypeLine:
    """One type with what holds for it, channel by channel."""

    name: str
    label: Text
    wishes: Mapping[str, Wish]


@dataclass(frozen=True, slots=True)
class Muted:
    """Something that the person muted; ``info`` None when it is gone or they no longer see it."""

    ref: ObjectRef
    hears: str
    info: ContentInfo | None


def page(
    session: Session, person_id: int, *, before: Place | None = None, only_unread: bool = False, most: int = PER_PAGE
) -> tuple[list[Line], Place | None]:
    """Lines of a person, newest first, and where the next page begins; None on the last."""
    found = notify.of_person(session, person_id, before=before, only_unread=only_unread, limit=most + 1)
    more = found[most - 1].place if len(found) > most else None
    return notify.lines(session, person_id, found[:most]), more


def follow(session: Session, person_id: int, key: str) -> Line:
    """Mark one read and give it, for going where it leads.

    :raises NotFound: for one that is not this person's, or is gone.
    """
    found = notify.of_person(session, person_id, only=[key])
    told = notify.lines(session, person_id, found)
    notify.mark_read(session, person_id, [key] if found else [])
    if not told:
        raise NotFound(_("This notification is not there any more."))
    return told[0]


def channels(session: Session) -> list[Channel]:
    """The page, then what carries notifications elsewhere here."""
    found = [Channel(PAGE, lazy("In the page"), IN_PAGE)]
    for _plugin, one in core_of(session).plugins.contributions(NotificationTransport):
        found.append(Channel(one.name, one.label, WAYS))
    return found


def types(session: Session, person_id: int | None) -> list[tuple[Text, list[TypeLine]]]:
    """Every type that can reach this person (for None: that there is), under its plugin's name, with what holds."""
    core = core_of(session)
    wishes = notify.wishes(session, person_id)
    reached: set[str] | None = None
    if person_id is not None:
        reached = {
            name for one in reaches(session, person_id) for name in one.types
            if one.free or one.audiences or one.spaces
        }  # fmt: skip
    found: dict[str, list[TypeLine]] = {}
    for plugin, kind in core.plugins.contributions(NotificationType):
        if plugin not in core.plugins.states:
            # The core's own, to those who run the site: no choice of everybody's page.
            continue
        if reached is None or kind.name in reached:
            mine = {channel: wish for (name, channel), wish in wishes.items() if name == kind.name}
            found.setdefault(plugin, []).append(TypeLine(kind.name, kind.label, mine))
    return [(core.plugins.states[plugin].label, lines) for plugin, lines in found.items()]


def choose(session: Session, person_id: int, choices: Mapping[tuple[str, str], str]) -> None:
    """Keep what a person chose, by type and channel; "" goes back to the default.

    :raises BadInput: names the type, the channel or the value.
    """
    for (kind, channel), value in choices.items():
        notify.choose(session, person_id, kind, channel, value or None)


def set_defaults(session: Session, person_id: int, choices: Mapping[tuple[str, str], str], actor: Actor) -> None:
    """Set what holds for everybody who has not chosen; "" goes back to the type's own.

    :raises Forbidden: for anybody but a site administrator.
    """
    require_admin(session, person_id)
    for (kind, channel), value in choices.items():
        set_default(session, kind, channel, value or None, actor)


def require_admin(session: Session, person_id: int) -> None:
    """:raises Forbidden: for anybody but a site administrator."""
    if not is_site_admin(session, person_id):
        raise Forbidden(_("This is for site administrators."))


def schedule(session: Session, person_id: int) -> tuple[int | None, str]:
    """The hour and the zone that the person chose for digests; None and "" where it is as the site says."""
    row = session.get(Schedule, person_id)
    return (None, "") if row is None else (row.hour, row.zone)


def set_schedule(session: Session, person_id: int, hour: int | None, zone: str) -> None:
    """Choose when digests come; None and "" go back to the site's.

    :raises BadInput: for an hour or a zone that there is not.
    """
    if hour is not None and not 0 <= hour <= 23:
        message = _("%(hour)s is not an hour of the day.", hour=str(hour))
        raise BadInput(message, remedy=_("Give a number from 0 to 23."), fields={"hour": message})
    if zone and not clock.is_zone(zone):
        message = _("“%(zone)s” is not a time zone.", zone=zone[:60])
        raise BadInput(message, remedy=_("Write one such as Europe/Paris."), fields={"zone": message})
    made = dialect_insert(session, Schedule).values(person_id=person_id, hour=hour, zone=zone)
    session.execute(
        made.on_conflict_do_update(
            index_elements=["person_id"], set_={"hour": made.excluded.hour, "zone": made.excluded.zone}
        )
    )


def mute(session: Session, person_id: int, ref: ObjectRef) -> None:
    """Mute a thread or a space that the person sees.

    :raises NotFound: for one that there is not, or that they may not know of.
    """
    if ref not in objects(core_of(session), session, person_id, resolve(session, [ref])):
        raise NotFound(_("There is nothing of this name to mute."))
    notify.mute(session, person_id, ref)


def muted(session: Session, person_id: int) -> list[Muted]:
    """What the person muted, with what it is; a constant number of queries for each type of object."""
    mine = notify.muted_by(session, person_id)
    seen = objects(core_of(session), session, person_id, resolve(session, [ref for ref, _hears in mine]))
    return [Muted(ref, hears, seen.get(ref)) for ref, hears in mine]


def stop(session: Session, what: Stop) -> Text:
    """Do what the address of a mail asks: no more of a type, or of a digest, by that channel; its name.

    :raises NotFound: when there is no such person, type or channel any more.
    """
    kinds = {kind.name: kind for _plugin, kind in core_of(session).plugins.contributions(NotificationType)}
    known = {channel.name for channel in channels(session)} - {PAGE}
    if what.channel not in known or contents.recipient(session, what.person_id) is None:
        raise NotFound(_("This address is not in use any more."))
    if what.what in clock.RHYTHMS:
        for (kind, channel), wish in notify.wishes(session, what.person_id).items():
            if channel == what.channel and wish.value == what.what:
                notify.choose(session, what.person_id, kind, channel, "none")
        return name_of(what, kinds)
    if what.what not in kinds:
        raise NotFound(_("This address is not in use any more."))
    notify.choose(session, what.person_id, what.what, what.channel, "none")
    return name_of(what, kinds)


def name_of(what: Stop, kinds: Mapping[str, NotificationType]) -> Text:
    """What a :class:`~.tokens.Stop` is about, in words."""
    if what.what in clock.RHYTHMS:
        return lazy("Your daily digest") if what.what == "daily" else lazy("Your weekly digest")
    return kinds[what.what].label if what.what in kinds else what.what


def next_digests(session: Session, person_id: int) -> list[tuple[contents.Digest, dt.datetime]]:
    """What the next digests would say if they left now, and when they leave: one for each rhythm that the person uses."""
    who = contents.recipient(session, person_id)
    if who is None:
        return []
    found = []
    wishes = notify.wishes(session, person_id)
    for channel in channels(session)[1:2]:
        used = {wish.value for (_kind, by), wish in wishes.items() if by == channel.name}
        for rhythm in clock.RHYTHMS:
            if rhythm in used:
                since = contents.looks_back(session, who, channel.name, rhythm)
                leaves = clock.following(rhythm, clock.zone_of(who.zone), who.hour, utcnow())
                found.append((contents.digest(session, who, rhythm, channel.name, since), leaves))
    return found


def by_day(lines: Sequence[Line], zone: str) -> list[tuple[dt.date, list[Line]]]:
    """Lines under their days in a time zone, in the order in which they come."""
    found: list[tuple[dt.date, list[Line]]] = []
    for line in lines:
        day = line.at.astimezone(clock.zone_of(zone)).date()
        if not found or found[-1][0] != day:
            found.append((day, []))
        found[-1][1].append(line)
    return found
