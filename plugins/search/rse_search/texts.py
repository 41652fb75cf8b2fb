"""What a document is found by, as each database wants it: five columns of words, or one vector with places and weights."""

from __future__ import annotations

from dataclasses import dataclass

from .words import stem, words

#: Marks a stem in a vector, so that a phrase finds words and not their stems.
STEM = "="
#: PostgreSQL's own limits: places are counted up to here, and kept so often for one word.
_LAST, _OFTEN = 16_383, 250
#: Between title, further words and body, so that no phrase reaches over.
_GAP = 10


@dataclass(frozen=True, slots=True)
class Texts:
    """The folded words of one document."""

    title: tuple[str, ...]
    words: tuple[str, ...]
    body: tuple[str, ...]

    @classmethod
    def of(cls, title: str, further: str, body: str) -> Texts:
        return cls(*(tuple(word.text for word in words(text)) for text in (title, further, body)))

    @property
    def all(self) -> frozenset[str]:
        return frozenset((*self.title, *self.words, *self.body))

    def columns(self) -> dict[str, str]:
        """For the table of SQLite."""
        return {
            "title": " ".join(self.title),
            "words": " ".join(self.words),
            "body": " ".join(self.body),
            "title_stems": " ".join(_stems(self.title)),
            "stems": " ".join(_stems((*self.words, *self.body))),
        }

    def vector(self) -> str:
        """For PostgreSQL, as ``tsvector`` reads it: ``'reunion':1A '=annonc':2B``."""
        places: dict[str, list[str]] = {}
        at = 0
        for weight, part in (("A", self.title), ("B", self.words), ("C", self.body)):
            for word in part:
                at = min(at + 1, _LAST)
                root = stem(word)
                for lexeme in (word,) if root == word else (word, STEM + root):
                    kept = places.setdefault(lexeme, [])
                    if len(kept) < _OFTEN:
                        kept.append(f"{at}{weight}")
            at = min(at + _GAP, _LAST)
        return " ".join(f"'{lexeme}':{','.join(kept)}" for lexeme, kept in places.items())


def _stems(part: tuple[str, ...]) -> list[str]:
    return [root for word in part if (root := stem(word)) != word]
