"""Who is what on a board, and who may take cards from where to where; set by those who run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, NotFound, dialect_insert, translator
from rse_core.models.organisation import Group, Membership, Person

from . import placing
from .access import ROLES
from .boards import managed
from .changes import board_changed
from .models import Board, BoardRole, Passage

_ = translator(__file__, "rse_kanban").gettext
WHO = ("editors", "assignees", "managers", "nobody")
ROLES_MOST, PASSAGES_MOST = 200, 100


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody, or a group, with their role on the board."""

    kind: str
    id: int
    name: str
    role: str


def of_board(session: Session, board_id: int) -> list[Named]:
    """The named roles of a board: people, then groups, by name; two queries."""
    people = session.execute(
        select(Person.id, Person.display_name, BoardRole.role)
        .join(BoardRole, (BoardRole.target_id == Person.id) & (BoardRole.kind == "person"))
        .where(BoardRole.board_id == board_id).order_by(Person.folded_name)
    )  # fmt: skip
    found = [Named("person", ident, name, role) for ident, name, role in people]
    groups = session.execute(
        select(Group.id, Group.name, BoardRole.role)
        .join(BoardRole, (BoardRole.target_id == Group.id) & (BoardRole.kind == "group"))
        .where(BoardRole.board_id == board_id).order_by(Group.name)
    )  # fmt: skip
    return found + [Named("group", ident, name, role) for ident, name, role in groups]


def give(session: Session, person_id: int, board_id: int, who: str, role: str) -> None:
    """Give a person (``@anna``) or a group (``group:KEY``) a role.

    :raises BadInput: for somebody who does not see the board: a role opens it to nobody.
    """
    board = managed(session, person_id, board_id)
    if role not in ROLES:
        raise BadInput(_("A role is reader, editor or manager."), fields={"role": _("Choose one.")})
    if board.audience_id is None:
        raise BadInput(_("Your own board is seen by nobody else."), remedy=_("Make a board in a space."))
    who = who.strip()
    if who.startswith("group:"):
        kind, target = "group", session.scalar(select(Group.id).where(Group.key == who[6:]))
    else:
        kind = "person"
        target = session.scalar(
            select(Person.id).join(Membership, Membership.person_id == Person.id)
            .where(
                Person.username == who.lstrip("@"), Person.status == "active", Membership.audience_id == board.audience_id
            )
        )  # fmt: skip
    if target is None:
        message = _("“%(name)s” is nobody who sees this board.", name=who[:80])
        raise BadInput(message, remedy=_("Write @username, or group:KEY."), fields={"who": message})
    count = session.scalar(select(func.count()).where(BoardRole.board_id == board.id)) or 0
    if count >= ROLES_MOST:
        raise BadInput(_("A board names at most %(most)s people and groups.", most=str(ROLES_MOST)))
    statement = dialect_insert(session, BoardRole).values(board_id=board.id, kind=kind, target_id=target, role=role)
    session.execute(statement.on_conflict_do_update(index_elements=["board_id", "kind", "target_id"], set_={"role": role}))
    board_changed(session, board)


def take(session: Session, person_id: int, board_id: int, kind: str, target_id: int) -> None:
    """Take a role away."""
    board = managed(session, person_id, board_id)
    session.execute(
        delete(BoardRole).where(BoardRole.board_id == board.id, BoardRole.kind == kind, BoardRole.target_id == target_id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    board_changed(session, board)


def passages_of(session: Session, board_id: int) -> list[tuple[Passage, str, str]]:
    """The rules on passages with the names of the columns, "" for any."""
    columns = {column.id: column.name for column in placing.columns_of(session, board_id)}
    rows = session.scalars(select(Passage).where(Passage.board_id == board_id).order_by(Passage.id))
    return [(row, columns.get(row.from_id or 0, ""), columns.get(row.to_id or 0, "")) for row in rows]


def allow(
    session: Session, person_id: int, board_id: int, *, from_id: int | None, to_id: int | None, who: str
) -> Passage:
    """Say who may take cards from a column to another; None stands for any, but not for both.

    The same two columns again replaces what was said of them.
    """
    board = managed(session, person_id, board_id)
    if who not in WHO:
        raise BadInput(_("A passage is for editors, assignees, managers or nobody."), fields={"who": _("Choose one.")})
    if (from_id is None and to_id is None) or from_id == to_id:
        message = _("Name a column that cards come from, or one that they go to.")
        raise BadInput(message, fields={"from": message})
    for ident in (from_id, to_id):
        if ident is not None:
            placing.column_of(session, board.id, ident)
    session.execute(
        delete(Passage).where(
            Passage.board_id == board.id, Passage.from_id.is_not_distinct_from(from_id),
            Passage.to_id.is_not_distinct_from(to_id),
        ).execution_options(synchronize_session=False)
    )  # fmt: skip
    count = session.scalar(select(func.count()).where(Passage.board_id == board.id)) or 0
    if count >= PASSAGES_MOST:
        raise BadInput(_("A board has at most %(most)s rules on passages.", most=str(PASSAGES_MOST)))
    row = Passage(board_id=board.id, from_id=from_id, to_id=to_id, who=who)
    session.add(row)
    board_changed(session, board)
    return row


def disallow(session: Session, person_id: int, board_id: int, passage_id: int) -> None:
    """Take such a rule away."""
    board = managed(session, person_id, board_id)
    row = session.get(Passage, passage_id)
    if row is None or row.board_id != board.id:
        raise NotFound(_("This board has no such rule."))
    session.delete(row)
    board_changed(session, board)


def workers(session: Session, board: Board, most: int = 200) -> Sequence[tuple[int, str]]:
    """People who see the board, by name, to choose from in a short list; the first ones of a large audience."""
    if board.audience_id is None:
        query = select(Person.id, Person.display_name).where(Person.id == board.owner_id)
    else:
        query = select(Person.id, Person.display_name).join(Membership, Membership.person_id == Person.id).where(
            Membership.audience_id == board.audience_id, Person.status == "active"
        )  # fmt: skip
    return [(ident, name) for ident, name in session.execute(query.order_by(Person.folded_name).limit(most))]
