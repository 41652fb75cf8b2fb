"""Charters and editorial guides on screens: published, compared, accepted; who accepted, and rates without small groups."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from rse_core import audiences, charter, charter_rates
from rse_core.api import BadInput, Conflict, Forbidden, NotFound, translator, utcnow
from rse_core.differences import blocks, words
from rse_core.indicators_counting import Cell
from rse_core.models.governance import Charter, CharterAcceptance
from rse_core.models.organisation import Entity, EntityPath, Person, Space, SpaceMember
from rse_core.people import PersonCard, names
from rse_core.roles import is_site_admin

from . import access

_ = translator(__file__, "rse_governance").gettext
#: Groups of fewer people are never shown, also not by what is left of a whole.
SMALLEST = 10
PAGE = 50
#: Lines, or words, of both texts multiplied: beyond it, one text replaces the other.
COMPARED_MOST = 4_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """The site (``key`` "") or a space, and whether the person publishes its charters, or answers for their acceptance."""

    space_id: int | None
    key: str
    name: str
    publishes: bool
    answers: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a difference. ``change``: "" (the same), ``added`` or ``removed``."""

    change: str
    text: str


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of an entity's people accepted a version; ``people`` None: too few to be shown."""

    key: str
    name: str
    accepted: int | None
    people: int | None

    @property
    def percent(self) -> int | None:
        """Rounded down, so that 100 % means everybody."""
        return None if not self.people or self.accepted is None else self.accepted * 100 // self.people


def place(session: Session, person_id: int, key: str = "") -> Place:
    """The site or a space, for who may see what is in it.

    :raises NotFound: for a space that does not exist or is not open to the person.
    """
    if not key:
        return Place(None, "", _("The whole site"), is_site_admin(session, person_id), access.of_site(session, person_id))
    space = session.scalar(select(Space).where(Space.key == key, Space.merged_into.is_(None)))
    if space is None or not audiences.sees(session, person_id, audiences.of_space(session, space.id)):
        raise NotFound(_("There is no such space here."))
    role = session.scalar(
        select(SpaceMember.role).where(SpaceMember.space_id == space.id, SpaceMember.person_id == person_id)
    )
    runs = role in ("owner", "admin")
    return Place(space.id, space.key, space.name, runs, runs)


def publish(
    session: Session, person_id: int, *, space: str = "", kind: str = "use", title: str, body: str, version: str = "",
    published_at: dt.datetime | None = None, seen: int | None = None,
) -> Charter:  # fmt: skip
    """Publish a version.

    :param seen: id of the version that the text was made from; another one meanwhile is a conflict.
    :raises Forbidden: for who may not there.
    """
    here = place(session, person_id, space)
    if not here.publishes:
        raise Forbidden(_("Charters are published by site administrators, and those of a space by its owners."))
    if seen is not None:
        present = charter.in_force(session, kind=kind, space_id=here.space_id)
        if (present.id if present else 0) != seen:
            raise Conflict(_("Another version was published meanwhile."), remedy=_("Compare the two, then publish yours."))
    try:
        return charter.publish(
            session, title=title, body=body, actor=access.actor_of(session, person_id), version=version.strip() or None,
            kind=kind, space_id=here.space_id, published_at=published_at,
        )  # fmt: skip
    except BadInput as error:
        field = "title" if not title.strip() else "body"
        raise BadInput(str(error.message), remedy=error.remedy, fields={field: str(error.message)}) from None


def one(session: Session, person_id: int, charter_id: int) -> tuple[Charter, Place]:
    """A version that the person may read: every one of the site, those of a space for who sees what is in it.

    :raises NotFound: for every other, and for one that is not in force yet to who does not publish it.
    """
    found = session.get(Charter, charter_id)
    if found is None:
        raise NotFound(_("There is no such charter."))
    key = "" if found.space_id is None else session.scalar(select(Space.key).where(Space.id == found.space_id)) or "?"
    try:
        here = place(session, person_id, key)
    except NotFound:
        # In the same words as of one that there is not.
        raise NotFound(_("There is no such charter.")) from None
    if found.published_at > utcnow() and not here.publishes:
        raise NotFound(_("There is no such charter."))
    return found, here


def accept(session: Session, person_id: int, charter_id: int) -> None:
    """Accept a version that the person may read.

    :raises Conflict: when it is not in force.
    """
    found, _here = one(session, person_id, charter_id)
    charter.accept(session, person_id, found.id)


def versions(session: Session, person_id: int, *, space: str = "", kind: str = "use") -> tuple[Place, list[Charter]]:
    """The versions, the latest first; those to come for who publishes them."""
    here = place(session, person_id, space)
    found = charter.versions(session, kind=kind, space_id=here.space_id)
    return here, [one for one in found if here.publishes or one.published_at <= utcnow()]


def difference(before: str, after: str) -> list[Piece]:
    """What changed between two texts, word by word within what changed line by line."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found: list[Piece] = []
    for op, a, b, c, d in blocks(old, new, most=COMPARED_MOST):
        if op == "equal":
            found.append(Piece("", "".join(old[a:b])))
        else:
            found += _words("".join(old[a:b]), "".join(new[c:d]))
    return _joined(found)


def _words(before: str, after: str) -> Iterator[Piece]:
    old, new = words(before), words(after)
    for op, a, b, c, d in blocks(old, new, most=COMPARED_MOST):
        if op == "equal":
            yield Piece("", "".join(old[a:b]))
            continue
        yield Piece("removed", "".join(old[a:b]))
        yield Piece("added", "".join(new[c:d]))


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    found: list[Piece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if found and found[-1].change == piece.change:
            found[-1] = Piece(piece.change, found[-1].text + piece.text)
        else:
            found.append(piece)
    return found


def acceptors(
    session: Session, person_id: int, charter_id: int, *, after: int = 0, most: int = PAGE
) -> tuple[list[tuple[PersonCard, dt.datetime]], int | None]:
    """Who accepted a version and when, for those who publish it, and of the site's for its moderators: the evidence.

    :raises Forbidden: for everybody else.
    """
    found, here = one(session, person_id, charter_id)
    if not here.answers:
        raise Forbidden(_("The list of those who accepted is for those who publish the charter or moderate the site."))
    query = (
        select(CharterAcceptance.person_id, CharterAcceptance.accepted_at)
        .where(CharterAcceptance.charter_id == found.id, CharterAcceptance.person_id > after)
        .order_by(CharterAcceptance.person_id)
        .limit(most + 1)
    )
    rows = session.execute(query).all()
    cards = names(session, [row.person_id for row in rows[:most]])
    shown = [(cards[row.person_id], row.accepted_at) for row in rows[:most] if row.person_id in cards]
    return shown, rows[most - 1].person_id if len(rows) > most else None


@dataclass(frozen=True, slots=True)
class Rates:
    """Of a whole, of the entities right below it, and of the waves (for the site's charter as a whole).

    :param day: the people of its end are those it is about; None: those of now, or nobody was counted yet.
    """

    whole: Rate
    entities: Sequence[Rate]
    waves: Sequence[Rate] = ()
    day: dt.date | None = None


def rates(session: Session, person_id: int, charter_id: int, *, entity: str = "") -> Rates:
    """How many accepted a version: in an entity (or all of them), and in each entity right below it; by wave.

    :raises Forbidden: for who neither publishes it nor moderates the site.
    """
    found, here = one(session, person_id, charter_id)
    if not here.answers:
        raise Forbidden(_("The rates are for those who publish the charter or moderate the site."))
    head = None
    if entity:
        head = session.scalar(select(Entity).where(Entity.key == entity))
        if head is None:
            raise NotFound(_("There is no such entity."))
    return _of_site(session, found, head) if here.space_id is None else _of_space(session, found, here.space_id, head)


def _of_site(session: Session, found: Charter, head: Entity | None) -> Rates:
    counted = charter_rates.rates(session, found)
    below = select(Entity.id, Entity.key, Entity.name).where(
        Entity.parent_id == head.id if head else Entity.parent_id.is_(None)
    )
    entities = [
        _told(key, name, counted.entities[str(ident)])
        for ident, key, name in session.execute(below.order_by(Entity.name))
        if str(ident) in counted.entities
    ]
    if head is not None:
        return Rates(_told(head.key, head.name, counted.entities.get(str(head.id))), entities, (), counted.day)
    waves = [_told(name, name, cell) for name, cell in sorted(counted.waves.items())]
    return Rates(_told("", _("All"), counted.whole), entities, waves, counted.day)


def _told(key: str, name: str, cell: Cell | None) -> Rate:
    if cell is None or not cell.shown:
        return Rate(key, name, None, None)
    return Rate(key, name, cell.numerator, cell.denominator)


def _of_space(session: Session, found: Charter, space_id: int, head: Entity | None) -> Rates:
    children = select(Entity.id).where(Entity.parent_id == head.id if head else Entity.parent_id.is_(None))
    query = (
        select(Entity.key, Entity.name, func.count(Person.id), func.count(CharterAcceptance.person_id))
        .join(EntityPath, EntityPath.ancestor_id == Entity.id)
        .join(Person, and_(Person.entity_id == EntityPath.entity_id, Person.status == "active"))
        .outerjoin(
            CharterAcceptance,
            and_(CharterAcceptance.person_id == Person.id, CharterAcceptance.charter_id == found.id),
        )
        .group_by(Entity.id, Entity.key, Entity.name)
        .order_by(Entity.name)
        .join(SpaceMember, and_(SpaceMember.person_id == Person.id, SpaceMember.space_id == space_id))
    )
    rows = [Rate(key, name, accepted, people) for key, name, people, accepted in
            session.execute(query.where(Entity.id.in_(children)))]  # fmt: skip
    if head is None:
        accepted, people = charter.acceptance(session, found)
        whole = Rate("", _("All"), accepted, people)
    else:
        row = session.execute(query.where(Entity.id == head.id)).first()
        whole = Rate(head.key, head.name, row[3] if row else 0, row[2] if row else 0)
    return Rates(*_discreet(whole, rows))


def _discreet(whole: Rate, rows: Sequence[Rate]) -> tuple[Rate, list[Rate]]:
    """Small groups are hidden; and where what is left of the whole would be one, the smallest that is shown as well."""
    if (whole.people or 0) < SMALLEST:
        return _hidden(whole), [_hidden(row) for row in rows]
    shown = sorted((row for row in rows if (row.people or 0) >= SMALLEST), key=lambda row: row.people or 0, reverse=True)
    while shown and 0 < (whole.people or 0) - sum(row.people or 0 for row in shown) < SMALLEST:
        shown.pop()
    return whole, [row if row in shown else _hidden(row) for row in rows]


def _hidden(rate: Rate) -> Rate:
    return Rate(rate.key, rate.name, None, None)
