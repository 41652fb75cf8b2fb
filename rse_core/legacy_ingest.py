"""A batch of publications taken in: pages found or made, what changed written, and told by events.

A page has one key whether a source spoke of it or somebody visited it: both go through :meth:`Pages.identify`. The page
belongs to the source that first published it; another that lists it too (a sitemap beside a feed) changes nothing, unless it
knows the audience and the first does not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import audiences
from .content import ObjectRef
from .contributions import LegacySource, Publication
from .db import utcnow
from .errors import NotFound
from .events import Event, emit
from .i18n import _
from .legacy_state import Counts
from .legacy_text import in_utc, one_line, plain
from .models.content import Page
from .models.organisation import Entity, Group
from .pages import PageClaim, PageIdentity
from .policy import touch_pages

if TYPE_CHECKING:
    from .runtime import Core

TITLE, SUMMARY, BYLINE, SECTION = 500, 1000, 300, 300
#: A clock that is ahead by more than this is not believed.
AHEAD = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Row:
    """What the page's row should say after this publication."""

    title: str
    summary: str
    byline: str
    locale: str
    section: str
    entity_id: int | None
    audience_id: int | None
    published_at: dt.datetime | None


class Ingest:
    """Takes publications of one source in, within the caller's transaction.

    :param first: this is the source's first pass: what has no date was there before.
    """

    def __init__(self, core: Core, session: Session, source: LegacySource, *, first: bool) -> None:
        self.core, self.session, self.source, self.first = core, session, source, first
        self.now = utcnow()
        self.counts = Counts()
        self.warnings: list[str] = []
        self._entities: dict[str, int] = {}
        self._audiences: dict[str, int | None] = {}
        self._stale = False

    def take(self, publications: Sequence[Publication]) -> Counts:
        """Take a batch in; what changed.

        :raises ValueError: for values that no page can hold, as the database's own errors are.
        """
        keys = {_key(p.entity) for p in publications if p.entity}
        keys |= {_key(p.audience)[7:] for p in publications if (p.audience or "").startswith("entity:")}
        if keys:
            rows = self.session.execute(select(Entity.key, Entity.id).where(Entity.key.in_(keys)))
            self._entities = {key: ident for key, ident in rows}
        for publication in publications:
            self.counts.seen += 1
            try:
                self._one(publication)
            except NotFound:
                self.counts.elsewhere += 1
        if self._stale:
            touch_pages(self.session)
        self.session.flush()
        return self.counts

    def _one(self, said: Publication) -> None:
        if not isinstance(said.address, str) or not said.address.strip():
            self.counts.unusable += 1
            return
        claim = PageClaim(
            said.address.strip(), native=said.native, title=one_line(said.title, TITLE) or None,
            section=one_line(said.section, SECTION) or None, lang=one_line(said.lang, 10) or None, trusted=True,
        )  # fmt: skip
        known = self.core.pages.identify(self.session, claim)
        page = self._page(known) if known.known else None
        if said.gone:
            self._gone(page)
            return
        if page is not None and self._of_another(page, said):
            self.counts.others += 1
            return
        if page is not None and not page.source:
            # Somebody was here before the source spoke of it. That is no reason to keep it from the news.
            was_public, new = False, True
        else:
            new = page is None
            was_public = page is not None and page.audience_id is not None and page.gone_at is None
        before = None if page is None else _row_of(page)
        if page is None or self._teaches(claim, known, page):
            known = self.core.pages.identify(self.session, claim, create=True)
            page = self._page(known)
        wanted = self._wanted(said, page, claim)
        back = page.gone_at is not None
        if not new and not back and wanted == before and page.source == self.source.name:
            return
        self._write(page, wanted)
        self.counts.new += new
        self.counts.changed += not new
        self._tell(page, wanted, before, new=new, was_public=was_public)

    def _page(self, known: PageIdentity) -> Page:
        return self.session.scalars(select(Page).where(Page.key == known.ref.id)).one()

    def _of_another(self, page: Page, said: Publication) -> bool:
        if page.source in ("", self.source.name) or page.source not in self.core.plugins.legacy_sources():
            return False
        return page.audience_id is not None or self._audience(said.audience) is None

    def _teaches(self, claim: PageClaim, known: PageIdentity, page: Page) -> bool:
        if not known.settled or (claim.title and claim.title != page.title):
            return True
        address = self.core.pages.book.parse(claim.address).key
        return address != page.address or bool(claim.section and claim.section != page.section)

    def _wanted(self, said: Publication, page: Page, claim: PageClaim) -> _Row:
        zone = self.core.settings.timezone
        published = in_utc(said.published_at, zone)
        if published is not None and published > self.now + AHEAD:
            published = self.now
        if published is None:
            published = page.published_at
            if published is None and not self.first and page.source != self.source.name:
                published = in_utc(said.updated_at, zone) or self.now
        entity = self._entities.get(_key(said.entity)) if said.entity else None
        byline = one_line(said.byline, BYLINE)
        if said.entity and entity is None:
            byline = byline or one_line(said.entity, BYLINE)
            self._warn(_("There is no entity with the id “%(key)s”.", key=_key(said.entity)))
        return _Row(
            title=page.title, summary=plain(said.summary, SUMMARY), byline=byline, locale=claim.lang or page.locale,
            section=page.section, entity_id=entity, audience_id=self._audience(said.audience), published_at=published,
        )  # fmt: skip

    def _audience(self, name: str | None) -> int | None:
        """The audience of that name; None when it is unknown, for whatever reason: nothing is shown to too many."""
        if not name:
            return None
        name = _key(name)
        if name not in self._audiences:
            self._audiences[name] = self._find_audience(name)
        return self._audiences[name]

    def _find_audience(self, name: str) -> int | None:
        kind, _sep, key = name.partition(":")
        if name == "everyone":
            return audiences.everyone(self.session)
        if kind == "entity" and key in self._entities:
            return audiences.of_entity(self.session, self._entities[key])
        if kind == "group":
            group = self.session.scalar(select(Group.id).where(Group.key == key))
            if group is not None:
                return audiences.of_group(self.session, group)
        self._warn(_("There is no audience “%(name)s”: what is for it is kept as a link only.", name=name))
        return None

    def _write(self, page: Page, wanted: _Row) -> None:
        self._stale |= page.audience_id != wanted.audience_id or page.gone_at is not None
        for name in ("summary", "byline", "locale", "entity_id", "audience_id", "published_at"):
            setattr(page, name, getattr(wanted, name))
        page.source, page.gone_at = self.source.name, None
        self.session.flush()

    def _gone(self, page: Page | None) -> None:
        if page is None or page.gone_at is not None or page.source not in ("", self.source.name):
            return
        page.gone_at = self.now
        self._stale = True
        self.counts.gone += 1
        self._emit("page.gone", page, {"reason": "gone"})

    def _tell(self, page: Page, wanted: _Row, before: _Row | None, *, new: bool, was_public: bool) -> None:
        if wanted.audience_id is None:
            if was_public:
                # It stands where it stood, but nobody knows for whom.
                self._emit("page.gone", page, {"reason": "audience"})
            return
        if was_public and before is not None:
            fields = [name for name in _Row.__dataclass_fields__ if getattr(before, name) != getattr(wanted, name)]
            if not fields:
                return
            data: dict[str, Any] = {"fields": fields}
            if "audience_id" in fields:
                data["audience_before"] = before.audience_id
            self._emit("page.updated", page, data)
            return
        recent = wanted.published_at is not None and wanted.published_at >= self.now - dt.timedelta(
            days=self.source.first_days
        )
        if recent:
            self.counts.announced += 1
            self._emit("page.published", page, {})
        else:
            # An index wants to know of it; the news do not.
            self._emit("page.updated", page, {"fields": [], "archive": True})

    def _emit(self, name: str, page: Page, data: dict[str, Any]) -> None:
        published = page.published_at.isoformat() if page.published_at else None
        data = {"source": self.source.name, "published_at": published, **data}
        emit(self.session, Event(name, None, ObjectRef("page", page.key), page.audience_id, data))

    def _warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)


def _row_of(page: Page) -> _Row:
    return _Row(**{name: getattr(page, name) for name in _Row.__dataclass_fields__})


def _key(name: str | None) -> str:
    return one_line(name, 200)
