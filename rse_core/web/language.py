"""The reader's language and the forms of dates and numbers in it.

Order: the person's own choice (``me/``), ``?lang=``, the directory's language of the person, the language of the intranet's
page, ``Accept-Language``, the site's default. A request sets it once; :mod:`rse_core.i18n` and Babel follow.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from flask import g, has_request_context, request, session

from ..db import utcnow
from ..i18n import LOCALES, current_locale, normalise_locale, reset_locale, set_locale
from .identity import current_person, preferences
from .state import core, session_read

CHOICE = "core.locale"


def begin() -> None:
    """Set the language of this request; :func:`end` undoes it."""
    # What a form of a fragment is answered with stands in the same page: the script says in what language that is.
    g.rse_locale_token = set_locale(_choose(normalise_locale(request.headers.get("X-RSE-Lang"))))


def set_page_language(lang: str | None) -> None:
    """The intranet's page says in what language it is; counts when the person has said nothing."""
    end()
    g.rse_locale_token = set_locale(_choose(normalise_locale(lang)))


def end() -> None:
    """Forget the language of this request."""
    token = g.pop("rse_locale_token", None)
    if token is not None:
        reset_locale(token)


def _choose(page: str | None) -> str:
    asked = None if page else normalise_locale(request.args.get("lang"))
    person = current_person()
    if person is not None:
        with session_read() as db:
            chosen = normalise_locale(str(preferences(db, person.id).get(CHOICE, "")))
        directory = normalise_locale(person.locale)
    else:
        chosen, directory = normalise_locale(session.get("lang")), None
    accepted = request.accept_languages.best_match(LOCALES)
    return chosen or asked or directory or page or accepted or core().settings.default_locale


#: 24-hour times and day before month in English too: the readers are in Europe.
_BABEL = {"fr": Locale.parse("fr_FR"), "en": Locale.parse("en_GB")}
_MONTH = 30 * 86_400


def _zone() -> ZoneInfo:
    return ZoneInfo(core().settings.timezone if has_request_context() else "UTC")


def format_date(when: dt.datetime | dt.date, form: str = "long") -> str:
    """``12 janvier 2027``, ``12 January 2027``; a moment is shown in the site's time zone."""
    if isinstance(when, dt.datetime):
        when = when.astimezone(_zone()).date()
    return _date(when, form, current_locale())


def format_datetime(when: dt.datetime, form: str = "long") -> str:
    """Date and time of day in the site's time zone."""
    here = when.astimezone(_zone())
    return f"{_date(here.date(), form, current_locale())}, {_time(here.hour, here.minute, current_locale())}"


def format_clock(when: dt.datetime) -> str:
    """The time of day in the site's time zone."""
    here = when.astimezone(_zone())
    return _time(here.hour, here.minute, current_locale())


def format_relative(when: dt.datetime, now: dt.datetime | None = None) -> str:
    """``3 hours ago`` within a month, else the date."""
    # Of nought Babel says "in 0 seconds", of what has just been written.
    seconds = round((when - (now or utcnow())).total_seconds()) or -1
    return format_date(when) if abs(seconds) > _MONTH else _delta(seconds, current_locale())


def format_number(value: float) -> str:
    """``4 012`` in French, ``4,012`` in English."""
    return _number(value, current_locale())


# Pages with lists format hundreds of dates and numbers, most of them again and again, and Babel takes its time.


@lru_cache(maxsize=4_096)
def _date(day: dt.date, form: str, locale: str) -> str:
    said = dates.format_date(day, form, _BABEL[locale])
    # The first of a month is an ordinal in French, which Babel does not know.
    return f"1er{said[1:]}" if locale == "fr" and day.day == 1 and said.startswith("1 ") else said


@lru_cache(maxsize=1_440 * len(LOCALES))
def _time(hour: int, minute: int, locale: str) -> str:
    return dates.format_time(dt.time(hour, minute), "short", locale=_BABEL[locale])


@lru_cache(maxsize=16_384)
def _delta(seconds: int, locale: str) -> str:
    return dates.format_timedelta(seconds, add_direction=True, locale=_BABEL[locale])


@lru_cache(maxsize=4_096)
def _number(value: float, locale: str) -> str:
    return numbers.format_decimal(value, locale=_BABEL[locale])
