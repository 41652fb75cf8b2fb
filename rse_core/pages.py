"""The ``page`` type: pages of the existing intranet, known by native id, then canonical, then normalised address.

A page is never known by its host. What a *browser* says of a page may create it, and counts for the person who said it; it
counts for everybody once a second person's browser says the same. What the server's side says (the injector, a command:
``trusted``) counts at once. That is how a rename or a redirect keeps the reactions, and why one person cannot move another
page's thread.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .addresses import Address, AddressBook
from .audit import Actor, record
from .content import ContentInfo, ContentType, ObjectRef
from .db import utcnow
from .errors import Conflict, NotFound, RseError
from .events import Event, emit
from .i18n import _, lazy
from .legacy_text import squeezed, title_of
from .models.content import Page, PageAlias
from .models.organisation import Entity
from .policy import Target

if TYPE_CHECKING:
    from .runtime import Core

_CACHE = 20_000
_SEEN_EVERY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PageClaim:
    """What a page, or whoever embeds it, says of itself. ``native`` is ``<profile>:<id>``, e.g. ``wordpress:42``."""

    address: str
    canonical: str | None = None
    native: str | None = None
    title: str | None = None
    section: str | None = None
    lang: str | None = None
    trusted: bool = False
    #: whose browser says so; None for a trusted claim
    person_id: int | None = None


@dataclass(frozen=True, slots=True)
class PageIdentity:
    """A page as RSE knows it; ``known`` is False for one that has no row yet. ``settled`` is False when the claim says
    something that is not known yet: identifying it again with ``create`` would learn it."""

    ref: ObjectRef
    address: str
    title: str
    sections: tuple[str, ...]
    audience_id: int | None = None
    known: bool = False
    locked: bool = False
    gone: bool = False
    settled: bool = True
    #: a source of the intranet's content has listed it: a publication, not any page
    listed: bool = False


class Pages:
    """The core's service for pages; one per :class:`~rse_core.runtime.Core`."""

    def __init__(self, core: Core) -> None:
        self.core = core
        settings = core.settings
        self.book = AddressBook(settings.legacy_origins, settings.legacy_sites, settings.page_parameters)
        self._cache: dict[str, PageIdentity] = {}
        self._version = -1
        self._lock = threading.Lock()

    # -- finding ---------------------------------------------------------------------------------------------------

    def identify(self, session: Session, claim: PageClaim, *, create: bool = False) -> PageIdentity:
        """The page that a claim speaks of.

        :param create: make its row when there is none; needs a writing session.
        :raises NotFound: when the address is outside the configured origins.
        """
        address = self.book.parse(claim.address)
        canonical = self._canonical(address, claim.canonical)
        names = self._names(address, canonical, claim.native)
        found = self._lookup(session, names, claim.person_id)
        if found is not None and self._is_another(found, claim):
            found, canonical = None, self._free(session, canonical)
        if found is None:
            if not create:
                return replace(self._unknown(canonical), settled=False)
            found = self._create(session, canonical, claim)
            with self._lock:
                # What was unknown a moment ago is known now; other processes find out when they write.
                self._cache.pop(address.key, None)
                self._cache.pop(canonical.key, None)
        if create:
            self._learn(session, found, names, canonical, claim)
            return self._identity(found)
        return replace(self._identity(found), settled=self._settled(session, found, names, claim))

    def resolve_ref(self, session: Session, ident: str) -> PageIdentity:
        """The page behind ``page:<ident>``: a key, an address it has or had, or an absolute URL.

        :raises NotFound: when that is no address of the intranet.
        """
        address = self.book.parse(ident)
        with self._lock:
            version = self.core.policy.version()
            if version != self._version:
                self._cache.clear()
                self._version = version
            hit = self._cache.get(address.key)
        if hit is not None:
            return hit
        found = self._lookup(session, [address.key])
        identity = self._unknown(address) if found is None else self._identity(found)
        with self._lock:
            if len(self._cache) >= _CACHE:
                self._cache.clear()
            self._cache[address.key] = identity
        return identity

    def target(self, session: Session, ref: ObjectRef) -> Target | None:
        """What the policy needs of a page; None outside the intranet."""
        try:
            page = self.resolve_ref(session, ref.id)
        except NotFound:
            return None
        return Target(
            audience_id=page.audience_id or self.core.policy.everyone(), sections=page.sections, ref=page.ref
        )

    def target_of(self, page: PageIdentity) -> Target:
        """The same for a page already identified."""
        return Target(
            audience_id=page.audience_id or self.core.policy.everyone(), sections=page.sections, ref=page.ref
        )

    def content_type(self) -> ContentType:
        """The ``page`` type, registered by the core itself."""
        return ContentType(
            "page", lazy("page"), self._resolve, likable=True, commentable=True, searchable=True, moderated=False,
            refs=_keys,
        )  # fmt: skip

    # -- changing --------------------------------------------------------------------------------------------------

    def ensure(self, session: Session, ref: ObjectRef) -> PageIdentity:
        """The page's row exists after this; called by whatever attaches something to it.

        :raises NotFound: outside the intranet.
        """
        page = self.resolve_ref(session, ref.id)
        return page if page.known else self.identify(session, PageClaim(page.address), create=True)

    def remap(self, session: Session, old: str, new: str, actor: Actor) -> PageIdentity:
        """The page known at ``old`` now stands at ``new``; what is attached to it follows.

        :raises NotFound: when nothing is known at the old address.
        :raises Conflict: when the new address belongs to another page with its own row (merge is not guessed).
        """
        before, after = self.book.parse(old), self.book.parse(new)
        page = self._lookup(session, [before.key])
        if page is None:
            raise NotFound(_("No page is known at %(address)s.", address=before.key), remedy=_("See rse pages list."))
        other = self._lookup(session, [after.key])
        if other is not None and other.id != page.id:
            raise Conflict(
                _("%(address)s is already another page with a thread of its own.", address=after.key),
                remedy=_("Choose another address, or remap that page first."),
            )
        previous = page.address
        page.address, page.gone_at = after.key, None
        self._add_alias(session, page, after.key, trusted=True)
        record(session, actor, "page.remap", f"page:{page.key}", before=previous, after=after.key)
        emit(session, Event("page.moved", actor.person_id, ObjectRef("page", page.key), data={"from": previous}))
        self._touch(session)
        session.flush()
        return self._identity(page)

    def lock(self, session: Session, ref: ObjectRef, locked: bool, actor: Actor) -> PageIdentity:
        """Close or open writing on one page; what stands there stays."""
        identity = self.ensure(session, ref)
        page = self._lookup(session, [identity.ref.id])
        assert page is not None  # noqa: S101  ensure() made it
        page.locked_at = utcnow() if locked else None
        record(session, actor, "page.lock" if locked else "page.unlock", f"page:{page.key}")
        self._touch(session)
        session.flush()
        return self._identity(page)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _canonical(self, address: Address, canonical: str | None) -> Address:
        # Behind single sign-on some intranets print a canonical with their internal host: only its path counts then,
        # and one that names another configured site is not believed.
        if not canonical:
            return address
        try:
            parsed = self.book.of_site(address.site, canonical)
        except NotFound:
            from urllib.parse import urlsplit

            try:
                parts = urlsplit(canonical)
                path = parts.path or "/"
                parsed = self.book.of_site(address.site, f"{path}?{parts.query}" if parts.query else path)
            except (NotFound, ValueError):
                return address
        # A home page as everybody's canonical is a common template mistake that would fold all threads into one.
        if parsed.site != address.site or (parsed.path == "/" and address.path != "/"):
            return address
        return parsed

    def _names(self, address: Address, canonical: Address, native: str | None) -> list[str]:
        names = []
        if native and len(native) <= 200 and native.isprintable() and ":" in native:
            names.append(f"native:{address.site}:{native}")
        names += [canonical.key, address.key]
        return list(dict.fromkeys(names))

    def _lookup(self, session: Session, names: Sequence[str], person_id: int | None = None) -> Page | None:
        counts: ColumnElement[bool] = PageAlias.trusted.is_(True)
        if person_id is not None:
            counts = or_(counts, PageAlias.claimed_by == person_id)
        rows = session.execute(
            select(PageAlias.alias, Page)
            .join(Page, Page.id == PageAlias.page_id)
            .where(PageAlias.alias.in_(names), counts)
        ).all()
        found = {alias: page for alias, page in rows}
        return next((found[name] for name in names if name in found), None)

    def _is_another(self, page: Page, claim: PageClaim) -> bool:
        """Whether the server's side says, by the page's native id, that a new page stands where this one stood."""
        old, new = page.native_id, claim.native
        if not claim.trusted or not old or not new or old == new:
            return False
        return old.partition(":")[0] == new.partition(":")[0]

    def _free(self, session: Session, address: Address) -> Address:
        """A key for a new page at an address whose key another page keeps."""
        number = 2
        while session.scalar(select(Page.id).where(Page.key == f"{address.key}~{number}")) is not None:
            number += 1
        return replace(address, path=f"{address.path}~{number}")

    def _settled(self, session: Session, page: Page, names: Sequence[str], claim: PageClaim) -> bool:
        """Whether this claim teaches nothing: every name is known, or this person has said it before."""
        known = session.execute(
            select(PageAlias.alias).where(
                PageAlias.alias.in_(names), or_(PageAlias.trusted.is_(True), PageAlias.claimed_by == claim.person_id)
            )
        ).all()
        return len(known) == len(names) and bool(page.title or not claim.title)

    def _create(self, session: Session, address: Address, claim: PageClaim) -> Page:
        now = utcnow()
        page = Page(key=address.key, site=address.site, address=address.key, first_seen=now, last_seen=now)
        page.locale = _clean(claim.lang, 10)
        page.native_id = claim.native if claim.native and len(claim.native) <= 200 else None
        try:
            with session.begin_nested():
                session.add(page)
                session.flush()
                # A page is always known by its key: that is what the key is.
                self._add_alias(session, page, page.key, trusted=True)
                session.flush()
        except IntegrityError:
            other = session.scalar(select(Page).where(Page.key == address.key))
            if other is None:
                raise
            return other
        return page

    def _learn(self, session: Session, page: Page, names: Sequence[str], canonical: Address, claim: PageClaim) -> None:
        now = utcnow()
        for name in names:
            self._add_alias(session, page, name, trusted=claim.trusted, person_id=claim.person_id)
        title = _clean(claim.title, 500)
        if title and title != page.title and (claim.trusted or not page.title):
            page.title = title
        if claim.trusted:
            section = _clean(claim.section, 300)
            moved = canonical.key != page.address
            if moved or (section and section != page.section):
                if moved:
                    emit(session, Event("page.moved", None, ObjectRef("page", page.key), data={"from": page.address}))
                page.address, page.section = canonical.key, section or page.section
                self._touch(session)
        if now - page.last_seen > _SEEN_EVERY:
            page.last_seen, page.gone_at = now, None
        session.flush()

    def _add_alias(
        self, session: Session, page: Page, alias: str, *, trusted: bool, person_id: int | None = None
    ) -> None:
        if len(alias) > 520:
            return
        existing = session.scalar(select(PageAlias).where(PageAlias.alias == alias))
        counts = trusted
        if existing is None:
            session.add(PageAlias(alias=alias, page_id=page.id, trusted=trusted, claimed_by=person_id))
        elif existing.trusted:
            # Settled. A trusted source may still say that the address now belongs to another page; but what is a page's own
            # key stays with it, as its reactions and comments are kept under that.
            if not trusted or existing.page_id == page.id:
                return
            if session.scalar(select(Page.id).where(Page.key == alias)) is not None:
                return
            existing.page_id = page.id
        elif trusted or (existing.page_id == page.id and existing.claimed_by != person_id):
            existing.page_id, existing.trusted, counts = page.id, True, True
        elif existing.claimed_by != person_id:
            # Two people's browsers disagree: the later word stands, for that person alone.
            existing.page_id, existing.claimed_by = page.id, person_id
        if counts and alias != page.key and not alias.startswith("native:"):
            # Until now this address was taken for a page of its own, here and in other processes.
            self._touch(session)

    def _touch(self, session: Session) -> None:
        from .policy import touch_pages

        touch_pages(session)

    def _unknown(self, address: Address) -> PageIdentity:
        return PageIdentity(ObjectRef("page", address.key), address.key, "", (address.path.partition("?")[0],))

    def _identity(self, page: Page) -> PageIdentity:
        path = page.address.partition("?")[0]
        if page.site:
            path = path.removeprefix(f"{page.site}:")
        sections = (path, page.section) if page.section.startswith("/") else (path,)
        return PageIdentity(
            ObjectRef("page", page.key), page.address, page.title, sections, page.audience_id, True,
            page.locked_at is not None, page.gone_at is not None, listed=bool(page.source),
        )  # fmt: skip

    def _resolve(self, session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
        keys: dict[str, str] = {}
        for ident in ids:
            try:
                keys[ident] = self.book.parse(ident).key
            except NotFound:
                continue
        rows = session.execute(
            select(PageAlias.alias, Page, Entity.name)
            .join(Page, Page.id == PageAlias.page_id)
            .outerjoin(Entity, Entity.id == Page.entity_id)
            .where(PageAlias.alias.in_(set(keys.values())), PageAlias.trusted.is_(True))
        ).all()
        pages = {alias: (page, entity) for alias, page, entity in rows}
        everyone = self.core.policy.everyone()
        out: dict[str, ContentInfo] = {}
        for ident, key in keys.items():
            page, entity = pages.get(key, (None, None))
            known = self._unknown(self.book.parse(key)) if page is None else self._identity(page)
            state = "deleted" if known.gone else "locked" if known.locked else "published"
            out[ident] = ContentInfo(
                ref=known.ref,
                title=known.title or (title_of(known.address) if page is not None and page.source else known.address),
                url=known.address.split(":", 1)[-1] if not known.address.startswith("/") else known.address,
                audience_id=known.audience_id or everyone,
                sections=known.sections,
                state=state,
                created_at=None if page is None else page.published_at,
                extra={} if page is None else _published(page, entity),
            )
        return out


def _published(page: Page, entity: str | None) -> dict[str, str]:
    """What a source told of the page, for those who show it: by whom it was published, in what words."""
    told = {"entity": entity or "", "byline": page.byline, "summary": page.summary, "source": page.source}
    return {name: text for name, text in told.items() if text}


def list_pages(session: Session, *, after: int = 0, limit: int = 50, prefix: str | None = None) -> list[Page]:
    """Known pages by keyset on their row id."""
    query = select(Page).where(Page.id > after).order_by(Page.id).limit(limit)
    if prefix:
        query = query.where(Page.address.startswith(prefix, autoescape=True))
    return list(session.scalars(query))


def _keys(session: Session, after: str | None, limit: int) -> list[str]:
    return list(session.scalars(select(Page.key).where(Page.key > (after or "")).order_by(Page.key).limit(limit)))


def set_section(session: Session, core: Core, address: str, section: str, actor: Actor) -> PageIdentity:
    """Say in which section a page stands, when its address does not.

    :raises RseError: unless the section is written as a path.
    """
    if not section.startswith("/"):
        raise RseError(_("“%(section)s” is not a section.", section=section), remedy=_("Write it as a path, /hr."))
    page = core.pages.ensure(session, core.pages.resolve_ref(session, address).ref)
    session.execute(update(Page).where(Page.key == page.ref.id).values(section=section))
    record(session, actor, "page.section", str(page.ref), before=list(page.sections), after=section)
    from .policy import touch_pages

    touch_pages(session)
    session.expire_all()
    return core.pages.identify(session, PageClaim(page.address))


def _clean(text: str | None, length: int) -> str:
    return squeezed(text or "")[:length]
