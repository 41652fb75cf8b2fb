"""What somebody asks, as it stands in an address: keys instead of ids; and as the index wants it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.api import utcnow
from rse_core.models.organisation import Entity, Person, Space
from rse_core.search import SearchQuery

from .finding import DATES
from .typed import MAX_TEXT

SORTS = ("relevance", "newest")
#: No row has this id: what is not known finds nothing, as does what one may not see.
NOBODY = -1
_FILTERS = ("kind", "entity", "space", "author", "date")


@dataclass(frozen=True, slots=True)
class Asked:
    """Text and filters. ``date`` is ``week``, ``month`` or ``year``; ``since`` and ``until`` are for the API."""

    text: str = ""
    kind: str = ""
    entity: str = ""
    space: str = ""
    author: str = ""
    date: str = ""
    sort: str = "relevance"
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Asked:
        """From an address; what makes no sense is left out, as an old link should still show something."""
        given = {name: values.get(name, "").replace("\x00", "").strip()[:200] for name in _FILTERS}
        if given["date"] not in DATES:
            given["date"] = ""
        sort = values.get("sort", "")
        text = values.get("q", "").replace("\x00", " ").strip()[:MAX_TEXT]
        order = sort if sort in SORTS else SORTS[0]
        return cls(text, given["kind"], given["entity"], given["space"], given["author"], given["date"], order)

    @property
    def is_empty(self) -> bool:
        """Nothing was asked: no text, and no filter that one could leaf through."""
        return not self.text and not self.filters and self.since is None and self.until is None

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are set, by name."""
        return {name: getattr(self, name) for name in _FILTERS if getattr(self, name)}

    def arguments(self, **changed: str) -> dict[str, str]:
        """For an address: this with something changed; what is not set is left out."""
        other = replace(self, **changed)  # type: ignore[arg-type]
        found = {"q": other.text} | other.filters
        return found | ({"sort": other.sort} if other.sort != SORTS[0] else {})

    @property
    def scope(self) -> str:
        """What a cursor is bound to."""
        parts = "\x1f".join(
            [self.text, *self.filters.keys(), *self.filters.values(), self.sort, str(self.since), str(self.until)]
        )
        return "search:" + hashlib.blake2b(parts.encode("utf-8", "replace"), digest_size=9).hexdigest()

    def query(self, session: Session, *, after: str | None = None, limit: int = 20, facets: bool = True) -> SearchQuery:
        """With ids for keys; one query for each filter that names something."""
        since = utcnow() - dt.timedelta(days=DATES[self.date]) if self.date else self.since
        return SearchQuery(
            self.text,
            kinds=(self.kind,) if self.kind else (),
            entity_id=_id(session, Entity, "key", self.entity),
            space_id=_id(session, Space, "key", self.space),
            author_id=_id(session, Person, "username", self.author),
            since=since,
            until=self.until,
            sort=self.sort,
            after=after,
            limit=limit,
            facets=facets,
        )


def _id(session: Session, model: type[Entity] | type[Space] | type[Person], column: str, key: str) -> int | None:
    if not key:
        return None
    found = session.scalar(select(model.id).where(getattr(model, column) == key))
    return NOBODY if found is None else found
