"""The fields that a board's cards have beside the usual ones."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, Conflict, NotFound, dialect_insert, translator

from .changes import board_changed
from .models import Card, CardValue, Field
from .texts import check_name

_ = translator(__file__, "rse_kanban").gettext
KINDS = ("text", "number", "date", "choice", "check")
FIELDS_MOST, CHOICES_MOST = 30, 50


def fields_of(session: Session, board_id: int) -> list[Field]:
    """The fields of a board, in order."""
    return list(session.scalars(select(Field).where(Field.board_id == board_id).order_by(Field.position, Field.id)))


def keep(
    session: Session, person_id: int, board_id: int, *, name: str, kind: str, choices: Sequence[str] = (),
    on_board: bool = False, field_id: int | None = None,
) -> Field:  # fmt: skip
    """Make a field, or change one; its kind stays what it is.

    :raises Conflict: when the board has one of that name.
    """
    from .boards import managed

    board = managed(session, person_id, board_id)
    name = check_name(name, "name", 60)
    same = session.scalar(select(Field).where(Field.board_id == board.id, Field.name == name))
    if same is not None and same.id != field_id:
        raise Conflict(_("This board has a field “%(name)s” already.", name=name))
    if kind not in KINDS:
        raise BadInput(_("A field is a text, a number, a date, a choice or a box."), fields={"kind": _("Choose one.")})
    kept = [check_name(one, "choices", 100) for one in dict.fromkeys(choices) if one.strip()]
    if kind == "choice" and not 1 <= len(kept) <= CHOICES_MOST:
        message = _("Write 1 to %(most)s choices, one a line.", most=str(CHOICES_MOST))
        raise BadInput(message, fields={"choices": message})
    if field_id is None:
        count = session.scalar(select(func.count()).where(Field.board_id == board.id)) or 0
        if count >= FIELDS_MOST:
            raise BadInput(_("A board has at most %(most)s fields of its own.", most=str(FIELDS_MOST)))
        row = Field(board_id=board.id, name=name, kind=kind, position=count)
        session.add(row)
    else:
        row = _field(session, board.id, field_id)
    row.name, row.choices, row.on_board = name, kept if row.kind == "choice" else [], on_board
    board_changed(session, board)
    return row


def remove(session: Session, person_id: int, field_id: int) -> None:
    """Take a field away, with what the cards have in it."""
    from .boards import managed

    found = session.get(Field, field_id)
    if found is None:
        raise NotFound(_("This board has no such field."))
    board = managed(session, person_id, found.board_id)
    session.execute(delete(CardValue).where(CardValue.field_id == field_id).execution_options(synchronize_session=False))
    session.delete(found)
    board_changed(session, board)


def values_of(session: Session, card_ids: Sequence[int]) -> Mapping[int, Mapping[int, str]]:
    """What these cards have in their fields, in one query."""
    found: dict[int, dict[int, str]] = {}
    rows = session.execute(
        select(CardValue.card_id, CardValue.field_id, CardValue.value).where(CardValue.card_id.in_(card_ids))
    )
    for card_id, field_id, value in rows:
        found.setdefault(card_id, {})[field_id] = value
    return found


def keep_values(session: Session, card: Card, values: Mapping[int, str]) -> None:
    """Write what a card has in its fields; "" empties one.

    :raises BadInput: for a value that the field does not take; names the field as ``field-ID``.
    """
    known = {row.id: row for row in fields_of(session, card.board_id)}
    for field_id, value in values.items():
        if field_id not in known:
            raise NotFound(_("This board has no such field."))
        kept = _checked(known[field_id], value)
        if not kept:
            session.execute(
                delete(CardValue).where(CardValue.card_id == card.id, CardValue.field_id == field_id)
                .execution_options(synchronize_session=False)
            )  # fmt: skip
            continue
        statement = dialect_insert(session, CardValue).values(card_id=card.id, field_id=field_id, value=kept)
        session.execute(
            statement.on_conflict_do_update(index_elements=["card_id", "field_id"], set_={"value": statement.excluded.value})
        )


def _field(session: Session, board_id: int, field_id: int) -> Field:
    row = session.get(Field, field_id)
    if row is None or row.board_id != board_id:
        raise NotFound(_("This board has no such field."))
    return row


def _checked(row: Field, value: str) -> str:
    value = " ".join(str(value).split())
    if not value:
        return ""
    message = ""
    if row.kind == "number":
        value = value.replace(",", ".").replace("\u202f", "").replace(" ", "")
        try:
            fine = math.isfinite(float(value))
        except ValueError:
            fine = False
        message = "" if fine and len(value) < 40 else _("“%(name)s” is a number.", name=row.name)
    elif row.kind == "date":
        try:
            value = dt.date.fromisoformat(value).isoformat()
        except ValueError:
            message = _("“%(name)s” is a date, such as 2027-01-31.", name=row.name)
    elif row.kind == "choice":
        message = "" if value in row.choices else _("“%(name)s” is one of its choices.", name=row.name)
    elif row.kind == "check":
        value = "1" if value in ("1", "true", "on", "yes") else ""
    elif len(value) > 500:
        message = _("Write at most %(most)s characters.", most="500")
    if message:
        raise BadInput(message, fields={f"field-{row.id}": message})
    return value
