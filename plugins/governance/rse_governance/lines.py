"""What moderators are shown of an object: who wrote it, where, what it says. A constant number of queries for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.api import ContentInfo, ObjectRef, Text, core_of, resolve
from rse_core.models.organisation import Entity, Space
from rse_core.people import PersonCard, names

from . import wording


@dataclass(frozen=True, slots=True)
class Line:
    """One object in a list of moderators. ``info`` None: it is gone; ``text`` None: its plugin does not tell it."""

    row: Any
    ref: ObjectRef
    kind: Text
    info: ContentInfo | None
    text: str | None
    author: PersonCard | None
    by: PersonCard | None
    place: str
    found: str
    can_hide: bool
    can_restore: bool
    can_amend: bool
    #: the viewer may not look into the place: of what was taken down they see what its author discloses
    blind: bool = False
    #: nobody else moderates there: the moderators of the whole site decide on an appeal
    alone: bool = False


def blind(session: Session, rows: Sequence[Any]) -> list[Line]:
    """Lines of appeals for those who may not look into the place: who appeals and what they disclose, nothing else of it."""
    types = core_of(session).plugins.content_types
    people = names(session, [row.author_id for row in rows])
    lines = []
    for row in rows:
        ref, kind = ObjectRef(row.ref_type, row.ref_id), types.get(row.ref_type)
        label = row.ref_type if kind is None else kind.label
        text, author = row.disclosed or None, people.get(row.author_id or 0)
        lines.append(Line(row, ref, label, None, text, author, None, "", "", False, False, False, blind=True))
    return lines


def of(session: Session, rows: Sequence[Any], *, by: str = "decided_by") -> list[Line]:
    """Lines for rows that have ``ref_type``, ``ref_id``, ``author_id``, ``entity_id`` and ``space_id``.

    :param by: the column of the person who decided, or deleted it.
    """
    types = core_of(session).plugins.content_types
    refs = [ObjectRef(row.ref_type, row.ref_id) for row in rows]
    infos = resolve(session, list(dict.fromkeys(refs)))
    texts: dict[ObjectRef, str] = {}
    for name in {ref.type for ref in refs}:
        kind = types.get(name)
        if kind is not None and kind.handling.text is not None:
            found = kind.handling.text(session, [ref.id for ref in refs if ref.type == name])
            texts |= {ObjectRef(name, ident): text for ident, text in found.items()}
    people = names(session, [*(row.author_id for row in rows), *(getattr(row, by) for row in rows)])
    spaces = _names(session, Space, {row.space_id for row in rows})
    entities = _names(session, Entity, {row.entity_id for row in rows})
    words = wording.found_in(session, [(ref.type, ref.id) for ref in refs])
    lines = []
    for row, ref in zip(rows, refs, strict=True):
        kind = types.get(ref.type)
        handling = None if kind is None else kind.handling
        lines.append(
            Line(
                row, ref, ref.type if kind is None else kind.label, infos.get(ref), texts.get(ref),
                people.get(row.author_id or 0), people.get(getattr(row, by) or 0),
                spaces.get(row.space_id) or entities.get(row.entity_id) or "", words.get((ref.type, ref.id), ""),
                bool(handling and handling.hide), bool(handling and handling.restore),
                bool(handling and handling.amend and handling.text),
            )
        )  # fmt: skip
    return lines


def _names(session: Session, model: type[Space] | type[Entity], ids: set[int | None]) -> dict[int | None, str]:
    wanted = [ident for ident in ids if ident is not None]
    if not wanted:
        return {}
    return {ident: name for ident, name in session.execute(select(model.id, model.name).where(model.id.in_(wanted)))}
