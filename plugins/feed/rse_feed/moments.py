"""When a scheduled post appears: what its author wrote on the clock of their place, as one moment for everybody.

Twice a year a clock jumps. A time that does not exist is taken an hour on (when that hour would have ended), one that comes
twice is taken the first time; both are said.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from rse_core.api import BadInput, translator, utcnow

_ = translator(__file__, "rse_feed").gettext
#: Nobody plans further ahead; a slip of the year is noticed.
FURTHEST = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment, UTC and aware; ``said`` is what the author must be told of it ("" when it is as they wrote)."""

    at: dt.datetime
    said: str = ""


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(name: str) -> ZoneInfo:
    """:raises BadInput: for what is no time zone."""
    if name not in _known():
        raise BadInput(
            _("“%(name)s” is not a time zone.", name=name[:60]),
            remedy=_("Write one such as Europe/Paris or Indian/Reunion."),
            fields={"publish_zone": _("Not a time zone.")},
        )
    return ZoneInfo(name)


def resolve(text: str, zone_name: str, *, now: dt.datetime | None = None) -> Moment:
    """The moment of ``2027-03-28T02:30`` on the clock of a zone; a text with an offset is taken by that.

    :raises BadInput: for a text that is no time, one that is past, or one more than a year ahead.
    """
    place = zone(zone_name)
    try:
        wrote = dt.datetime.fromisoformat(text.strip())
        moment = Moment(wrote.astimezone(dt.UTC)) if wrote.tzinfo is not None else _on_the_clock(wrote, place)
    except (ValueError, OverflowError):
        raise BadInput(
            _("“%(text)s” is not a time.", text=text[:40]),
            remedy=_("Write 2027-01-12T08:00."),
            fields={"publish_at": _("Write 2027-01-12T08:00.")},
        ) from None
    now = now or utcnow()
    if moment.at <= now:
        raise BadInput(_("This time is past."), fields={"publish_at": _("Choose a later time, or publish now.")})
    if moment.at > now + FURTHEST:
        raise BadInput(_("This is more than a year ahead."), fields={"publish_at": _("Choose an earlier time.")})
    return moment


def _on_the_clock(wrote: dt.datetime, place: ZoneInfo) -> Moment:
    first, second = (wrote.replace(tzinfo=place, fold=fold) for fold in (0, 1))
    at = first.astimezone(dt.UTC)
    back = at.astimezone(place)
    if back.replace(tzinfo=None) != wrote:
        said = _(
            "At %(wrote)s the clocks have just gone forward: this time does not exist, %(taken)s was taken.",
            wrote=wrote.strftime("%H:%M"), taken=back.strftime("%H:%M"),
        )  # fmt: skip
        return Moment(at, said)
    if first.utcoffset() != second.utcoffset():
        said = _("The clocks go back that night: %(wrote)s comes twice, the first was taken.", wrote=wrote.strftime("%H:%M"))
        return Moment(at, said)
    return Moment(at)


def local(at: dt.datetime | None, zone_name: str) -> str:
    """A moment as a form's field has it, on the clock of a zone; "" for None."""
    return "" if at is None else at.astimezone(zone(zone_name)).strftime("%Y-%m-%dT%H:%M")
