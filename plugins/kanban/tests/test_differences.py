"""What differs between two texts: by lines, and by words in a line that changed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rse_kanban.differences import SHOWN, between

TEXTS = st.text(alphabet="ab é\n", max_size=60)


def told(before, after, **values):
    signs = {"gone": "-", "new": "+", "same": " ", "skip": "~", "cut": "…"}
    return [
        signs[line.kind] + "".join(f"[{part.text}]" if part.changed else part.text for part in line.parts)
        for line in between(before, after, **values)
    ]


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("same", "same", []),
        ("", "new", ["+[new]"]),
        ("old", "", ["-[old]"]),
        ("the red door", "the blue door", ["-the [red] door", "+the [blue] door"]),
        ("one sentence here", "quite, another. thing!", ["-[one sentence here]", "+[quite, another. thing!]"]),
        ("a\nb\nc", "a\nc", [" a", "-[b]", " c"]),
        ("1\n2\n3\n4\n5\n6\nx", "1\n2\n3\n4\n5\n6\ny", ["~", " 5", " 6", "-[x]", "+[y]"]),
        ("x\n1\n2\n3\n4\n5\n6", "y\n1\n2\n3\n4\n5\n6", ["-[x]", "+[y]", " 1", " 2", "~"]),
        ("x\n1\n2\n3\n4\n5\n6\nx", "y\n1\n2\n3\n4\n5\n6\ny", ["-[x]", "+[y]", " 1", " 2", "~", " 5", " 6", "-[x]", "+[y]"]),
    ],
)  # fmt: skip
def test_lines_and_words(before, after, lines):
    assert told(before, after) == lines


@given(TEXTS, TEXTS)
@settings(max_examples=150, deadline=None)
def test_both_sides_can_be_read_from_it(before, after):
    found = between(before, after, most=10_000)
    gone = [line for line in found if line.kind == "gone"]
    new = [line for line in found if line.kind == "new"]
    assert all("".join(part.text for part in line.parts) in before.split("\n") for line in gone)
    assert all("".join(part.text for part in line.parts) in after.split("\n") for line in new)
    assert bool(gone or new) == (before != after)
    same = sum(1 for line in found if line.kind == "same")
    lines = len(before.split("\n")) if before else 0
    skipped = any(line.kind == "skip" for line in found)
    assert before == after or skipped or len(gone) + same == lines


def test_long_texts_end_soon_and_are_cut():
    before = "\n".join(f"ligne {number} avant" for number in range(2_500))
    after = "\n".join(f"ligne {number} après" for number in range(2_500))
    began = time.perf_counter()
    found = between(before, after)
    one = between("mot " * 12_000, "mut " * 12_000)
    assert time.perf_counter() - began < 5
    assert (len(found), found[-1].kind) == (SHOWN + 1, "cut")
    assert [line.kind for line in one] == ["gone", "new"]
