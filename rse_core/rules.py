"""Every rule a decision is made of, in order, each as a step of the trail. Pure: no clock, no database.

The first rule that fails gives the reason; the rules behind it are looked at all the same, so that an administrator
sees everything that stands in the way at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import cursor
from .contributions import Capability
from .cursor import Awaited, CharterVersion, Opening, PersonFacts, Place, Snapshot
from .decision import Mode, Reason, Step

#: Which reason a failed rule gives, in the order in which rules are asked.
REASONS = {
    "person": Reason.UNKNOWN_PERSON,
    "capability": Reason.UNKNOWN_CAPABILITY,
    "object": Reason.UNKNOWN_OBJECT,
    "plugin": Reason.PLUGIN_OFF,
    "level": Reason.LEVEL,
    "role": Reason.ROLE,
    "archived": Reason.ARCHIVED,
    "charter": Reason.CHARTER,
    "suspension": Reason.SUSPENDED,
}


@dataclass(frozen=True, slots=True)
class Case:
    """One question with all that was found about it. ``place`` None: there is no such object."""

    person: PersonFacts | None
    key: str
    capability: Capability | None
    plugin: str
    place: Place | None
    at: dt.datetime
    #: asked about the present: an acceptance counts even when another machine's clock is ahead of ours
    present: bool = True
    subject: str = ""
    #: the answer is for an administrator: say that an object exists though the person may not see it
    candid: bool = False

    @property
    def writes(self) -> bool:
        """Whether the act leaves a trace that others see."""
        return self.capability is not None and self.capability.writes

    @property
    def reviewed(self) -> bool:
        """Whether what it writes can be held for a moderator."""
        return self.capability is not None and self.capability.reviewed


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say; ``facts`` holds what the refusal's sentence needs."""

    reason: Reason
    mode: Mode
    steps: tuple[Step, ...]
    effective: int | None = None
    required: int | None = None
    opens_at: dt.datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def judge(snapshot: Snapshot, case: Case) -> Verdict:
    """Look at every rule."""
    steps: list[Step] = []
    facts: dict[str, Any] = {}
    effective: int | None = None
    opens: Opening | None = None
    awaited: Awaited | None = None
    mode = Mode.OPEN
    person, capability = case.person, case.capability
    disabled = person is not None and person.disabled_at is not None and person.disabled_at <= case.at
    steps.append(_person(person, disabled, snapshot))
    facts["disabled"] = disabled
    required = None if capability is None else snapshot.shifts.get(case.key, int(capability.level))
    steps.append(Step("capability", capability is not None, _capability(snapshot, case, required)))
    if person is not None and not disabled:
        found = case.place is not None and visible(snapshot, person, case.place)
        steps.append(Step("object", found, _object(snapshot, case, found)))
        place = case.place if found and case.place is not None else cursor.NOWHERE
        effective = cursor.effective(snapshot, person, place, case.at)
        if capability is not None and required is not None:
            on, switch = cursor.plugin_on(snapshot, case.plugin, person, place)
            steps.append(Step("plugin", on, {"plugin": case.plugin, "switch": switch}))
            steps.append(_level(snapshot, person, place, case.at, effective, required))
            if effective < required:
                opens = cursor.opens_at(snapshot, person, place, required, case.at)
                awaited = None if opens else cursor.awaits(snapshot, person, place, required, case.at)
            steps.append(_role(snapshot, person, place, case.key, capability))
            steps.append(_archived(snapshot, place, capability))
            charter = _missing_charter(snapshot, person, place, case)
            steps.append(_charter(snapshot, place, case, charter))
            suspended = suspension(person, case.at)
            steps.append(_suspension(person, capability, suspended))
            review = sorted(review_scopes(snapshot, person, place)) if capability.reviewed else []
            steps.append(Step("review", True, {"moderated_by": [_label(snapshot, *scope) for scope in review]}))
            mode = Mode.REVIEW if review else Mode.OPEN
            facts |= {"charter": charter, "until": None if suspended is None else suspended[1]}
    failed = next((step for step in steps if not step.passed), None)
    reason = Reason.OK if failed is None else REASONS[failed.rule]
    if failed is not None:
        facts = {**failed.detail, **facts}
    if reason is not Reason.LEVEL:
        opens = None
    facts |= {"opens": opens, "awaited": awaited}
    return Verdict(reason, mode, tuple(steps), effective, required, opens.at if opens else None, facts)


def visible(snapshot: Snapshot, person: PersonFacts, place: Place) -> bool:
    """May this person know of the object? Asked of its audience; a hidden one only of author and moderators."""
    if place.hidden:
        if place.author_id == person.id:
            return True
        return any(cursor.moderates(snapshot, person, *scope) for scope in _scopes_of(snapshot, place))
    if not place.audience_id:
        return True
    kind, _target = snapshot.audiences.get(place.audience_id, ("", 0))
    # What stands in a public space for all who see it has the audience of everyone; that of the space is its members'.
    return place.audience_id in person.audiences or (kind == "everyone" and not person.external)


def _scopes_of(snapshot: Snapshot, place: Place) -> Iterator[tuple[str, int]]:
    yield "site", 0
    kind, target = snapshot.audiences.get(place.audience_id or 0, ("", 0))
    if kind in ("entity", "group", "space"):
        yield kind, target
    if place.space_id is not None:
        yield "space", place.space_id


def review_scopes(snapshot: Snapshot, person: PersonFacts, place: Place) -> set[tuple[str, int]]:
    """The scopes moderated before publishing that hold for this author here; not those the author moderates."""
    path, space = cursor.path_of(snapshot, person), cursor.space_of(snapshot, place)
    scopes = [("site", 0), *(("entity", entity) for entity in path)]
    if space is not None:
        scopes.append(("space", space))
    found = {s for s in scopes if s in snapshot.reviewed and not cursor.moderates(snapshot, person, *s)}
    # Somebody put under review by name stays so, whatever they moderate.
    if ("person", person.id) in snapshot.reviewed:
        found.add(("person", person.id))
    return found


def suspension(
    person: PersonFacts, at: dt.datetime
) -> tuple[dt.datetime, dt.datetime | None, dt.datetime | None] | None:
    """The suspension that covers a moment; the one that ends last when there are several."""
    held = [
        s for s in person.suspensions
        if s[0] <= at and (s[1] is None or at < s[1]) and (s[2] is None or at < s[2])
    ]  # fmt: skip
    return max(held, key=lambda s: (s[1] is None, s[1] or s[0]), default=None)


def charters_in_force(snapshot: Snapshot, space: int | None, at: dt.datetime) -> list[CharterVersion]:
    """The versions to accept for writing here: the site's latest, and the space's own."""
    found = []
    for scope in (None, space) if space is not None else (None,):
        published = [version for version in snapshot.charters.get(scope, ()) if version.published_at <= at]
        found += published[-1:]
    return found


def _missing_charter(
    snapshot: Snapshot, person: PersonFacts, place: Place, case: Case
) -> CharterVersion | None:
    if not case.writes:
        return None
    for version in charters_in_force(snapshot, cursor.space_of(snapshot, place), case.at):
        accepted = person.accepted.get(version.id)
        if accepted is None or (accepted > case.at and not case.present):
            return version
    return None


# -- the steps, one function each ----------------------------------------------------------------------------


def _person(person: PersonFacts | None, disabled: bool, snapshot: Snapshot) -> Step:
    if person is None:
        return Step("person", False, {"found": False})
    entity = None if person.entity_id is None else snapshot.keys.get(("entity", person.entity_id))
    return Step("person", not disabled, {"username": person.username, "entity": entity, "disabled": disabled})


def _capability(snapshot: Snapshot, case: Case, required: int | None) -> dict[str, Any]:
    detail: dict[str, Any] = {"capability": case.key}
    if case.capability is not None:
        shift = snapshot.shifts.get(case.key)
        detail |= {"level": required, "default_level": int(case.capability.level), "shifted": shift is not None}
        detail["writes"] = case.capability.writes
    return detail


def _object(snapshot: Snapshot, case: Case, found: bool) -> dict[str, Any]:
    detail: dict[str, Any] = {"on": case.subject or None}
    if case.place is None or not (found or case.candid):
        return {**detail, "found": False}
    kind, target = snapshot.audiences.get(case.place.audience_id or 0, ("", 0))
    detail |= {"found": True, "visible": found, "audience": _label(snapshot, kind, target) if kind else None}
    space = cursor.space_of(snapshot, case.place)
    if space is not None:
        detail["space"] = snapshot.keys.get(("space", space), str(space))
    if case.place.sections:
        detail["sections"] = list(case.place.sections)
    return detail


def _level(
    snapshot: Snapshot, person: PersonFacts, place: Place, at: dt.datetime, effective: int, required: int
) -> Step:
    path = cursor.path_of(snapshot, person)
    spots = cursor.spots_that_matter(snapshot, person, place)
    detail: dict[str, Any] = {
        "required": required,
        "effective": effective,
        "granted": cursor.granted_to(snapshot, person, place, at),
        "ceiling": cursor.ceiling(snapshot, path, at),
        "cap": cursor.cap(snapshot, place, at),
        "rows": [row for spot in spots for row in cursor.rows_on(snapshot, spot, at)],
    }
    if person.chosen is not None:
        detail["chosen"] = person.chosen
    return Step("level", effective >= required, detail)


def _role(snapshot: Snapshot, person: PersonFacts, place: Place, key: str, capability: Capability) -> Step:
    ident = cursor.space_of(snapshot, place)
    if ident is None:
        return Step("role", True, {"space": None})
    space = snapshot.spaces.get(ident) or cursor.SpaceFacts(str(ident), "secret")
    role = person.spaces.get(ident)
    manages = role in cursor.MANAGING_ROLES or any(
        (name, "space", ident) in person.roles for name in ("animator", "moderator")
    )
    who = space.rules.get(key, capability.default_who)
    sees = manages or role is not None or (space.visibility == "public" and not person.external)
    # Somebody from outside reads as a member does, and writes only where everybody may.
    member = manages or (role is not None and not (role == "external" and capability.writes))
    passed = sees and {"nobody": False, "managers": manages, "members": member, "all": True}.get(who, False)
    return Step("role", passed, {"space": space.key, "who": who, "role": role, "sees": sees})


def _archived(snapshot: Snapshot, place: Place, capability: Capability) -> Step:
    ident = cursor.space_of(snapshot, place)
    space = None if ident is None else snapshot.spaces.get(ident)
    archived = space is not None and space.archived
    return Step("archived", not (archived and capability.writes), {"archived": archived})


def _charter(snapshot: Snapshot, place: Place, case: Case, missing: CharterVersion | None) -> Step:
    space = cursor.space_of(snapshot, place)
    versions = charters_in_force(snapshot, space, case.at) if case.writes else []
    detail = {"in_force": [v.id for v in versions], "missing": None if missing is None else missing.id}
    return Step("charter", missing is None, detail)


def _suspension(
    person: PersonFacts,
    capability: Capability,
    held: tuple[dt.datetime, dt.datetime | None, dt.datetime | None] | None,
) -> Step:
    until = held[1].isoformat() if held and held[1] else None
    return Step("suspension", held is None or not capability.writes, {"suspended": held is not None, "until": until})


def _label(snapshot: Snapshot, scope: str, ident: int) -> str:
    return scope if scope in ("site", "everyone") else f"{scope}:{snapshot.keys.get((scope, ident), str(ident))}"
