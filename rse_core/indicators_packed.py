"""Many numbers in one row: what a row costs on its way here is more than what stands in it.

Reading the 70,000 numbers of a month one row each takes several times as long as reading one text of all of them.
"""

from __future__ import annotations

from sqlalchemy import Select, String, cast, func, select
from sqlalchemy.orm import Session


def numbers(session: Session, query: Select[int]) -> list[int]:
    """What a query of one column of whole numbers finds, in no order."""
    rows = query.subquery()
    found = session.scalar(select(func.aggregate_strings(cast(rows.c[0], String), ",")))
    return list(map(int, found.split(","))) if found else []


def pairs(session: Session, query: Select[int, int]) -> list[tuple[int, int]]:
    """What a query of two columns of whole numbers finds, in no order; none of them is empty."""
    rows = query.subquery()
    # Side by side in one text: two texts would have to agree on an order.
    found = session.scalar(
        select(func.aggregate_strings(cast(rows.c[0], String).concat(",").concat(cast(rows.c[1], String)), ","))
    )
    if not found:
        return []
    each = iter(map(int, found.split(",")))
    return list(zip(each, each, strict=True))
