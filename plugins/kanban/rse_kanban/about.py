"""What a card is about: a post, a comment, a page of the intranet, a document. Each reader sees what they may see."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, ContentInfo, NotFound, ObjectRef, core_of, dialect_insert, resolve, seen, translator

from . import access
from .changes import note, touched
from .models import CardRef

_ = translator(__file__, "rse_kanban").gettext
MOST = 50
#: Cards have links of their own to one another.
NOT_THESE = frozenset({access.CARD, access.BOARD})


def of_card(session: Session, person_id: int, card_id: int) -> Sequence[ContentInfo]:
    """The objects that a card is about, as far as the reader sees them."""
    rows = session.execute(
        select(CardRef.ref_type, CardRef.ref_id).where(CardRef.card_id == card_id).order_by(CardRef.ref_type, CardRef.ref_id)
    ).all()
    refs = [ObjectRef(kind, ident) for kind, ident in rows]
    return list(seen(session, person_id, refs).values()) if refs else []


def find(session: Session, link: str, *, host: str = "") -> ObjectRef:
    """The object at an address that somebody copied from their browser.

    :param host: under which these pages are served; other hosts are the intranet's.
    :raises BadInput: for an address at which nothing is known. Whether the person may see it is asked afterwards.
    """
    message = _("Nothing is known at this address.")
    unknown = BadInput(message, remedy=_("Copy the address of a post, a page or a document."), fields={"link": message})
    if not link.strip() or len(link) > 2_000:
        raise unknown
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        raise unknown from None
    core = core_of(session)
    prefix = core.settings.url_prefix
    if parts.path.startswith(f"{prefix}/") and parts.netloc in ("", host):
        ident = parts.path.rstrip("/").rpartition("/")[2]
        refs = [ObjectRef(kind, ident) for kind in core.plugins.content_types if kind != "page"]
        for ref, info in resolve(session, refs).items():
            if urlsplit(info.url).path.rstrip("/") == parts.path.rstrip("/"):
                return ref
    else:
        try:
            page = core.pages.resolve_ref(session, link.strip())
        except NotFound:
            page = None
        if page is not None and page.known and not page.gone:
            return page.ref
    raise unknown


def add(session: Session, person_id: int, card_id: int, ref: ObjectRef) -> None:
    """Say that a card is about an object; twice is once.

    :raises BadInput: for what the person does not see, in the words for what there is not; and for a card.
    """
    card, chair = access.open_card(session, person_id, card_id, lock=True)
    chair.need_write()
    if ref.type in NOT_THESE:
        message = _("A card is linked to another by its number.")
        raise BadInput(message, fields={"link": message})
    if ref not in seen(session, person_id, [ref]):
        message = _("Nothing is known at this address.")
        raise BadInput(message, remedy=_("Copy the address of a post, a page or a document."), fields={"link": message})
    if (session.scalar(select(func.count()).where(CardRef.card_id == card.id)) or 0) >= MOST:
        raise BadInput(_("At most %(most)s links start from one card.", most=str(MOST)))
    made = session.execute(
        dialect_insert(session, CardRef).values(card_id=card.id, ref_type=ref.type, ref_id=ref.id)
        .on_conflict_do_nothing().returning(CardRef.card_id)
    ).first()  # fmt: skip
    if made is not None:
        note(session, chair.board, card, person_id, "linked")
        touched(session, chair.board, card)


def remove(session: Session, person_id: int, card_id: int, ref: ObjectRef) -> None:
    """It is not about that any more; nothing happens when it was not."""
    card, chair = access.open_card(session, person_id, card_id, lock=True)
    chair.need_write()
    gone = session.execute(
        delete(CardRef).where(CardRef.card_id == card.id, CardRef.ref_type == ref.type, CardRef.ref_id == ref.id)
        .returning(CardRef.card_id).execution_options(synchronize_session=False)
    ).first()  # fmt: skip
    if gone is not None:
        note(session, chair.board, card, person_id, "unlinked")
        touched(session, chair.board, card)
