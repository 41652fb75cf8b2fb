"""Boards: where they may be, made, changed, archived, deleted. Their columns are in :mod:`columns`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import audiences, roles, spaces
from rse_core.api import (
    Actor,
    BadInput,
    Conflict,
    Event,
    Forbidden,
    NotFound,
    Target,
    can,
    core_of,
    emit,
    record,
    require,
    translator,
    utcnow,
)
from rse_core.idempotency import once
from rse_core.models.organisation import Entity, Space
from rse_core.people import card as card_of
from rse_core.ratelimit import limit

from . import access
from .changes import board_changed, note
from .models import Board, BoardRole, Column
from .texts import check_name, check_text

_ = translator(__file__, "rse_kanban").gettext


@dataclass(frozen=True, slots=True)
class Where:
    """Where a board is: ``space:KEY``, ``entity:KEY`` or ``me``."""

    key: str
    label: str
    audience_id: int | None
    space_id: int | None = None
    entity_id: int | None = None

    @property
    def target(self) -> Target:
        """What the rules are asked about."""
        return Target(self.audience_id, space_id=self.space_id)


def places(session: Session, person_id: int) -> list[Where]:
    """Where the person may make a board: for themselves, in spaces, for entities that they administer; two queries."""
    facts = core_of(session).policy.person(person_id)
    if facts is None:
        return []
    found = [Where("me", _("For myself"), None)] if can(session, person_id, access.MANAGE).allowed else []
    everyone = core_of(session).policy.everyone()
    # From memory; one that was made a moment ago is asked for.
    known = {place: ident for ident, place in core_of(session).policy.snapshot().audiences.items()}
    rows = session.execute(
        select(Space.id, Space.key, Space.name, Space.visibility)
        .where(Space.id.in_(list(facts.spaces)), Space.archived_at.is_(None))
        .order_by(Space.name)
    ).all()
    for ident, key, name, visibility in rows:
        members = known.get(("space", ident)) or audiences.of_members(session, ident)
        audience = everyone if visibility == "public" else members
        where = Where(f"space:{key}", name, audience, space_id=ident)
        if can(session, person_id, access.MANAGE, where.target).allowed:
            found.append(where)
    if facts.entity_id is not None:
        path = core_of(session).policy.snapshot().paths.get(facts.entity_id, ())
        for ident, key, name in session.execute(select(Entity.id, Entity.key, Entity.name).where(Entity.id.in_(path))):
            audience = known.get(("entity", ident)) or audiences.of_entity(session, ident)
            where = Where(f"entity:{key}", name, audience, entity_id=ident)
            runs = access.runs_entity(session, facts, ident)
            if runs and can(session, person_id, access.MANAGE, where.target).allowed:
                found.append(where)
    return found


def find_place(session: Session, person_id: int, key: str) -> Where:
    """:raises BadInput: for a word that names no place.
    :raises NotFound: for a space of which the person may not know.
    """
    kind, _sep, name = key.partition(":")
    if key == "me":
        return Where("me", _("For myself"), None)
    if kind == "space":
        space = spaces.by_key(session, name)
        if space is not None:
            where = Where(f"space:{space.key}", space.name, audiences.of_space(session, space.id), space_id=space.id)
            if can(session, person_id, access.READ, where.target).allowed:
                return where
        raise NotFound(_("There is no such space."))
    if kind == "entity":
        entity = session.scalar(select(Entity).where(Entity.key == name))
        if entity is not None:
            return Where(key, entity.name, audiences.of_entity(session, entity.id), entity_id=entity.id)
    message = _("Say where the board is to be.")
    raise BadInput(message, fields={"place": message})


def usual_columns() -> list[tuple[str, str]]:
    """The columns of a new board, with their phases, in the reader's language."""
    return [(_("To do"), "todo"), (_("In progress"), "doing"), (_("Done"), "done")]


def create(
    session: Session, person_id: int, place: str, title: str, *, description: str = "",
    columns: Sequence[tuple[str, str]] | None = None, key: str | None = None,
) -> Board:  # fmt: skip
    """Make a board.

    :param place: ``me``, ``space:KEY`` or ``entity:KEY``.
    :param columns: name and phase of each; the usual three by default.
    :param key: idempotency key.
    :raises Forbidden: with the reason; for an entity, to those who do not administer it.
    """
    where = find_place(session, person_id, place)
    require(session, person_id, access.MANAGE, where.target)
    facts = core_of(session).policy.person(person_id)
    if where.entity_id is not None and (facts is None or not roles.administers(session, person_id, where.entity_id)):
        raise Forbidden(_("Only those who administer an entity make boards for it."))
    title = check_name(title, "title", 200)
    description = check_text(description, "description", 5_000)

    def make() -> str:
        limit(session, person_id, "kanban.board", most=20, seconds=3600)
        mine = where.key == "me"
        board = Board(
            title=title, description=description, audience_id=where.audience_id, space_id=where.space_id,
            entity_id=where.entity_id, owner_id=person_id if mine else None, created_by=person_id,
        )  # fmt: skip
        session.add(board)
        session.flush()
        if not mine:
            session.add(BoardRole(board_id=board.id, kind="person", target_id=person_id, role="manager"))
        for position, (name, phase) in enumerate(columns if columns is not None else usual_columns()):
            session.add(
                Column(board_id=board.id, name=check_name(name, "name", 100), phase=phase, position=position)
            )
        note(session, board, None, person_id, "board")
        session.flush()
        _told(session, board, person_id, "opened")
        return str(board.id)

    ident, _new = once(session, person_id, key, access.MANAGE, f"{place}|{title}|{description}", make)
    return access.get_board(session, int(ident))


def managed(session: Session, person_id: int, board_id: int) -> Board:
    """The board, held, for somebody who manages it and while it is open.

    :raises Forbidden: for everybody else who sees it.
    :raises Conflict: while it is archived.
    """
    chair = access.open_board(session, person_id, board_id, lock=True)
    chair.need_manage()
    if chair.board.state != "open":
        raise Conflict(_("This board is archived: what is on it can be read."), remedy=_("Open it again first."))
    return chair.board


def change(
    session: Session, person_id: int, board_id: int, *, version: int | None = None, title: str | None = None,
    description: str | None = None, default_role: str | None = None,
) -> Board:  # fmt: skip
    """Name the board otherwise; what is None stays.

    :raises Conflict: when it has changed since ``version``.
    """
    board = managed(session, person_id, board_id)
    if version is not None and board.version != version:
        raise Conflict(_("This board has changed since you opened it."), remedy=_("Look at it again, then decide."))
    if title is not None:
        board.title = check_name(title, "title", 200)
    if description is not None:
        board.description = check_text(description, "description", 5_000)
    if default_role is not None:
        if default_role not in ("reader", "editor"):
            message = _("Whoever is not named reads, or works on the board.")
            raise BadInput(message, fields={"default_role": message})
        board.default_role = default_role
    board_changed(session, board)
    _told(session, board, person_id, "changed")
    return board


def archive(session: Session, person_id: int, board_id: int, on: bool = True) -> Board:
    """Put the board away with all that is on it, or open it again; nothing on it changes."""
    chair = access.open_board(session, person_id, board_id, lock=True)
    chair.need_manage()
    board = chair.board
    board.state, board.ended_at = ("archived", utcnow()) if on else ("open", None)
    board_changed(session, board)
    _record(session, person_id, "kanban.board.archive" if on else "kanban.board.open", board)
    _told(session, board, person_id, "changed")
    return board


def remove(session: Session, person_id: int, board_id: int) -> None:
    """Delete an archived board; a site administrator's backup is the only way back.

    :raises Conflict: while it is open: what disappears for all is put away first.
    """
    chair = access.open_board(session, person_id, board_id, lock=True)
    chair.need_manage()
    board = chair.board
    if board.state != "archived":
        raise Conflict(_("A board is archived before it is deleted."), remedy=_("Archive it first."))
    board.state, board.ended_at = "deleted", utcnow()
    board_changed(session, board)
    _record(session, person_id, "kanban.board.delete", board)
    _told(session, board, person_id, "removed")


def _told(session: Session, board: Board, person_id: int, name: str) -> None:
    """An event about the board; nobody is told of somebody's own."""
    if board.audience_id is not None:
        data = {"board": board.id, "space": board.space_id}
        emit(session, Event(f"kanban.{name}", person_id, access.board_ref(board.id), board.audience_id, data))


def _record(session: Session, person_id: int, act: str, board: Board) -> None:
    who = card_of(session, person_id)
    record(session, Actor(who.username if who else "", person_id), act, f"board:{board.id}", after={"state": board.state})
