"""Does a wave's gate hold? Looked at through the same figures as everybody sees, those of the wave before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from babel.numbers import format_percent
from sqlalchemy import select
from sqlalchemy.orm import Session

from .i18n import _, current_locale, lazy, ngettext
from .indicators_figures import Asked, ask
from .models.rollout import RolloutWave
from .rollout_plan import Gate

if TYPE_CHECKING:
    from .runtime import Core

#: Weeks after opening under which figures are too young for a verdict: what is new is tried, and habits take longer.
EARLY_WEEKS = 26
LABELS = {
    "connection_rate": lazy("connection rate"),
    "engagement_rate": lazy("engagement rate"),
    "contribution_rate": lazy("wider contribution rate"),
    "charter_acceptance": lazy("charter acceptance"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One condition of a gate. ``found`` None: it is not known, or speaks of too few people to be shown.

    ``what``: ``open``, ``min_weeks`` or an indicator. Shares are from 0 to 1.
    """

    what: str
    wanted: float
    found: float | None
    holds: bool
    after: str

    def sentence(self) -> str:
        """For people to read, in their language."""
        if self.what == "open":
            return _("The wave “%(wave)s” is open.", wave=self.after) if self.holds else _(
                "The wave “%(wave)s” is not open.", wave=self.after
            )  # fmt: skip
        if self.what == "min_weeks":
            return ngettext(
                "“%(wave)s” has been open for %(num)s full week; %(wanted)s are asked.",
                "“%(wave)s” has been open for %(num)s full weeks; %(wanted)s are asked.",
                int(self.found or 0), wave=self.after, wanted=str(int(self.wanted)),
            )  # fmt: skip
        values = {"what": str(LABELS.get(self.what, self.what)), "wave": self.after, "wanted": share(self.wanted)}
        if self.found is None:
            return _("The %(what)s of “%(wave)s” is not known, or may not be shown; %(wanted)s is asked.", **values)
        return _("The %(what)s of “%(wave)s” is %(found)s; %(wanted)s is asked.", found=share(self.found), **values)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def share(rate: float) -> str:
    """``17.3 %`` in the reader's language."""
    return str(format_percent(rate, format="#,##0.# %", locale="en_GB" if current_locale() == "en" else "fr"))


def read(gate: Mapping[str, Any] | None) -> Gate | None:
    """A gate as it is kept with its wave."""
    return None if gate is None else Gate(gate["after"], gate["min_weeks"], gate["window_weeks"], gate["rates"])


def kept(gate: Gate | None) -> dict[str, Any] | None:
    """A gate as it is kept with its wave, JSON-ready."""
    if gate is None:
        return None
    return {
        "after": gate.after, "min_weeks": gate.min_weeks, "window_weeks": gate.window_weeks, "rates": dict(gate.rates),
    }  # fmt: skip


def look(session: Session, core: Core, gate: Gate, now: dt.datetime) -> list[Finding]:
    """Every condition of a gate, as it stands now. The roll-ups are the caller's to bring up to date."""
    wave = session.scalar(select(RolloutWave).where(RolloutWave.name == gate.after))
    opened = wave.opened_at if wave is not None and wave.state in ("open", "planned") else None
    if opened is None or opened > now:
        return [Finding("open", 1, 0, False, gate.after)]
    found = [Finding("open", 1, 1, True, gate.after)]
    if gate.min_weeks:
        weeks = (now - opened).days // 7
        found.append(Finding("min_weeks", gate.min_weeks, weeks, weeks >= gate.min_weeks, gate.after))
    first, last = window(gate, opened, now)
    for name, wanted in gate.rates.items():
        rate = rate_of(session, core, name, gate.after, first, last)
        found.append(Finding(name, wanted, rate, rate is not None and rate >= wanted, gate.after))
    return found


def window(gate: Gate, opened: dt.datetime, now: dt.datetime) -> tuple[dt.date, dt.date]:
    """The days whose figures count: the last weeks before today, not from before the opening."""
    last = now.astimezone(dt.UTC).date() - dt.timedelta(days=1)
    first = max(last - dt.timedelta(days=7 * gate.window_weeks - 1), opened.date())
    return min(first, last), last


def rate_of(session: Session, core: Core, indicator: str, wave: str, first: dt.date, last: dt.date) -> float | None:
    """An indicator of a wave; None when it is not known or not shown."""
    answer = ask(session, core, Asked(indicator, first, last, "wave", only=(wave,)))
    return next((figure.rate for figure in answer.figures), None)


def too_early(opened: dt.datetime | None, now: dt.datetime) -> str:
    """The sentence that keeps figures from being taken for a verdict; empty once half a year has passed."""
    if opened is None or now < opened or now - opened >= dt.timedelta(weeks=EARLY_WEEKS):
        return ""
    return ngettext(
        "Too early for a verdict: open for %(num)s full week. Under six months, figures say little of what stays.",
        "Too early for a verdict: open for %(num)s full weeks. Under six months, figures say little of what stays.",
        (now - opened).days // 7,
    )
