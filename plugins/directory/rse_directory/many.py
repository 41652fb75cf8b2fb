"""``IN`` of very many ids as one parameter: two thousand parameters cost more to write out than the rows to look up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, bindparam, func, select
from sqlalchemy.orm import Session


def one_of(session: Session, column: Any, ids: Sequence[int]) -> ColumnElement[bool]:
    """Whether the column is one of these ids."""
    if session.get_bind().dialect.name == "postgresql":
        found: ColumnElement[bool] = column == any_(bindparam("ids", list(ids), type_=ARRAY(BigInteger), unique=True))
        return found
    listed = func.json_each(bindparam("ids", json.dumps(list(ids)), unique=True)).table_valued("value")
    within: ColumnElement[bool] = column.in_(select(listed.c.value))
    return within
