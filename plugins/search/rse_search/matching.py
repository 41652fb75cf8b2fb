"""A query as each database's full-text language has it. Only folded words go in, always quoted: nothing typed is syntax."""

from __future__ import annotations

from collections.abc import Sequence

from .texts import STEM
from .typed import Term
from .words import stem


def fts5(terms: Sequence[Term], *, titles: bool = False, joined: str = " AND ") -> str:
    """For SQLite's FTS5."""
    plain = "{title} : " if titles else "{title words body} : "
    every = "{title title_stems} : " if titles else ""

    def one(term: Term) -> str:
        if term.is_phrase:
            return plain + '"' + " ".join(term.words) + '"'
        found = [f'"{word}"' for word in _forms(term)]
        if term.prefix:
            found.append(f'"{term.words[0]}" *')
        return f"{every}({' OR '.join(found)})"

    return joined.join(f"({one(term)})" for term in terms)


def tsquery(terms: Sequence[Term], *, titles: bool = False, joined: str = " & ") -> str:
    """For PostgreSQL, cast to ``tsquery``."""
    weight = "A" if titles else ""

    def lexeme(word: str, mark: str = "") -> str:
        flags = weight + mark
        return f"'{word}'" + (f":{flags}" if flags else "")

    def one(term: Term) -> str:
        if term.is_phrase:
            return " <-> ".join(lexeme(word) for word in term.words)
        found = [lexeme(mark + word) for word in _forms(term) for mark in ("", STEM)]
        if term.prefix:
            found += [lexeme(mark + term.words[0], "*") for mark in ("", STEM)]
        return " | ".join(found)

    return joined.join(f"({one(term)})" for term in terms)


def _forms(term: Term) -> list[str]:
    word = term.words[0]
    return list(dict.fromkeys((word, stem(word))))
