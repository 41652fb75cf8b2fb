"""Tutorials and levels as objects: for the search, which trims tutorials by their level, and for notifications."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.api import ContentInfo, ContentType, Event, Level, ObjectRef, SearchDocument, core_of, emit, translator
from rse_core.audiences import everyone
from rse_core.richtext import plain

from . import shipped
from .editing import CHANGED, ref_of
from .models import Indexed, SitePage
from .tutorials import READS, SITE, site_id

_t = translator(__file__, "rse_onboarding")
_, lazy = _t.gettext, _t.lazy
LEVEL = "onboarding.level"


def types() -> list[ContentType]:
    """One for each level's tutorials, so that they are found from that level on, and one for the levels themselves."""
    found = [
        ContentType(
            f"onboarding.tutorial{int(level)}", lazy("tutorial"), _resolver(level), searchable=True, moderated=False,
            refs=_lister(level), reads=key,
        )
        for level, key in READS.items()
    ]  # fmt: skip
    return [*found, ContentType(LEVEL, lazy("level of interactivity"), resolve_levels, moderated=False)]


def resolve_levels(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
    """A level, whose page is that of what one can do."""
    url, audience = f"{core_of(session).settings.url_prefix}/onboarding/", everyone(session)
    known = {str(int(level)): level for level in Level}
    return {
        one: ContentInfo(ObjectRef(LEVEL, one), str(known[one].label), url, audience) for one in ids if one in known
    }


def documents(session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
    """Tutorials, each in its own language."""
    audience = everyone(session)
    for level in READS:
        mine = [ref.id for ref in refs if ref.type == f"onboarding.tutorial{int(level)}"]
        for ident, (title, body) in _texts(session, level, mine).items():
            yield SearchDocument(
                ref_of(int(level), ident), title, plain(body, 4_000), audience, kind="tutorial"
            )


def follow_shipped(session: Session) -> None:
    """The job: what plugins bring that is new, changed or gone since it was last looked at is given to the search."""
    known = {row.key: row for row in session.scalars(select(Indexed))}
    wanted = {
        f"{key}.{locale}": (int(tutorial.level), shipped.text(tutorial, locale).fingerprint)
        for key, (_plugin, tutorial) in shipped.offered(core_of(session)).items()
        for locale in shipped.LOCALES
    }
    for key in known.keys() | wanted.keys():
        row, now = known.get(key), wanted.get(key)
        if row is not None and now is not None and (row.level, row.fingerprint) == now:
            continue
        for level in {row.level if row else None, now[0] if now else None} - {None}:
            emit(session, Event(CHANGED, None, ref_of(int(level or 0), key)))
        if now is None and row is not None:
            session.delete(row)
        elif now is not None:
            session.merge(Indexed(key=key, level=now[0], fingerprint=now[1]))


def _resolver(level: Level) -> Callable[[Session, Sequence[str]], Mapping[str, ContentInfo]]:
    def resolve(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
        prefix, audience = core_of(session).settings.url_prefix, everyone(session)
        return {
            ident: ContentInfo(
                ref_of(int(level), ident), title,
                f"{prefix}/onboarding/tutorials/{ident if ident.startswith(SITE) else ident.rpartition('.')[0]}", audience,
            )
            for ident, (title, _body) in _texts(session, level, ids).items()
        }  # fmt: skip

    return resolve


def _lister(level: Level) -> Callable[[Session, str | None, int], Sequence[str]]:
    def listed(session: Session, after: str | None, limit: int) -> Sequence[str]:
        pages = session.scalars(select(SitePage.id).where(SitePage.level == int(level)))
        found = [f"{SITE}{number}" for number in pages] + [
            f"{key}.{locale}"
            for key, (_plugin, tutorial) in shipped.offered(core_of(session)).items()
            if tutorial.level == level
            for locale in shipped.LOCALES
        ]
        return sorted(one for one in found if after is None or one > after)[:limit]

    return listed


def _texts(session: Session, level: Level, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    numbers = {number: ident for ident in ids if (number := site_id(ident)) is not None}
    if numbers:
        rows = session.scalars(select(SitePage).where(SitePage.id.in_(numbers), SitePage.level == int(level)))
        found |= {numbers[row.id]: (row.title, row.body) for row in rows}
    offered = shipped.offered(core_of(session))
    for ident in ids:
        key, _dot, locale = ident.rpartition(".")
        if key in offered and locale in shipped.LOCALES and offered[key][1].level == level:
            text = shipped.text(offered[key][1], locale)
            found[ident] = (text.title, text.body)
    return found
