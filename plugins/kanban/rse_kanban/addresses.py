"""Addresses that read without signing in, as their owner would: a calendar of what is due, a board on a screen.

An address carries a token of which only a SHA-256 is kept. At every reading it is asked anew what its owner may see: who has
left, is no longer in the space or stands below the level of reading leaves nothing to read behind.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rse_core.api import Actor, Conflict, Forbidden, NotFound, record, translator, utcnow
from rse_core.models.organisation import Person
from rse_core.ratelimit import limit

from . import access, reading, workload
from .models import Board, Card
from .models_more import Address
from .reading import Page
from .texts import check_name

_ = translator(__file__, "rse_kanban").gettext
MOST, PER_HOUR = 20, 720
KINDS = ("calendar", "screen")


@dataclass(frozen=True, slots=True)
class Owned:
    """One of a person's addresses, with the board's title ("" for all, or where it gives nothing at present)."""

    row: Address
    board: str
    open: bool


@dataclass(frozen=True, slots=True)
class Due:
    """One line of a calendar."""

    card: Card
    board: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """An address that was let in."""

    id: int
    kind: str
    person_id: int
    board_id: int | None
    locale: str
    name: str


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def create(session: Session, actor: Actor, kind: str, name: str, *, board_id: int | None = None) -> tuple[Address, str]:
    """Make an address; its token is given back once and never again.

    :param board_id: of which board; None for a calendar of all that one works on.
    :raises Conflict: above :data:`MOST`.
    """
    person_id = actor.person_id or 0
    name = check_name(name, "name", 100)
    if kind not in KINDS or (kind == "screen" and board_id is None):
        raise NotFound(_("There is no such address."))
    if board_id is not None:
        access.open_board(session, person_id, board_id)
    session.scalar(select(Person.id).where(Person.id == person_id).with_for_update())
    count = session.scalar(select(func.count()).where(Address.person_id == person_id, Address.revoked_at.is_(None)))
    if (count or 0) >= MOST:
        raise Conflict(_("You have %(most)s addresses already.", most=str(MOST)), remedy=_("Revoke one first."))
    token = secrets.token_urlsafe(32)
    row = Address(kind=kind, person_id=person_id, board_id=board_id, name=name, digest=digest(token))
    session.add(row)
    session.flush()
    after = {"kind": kind, "board": board_id, "name": name}
    record(session, actor, "kanban.address.create", f"address:{row.id}", after=after)
    return row, token


def of_person(session: Session, person_id: int, board_id: int | None = None) -> list[Owned]:
    """A person's addresses in use, the newest first."""
    query = select(Address, Board).outerjoin(Board, Board.id == Address.board_id)
    query = query.where(Address.person_id == person_id, Address.revoked_at.is_(None))
    if board_id is not None:
        query = query.where(Address.board_id == board_id)
    found = []
    for row, board in session.execute(query.order_by(Address.id.desc())):
        opens = row.board_id is None or (board is not None and _reads(session, person_id, board))
        found.append(Owned(row, board.title if opens and board is not None else "", opens))
    return found


def of_board(session: Session, person_id: int, board_id: int) -> list[tuple[Address, str]]:
    """Others' screens of a board, for those who run it: they may take any of them away."""
    access.open_board(session, person_id, board_id).need_manage()
    rows = session.execute(
        select(Address, Person.display_name).join(Person, Person.id == Address.person_id)
        .where(
            Address.board_id == board_id, Address.kind == "screen", Address.revoked_at.is_(None),
            Address.person_id != person_id,
        ).order_by(Address.id)
    )  # fmt: skip
    return [(row, name) for row, name in rows]


def revoke(session: Session, actor: Actor, address_id: int) -> Address:
    """The address gives nothing from now on: one's own, or a screen of a board that one runs."""
    person_id = actor.person_id or 0
    row = session.get(Address, address_id)
    if row is None or row.revoked_at is not None:
        raise NotFound(_("There is no such address."))
    if row.person_id != person_id:
        if row.kind != "screen" or row.board_id is None:
            raise NotFound(_("There is no such address."))
        access.open_board(session, person_id, row.board_id).need_manage()
    row.revoked_at = utcnow()
    record(session, actor, "kanban.address.revoke", f"address:{row.id}", before={"kind": row.kind, "name": row.name})
    return row


def admit(session: Session, token: str, kind: str) -> Admitted | None:
    """The address of this token, if it is in use; counts the reading.

    :raises TooMany: above :data:`PER_HOUR` an hour.
    """
    row = session.execute(
        select(Address, Person.locale).join(Person, Person.id == Address.person_id)
        .where(
            Address.digest == digest(token), Address.kind == kind, Address.revoked_at.is_(None), Person.status == "active"
        )
    ).first()  # fmt: skip
    if row is None:
        return None
    address, locale = row
    limit(session, address.person_id, f"kanban.address:{address.id}", most=PER_HOUR, seconds=3600)
    today = utcnow().date()
    if address.last_used_on != today:
        address.last_used_on = today
    return Admitted(address.id, address.kind, address.person_id, address.board_id, locale, address.name)


def due(session: Session, found: Admitted) -> Sequence[Due] | None:
    """What a calendar holds now; None where it is closed to its owner."""
    try:
        if found.board_id is None:
            ids = [card.id for card in workload.mine(session, found.person_id).cards if card.due_at is not None]
        else:
            page = reading.board(session, found.person_id, found.board_id, where=[Card.due_at.is_not(None)])
            ids = [card.id for card in page.by_id.values() if card.state == "open"]
    except (NotFound, Forbidden):
        return None
    rows = session.execute(
        select(Card, Board.title).join(Board, Board.id == Card.board_id)
        .where(Card.id.in_(ids), Card.due_at.is_not(None)).order_by(Card.due_at, Card.id)
    )  # fmt: skip
    return [Due(card, board) for card, board in rows]


def screen(session: Session, found: Admitted) -> Page | None:
    """What a screen shows now; None where it is closed to its owner. What waits for a moderator is not on it."""
    if found.board_id is None:
        return None
    try:
        return reading.board(session, found.person_id, found.board_id, where=[Card.state == "open"])
    except (NotFound, Forbidden):
        return None


def _reads(session: Session, person_id: int, board: Board) -> bool:
    try:
        access.seat(session, person_id, access.get_board(session, board.id))
    except (NotFound, Forbidden):
        return False
    return True
