"""What was typed, taken apart: words, "exact phrases", -without. No text is refused, and none is more than words."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .words import STOP, stem, words

#: What is more than this is not looked at; nobody types it by hand.
MAX_TEXT = 500
MAX_TERMS = 12
#: The last word stands for all that begin so, from this length on.
PREFIX = 2
_PART = re.compile(r"""(?P<minus>(?<!\S)[-−])?(?:["«“„](?P<phrase>[^"»”“]*)["»”“]?|(?P<word>[^\s"«“„»”]+))""")


@dataclass(frozen=True, slots=True)
class Term:
    """One word to be found (``prefix``: or one that begins so), or several that follow each other."""

    words: tuple[str, ...]
    prefix: bool = False

    @property
    def is_phrase(self) -> bool:
        return len(self.words) > 1

    def matches(self, word: str) -> bool:
        """Whether this word of a text is (one of) what was looked for; for marking it."""
        if word in self.words:
            return True
        if self.is_phrase:
            return False
        mine = self.words[0]
        near = {mine, stem(mine)}
        return word in near or stem(word) in near or (self.prefix and (word.startswith(mine) or stem(word).startswith(mine)))


@dataclass(frozen=True, slots=True)
class Typed:
    """A query: every one of ``terms``, none of ``without``."""

    terms: tuple[Term, ...] = ()
    without: tuple[Term, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.terms and not self.without

    def corrected(self, better: dict[str, str]) -> Typed:
        """The same with other words; what was corrected is meant whole."""

        def of(term: Term) -> Term:
            if term.is_phrase or term.words[0] not in better:
                return term
            return Term((better[term.words[0]],))

        return replace(self, terms=tuple(of(term) for term in self.terms))


def parse(text: str) -> Typed:
    """Take a query apart. ``réunion "comité de suivi" -archive``."""
    text = text[:MAX_TEXT].replace("\x00", " ")
    terms: list[Term] = []
    without: list[Term] = []
    last_is_open = False
    for match in _PART.finditer(text):
        phrase = match["phrase"]
        part = phrase if phrase is not None else match["word"]
        found = tuple(word.text for word in words(part))
        if not found:
            last_is_open = False
            continue
        into = without if match["minus"] else terms
        if phrase is not None:
            into.append(Term(found))
        elif match["minus"]:
            # -porte-parole leaves out what has both, one after the other.
            into.append(Term(found))
        else:
            into.extend(Term((word,)) for word in found)
        last_is_open = phrase is None and not match["minus"] and match.end() == len(text)
    telling = [term for term in terms if term.is_phrase or term.words[0] not in STOP]
    # The very last word counts even when it says nothing: "note de" is on its way to "note de service".
    kept = list(dict.fromkeys(telling or terms))[:MAX_TERMS]
    if kept and last_is_open and terms[-1] == kept[-1] and len(kept[-1].words[0]) >= PREFIX:
        kept[-1] = replace(kept[-1], prefix=True)
    return Typed(tuple(kept), tuple(dict.fromkeys(without))[:MAX_TERMS])
