"""What differs between two texts, line by line, and in a line that changed, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from rse_core.differences import blocks, words

#: Lines on either side of a change that are shown with it.
NEAR = 2
#: What is compared piece by piece costs the product of both lengths; beyond this, all before and all after are shown.
LINES_MOST, WORDS_MOST = 400_000, 40_000
#: Lines of one difference that are shown.
SHOWN = 200


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
    made = list(blocks(old, new, most=LINES_MOST))
    for place, (tag, old_from, old_to, new_from, new_to) in enumerate(made):
        if tag == "equal":
            found += _around(old[old_from:old_to], first=place == 0, last=place == len(made) - 1)
        else:
            found += _changed(old[old_from:old_to], new[new_from:new_to])
        if len(found) > most:
            return [*found[:most], Line("cut")]
    return found


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
    ours, theirs = words(old), words(new)
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
