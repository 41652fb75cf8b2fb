"""What differs between two texts, line by line, and in a line that changed, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

#: Lines on either side of a change that are shown with it.
NEAR = 2
#: What is compared piece by piece costs the product of both lengths; beyond this, all before and all after are shown.
LINES_MOST, WORDS_MOST = 400_000, 40_000
#: Lines of one difference that are shown.
SHOWN = 200
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line; ``changed``: it stands on this side alone."""

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a difference. ``kind``: same, gone, new; skip stands for lines that are the same, and cut for the rest."""

    kind: str
    parts: tuple[Part, ...] = ()


def between(before: str, after: str, *, most: int = SHOWN) -> list[Line]:
    """The lines by which one text became the other, with what stands near them; none when they are the same.

    :param most: lines; the last one then says that there are more.
    """
    if before == after:
        return []
    old, new = before.split("\n") if before else [], after.split("\n") if after else []
    found: list[Line] = []
    blocks = list(_blocks(old, new))
    for place, (tag, old_from, old_to, new_from, new_to) in enumerate(blocks):
        if tag == "equal":
            found += _around(old[old_from:old_to], first=place == 0, last=place == len(blocks) - 1)
        else:
            found += _changed(old[old_from:old_to], new[new_from:new_to])
        if len(found) > most:
            return [*found[:most], Line("cut")]
    return found


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """The blocks of both that are the same, and those that are not, in order."""
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    if head:
        yield "equal", 0, head, 0, head
    ours, theirs = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(ours) * len(theirs) > LINES_MOST:
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


def _around(lines: Sequence[str], *, first: bool, last: bool) -> list[Line]:
    """Lines that are the same: those next to a change, and a sign for the others."""
    before, after = 0 if first else NEAR, 0 if last else NEAR
    same = [Line("same", (Part(line),)) for line in lines]
    if len(lines) <= before + after + 1:
        return same
    return [*same[:before], Line("skip"), *(same[len(same) - after :] if after else [])]


def _changed(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    """Lines that went and lines that came; where as many came as went, each beside its own, with the words that changed."""
    if len(old) != len(new):
        return [*(_whole("gone", line) for line in old), *(_whole("new", line) for line in new)]
    gone, came = [], []
    for one, other in zip(old, new, strict=True):
        left, right = _words(one, other)
        gone.append(Line("gone", left))
        came.append(Line("new", right))
    return [*gone, *came]


def _whole(kind: str, line: str) -> Line:
    return Line(kind, (Part(line, changed=True),))


def _words(old: str, new: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    ours, theirs = _WORDS.findall(old), _WORDS.findall(new)
    if len(ours) * len(theirs) > WORDS_MOST:
        return (Part(old, changed=True),), (Part(new, changed=True),)
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    if matcher.ratio() < 0.4:
        # Hardly a word in common: the few that are would only tear both sentences apart.
        return (Part(old, changed=True),), (Part(new, changed=True),)
    left, right = [], []
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        left.append(Part("".join(ours[old_from:old_to]), changed=tag != "equal"))
        right.append(Part("".join(theirs[new_from:new_to]), changed=tag != "equal"))
    return tuple(part for part in left if part.text), tuple(part for part in right if part.text)
