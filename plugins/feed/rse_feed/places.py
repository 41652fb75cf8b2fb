"""Where a person reads: the audiences, and the public spaces that differ from what is for everyone. From memory.

What stands in a public space is for everyone, and still that space may close its feed to who is not in it, or open it to its
members below the site's level. Such spaces are few: which they are is found once for each change of the structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from rse_core.api import Activity, Core, Target, can, core_of, open_audiences
from rse_core.organisation import space_ref

READ = "feed.read"
_special: WeakKeyDictionary[Core, tuple[int, tuple[int, ...]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Sight:
    """``audiences`` in which a person reads; ``opened`` and ``closed``: public spaces in which they do, and do not,
    otherwise than elsewhere for ``everyone``. ``withheld``: kinds of other plugins' objects that a space, or a switch, keeps
    from them where the feed is open, as ``type:space`` (0: in no space, ``*``: anywhere)."""

    audiences: tuple[int, ...]
    opened: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    everyone: int = 0
    withheld: tuple[str, ...] = ()


def special_spaces(core: Core) -> tuple[int, ...]:
    """Public spaces where reading may be decided otherwise than for everyone."""
    version = core.policy.version()
    known = _special.get(core)
    if known is None or known[0] != version:
        snapshot = core.policy.snapshot()
        switched = snapshot.switches.get("feed", {})
        found = tuple(
            ident
            for ident, space in snapshot.spaces.items()
            if space.visibility == "public" and (
                READ in space.rules or ("space", ident) in switched
                or ("cap", "space", ident) in snapshot.assignments or ("level", "space", ident) in snapshot.assignments
            )
        )  # fmt: skip
        known = _special[core] = (version, found)
    return known[1]


def of(session: Session, person_id: int | None) -> Sight:
    """Where this person reads; nowhere for nobody."""
    core = core_of(session)
    if person_id is None or core.plugins.decides:
        return _of(session, person_id)
    return core.policy.kept(session, person_id, ("feed.sight",), lambda: _of(session, person_id))


def _of(session: Session, person_id: int | None) -> Sight:
    audiences = tuple(open_audiences(session, person_id, READ))
    core = core_of(session)
    person = core.policy.person(person_id) if person_id is not None else None
    if person is None:
        return Sight(audiences)
    everyone = core.policy.everyone()
    general = everyone in audiences
    opened, closed = [], []
    for ident in special_spaces(core):
        here = can(session, person_id, READ, Target(everyone, space_id=ident)).allowed
        if here and not general:
            opened.append(ident)
        elif general and not here:
            closed.append(ident)
    read = [ident for ident in core.policy.special_spaces() if ident in opened or (general and ident not in closed)]
    return Sight(audiences, tuple(opened), tuple(closed), everyone, _withheld(session, person_id, audiences, read))


def _withheld(
    session: Session, person_id: int | None, audiences: Sequence[int], special: Sequence[int]
) -> tuple[str, ...]:
    """What this person may not look at in places in which they read the feed. From memory; mostly nothing."""
    core = core_of(session)
    others = core.plugins.contributions(Activity)
    told = {activity.event.partition(".")[0] for plugin, activity in others if plugin != "feed"}
    snapshot, everyone = core.policy.snapshot(), core.policy.everyone()
    found: set[str] = set()
    for name, kind in core.plugins.content_types.items():
        # The card of a space stands before it, for all who may know of the space.
        if kind.reads is None or name.partition(".")[0] not in told or name == space_ref(0).type:
            continue
        places: list[tuple[int, int | None]] = [(everyone, ident) for ident in special]
        for ident in audiences:
            where, target = snapshot.audiences.get(ident, ("", 0))
            places.append((ident, target if where == "space" else None))
        shut = [
            space for audience, space in places
            if not can(session, person_id, kind.reads, Target(audience, space_id=space)).allowed
        ]  # fmt: skip
        if shut and len(shut) == len(places):
            found.add(f"{name}:*")
            continue
        found |= {f"{name}:{space or 0}" for space in shut}
        if not can(session, person_id, kind.reads, Target(everyone)).allowed and everyone in audiences:
            # What is for everyone stands in public spaces too; those that differ were asked by name.
            usual = {ident for ident, space in snapshot.spaces.items() if space.visibility == "public"}
            found |= {f"{name}:{ident}" for ident in usual.difference(core.policy.special_spaces())}
    return tuple(sorted(found))
