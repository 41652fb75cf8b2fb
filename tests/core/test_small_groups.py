"""Figures in which no group of fewer than ten is told, nor can be had by subtraction."""

from __future__ import annotations

import itertools

from rse_core.small_groups import FEW, figures, pooled, tells


def test_numbers_that_are_near_each_other_are_told_as_such():
    found = figures([("came", 50), ("accepted", 45), ("reacted", 30), ("posted", 4), ("all", 97)], 100)
    assert [one.number for one in found] == [50, None, 30, None, None]
    assert "came" in found[1].text


def test_no_number_told_lies_within_ten_of_another_of_nothing_or_of_all():
    for numbers in itertools.product((0, 3, 9, 10, 14, 25, 31, 40), repeat=3):
        known = [one.number for one in figures([(str(n), n) for n in numbers], 40) if one.number is not None]
        for one, other in itertools.combinations([*known, 0, 40], 2):
            assert one == other or abs(one - other) >= FEW, (numbers, known)


def test_pooled_with_both_hides_the_few_who_did_too():
    counts = [([(1, "a")], 40, 3), ([(2, "b")], 50, 25), ([(3, "c")], 60, 30)]
    for names, number, done in pooled(counts, both=True):
        assert not tells(number, done), names
        assert done == 0 or done >= FEW, names
    assert len(pooled(counts)) == 3
