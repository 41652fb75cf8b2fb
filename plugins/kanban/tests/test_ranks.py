"""Ranks: there is always room between two, they stay in order, and spreading shortens them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rse_kanban import ranks


@given(st.lists(st.integers(0, 10_000), max_size=200))
def test_wherever_ranks_are_put_they_stay_in_order_and_apart(places):
    order: list[str] = []
    for number in places:
        place = number % (len(order) + 1)
        low, high = order[place - 1] if place else None, order[place] if place < len(order) else None
        order.insert(place, ranks.between(low, high))
    assert order == sorted(set(order))
    assert all(rank and not rank.endswith("0") for rank in order)


@given(st.integers(0, 3_000))
def test_spread_ranks_are_in_order_and_short(count):
    found = list(ranks.spread(count))
    assert found == sorted(set(found))
    assert len(found) == count
    assert max(map(len, found), default=0) <= 3


def test_cards_added_at_the_end_keep_short_ranks():
    last = None
    for _ in range(1_000):
        last = ranks.between(last, None)
    assert len(last) < ranks.LONGEST


@pytest.mark.parametrize(("low", "high"), [("b", "b"), ("c", "b")])
def test_there_is_nothing_between_what_is_out_of_order(low, high):
    with pytest.raises(ValueError, match="no rank"):
        ranks.between(low, high)
