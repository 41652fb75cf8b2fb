"""Words as people type them: folded (no accents, œ is oe), without l' and d', and brought near their stem.

Both databases index what these functions give and nothing else, so that they find the same. A text and a query go through
the same steps; that is all that matters about a stem, which need not be a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rse_core.people import folded

#: Longer ones are no words that somebody types; their beginning is kept.
MAX_WORD = 60
#: A letter or digit, with the marks that stand on it in decomposed text.
_WORD = re.compile(r"[^\W_][\u0300-\u036f]*(?:[^\W_][\u0300-\u036f]*)*")
_ELIDED = frozenset({"l", "d", "j", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu"})
_APOSTROPHES = "'’ʼ‘`´"
#: Words that stand everywhere and say nothing: left out of a query when others are in it.
STOP = frozenset(
    [
        "a",
        "au",
        "aux",
        "avec",
        "ce",
        "ces",
        "cet",
        "cette",
        "dans",
        "de",
        "des",
        "du",
        "elle",
        "en",
        "est",
        "et",
        "il",
        "ils",
        "je",
        "la",
        "le",
        "les",
        "leur",
        "lui",
        "ma",
        "mais",
        "me",
        "mes",
        "mon",
        "ne",
        "nos",
        "notre",
        "nous",
        "on",
        "ou",
        "par",
        "pas",
        "pour",
        "que",
        "qui",
        "sa",
        "se",
        "ses",
        "son",
        "sont",
        "sur",
        "ta",
        "te",
        "tes",
        "ton",
        "tu",
        "un",
        "une",
        "vos",
        "votre",
        "vous",
        "y",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "for",
        "from",
        "in",
        "is",
        "it",
        "of",
        "or",
        "our",
        "that",
        "the",
        "their",
        "this",
        "to",
        "was",
        "we",
        "with",
        "you",
        "your",
    ]
)
_IRREGULAR = {"travaux": "travail", "yeux": "oeil", "baux": "bail", "vitraux": "vitrail", "emaux": "email"}
_FEMININE = (
    ("trice", "teur"),
    ("euse", "eur"),
    ("iere", "ier"),
    ("ive", "if"),
    ("elle", "el"),
    ("enne", "en"),
    ("onne", "on"),
)
_ENDINGS = ("ation", "ateur", "ement", "ment", "er", "ez", "ee", "e")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text: as it is looked for, and where it stands there."""

    text: str
    start: int
    end: int


def words(text: str) -> Iterator[Word]:
    """The words of a text, in order."""
    for match in _WORD.finditer(text):
        raw = match.group()
        following = text[match.end() : match.end() + 2]
        if raw.lower() in _ELIDED and len(following) == 2 and following[0] in _APOSTROPHES and following[1].isalnum():
            continue
        word = plain(raw)
        if word:
            yield Word(word, match.start(), match.end())


@lru_cache(maxsize=50_000)
def plain(raw: str) -> str:
    """One word folded: ``Œuvres`` → ``oeuvres``; empty when nothing of it can be looked for."""
    return "".join(letter for letter in folded(unicodedata.normalize("NFC", raw)) if letter.isalnum())[:MAX_WORD]


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """What plural, feminine and the commonest endings of a folded word share: ``nationaux`` → ``national``."""
    if len(word) < 4 or not word.isalpha():
        return word
    found = _singular(word)
    for feminine, masculine in _FEMININE:
        if found.endswith(feminine) and len(found) > len(feminine) + 1:
            found = found.removesuffix(feminine) + masculine
            break
    for ending in _ENDINGS:
        # A short rest would be shared by words that have nothing in common (formation, forme).
        least = 3 if ending == "e" else 4 if len(ending) < 3 else 5
        if found.endswith(ending) and len(found) - len(ending) >= least:
            found = found.removesuffix(ending)
            break
    return found[:-1] + "i" if found.endswith("y") and len(found) > 3 else found


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("eaux") or word.endswith(("oux", "eux")):
        return word[:-1]
    if word.endswith("aux") and len(word) > 4:
        return word[:-2] + "l"
    return word[:-1] if word[-1] in "sx" else word
