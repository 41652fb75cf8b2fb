"""The organisation as a tree: by who manages whom, and by entity. Bounded; circles end where they close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from rse_core.api import NotFound, translator
from rse_core.models.organisation import Entity, Person

from . import access, assisting, profiles
from .access import Sight
from .profiles import Card

_ = translator(__file__, "rse_directory").gettext
DEPTH, BREADTH, ABOVE = 2, 25, 10
#: Entities of one page beside which it says who runs them: those at the top first.
HEADED = 100


@dataclass(frozen=True, slots=True)
class Node:
    """Somebody and those who answer to them. ``more``: there are others beside those shown."""

    card: Card
    below: tuple[Node, ...] = ()
    more: bool = False
    #: others stand below who are not shown here
    deeper: bool = False
    assistants: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """``above``: the managers over the middle, the highest first."""

    above: tuple[Card, ...]
    nodes: tuple[Node, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class EntityNode:
    """An entity, who runs it, and the entities below."""

    key: str
    name: str
    heads: tuple[Card, ...] = ()
    below: tuple[EntityNode, ...] = ()
    more: bool = False
    #: others stand below who are not shown here
    deeper: bool = False


def by_manager(session: Session, viewer_id: int | None, username: str = "", *, depth: int = DEPTH) -> Chart:
    """Who answers to whom, from one person on, or from those above whom nobody stands.

    :raises NotFound: for who is not shown.
    """
    seen = access.sight(session, viewer_id)
    depth = max(1, min(depth, 4))
    if username:
        middle = [profiles.visible_id(session, seen, username)]
        more = False
    else:
        middle, more = _tops(session, seen)
    above = _above(session, seen, middle[0]) if username else []
    levels: list[dict[int, list[int]]] = []
    taken, cut = {*middle, *above}, set()
    current = middle
    for _step in range(depth + 1):
        found, over = _reports(session, seen, current)
        fresh = {boss: [one for one in ids if one not in taken] for boss, ids in found.items()}
        cut |= over
        levels.append(fresh)
        current = [one for ids in fresh.values() for one in ids]
        taken |= set(current)
        if not current:
            break
    wanted = [*above, *middle, *(one for level in levels[:depth] for ids in level.values() for one in ids)]
    helpers = assisting.by(session, seen, wanted)
    every = list(dict.fromkeys([*wanted, *(one for some in helpers.values() for one in some)]))
    cards = {card.id: card for card in profiles.cards(session, seen, every)}
    below = {boss: ids for level in levels for boss, ids in level.items()}

    def node(ident: int, left: int) -> Node:
        ids, helped = below.get(ident, []), tuple(cards[one] for one in helpers.get(ident, ()))
        if left == 0:
            return Node(cards[ident], deeper=bool(ids), assistants=helped)
        return Node(cards[ident], tuple(node(one, left - 1) for one in ids), ident in cut, assistants=helped)

    return Chart(tuple(cards[one] for one in above), tuple(node(one, depth) for one in middle), more)


def _tops(session: Session, seen: Sight) -> tuple[list[int], bool]:
    """Those above whom nobody stands and to whom somebody answers."""
    report = aliased(Person)
    rows = (
        select(Person.id)
        .where(
            access.people(seen),
            Person.manager_id.is_(None),
            select(report.id).where(report.manager_id == Person.id, report.status == "active").exists(),
        )
        .order_by(Person.folded_name, Person.id)
        .limit(BREADTH + 1)
    )
    found = list(session.scalars(rows))
    return found[:BREADTH], len(found) > BREADTH


def _above(session: Session, seen: Sight, person_id: int) -> list[int]:
    """The managers over somebody, the highest first; it ends at a circle, and at who is not shown."""
    found: list[int] = []
    current = person_id
    for _step in range(ABOVE):
        boss = aliased(Person)
        over = session.scalar(
            select(Person.manager_id)
            .join(boss, boss.id == Person.manager_id)
            .where(Person.id == current, access.field_shown(seen, "manager"), boss.status == "active")
        )
        if over is None or over == person_id or over in found:
            break
        if session.scalar(select(Person.id).where(Person.id == over, access.people(seen))) is None:
            break
        found.insert(0, over)
        current = over
    return found


def _reports(session: Session, seen: Sight, bosses: Sequence[int]) -> tuple[dict[int, list[int]], set[int]]:
    """Who answers to these, so many of each, by name; and of whom there are more. One query."""
    if not bosses:
        return {}, set()
    place = func.row_number().over(partition_by=Person.manager_id, order_by=(Person.folded_name, Person.id))
    ranked = (
        select(Person.id, Person.manager_id, place.label("place"))
        .where(Person.manager_id.in_(bosses), access.people(seen), access.field_shown(seen, "manager"))
        .subquery()
    )
    rows = session.execute(select(ranked).where(ranked.c.place <= BREADTH + 1).order_by(ranked.c.place))
    found: dict[int, list[int]] = {}
    cut: set[int] = set()
    for ident, boss, number in rows:
        if number > BREADTH:
            cut.add(boss)
        else:
            found.setdefault(boss, []).append(ident)
    return found, cut


def by_entity(session: Session, viewer_id: int | None, key: str = "") -> list[EntityNode]:
    """An entity with those below it, two steps deep, and who runs each; or the entities at the top.

    :raises NotFound: for an unknown key.
    """
    seen = access.sight(session, viewer_id)
    first = select(Entity.id, Entity.key, Entity.name, Entity.parent_id)
    if key:
        tops = session.execute(first.where(Entity.key == key)).all()
        if not tops:
            raise NotFound(_("There is no entity with the key “%(key)s”.", key=key[:80]))
    else:
        tops = session.execute(
            first.where(Entity.parent_id.is_(None)).order_by(Entity.name, Entity.key).limit(BREADTH)
        ).all()
    children: dict[int, list[tuple[int, str, str]]] = {}
    cut: set[int] = set()
    current = [row.id for row in tops]
    for _step in range(DEPTH):
        if not current:
            break
        place = func.row_number().over(partition_by=Entity.parent_id, order_by=(Entity.name, Entity.key)).label("place")
        ranked = select(Entity.id, Entity.key, Entity.name, Entity.parent_id, place).where(Entity.parent_id.in_(current))
        part = ranked.subquery()
        current = []
        for row in session.execute(select(part).where(part.c.place <= BREADTH + 1).order_by(part.c.place)):
            if row.place > BREADTH:
                cut.add(row.parent_id)
            else:
                children.setdefault(row.parent_id, []).append((row.id, row.key, row.name))
                current.append(row.id)
    every = [row.id for row in tops] + [one[0] for some in children.values() for one in some]
    heads = _heads(session, seen, every[:HEADED])

    deeper = set(session.scalars(select(Entity.parent_id).where(Entity.parent_id.in_(current)))) if current else set()

    def node(ident: int, name_key: str, name: str) -> EntityNode:
        below = tuple(node(*one) for one in children.get(ident, ()))
        return EntityNode(name_key, name, heads.get(ident, ()), below, ident in cut, ident in deeper)

    return [node(row.id, row.key, row.name) for row in tops]


def _heads(session: Session, seen: Sight, entity_ids: Sequence[int]) -> dict[int, tuple[Card, ...]]:
    """Who runs these entities: its managers whose own manager is not of the entity; three of each."""
    if not entity_ids:
        return {}
    boss = aliased(Person)
    outside = or_(Person.manager_id.is_(None), boss.entity_id.is_(None), boss.entity_id != Person.entity_id)
    place = func.row_number().over(partition_by=Person.entity_id, order_by=(Person.folded_name, Person.id))
    ranked = (
        select(Person.id, Person.entity_id, place.label("place"))
        .outerjoin(boss, boss.id == Person.manager_id)
        .where(
            Person.entity_id.in_(entity_ids), Person.is_manager.is_(True), access.people(seen), outside,
            access.field_shown(seen, "manager"),
        )
        .subquery()
    )  # fmt: skip
    rows = session.execute(select(ranked).where(ranked.c.place <= 3).order_by(ranked.c.entity_id, ranked.c.place)).all()
    cards = {card.id: card for card in profiles.cards(session, seen, [row.id for row in rows])}
    found: dict[int, tuple[Card, ...]] = {}
    for row in rows:
        found[row.entity_id] = (*found.get(row.entity_id, ()), cards[row.id])
    return found


# -- as a picture --------------------------------------------------------------------------------------------------------

WIDE, HIGH, GAP_X, GAP_Y = 240, 52, 44, 12


@dataclass(frozen=True, slots=True)
class Box:
    """Where somebody stands in the picture, and where the line to their manager begins (None at the top)."""

    x: int
    y: int
    name: str
    under: str
    parent: tuple[int, int] | None


def drawn(nodes: Sequence[Node]) -> tuple[list[Box], int, int]:
    """Boxes from left to right, with the width and the height of the picture."""
    boxes: list[Box] = []
    line, deepest = 0, 0

    def place(node: Node, depth: int) -> int:
        nonlocal line, deepest
        deepest = max(deepest, depth)
        at = len(boxes)
        boxes.append(Box(0, 0, "", "", None))
        rows = [(place(one, depth + 1), len(boxes)) for one in node.below]
        if rows:
            y = (rows[0][0] + rows[-1][0]) // 2
        else:
            y = line * (HIGH + GAP_Y)
            line += 1
        x = depth * (WIDE + GAP_X)
        boxes[at] = Box(x, y, node.card.display_name, node.card.value("job_title"), None)
        joined = (x + WIDE, y + HIGH // 2)
        for index in range(at + 1, len(boxes)):
            one = boxes[index]
            if one.parent is None and one.x == x + WIDE + GAP_X:
                boxes[index] = Box(one.x, one.y, one.name, one.under, joined)
        return y

    for node in nodes:
        place(node, 0)
    return boxes, (deepest + 1) * (WIDE + GAP_X) - GAP_X, max(1, line * (HIGH + GAP_Y) - GAP_Y)
