"""The site's own tutorials, written by its administrators."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rse_core.api import (
    Actor,
    BadInput,
    Conflict,
    Event,
    Forbidden,
    Level,
    NotFound,
    ObjectRef,
    emit,
    record,
    translator,
    utcnow,
)
from rse_core.richtext import clean
from rse_core.roles import is_site_admin

from .models import Note, SitePage
from .options import address
from .tutorials import SITE, Page, of_row

_ = translator(__file__, "rse_onboarding").gettext

#: Pages of a site's own.
MOST = 200
MOST_TEXT = 20_000
LOCALES = ("", "fr", "en")
CHANGED = "onboarding.page_changed"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a form or a program gives."""

    title: str
    body: str
    level: int
    locale: str = ""
    order: int = 100
    video: str = ""


def require_admin(session: Session, person_id: int | None) -> None:
    """:raises Forbidden: for who does not administer the site."""
    if not is_site_admin(session, person_id):
        raise Forbidden(_("Tutorials are written by the administrators of the site."))


def all_of(session: Session, person_id: int) -> list[Page]:
    """All of the site's own, for its administrators, in every language.

    :raises Forbidden: for anybody else.
    """
    require_admin(session, person_id)
    rows = session.scalars(select(SitePage).order_by(SitePage.level, SitePage.position, SitePage.id))
    return [of_row(row) for row in rows]


def get(session: Session, person_id: int, number: int) -> Page:
    """One of them.

    :raises NotFound: when there is none.
    """
    require_admin(session, person_id)
    return of_row(_row(session, number))


def add(session: Session, actor: Actor, draft: Draft) -> Page:
    """Write a new one.

    :raises BadInput: names each field that cannot be used.
    :raises Conflict: when the site has as many as it may.
    """
    require_admin(session, actor.person_id)
    draft = _checked(draft)
    if (session.scalar(select(func.count()).select_from(SitePage)) or 0) >= MOST:
        raise Conflict(_("The site has %(most)s tutorials.", most=str(MOST)), remedy=_("Delete one that is out of date."))
    row = SitePage()
    _fill(row, draft)
    session.add(row)
    session.flush()
    record(session, actor, "onboarding.page.add", f"{SITE}{row.id}", after={"title": row.title, "level": row.level})
    emit(session, Event(CHANGED, actor.person_id, ref_of(row.level, row.id)))
    return of_row(row)


def change(session: Session, actor: Actor, number: int, draft: Draft, *, version: int) -> Page:
    """Change one.

    :param version: the one that was read.
    :raises Conflict: when somebody else has changed it since.
    """
    require_admin(session, actor.person_id)
    draft = _checked(draft)
    row = _row(session, number, lock=True)
    if row.version != version:
        raise Conflict(_("Somebody has changed this tutorial meanwhile."), remedy=_("Look at it anew, then change it."))
    was, before = row.level, {"title": row.title, "level": row.level}
    _fill(row, draft)
    row.changed_at, row.version = utcnow(), version + 1
    session.flush()
    after = {"title": row.title, "level": row.level}
    record(session, actor, "onboarding.page.change", f"{SITE}{number}", before=before, after=after)
    for level in {was, row.level}:
        emit(session, Event(CHANGED, actor.person_id, ref_of(level, number)))
    return of_row(row)


def remove(session: Session, actor: Actor, number: int) -> None:
    """Delete one, with what people noted of it.

    :raises NotFound: when there is none.
    """
    require_admin(session, actor.person_id)
    row = _row(session, number, lock=True)
    ref, before = ref_of(row.level, number), {"title": row.title, "level": row.level}
    session.delete(row)
    session.execute(delete(Note).where(Note.tutorial == f"{SITE}{number}").execution_options(synchronize_session=False))
    session.flush()
    record(session, actor, "onboarding.page.remove", f"{SITE}{number}", before=before)
    emit(session, Event(CHANGED, actor.person_id, ref))


def ref_of(level: int, ident: int | str) -> ObjectRef:
    """The reference by which the search knows a tutorial: its type says from which level it is found."""
    return ObjectRef(f"onboarding.tutorial{level}", f"{SITE}{ident}" if isinstance(ident, int) else ident)


def _row(session: Session, number: int, *, lock: bool = False) -> SitePage:
    row = session.get(SitePage, number, with_for_update=lock)
    if row is None:
        raise NotFound(_("There is no such tutorial."))
    return row


def _fill(row: SitePage, draft: Draft) -> None:
    row.title, row.body, row.level, row.locale = draft.title, draft.body, draft.level, draft.locale
    row.position, row.video = draft.order, draft.video


def _checked(draft: Draft) -> Draft:
    fields: dict[str, str] = {}
    title, body = " ".join(clean(draft.title).split()), clean(draft.body)
    if not title or len(title) > 200:
        fields["title"] = _("The title has 1 to 200 characters.")
    if not body or len(body) > MOST_TEXT:
        fields["body"] = _("The text has 1 to %(most)s characters.", most=str(MOST_TEXT))
    if not Level.INFORM < draft.level <= Level.COCREATE:
        fields["level"] = _("Choose the level from which it is shown.")
    if draft.locale not in LOCALES:
        fields["locale"] = _("Choose French, English, or every language.")
    if not 0 <= draft.order <= 9_999:
        fields["order"] = _("Give a number from 0 to 9999.")
    video = ""
    try:
        video = address(draft.video)
    except BadInput as error:
        fields["video"] = f"{error} {error.remedy}"
    if fields:
        raise BadInput(_("Some fields are not right yet."), fields=fields)
    return Draft(title, body, int(draft.level), draft.locale, draft.order, video)
