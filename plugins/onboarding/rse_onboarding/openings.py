"""What a level opens to a person: the capabilities that are on for them, and the steps of the tour that tell of them."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.api import Capability, Core, Decision, Level, Reason, Text, TourStep, core_of
from rse_core.cursor import NOWHERE, plugin_on
from rse_core.models.content import Page

from .standing import Standing

#: Steps of the tour of one level.
MOST = 5
#: Seconds for which the page that serves as an example is kept.
KEPT = 300
_examples: WeakKeyDictionary[Core, tuple[float, str]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Opening:
    """A capability and what the cursor says of it for this person; ``level``: from which it opens on this site."""

    capability: Capability
    level: Level
    decision: Decision

    @property
    def open(self) -> bool:
        """Open to them; the charter, which is accepted at the first writing, closes nothing."""
        return self.decision.allowed or self.decision.reason is Reason.CHARTER

    @property
    def charter(self) -> bool:
        """They will be asked to accept the charter first."""
        return self.decision.reason is Reason.CHARTER


@dataclass(frozen=True, slots=True)
class Shown:
    """A step as it is shown: of which level, in which words, where it is done."""

    key: str
    level: Level
    title: Text
    text: Text
    endpoint: str = ""
    selector: str = ""
    #: the charter is to be accepted first
    charter: bool = False


def all_of(session: Session, person_id: int) -> list[Opening]:
    """Every capability that is on for this person, by level; open to them, or not yet. From memory.

    What only those who run something may do stands in a space's own rights, and is told there.
    """
    core = core_of(session)
    found = []
    for key, capability in core.plugins.capabilities.items():
        if core.plugins.owner(key) == "onboarding" or capability.default_who in ("managers", "nobody"):
            continue
        decision = core.policy.can(session, person_id, key)
        if decision.reason in (Reason.PLUGIN_OFF, Reason.UNKNOWN_PERSON) or decision.required_level is None:
            continue
        found.append(Opening(capability, Level(decision.required_level), decision))
    return sorted(found, key=lambda one: (one.level, one.capability.key))


def steps(session: Session, person_id: int, above: Level, upto: Level) -> list[Shown]:
    """The tour of the levels above one, up to another: at most :data:`MOST` steps for each, in the order of the levels.

    The steps that plugins contribute; for a plugin without any, its capabilities themselves.
    """
    found: list[Shown] = []
    openings = {one.capability.key: one for one in all_of(session, person_id) if one.open}
    told = list(_told(session, person_id, openings))
    speaking = {plugin for plugin, _step in core_of(session).plugins.contributions(TourStep)}
    for level in Level:
        if above < level <= upto:
            mine = sorted((step for step in told if step[1].level == level), key=lambda one: (one[0], one[1].key))
            found += [*(step for _order, step in mine), *_plain(session, openings, speaking, level)][:MOST]
    return found


def _told(session: Session, person_id: int, openings: Mapping[str, Opening]) -> Iterator[tuple[int, Shown]]:
    """The steps that plugins contribute to this person's tour, each with its order."""
    core = core_of(session)
    snapshot, facts = core.policy.snapshot(), core.policy.person(person_id)
    for plugin, step in core.plugins.contributions(TourStep):
        words = (step.title, step.text, step.endpoint, step.selector)
        if step.level is not None:
            if facts is not None and plugin_on(snapshot, plugin, facts, NOWHERE)[0]:
                yield step.order, Shown(step.key, step.level, *words)
        elif step.capability in openings:
            one = openings[step.capability]
            yield step.order, Shown(step.key, one.level, *words, charter=one.charter)


def _plain(
    session: Session, openings: Mapping[str, Opening], speaking: Collection[str], level: Level
) -> Iterator[Shown]:
    owner = core_of(session).plugins.owner
    for key, one in sorted(openings.items()):
        if one.level == level and owner(key) not in speaking:
            yield Shown(key, level, one.capability.label, one.capability.description, charter=one.charter)


def example(session: Session) -> str:
    """A page of the intranet on which to show what stands there: the newest that it published for everyone; "" for none.

    Asked only where steps are shown, and kept for some minutes.
    """
    core, now = core_of(session), time.monotonic()
    kept = _examples.get(core)
    if kept is None or now - kept[0] > KEPT:
        kept = _examples[core] = (now, _newest(session))
    return kept[1]


def _newest(session: Session) -> str:
    pages = select(Page.address).where(
        Page.audience_id == core_of(session).policy.everyone(), Page.published_at.is_not(None), Page.gone_at.is_(None),
        Page.locked_at.is_(None), Page.site == "", Page.address.startswith("/"),
    )  # fmt: skip
    return session.scalar(pages.order_by(Page.published_at.desc(), Page.id.desc()).limit(1)) or ""


def closed(session: Session, person_id: int, standing: Standing) -> list[Opening]:
    """What a lowering took away: capabilities that open above the level they have, up to the one that they were shown."""
    return [
        one for one in all_of(session, person_id)
        if standing.level < one.level <= standing.shown and one.decision.reason is Reason.LEVEL
    ]  # fmt: skip
