"""The port: the index as the core knows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, SearchDocument
from rse_core.search import SearchAnswer, SearchQuery, SearchScope

from . import finding, near, store
from .finding import Matched
from .typed import Typed, parse
from .words import words

#: Marks the cursor of an answer that was near what was typed, and not as typed.
NEAR = "~"
#: With fewer hits than this, what may have been meant is looked for.
FEW = 3
#: A word that is so many times as frequent as the one that was typed may have been meant.
MUCH = 5


class TextSearch:
    """Full text in the database itself: FTS5 on SQLite, ``tsvector`` on PostgreSQL, one meaning of words on both."""

    name = "text"

    def index(self, session: Session, documents: Iterable[SearchDocument], gone: Iterable[ObjectRef]) -> None:
        """See :class:`~rse_core.search.SearchBackend`."""
        store.index(session, documents, gone)

    def look(self, session: Session, refs: Sequence[ObjectRef]) -> None:
        """See :class:`~rse_core.search.SearchBackend`."""
        from .indexing import refresh

        refresh(session, refs)

    def clear(self, session: Session) -> None:
        """See :class:`~rse_core.search.SearchBackend`."""
        store.clear(session)

    def find(self, session: Session, scopes: Sequence[SearchScope], query: SearchQuery) -> SearchAnswer:
        """See :class:`~rse_core.search.SearchBackend`. At most six queries, whatever is found."""
        typed = parse(query.text)
        if query.text.strip() and typed.is_empty:
            return SearchAnswer()
        if query.after and query.after.startswith(NEAR):
            better = self._corrected(session, scopes, typed, 0)
            return (
                self._near(session, scopes, typed, better, replace(query, after=query.after[1:]))
                if better
                else SearchAnswer()
            )
        answer = self._exactly(session, scopes, typed, query)
        if query.after or len(answer.hits) >= FEW or not typed.terms:
            return answer
        better = self._corrected(session, scopes, typed, len(answer.hits))
        if not better:
            return answer
        if answer.hits:
            return replace(answer, suggestion=_said(query.text, better, ()))
        return self._near(session, scopes, typed, better, query)

    def _exactly(self, session: Session, scopes: Sequence[SearchScope], typed: Typed, query: SearchQuery) -> SearchAnswer:
        matched = Matched(store.is_sqlite(session), typed, scopes, query)
        answer = finding.hits(session, matched)
        if not query.facets:
            return answer
        numbers = finding.facets(session, matched)
        return replace(answer, facets=numbers.facets, count=numbers.count)

    def _near(
        self, session: Session, scopes: Sequence[SearchScope], typed: Typed, better: dict[str, str], query: SearchQuery
    ) -> SearchAnswer:
        answer = self._exactly(session, scopes, typed.corrected(better), query)
        if not answer.hits:
            return answer
        said = _said(query.text, better, answer.hits)
        return replace(answer, fuzzy=True, suggestion=said, next=NEAR + answer.next if answer.next else None)

    def _corrected(self, session: Session, scopes: Sequence[SearchScope], typed: Typed, hits: int) -> dict[str, str]:
        """Better words for those that were typed, out of what this person may see; empty when there are none."""
        asked = [term.words[0] for term in typed.terms if not term.is_phrase]
        proposed = near.candidates(session, asked)
        if not any(proposed.values()):
            return {}
        every = dict.fromkeys([*proposed, *(word for near_ones in proposed.values() for word in near_ones)])
        numbers = finding.visible_counts(session, scopes, list(every))
        better = {}
        for word, near_ones in proposed.items():
            best = max(near_ones, key=lambda other: numbers[other], default="")
            if best and numbers[best] > (numbers[word] * MUCH if hits or numbers[word] else 0):
                better[word] = best
        return better


def _said(text: str, better: dict[str, str], hits: Sequence[object]) -> str:
    """What was typed, with the better words in their places; with their accents, when a hit shows them."""
    shown: dict[str, str] = {}
    for hit in hits:
        title = getattr(hit, "title", "")
        for word in words(title):
            shown.setdefault(word.text, title[word.start : word.end].lower())
    out, at = [], 0
    for word in words(text[:500]):
        if word.text in better:
            best = better[word.text]
            out += [text[at : word.start], shown.get(best, best)]
            at = word.end
    return "".join([*out, text[at:]])
