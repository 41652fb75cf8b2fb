"""Filters that were saved: one's own, and those that are shared with all who see the board."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, NotFound, dialect_insert, translator

from . import access, asking
from .models_more import SavedFilter
from .texts import check_name

_ = translator(__file__, "rse_kanban").gettext
MOST = 50


def of_board(session: Session, person_id: int, board_id: int) -> Sequence[SavedFilter]:
    """Filters that this person may use on the board."""
    query = select(SavedFilter).where(
        SavedFilter.board_id == board_id, or_(SavedFilter.person_id == person_id, SavedFilter.shared)
    )
    return session.scalars(query.order_by(SavedFilter.name, SavedFilter.id)).all()


def keep(session: Session, person_id: int, board_id: int, name: str, query: str, *, shared: bool = False) -> SavedFilter:
    """Keep a question under a name; the same name again replaces it.

    :raises Forbidden: to share without working on the board.
    """
    chair = access.open_board(session, person_id, board_id, lock=True)
    if shared:
        chair.need_write()
    name, query = check_name(name, "name", 60), " ".join(query.split())
    if not asking.parse(query):
        message = _("There is nothing to save: the filter is empty.")
        raise BadInput(message, fields={"q": message})
    count = session.scalar(
        select(func.count()).where(SavedFilter.board_id == board_id, SavedFilter.person_id == person_id)
    )
    if (count or 0) >= MOST:
        raise BadInput(_("You have %(most)s filters on this board already.", most=str(MOST)))
    statement = dialect_insert(session, SavedFilter).values(
        board_id=board_id, person_id=person_id, name=name, query=query, shared=shared
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["board_id", "person_id", "name"], set_={"query": query, "shared": shared}
        )
    )
    return session.scalars(
        select(SavedFilter).where(
            SavedFilter.board_id == board_id, SavedFilter.person_id == person_id, SavedFilter.name == name
        ).execution_options(populate_existing=True)
    ).one()  # fmt: skip


def remove(session: Session, person_id: int, filter_id: int) -> SavedFilter:
    """Take a filter away: one's own, or a shared one of a board that one runs."""
    row = session.get(SavedFilter, filter_id)
    if row is None:
        raise NotFound(_("There is no such filter of yours."))
    chair = access.open_board(session, person_id, row.board_id)
    if row.person_id != person_id and not (row.shared and chair.manageable):
        raise NotFound(_("There is no such filter of yours."))
    session.delete(row)
    return row
