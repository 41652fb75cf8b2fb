"""What was read is put on a board: missing columns, lanes and labels are made, a card that is there already is left as it
is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.api import RseError, translator, utcnow
from rse_core.models.organisation import Membership, Person
from rse_core.ratelimit import limit

from .. import access, cards, columns, ending, placing
from ..access import Seat
from ..cards import Written
from ..changes import note
from ..models import Board, Card, CheckItem, Column, Label, Lane
from ..placing import Place
from .shape import Parsed, TakenCard

_t = translator(str(Path(__file__).parent), "rse_kanban")
_ = _t.gettext
PER_HOUR = 20


@dataclass
class Report:
    """What came of it: cards made, cards that were there already, and a line for each thing not taken."""

    made: int = 0
    known: int = 0
    left: list[str] = field(default_factory=list)


def apply(session: Session, person_id: int, board_id: int, parsed: Parsed, *, counted: bool = True) -> Report:
    """Put what was read on a board, in one transaction; again, it adds only what is not there yet.

    Where publishing is moderated the cards wait for a moderator. Columns, lanes and labels are made by those who run the
    board; without that right cards of an unknown column go to the first one, and the report says so.

    :param counted: against how many files one person may import in an hour; False for a further part of one.
    :raises Forbidden: with the reason.
    """
    chair = access.open_board(session, person_id, board_id, lock=True)
    decision = chair.need_write()
    if counted:
        limit(session, person_id, "kanban.import", most=PER_HOUR, seconds=3600)
    report = Report(left=list(parsed.left))
    board = chair.board
    homes = _columns(session, chair, parsed, report)
    lanes = _lanes(session, chair, parsed, report)
    labels = _labels(session, chair, parsed, report)
    people = _people(session, board, parsed.cards)
    present = set(session.scalars(select(Card.origin).where(Card.board_id == board_id, Card.origin.is_not(None))))
    for one in parsed.cards:
        if one.origin in present:
            report.known += 1
            continue
        present.add(one.origin)
        for name in one.people:
            if name.lower() not in people:
                report.left.append(_("“%(card)s”: %(name)s, who does not see this board.", card=one.title, name=name[:80]))
        body = one.body
        if len(body) > cards.BODY_MOST:
            body = body[: cards.BODY_MOST]
            report.left.append(_("“%(card)s”: the end of its text.", card=one.title))
        written = Written(
            title=one.title, body=body, due_at=one.due_at or False,
            people=_each(people[name.lower()] for name in one.people if name.lower() in people)[: cards.PEOPLE_MOST],
            labels=_each(labels[name] for name in one.labels if name in labels)[: cards.LABELS_MOST],
        )  # fmt: skip
        try:
            card = cards.make(
                session, chair, decision, Place(homes[one.column], lanes.get(one.lane)), written, origin=one.origin,
                quiet=True,
            )  # fmt: skip
        except RseError as error:
            report.left.append(_("“%(card)s”: %(reason)s", card=one.title, reason=str(error)))
            continue
        now = utcnow()
        for position, (text, done) in enumerate(one.checklist[:100]):
            session.add(CheckItem(card_id=card.id, text=text, position=position, done_at=now if done else None))
        if len(one.checklist) > 100:
            report.left.append(_("“%(card)s”: the end of its checklist.", card=one.title))
        note(session, board, card, person_id, "imported")
        if one.archived and card.state == "open":
            session.flush()
            ending.archive(session, person_id, card.id)
        report.made += 1
    session.flush()
    return report


def _each(ids: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(ids))


def _columns(session: Session, chair: Seat, parsed: Parsed, report: Report) -> dict[str, int]:
    present = placing.columns_of(session, chair.board.id)
    homes = {column.name: column.id for column in present}
    for name, phase in parsed.columns:
        if name in homes:
            continue
        if chair.manageable and len(homes) < columns.COLUMNS_MOST:
            row = Column(board_id=chair.board.id, name=name, phase=phase, position=len(homes) + 1)
            session.add(row)
            session.flush()
            homes[name] = row.id
            chair.board.version += 1
        elif present:
            homes[name] = present[0].id
            report.left.append(
                _("The column “%(column)s”: its cards went to “%(first)s”.", column=name, first=present[0].name)
            )
    return homes


def _lanes(session: Session, chair: Seat, parsed: Parsed, report: Report) -> dict[str, int]:
    found = {lane.name: lane.id for lane in placing.lanes_of(session, chair.board.id)}
    for name in parsed.lanes:
        if name in found:
            continue
        if chair.manageable and len(found) < columns.LANES_MOST:
            row = Lane(board_id=chair.board.id, name=name, position=len(found))
            session.add(row)
            session.flush()
            found[name] = row.id
            chair.board.version += 1
        else:
            report.left.append(_("The lane “%(lane)s”.", lane=name))
    return found


def _labels(session: Session, chair: Seat, parsed: Parsed, report: Report) -> dict[str, int]:
    found = {label.name: label.id for label in columns.labels_of(session, chair.board.id)}
    for name, hue in parsed.labels:
        if name in found:
            continue
        if chair.manageable and len(found) < columns.LABELS_MOST:
            row = Label(board_id=chair.board.id, name=name, hue=hue % columns.HUES)
            session.add(row)
            session.flush()
            found[name] = row.id
        else:
            report.left.append(_("The label “%(label)s”.", label=name))
    return found


def _people(session: Session, board: Board, taken: Sequence[TakenCard]) -> dict[str, int]:
    """Those who see the board, by username or address of mail."""
    wanted = sorted({name.lower() for one in taken for name in one.people})[:500]
    if not wanted or board.audience_id is None:
        return {}
    from sqlalchemy import func, or_

    rows = session.execute(
        select(Person.id, Person.username, Person.email).join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.audience_id == board.audience_id, Person.status == "active",
            or_(func.lower(Person.username).in_(wanted), func.lower(Person.email).in_(wanted)),
        )
    )  # fmt: skip
    found: dict[str, int] = {}
    for ident, username, email in rows:
        found[username.lower()] = ident
        if email:
            found[email.lower()] = ident
    return found
