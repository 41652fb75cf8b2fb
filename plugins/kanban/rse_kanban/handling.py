"""What moderators can do to cards, whoever offers it to them: take down, show again, correct what waits, empty for good.

Whoever calls these has made sure that the actor may.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from rse_core import files, mentions, moderation
from rse_core.api import Actor, Conflict, Handling, NotFound, record, translator

from . import access, ending, objects, placing, telling, versions
from .cards import BODY_MOST, TITLE_MOST
from .changes import Full, note, passed, tell, touched
from .models import Board, Card, Column
from .texts import check_name, check_text

_ = translator(__file__, "rse_kanban").gettext
REASON_MOST = 500


def hide(session: Session, ident: str, actor: Actor, reason: str) -> None:
    """Take a card down: it leaves its column, and only its author and the moderators see it."""
    card, board = _locked(session, ident, "open", "archived", "pending")
    ref, before = access.card_ref(card.id), card.state
    if card.rank is not None:
        passed(session, board, card, actor.person_id, card.column_id, None)
    tell(session, board, card, actor.person_id, "withdrawn")
    telling.untell(session, card)
    mentions.forget(session, ref)
    moderation.withdraw(session, ref)
    card.state, card.reason, card.rank, card.remind_at = "hidden", reason[:REASON_MOST], None, None
    note(session, board, card, actor.person_id, "hidden")
    touched(session, board, card, ["state", "place"])
    record(session, actor, "kanban.hide", str(ref), before=before, after="hidden", why=reason)


def restore(session: Session, ident: str, actor: Actor) -> None:
    """Show again what was taken down or deleted, in its column, or in the first that has room; nobody is told anew.

    :raises Full: when no column takes a further card.
    """
    card, board = _locked(session, ident, "hidden", "deleted")
    if card.state == "deleted" and card.was in ("pending", "refused"):
        raise Conflict(_("This card was never published."))
    before = card.state
    ending.put_back(session, board, card, _with_room(session, card), actor.person_id)
    record(session, actor, "kanban.restore", str(access.card_ref(card.id)), before=before, after="open")


def amend(session: Session, ident: str, actor: Actor, text: str) -> None:
    """Correct a card that waits: the first line is its title, what follows is its text. What it said before stays in its
    history.

    :raises BadInput: when no title is left, or one of both is too long.
    """
    card, board = _locked(session, ident, "pending")
    first, _line, rest = text.strip().partition("\n")
    title, body = check_name(first, "body", TITLE_MOST), check_text(rest, "body", BODY_MOST)
    differing = [name for name, new in (("title", title), ("body", body)) if new != getattr(card, name)]
    if not differing:
        return
    before = card.title, card.body
    card.title, card.body = title, body
    versions.keep(session, card, actor.person_id, *before)
    note(session, board, card, actor.person_id, "edited", fields=sorted(differing))
    touched(session, board, card, differing)
    record(session, actor, "kanban.amend", str(access.card_ref(card.id)))


def purge(session: Session, ident: str) -> None:
    """A deleted card goes for good, files and all."""
    card = session.get(Card, int(ident)) if ident.isdecimal() and len(ident) < 19 else None
    if card is not None and card.state == "deleted":
        files.forget(session, access.card_ref(card.id))
        session.delete(card)


def _with_room(session: Session, card: Card) -> Column:
    present = placing.columns_of(session, card.board_id)
    present.sort(key=lambda column: column.id != card.column_id)
    for column in present:
        try:
            placing.check_room(session, column)
        except Full:
            continue
        return column
    raise Full(_("No column of this board takes a further card."), remedy=_("Move a card out of one first."))


def _locked(session: Session, ident: str, *states: str) -> tuple[Card, Board]:
    """The card and its board, both held."""
    number = int(ident) if ident.isdecimal() and len(ident) < 19 else 0
    board = access.get_board(session, access.get_card(session, number).board_id, lock=True)
    card = access.get_card(session, number)
    if card.board_id != board.id:
        raise NotFound(_("There is no such card."), remedy=_("It may have been deleted; look at its board."))
    if card.state not in states:
        raise Conflict(_("This cannot be done to the card as it is now."), remedy=_("Load its page again."))
    return card, board


HANDLING = Handling(text=objects.texts, hide=hide, restore=restore, amend=amend, purge=purge)
