"""Who may do what in one space: every plugin's capabilities by kind of person, what the space may change of it, and what
is fixed, with the reason.

The order in which rules hold, the stricter always winning: the platform (ceilings, plugins), the level of the entity and of
the wave, the cap and the rights of the space, the object itself (locked, archived).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import cursor, organisation, policy, spaces
from rse_core.api import BadInput, Capability, Level, Text, core_of, record, translator, utcnow
from rse_core.decision import Step
from rse_core.models.organisation import SpaceRule
from rse_core.people import PersonCard

from . import access, framing
from .access import Seat
from .kinds import ROLES, WHO, choice

_t = translator(__file__, "rse_communities")
_, lazy = _t.gettext, _t.lazy

#: The columns: the role that stands for those it names.
COLUMNS = {
    "managers": lazy("Those who run it"),
    "members": lazy("Members"),
    "external": lazy("Guests"),
    "all": lazy("All who see it"),
}
#: Asked about the site, not in a space.
_ELSEWHERE = frozenset({access.CREATE, access.JOIN, access.SEE})


@dataclass(frozen=True, slots=True)
class Cell:
    """Whether these people may; ``fixed`` says why the space cannot change it, "" when it can."""

    allowed: bool
    fixed: Text = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One capability. ``who``: the space's own rule, or the default when it has none."""

    capability: Capability
    plugin: str
    who: str
    own: bool
    level: Level
    cells: dict[str, Cell]

    @property
    def fixed(self) -> Text:
        """Why none of it can be changed here; "" when something can."""
        reasons = {str(cell.fixed): cell.fixed for cell in self.cells.values() if cell.fixed}
        if len(reasons) == 1 and all(cell.fixed for cell in self.cells.values()):
            return next(iter(reasons.values()))
        return ""


def rows(session: Session, seat: Seat) -> list[Row]:
    """The grid; one query, the rest from memory."""
    running = core_of(session)
    plugins, snapshot, now = running.plugins, running.policy.snapshot(), utcnow()
    space_id = seat.space.id
    own = dict(
        session.execute(select(SpaceRule.capability, SpaceRule.who).where(SpaceRule.space_id == space_id)).all()
    )
    cap = cursor.cap(snapshot, cursor.Place(seat.audience_id, space_id=space_id), now)
    ceiling = cursor.ceiling(snapshot, (), now)
    found = []
    for key in sorted(plugins.capabilities):
        capability, plugin = plugins.capabilities[key], plugins.owner(key) or ""
        if key in _ELSEWHERE:
            continue
        required = snapshot.shifts.get(key, int(capability.level))
        everywhere = _everywhere(seat, snapshot, plugin, capability, required, cap, ceiling)
        who = own.get(key, capability.default_who)
        cells = {column: _cell(seat, capability, who, column, everywhere) for column in COLUMNS}
        found.append(Row(capability, plugin, who, key in own, Level(required), cells))
    return sorted(found, key=lambda row: (row.plugin, row.capability.key))


def change(session: Session, person_id: int, key: str, wanted: dict[str, str], *, version: int | None = None) -> int:
    """Say who may use these capabilities in the space; "" takes the space's own rule away.

    :returns: how many rules changed.
    :raises BadInput: for something that is no capability, or nobody that can be named.
    :raises Conflict: when the space has changed since ``version``.
    """
    seat = access.managing(session, person_id, key, least="administers")
    known = core_of(session).plugins.capabilities
    for capability, who in wanted.items():
        if capability not in known or capability in _ELSEWHERE:
            raise BadInput(_("“%(key)s” is not something that can be done here.", key=capability[:80]))
        if who:
            choice(capability, who, WHO)
    profile = access.profile_for_write(session, seat, version)
    present = {row.capability.key: row for row in rows(session, seat)}
    changed: dict[str, tuple[str | None, str | None]] = {}
    for capability, who in wanted.items():
        row = present[capability]
        before = row.who if row.own else None
        after = who or None
        # What is the default already needs no rule of its own.
        if after == before or (before is None and after == row.who):
            continue
        organisation.set_space_rule(session, seat.space.id, capability, after)
        framing.follow_rule(session, seat.space.id, capability, after or known[capability].default_who)
        changed[capability] = (before, after)
    if changed:
        profile.version += 1
        record(
            session, access.actor_of(session, person_id), "communities.rights", f"space:{seat.space.key}",
            before={name: pair[0] for name, pair in changed.items()},
            after={name: pair[1] for name, pair in changed.items()},
        )  # fmt: skip
        session.flush()
    return len(changed)


@dataclass(frozen=True, slots=True)
class Explained:
    """Why somebody can or cannot: the answer, its sentence and every rule that was looked at."""

    allowed: bool
    reason: str
    message: Text
    steps: Sequence[Step]
    person: PersonCard | None = None
    role: str = ""


#: What each rule is called, in the order in which they hold.
RULES = {
    "person": lazy("The person is known and active"),
    "capability": lazy("It can be done on this platform"),
    "object": lazy("The person sees what is in the space"),
    "plugin": lazy("The plugin is on here"),
    "level": lazy("The level of the entity, of the wave and the cap of the space"),
    "role": lazy("The rights of the space"),
    "archived": lazy("The space is not archived"),
    "charter": lazy("The charter in force is accepted"),
    "suspension": lazy("Writing access is not suspended"),
    "review": lazy("Moderation before publication"),
    "decide": lazy("No plugin says no"),
    "check": lazy("It could be checked"),
}
_NO = {
    "role": lazy("The rights of this space do not let this role do it."),
    "level": lazy("The level is too low for it."),
    "plugin_off": lazy("The plugin is switched off here."),
    "archived": lazy("The space is archived."),
    "unknown_object": lazy("This role does not see what is in the space."),
    "charter": lazy("The charter is yet to be accepted."),
    "suspended": lazy("Writing access is suspended."),
}


def explain(session: Session, person_id: int, key: str, capability: str, *, role: str = "", username: str = "") -> Explained:
    """Why can or cannot somebody do this here: a member by name, or whoever has a role (otherwise as the asker is).

    :raises BadInput: for something that is no capability.
    """
    seat = access.managing(session, person_id, key)
    if capability not in core_of(session).plugins.capabilities:
        raise BadInput(_("“%(key)s” is not something that can be done here.", key=capability[:80]))
    if username:
        card = access.person_card(session, username)
        decision = policy.explain(session, card.id, capability, seat.target)
        return Explained(decision.allowed, str(decision.reason), decision.message, tuple(decision.trail), card)
    if role:
        choice("role", role, ROLES)
    verdict = spaces.explain_role(session, seat.space.id, role or None, capability, like=person_id)
    reason = str(verdict.reason)
    message = lazy("This role may do this.") if reason == "ok" else _NO.get(reason, lazy("This is refused."))
    return Explained(reason == "ok", reason, message, verdict.steps, None, role)


def _everywhere(
    seat: Seat, snapshot: cursor.Snapshot, plugin: str, capability: Capability, required: int, cap: int, ceiling: int
) -> Text:
    """Why nobody may at all, whatever the space says; "" when somebody may."""
    if snapshot.switches.get(plugin, {}).get(("space", seat.space.id)) is False:
        return lazy("The plugin is switched off in this space.")
    if snapshot.switches.get(plugin, {}).get(("site", 0)) is False:
        return lazy("The plugin is switched off on this site.")
    if seat.space.archived_at is not None and capability.writes:
        return lazy("The space is archived.")
    if ceiling < required:
        return lazy("The site's ceiling is “%(level)s”.", level=str(Level(ceiling).label))
    if cap < required:
        return lazy("The space is capped at “%(level)s”.", level=str(Level(cap).label))
    return ""


def _cell(seat: Seat, capability: Capability, who: str, column: str, everywhere: Text) -> Cell:
    if everywhere:
        return Cell(False, everywhere)
    if column == "managers":
        return Cell(who != "nobody")
    if column == "members":
        return Cell(who in ("members", "all"))
    if column == "external":
        if seat.space.visibility == "public":
            return Cell(False, lazy("What is in a public space is for the staff."))
        return Cell(who == "all" or (who == "members" and not capability.writes))
    if seat.space.visibility != "public":
        return Cell(False, lazy("Its members alone see what is in it."))
    return Cell(who == "all")
