"""How much waits for a moderator, beside the name of the pages: asked on every page that they open.

The same as :func:`.queue.count_waiting` and :func:`.cases.count_waiting` together, by one short statement: what somebody
moderates comes from the policy's memory.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.orm import Session

from rse_core.api import core_of
from rse_core.cursor import MANAGING_ROLES
from rse_core.statements import Statement

from . import access

_OPEN = """(NOT EXISTS (SELECT 1 FROM rse_core_audience a WHERE a.id = w.audience_id AND a.kind = 'space')
OR EXISTS (SELECT 1 FROM rse_core_membership m WHERE m.audience_id = w.audience_id AND m.person_id = :person))"""
_OTHERS = "(w.author_id IS NULL OR w.author_id <> :person)"
_MINE = "(w.entity_id IN :entities OR w.space_id IN :spaces OR w.audience_id IN :audiences)"


_HELD = "SELECT count(*) FROM rse_core_held w WHERE w.state = 'pending' AND "
# An appeal against one's own decision waits for somebody else.
_CASES = (
    "SELECT count(*) FROM rse_governance_case w WHERE (w.state = 'open' OR (w.state = 'appealed' "
    "AND (w.decided_by IS NULL OR w.decided_by <> :person))) AND "
)


def _both(condition: str, handed: str = "") -> str:
    return "SELECT (" + _HELD + condition + ") + (" + _CASES + f"({condition}{handed}))"


_EVERYWHERE = Statement(_both(f"{_OTHERS} AND {_OPEN}", f" OR ({_OTHERS} AND w.escalated = true AND w.state = 'appealed')"))
_SOMEWHERE = Statement(_both(f"{_MINE} AND {_OTHERS} AND {_OPEN}"), entities=int, spaces=int, audiences=int)


class _Places(NamedTuple):
    """What somebody moderates, below the whole site."""

    entities: list[int]
    spaces: list[int]
    audiences: list[int]


def count(session: Session, person_id: int) -> int:
    """Texts, reports and appeals that wait for this person; one query, none for who moderates nothing."""
    if access.of_site(session, person_id):
        return int(_EVERYWHERE(session, person=person_id)[0][0])
    places = core_of(session).policy.kept(session, person_id, ("governance.places",), lambda: _places(session, person_id))
    if not any(places):
        return 0
    return int(_SOMEWHERE(session, person=person_id, **places._asdict())[0][0])


def _places(session: Session, person_id: int) -> _Places:
    policy = core_of(session).policy
    facts, snapshot = policy.person(person_id), policy.snapshot()
    if facts is None or facts.disabled_at is not None:
        return _Places([], [], [])

    def held(scope: str, *roles: str) -> set[int]:
        return {ident for role, place, ident in facts.roles if place == scope and role in roles}

    heads = held("entity", "moderator", "entity_admin")
    entities = {ident for ident, path in snapshot.paths.items() if heads & set(path)} if heads else set()
    spaces = held("space", "moderator", "animator") | {one for one, role in facts.spaces.items() if role in MANAGING_ROLES}
    mine = {"entity": entities, "group": held("group", "moderator"), "space": spaces}
    audiences = {ident for ident, (kind, target) in snapshot.audiences.items() if target in mine.get(kind, ())}
    return _Places(sorted(entities), sorted(spaces), sorted(audiences))
