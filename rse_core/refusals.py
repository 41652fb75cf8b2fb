"""The sentence of a decision: what a person is told, in their language, resolved when it is shown."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from .contributions import Capability
from .cursor import Awaited, Opening
from .decision import Mode, Reason
from .i18n import LazyText, _, current_locale, lazy
from .levels import Level
from .rules import Case, Verdict

ALLOWED = lazy("You may do this.")
ALLOWED_REVIEWED = lazy("What you write will be shown once a moderator has approved it.")
UNCHECKED = lazy("This could not be checked just now, so it is refused. Please try again in a moment.")
SIGN_IN = lazy("Please sign in to do this.")
UNKNOWN_PERSON = lazy("This person is not known here.")
DISABLED = lazy("This account is disabled.")
UNKNOWN_OBJECT = lazy("There is nothing here by this name, or you may not see it.")
_ROLE = {
    "nobody": lazy("This is closed to everybody in this space."),
    "managers": lazy("In this space, only those who run it may do this."),
    "members": lazy("In this space, only its members may do this."),
}
ARCHIVED = lazy("This space is archived: what is in it can be read.")
NOT_SEEN = lazy("Only the members of this space see what is in it.")


def sentence(verdict: Verdict, case: Case, zone: str) -> LazyText:
    """What the person is told.

    :param zone: the site's time zone, in which dates are written.
    """
    reason, facts = verdict.reason, verdict.facts
    if reason is Reason.OK:
        return ALLOWED_REVIEWED if verdict.mode is Mode.REVIEW else ALLOWED
    if reason is Reason.UNKNOWN_PERSON:
        return DISABLED if facts["disabled"] else UNKNOWN_PERSON
    if reason is Reason.UNKNOWN_CAPABILITY:
        return lazy("“%(key)s” is not something that can be done here.", key=case.key)
    if reason is Reason.UNKNOWN_OBJECT:
        return UNKNOWN_OBJECT
    if reason is Reason.ROLE:
        return _ROLE.get(facts["who"], _ROLE["nobody"]) if facts["sees"] else NOT_SEEN
    if reason is Reason.ARCHIVED:
        return ARCHIVED
    if reason is Reason.CHARTER:
        title = facts["charter"].title
        return lazy("Before writing here, please read and accept the charter “%(title)s”.", title=title)
    if reason is Reason.SUSPENDED:
        until = facts["until"] if isinstance(facts["until"], dt.datetime) else None
        return LazyText(lambda: _suspended(case, zone, until))
    assert case.capability is not None  # noqa: S101  the reasons left are only given for a known capability
    capability = case.capability
    if reason is Reason.PLUGIN_OFF:
        return LazyText(lambda: _("“%(what)s” is switched off here.", what=_what(capability)))
    return LazyText(lambda: _closed(verdict, capability, zone))


def _what(capability: Capability) -> str:
    label = str(capability.label)
    return label[:1].upper() + label[1:]


def _closed(verdict: Verdict, capability: Capability, zone: str) -> str:
    opens: Opening | None = verdict.facts["opens"]
    if opens is not None:
        values = {"what": _what(capability), "date": day(opens.at, zone), "wave": ", ".join(opens.waves)}
        entity = opens.scopes <= {"entity"}
        if opens.waves and entity:
            return _("“%(what)s” opens for your entity on %(date)s, with the wave “%(wave)s”.", **values)
        if opens.waves:
            return _("“%(what)s” opens for you on %(date)s, with the wave “%(wave)s”.", **values)
        if entity:
            return _("“%(what)s” opens for your entity on %(date)s.", **values)
        return _("“%(what)s” opens for you on %(date)s.", **values)
    awaited: Awaited | None = verdict.facts["awaited"]
    if awaited is not None:
        values = {"what": _what(capability), "date": day(awaited.starts_at, zone), "wave": awaited.name}
        if awaited.closed:
            return _("“%(what)s” opens for you with the wave “%(wave)s”, once its conditions are met.", **values)
        return _("“%(what)s” opens for you on %(date)s, with the wave “%(wave)s”, if its conditions are met.", **values)
    needed, own = Level(verdict.required or 0).label, Level(verdict.effective or 0).label
    return _(
        "“%(what)s” is not open to you at present: it takes the level “%(needed)s”, and yours here is “%(own)s”.",
        what=_what(capability),
        needed=str(needed),
        own=str(own),
    )


def _suspended(case: Case, zone: str, until: dt.datetime | None) -> str:
    if until is None:
        return _("Your writing access is suspended.")
    return _("Your writing access is suspended until %(date)s.", date=day(until, zone))


def day(moment: dt.datetime, zone: str) -> str:
    """``12 January 2027``, in the reader's language; with the time when it is not midnight there."""
    local, locale = moment.astimezone(ZoneInfo(zone)), "en_GB" if current_locale() == "en" else "fr"
    date = format_date(local, "d MMMM y", locale=locale)
    if locale == "fr" and local.day == 1:
        date = f"1er{date[1:]}"
    if (local.hour, local.minute) == (0, 0):
        return date
    return _("%(date)s at %(time)s", date=date, time=format_time(local, "HH:mm", locale=locale))
