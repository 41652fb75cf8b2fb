"""Entities beside the main one, and assistants: what one person can have several of.

Where a source says nothing of them (a file without the column, a directory without the attribute), they stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Table, bindparam, delete, select
from sqlalchemy.orm import Session

from ..i18n import _
from ..models.organisation import Assistant, PersonEntity
from ..places import MOST

if TYPE_CHECKING:
    from .existing import PersonNow
    from .planning import Planner
    from .rows import PersonRow

_KINDS: tuple[tuple[str, Table, str], ...] = (
    ("others", cast(Table, PersonEntity.__table__), "entity_id"),
    ("assistants", cast(Table, Assistant.__table__), "assistant_id"),
)


def differ(row: PersonRow, now: PersonNow) -> bool:
    """Whether the source says otherwise than is known."""
    return any(
        getattr(row, name) is not None and frozenset(getattr(row, name)) != getattr(now, name) for name, *_rest in _KINDS
    )


def check(planner: Planner, stays: Callable[[str], bool]) -> None:
    """Take out of the rows what is not there, with an error; the row itself stands.

    :param stays: whether somebody of this external id is here after the import.
    """
    entities = planner.existing.entities.keys() | planner.entities.keys()
    for row in planner.people.values():
        if row.others is not None:
            row.others = _kept(planner, row, "other_entity_ids", row.others, row.entity, entities.__contains__)
        if row.assistants is not None:

            def here(external_id: str) -> bool:
                return external_id in planner.people or stays(external_id)

            row.assistants = _kept(planner, row, "assistant_external_ids", row.assistants, row.external_id, here)


def _kept(
    planner: Planner, row: PersonRow, column: str, given: tuple[str, ...], own: str, known: Callable[[str], bool]
) -> tuple[str, ...]:
    found = []
    for key in dict.fromkeys(given):
        if key == own:
            continue
        if known(key):
            found.append(key)
            continue
        message = _("There is no “%(key)s” for this person.", key=key[:80])
        remedy = _("Mend the id, or take it out of the cell.")
        planner.note(row, column, message, remedy)
    if len(found) > MOST:
        message = _("There are %(count)s; a person has at most %(most)s.", count=len(found), most=MOST)
        planner.note(row, column, message, _("Take some of them away."))
    return tuple(found[:MOST])


def load(
    session: Session, entity_keys: Mapping[int, str], externals: Mapping[int, str]
) -> dict[str, dict[int, frozenset[str]]]:
    """What is known now, by column of :class:`PersonNow` and person; two queries."""
    found: dict[str, dict[int, frozenset[str]]] = {}
    for name, table, column in _KINDS:
        keys = entity_keys if name == "others" else externals
        gathered: dict[int, set[str]] = {}
        for person_id, other in session.execute(select(table.c.person_id, table.c[column])):
            gathered.setdefault(person_id, set()).add(keys.get(other, ""))
        found[name] = {person_id: frozenset(some) for person_id, some in gathered.items()}
    return found


def write(
    session: Session, rows: list[tuple[PersonNow | None, PersonRow]], ids: dict[str, int], entities: dict[str, int]
) -> None:
    """Write the difference, for everybody who was added or changed."""
    for name, table, column in _KINDS:
        places = entities if name == "others" else ids
        coming: list[dict[str, Any]] = []
        going: list[dict[str, Any]] = []
        for now, row in rows:
            wanted: tuple[str, ...] | None = getattr(row, name)
            if wanted is None:
                continue
            before: frozenset[str] = getattr(now, name) if now is not None else frozenset()
            person_id = ids[row.external_id]
            coming += [{"person_id": person_id, column: places[key]} for key in wanted if key not in before]
            going += [{"p": person_id, "o": places[key]} for key in before if key not in wanted]
        if going:
            session.connection().execute(
                delete(table).where(table.c.person_id == bindparam("p"), table.c[column] == bindparam("o")), going
            )
        if coming:
            session.execute(table.insert(), coming)

