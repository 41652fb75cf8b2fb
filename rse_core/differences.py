"""What differs between two lists of pieces (lines of a text, words of a line), at a cost that is bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

Block = tuple[str, int, int, int, int]
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


def words(text: str) -> list[str]:
    """The pieces of a line: words, blanks, and each other sign; together they are the line."""
    return _WORDS.findall(text)


def blocks(old: Sequence[str], new: Sequence[str], *, most: int) -> Iterator[Block]:
    """The blocks that are the same in both and those that are not, in order, as :meth:`difflib.SequenceMatcher.get_opcodes`
    names them.

    :param most: comparing costs the product of both lengths, without what both begin and end with; beyond this number all
        of one is replaced by all of the other.
    """
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    if head:
        yield "equal", 0, head, 0, head
    ours, theirs = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(ours) * len(theirs) > most:
        yield "replace", head, head + len(ours), head, head + len(theirs)
    else:
        for tag, old_from, old_to, new_from, new_to in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
            yield tag, head + old_from, head + old_to, head + new_from, head + new_to
    if tail:
        yield "equal", len(old) - tail, len(old), len(new) - tail, len(new)


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many pieces both begin with."""
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count
