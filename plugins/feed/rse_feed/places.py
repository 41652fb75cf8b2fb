"""Where a person reads: the audiences, and the public spaces that differ from what is for everyone. From memory.

What stands in a public space is for everyone, and still that space may close its feed to who is not in it, or open it to its
members below the site's level. Such spaces are few: which they are is found once for each change of the structure.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from rse_core.api import Core, Target, can, core_of, open_audiences

READ = "feed.read"
_special: WeakKeyDictionary[Core, tuple[int, tuple[int, ...]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Sight:
    """``audiences`` in which a person reads; ``opened`` and ``closed``: public spaces in which they do, and do not,
    otherwise than elsewhere for ``everyone``."""

    audiences: tuple[int, ...]
    opened: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    everyone: int = 0


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
    special = special_spaces(core)
    person = core.policy.person(person_id) if special and person_id is not None else None
    everyone = core.policy.everyone() if special else 0
    if person is None:
        return Sight(audiences)
    general = everyone in audiences
    opened, closed = [], []
    for ident in special:
        here = can(session, person_id, READ, Target(everyone, space_id=ident)).allowed
        if here and not general:
            opened.append(ident)
        elif general and not here:
            closed.append(ident)
    return Sight(audiences, tuple(opened), tuple(closed), everyone)
