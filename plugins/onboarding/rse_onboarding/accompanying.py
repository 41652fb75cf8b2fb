"""For ambassadors and managers: how far the people of an entity or a team have come, in numbers alone, and what to do next.

Nobody is listed, and no group of fewer than ten is told, also not by subtraction: each person is shown the figures of one
set of people and no other, numbers that are near each other are told as such, and entities are pooled.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from rse_core import charter, wave_figures
from rse_core.api import Forbidden, Participation, core_of, option, require, translator
from rse_core.cursor import NOWHERE, PersonFacts, plugin_on
from rse_core.models.governance import CharterAcceptance
from rse_core.models.organisation import Entity, EntityPath, Person
from rse_core.models.runtime import Visit
from rse_core.roles import is_site_admin
from rse_core.small_groups import FEW, Counts, Figure, figure, figures, plain, pooled
from rse_core.wave_figures import WaveFigures

from . import options
from .standing import TOUR

log = logging.getLogger("rse.onboarding")
_ = translator(__file__, "rse_onboarding").gettext


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose figures somebody is shown. ``kind``: ``site``, ``entity`` or ``team``."""

    kind: str
    name: str
    entity_id: int | None = None
    manager_id: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One entity below, or several together: how many people it has, and how many of them have come."""

    names: tuple[str, ...]
    people: Figure
    visited: Figure


@dataclass(frozen=True, slots=True)
class Advice:
    """Something to do next: ``text`` is Markdown, as the site wrote it or as it comes with the plugin."""

    key: str
    title: str
    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """What the page shows. ``figures`` is empty where there are fewer than ten people, and where beside those of the
    ``wave`` they would tell of the few others in it (``beside``)."""

    scope: Scope
    people: Figure
    figures: tuple[Figure, ...]
    missing: Figure | None
    parts: tuple[Part, ...]
    advice: tuple[Advice, ...]
    wave: WaveFigures | None = None
    beside: bool = False


def scope_of(session: Session, person_id: int) -> Scope | None:
    """Whose figures this person may see; None for who is neither an ambassador nor a manager nor runs the site.

    Always one set of people: two that nearly cover each other would tell of the difference.
    """
    if is_site_admin(session, person_id):
        return Scope("site", _("Everybody"))
    policy = core_of(session).policy
    facts = policy.person(person_id)
    if facts is None or facts.external:
        return None
    entity = None if facts.entity_id is None else session.get(Entity, facts.entity_id)
    if _ambassador(session, facts) and entity is not None:
        return Scope("entity", entity.name, entity.id)
    sees = option(session, options.MANAGERS_SEE)
    if sees == "nothing" or not session.scalar(select(Person.is_manager).where(Person.id == person_id)):
        return None
    if sees == "team":
        return Scope("team", _("The people whom you manage"), manager_id=person_id)
    return None if entity is None else Scope("entity", entity.name, entity.id)


def _ambassador(session: Session, facts: PersonFacts) -> bool:
    key = option(session, options.AMBASSADORS)
    keys = core_of(session).policy.snapshot().keys
    return bool(key) and any(keys.get(("group", group)) == key for group in facts.groups)


def progress(session: Session, person_id: int) -> Progress:
    """The figures, in a number of queries that does not depend on how many people there are.

    :raises Forbidden: for who accompanies nobody, and below the level from which the plugin speaks.
    """
    require(session, person_id, TOUR)
    scope = scope_of(session, person_id)
    if scope is None:
        raise Forbidden(_("These figures are for ambassadors and managers."))
    people = _people(session, scope)
    total = session.scalar(people.with_only_columns(func.count())) or 0
    advice = tuple(_advice(session))
    wave = _wave(session, person_id, scope)
    if total < FEW:
        return Progress(scope, figure("", total, total), (), None, (), advice, wave)
    core = core_of(session)
    if wave is not None and not wave_figures.apart(session, core, wave.wave, list(session.scalars(people))):
        return Progress(scope, figure("", total, total), (), None, (), advice, wave, beside=True)
    counts = [(label, _number(session, people, done)) for label, done in _ways(session, person_id)]
    told = figures(counts, total)
    came = told[0].number
    missing = None if came is None else plain(total - came)
    parts = tuple(_parts(session, scope)) if came is not None else ()
    return Progress(scope, plain(total), tuple(told), missing, parts, advice, wave)


def _wave(session: Session, person_id: int, scope: Scope) -> WaveFigures | None:
    """The figures of one's own wave; who sees everybody has them on the pages of the rollout and of indicators."""
    if scope.kind == "site":
        return None
    core = core_of(session)
    name = wave_figures.wave_of(session, core, person_id)
    return wave_figures.figures(session, core, name) if name else None


def _people(session: Session, scope: Scope) -> Select[Any]:
    query = select(Person.id).where(Person.status == "active", Person.external.is_(False))
    if scope.kind == "team":
        return query.where(Person.manager_id == scope.manager_id)
    if scope.kind == "entity":
        below = select(EntityPath.entity_id).where(EntityPath.ancestor_id == scope.entity_id)
        return query.where(Person.entity_id.in_(below))
    return query


def _ways(session: Session, person_id: int) -> Iterator[tuple[str, ColumnElement[bool]]]:
    """What is counted, in words, and the condition on :class:`Person` that says who has done it."""
    yield _("came at least once"), Person.id.in_(select(Visit.person_id))
    current = charter.in_force(session)
    if current is not None:
        accepted = select(CharterAcceptance.person_id).where(CharterAcceptance.charter_id == current.id)
        yield _("accepted the charter"), Person.id.in_(accepted)
    core = core_of(session)
    snapshot, facts = core.policy.snapshot(), core.policy.person(person_id)
    ways = [
        (plugin, way) for plugin, way in core.plugins.contributions(Participation)
        if facts is not None and plugin_on(snapshot, plugin, facts, NOWHERE)[0]
    ]  # fmt: skip
    for plugin, way in sorted(ways, key=lambda one: (one[1].order, one[1].name)):
        try:
            done = way.people(session)
        except Exception:  # isolation point: one plugin's figure is left out
            if core.settings.strict:
                raise
            log.exception("plugin %s: the figure %s failed", plugin, way.name)
            continue
        yield str(way.label), Person.id.in_(done)


def _number(session: Session, people: Select[Any], done: ColumnElement[bool]) -> int:
    return session.scalar(people.where(done).with_only_columns(func.count())) or 0


def _parts(session: Session, scope: Scope) -> Iterator[Part]:
    """Who has come, by the entities right below; those that would tell of few are told together."""
    if scope.kind == "team":
        return
    top = aliased(Entity)
    came = case((Person.id.in_(select(Visit.person_id)), 1), else_=0)
    where = top.parent_id.is_(None) if scope.kind == "site" else top.parent_id == scope.entity_id
    query = (
        select(top.id, top.name, func.count(), func.sum(came))
        .select_from(Person)
        .join(EntityPath, EntityPath.entity_id == Person.entity_id)
        .join(top, and_(top.id == EntityPath.ancestor_id, where))
        .where(Person.status == "active", Person.external.is_(False))
        .group_by(top.id, top.name)
    )
    counts: list[Counts] = [
        ([(ident, name)], number, int(done or 0)) for ident, name, number, done in session.execute(query)
    ]
    alone = Person.entity_id == scope.entity_id if scope.kind == "entity" else Person.entity_id.is_(None)
    own = session.execute(
        select(func.count(), func.sum(came)).where(Person.status == "active", Person.external.is_(False), alone)
    ).one()
    if own[0]:
        name = _("directly in it") if scope.kind == "entity" else _("in no entity")
        counts.append(([(None, name)], own[0], int(own[1] or 0)))
    found = pooled(counts, both=True)
    if len(found) > 1:
        for names, number, done in found:
            yield Part(tuple(name for _ident, name in names), plain(number), plain(done))


def _advice(session: Session) -> Iterator[Advice]:
    prefix = core_of(session).settings.url_prefix
    yield Advice(
        "webinar", _("A webinar"),
        option(session, options.ADVICE_WEBINAR) or _(
            "Half an hour together, on real pages of the intranet: show one reaction and one comment, then let everybody "
            "try. Those who have not come yet come most easily with somebody they know."
        ),
        option(session, options.WEBINAR),
    )  # fmt: skip
    yield Advice(
        "tutorial", _("The tutorials"),
        option(session, options.ADVICE_TUTORIAL) or _(
            "Short pages, each about one thing. Send the one that answers a question that you were asked, not all of them."
        ),
        f"{prefix}/onboarding/tutorials/",
    )  # fmt: skip
    yield Advice(
        "message", _("A message"),
        option(session, options.ADVICE_MESSAGE) or _(
            "Write to the whole team, not to those who are missing: nobody is counted by name. "
            "Say what is new, why it is useful here, and where to ask for help."
        ),
    )  # fmt: skip
