"""Ranks: texts between which there is always room for another, so that moving one card writes one row.

A rank is a fraction in base 36 without its "0.": ``"i"`` is one half. None ends with ``0``, so that there is room below
each. They are compared byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterator

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
#: Above this many characters a column is spread out anew: hundreds of moves into one and the same gap.
LONGEST = 48
#: Digits in which the ends of a column are counted: 800,000 cards before they grow.
STEP = 4


def between(low: str | None, high: str | None) -> str:
    """A rank after ``low`` (None: the start) and before ``high`` (None: the end).

    :raises ValueError: when there is nothing between them.
    """
    if low is not None and high is not None:
        if low >= high:
            raise ValueError(f"no rank stands between {low!r} and {high!r}")
        return _middle(low, high)
    if low is not None:
        return _step(low, 1)
    return DIGITS[len(DIGITS) // 2] if high is None else _step(high, -1)


def _step(rank: str, by: int) -> str:
    """The next rank at either end: a small step, for cards are added there all the time."""
    width = max(STEP, len(rank))
    number = int(rank.ljust(width, "0"), len(DIGITS)) + by
    if not 0 < number < len(DIGITS) ** width:
        # At the very end: four more places.
        width += STEP
        number = int(rank.ljust(width, "0"), len(DIGITS)) + by * len(DIGITS)
    return _write(number, width)


def _middle(low: str, high: str) -> str:
    made, place = "", 0
    while True:
        first = DIGITS.index(low[place]) if place < len(low) else 0
        last = DIGITS.index(high[place]) if place < len(high) else len(DIGITS)
        if last - first > 1:
            return made + DIGITS[first + (last - first) // 2]
        made += DIGITS[first]
        if last - first == 1:
            # Whatever begins like ``low`` is below ``high`` from here on.
            high = ""
        place += 1


def spread(count: int) -> Iterator[str]:
    """So many ranks in order, evenly apart and short."""
    width, room = 1, len(DIGITS)
    while room <= count * 2:
        width, room = width + 1, room * len(DIGITS)
    for number in range(1, count + 1):
        yield _write(number * room // (count + 1), width)


def _write(number: int, width: int) -> str:
    digits = ""
    for _place in range(width):
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits.rstrip("0")
