"""Rows that speak of some objects, as an SQL condition that every database answers by an index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_
from sqlalchemy.orm import InstrumentedAttribute

from .content import ObjectRef


def among(
    type_column: InstrumentedAttribute[Any], id_column: InstrumentedAttribute[Any], refs: Iterable[ObjectRef]
) -> ColumnElement[bool]:
    """Rows whose two columns name one of these objects.

    Not ``(type, id) IN (VALUES …)``: SQLite reads the whole table for that.
    """
    by_type: dict[str, list[str]] = {}
    for ref in refs:
        by_type.setdefault(ref.type, []).append(ref.id)
    parts = [and_(type_column == kind, id_column.in_(ids)) for kind, ids in by_type.items()]
    return or_(*parts) if parts else false()
