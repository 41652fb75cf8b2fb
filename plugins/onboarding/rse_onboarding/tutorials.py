"""Tutorials as people read them: those that plugins bring and the site's own, from their level on, in the reader's language.

There are at most some hundreds of them in all (:data:`rse_onboarding.editing.MOST`), so a list has no pages.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from rse_core.api import Level, NotFound, Reason, can, core_of, current_locale, dialect_insert, translator, utcnow

from . import shipped
from .models import Note, SitePage

_ = translator(__file__, "rse_onboarding").gettext

#: Capability that opens the tutorials of each level: a site may shift it, as any other.
READS: Mapping[Level, str] = {level: f"onboarding.read{int(level)}" for level in Level if level > Level.INFORM}
SITE = "site."


@dataclass(frozen=True, slots=True)
class Page:
    """A tutorial as it is shown; ``body`` in Markdown. ``done_at`` and ``useful`` are the reader's own."""

    key: str
    title: str
    body: str
    level: Level
    order: int
    video: str = ""
    locale: str = ""
    version: int = 0
    done_at: dt.datetime | None = None
    useful: bool | None = None

    @property
    def own(self) -> bool:
        """Written by the site."""
        return self.key.startswith(SITE)


def listed(session: Session, person_id: int) -> list[Page]:
    """Those open to this person, by level and order; two queries."""
    levels = [level for level, key in READS.items() if can(session, person_id, key)]
    locale = current_locale()
    rows = session.scalars(
        select(SitePage).where(SitePage.level.in_([int(level) for level in levels]), SitePage.locale.in_(("", locale)))
    )
    found = [of_row(row) for row in rows]
    found += [one for one in _shipped(session, person_id, locale) if one.level in levels]
    noted = {note.tutorial: note for note in session.scalars(select(Note).where(Note.person_id == person_id))}
    return sorted(
        (_with(one, noted.get(one.key)) for one in found), key=lambda one: (one.level, one.order, one.title.casefold())
    )


def one(session: Session, person_id: int, key: str) -> Page:
    """A tutorial.

    :raises NotFound: for one that does not exist, or is not open to them.
    """
    found = _find(session, person_id, key)
    if found is None or not can(session, person_id, READS[found.level]):
        raise NotFound(_("There is no such tutorial."))
    return _with(found, session.get(Note, (person_id, key)))


def note(
    session: Session, person_id: int, key: str, *, done: bool | None = None, useful: bool | None = None
) -> Page:
    """Note that they have done it or not, and whether it was useful; what is None stays as it is.

    :raises NotFound: as :func:`one`.
    """
    page = one(session, person_id, key)
    values: dict[str, Any] = {}
    if done is not None:
        values["done_at"] = (page.done_at or utcnow()) if done else None
    if useful is not None:
        values["useful"] = useful
    if values:
        made = dialect_insert(session, Note).values(person_id=person_id, tutorial=key, **values)
        session.execute(made.on_conflict_do_update(index_elements=["person_id", "tutorial"], set_=values))
    return replace(page, **values)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What readers said of a tutorial, in numbers alone."""

    done: int = 0
    useful: int = 0
    useless: int = 0


def feedback(session: Session) -> dict[str, Feedback]:
    """Of every tutorial that somebody noted something of, by key; one query."""
    rows = session.execute(
        select(
            Note.tutorial, func.count(Note.done_at),
            func.sum(case((Note.useful.is_(True), 1), else_=0)), func.sum(case((Note.useful.is_(False), 1), else_=0)),
        ).group_by(Note.tutorial)
    )  # fmt: skip
    return {key: Feedback(done, int(good or 0), int(bad or 0)) for key, done, good, bad in rows}


def of_row(row: SitePage) -> Page:
    """The site's own page, as it is shown."""
    return Page(
        f"{SITE}{row.id}", row.title, row.body, Level(row.level), row.position, row.video, row.locale, row.version
    )


def site_id(key: str) -> int | None:
    """The number of a page of the site's own."""
    number = key.removeprefix(SITE)
    return int(number) if key.startswith(SITE) and number.isascii() and number.isdecimal() and len(number) < 18 else None


def _find(session: Session, person_id: int, key: str) -> Page | None:
    number = site_id(key)
    if number is not None:
        row = session.get(SitePage, number)
        return None if row is None else of_row(row)
    return next((found for found in _shipped(session, person_id, current_locale()) if found.key == key), None)


def _shipped(session: Session, person_id: int, locale: str) -> Iterable[Page]:
    core = core_of(session)
    running = {name for name, state in core.plugins.states.items() if state.status == "on"}
    for key, (plugin, tutorial) in shipped.offered(core).items():
        if plugin in running and _on(session, person_id, plugin):
            text = shipped.text(tutorial, locale)
            yield Page(key, text.title, text.body, tutorial.level, tutorial.order, tutorial.video, locale)


def _on(session: Session, person_id: int, plugin: str) -> bool:
    # A plugin's switch is asked for through any of its capabilities; one without any has no switch that matters.
    core = core_of(session)
    own = next((key for key in core.plugins.capabilities if core.plugins.owner(key) == plugin), None)
    return own is None or core.policy.can(session, person_id, own).reason is not Reason.PLUGIN_OFF


def _with(page: Page, noted: Note | None) -> Page:
    return page if noted is None else replace(page, done_at=noted.done_at, useful=noted.useful)
