"""Expressions found in a text: whole words, whatever their accents and case. No regular expression comes from anybody:
the text is cut into words once, and each place is compared with the expressions that begin with its word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

_WORD = re.compile(r"\w+")
#: Letters that Unicode does not take apart.
_APART = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})
#: Words of a text that are looked at; far beyond what any form takes.
MOST_WORDS = 200_000


def fold(text: str) -> str:
    """Lower case, without accents and without characters that nobody sees."""
    apart = unicodedata.normalize("NFKD", text).casefold().translate(_APART)
    return "".join(c for c in apart if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")


def words_of(text: str) -> list[str]:
    """The folded words of a text, in order."""
    return _WORD.findall(fold(text))[:MOST_WORDS]


def expressions(lines: str) -> list[tuple[str, ...]]:
    """Expressions, one a line, each as its folded words; empty lines are none."""
    found = (tuple(words_of(line)) for line in lines.splitlines())
    return [one for one in dict.fromkeys(found) if one]


def index(all_of: Iterable[tuple[str, ...]]) -> Mapping[str, Sequence[tuple[str, ...]]]:
    """Expressions by their first word, the longest first."""
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for one in all_of:
        by_first.setdefault(one[0], []).append(one)
    return {first: sorted(some, key=len, reverse=True) for first, some in by_first.items()}


def find(text: str, wanted: Mapping[str, Sequence[tuple[str, ...]]]) -> list[str]:
    """Which expressions stand in the text, each once, in the order in which they are found."""
    words = words_of(text)
    found: dict[str, None] = {}
    for place, word in enumerate(words):
        for one in wanted.get(word, ()):
            if tuple(words[place : place + len(one)]) == one:
                found[" ".join(one)] = None
    return list(found)
