"""One act on many cards: each by the service that acts on one, with its version; what cannot be done is named card by card.

Moving many is :func:`moving.move_many`, which keeps their order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, RseError, translator
from rse_core.ratelimit import limit

from . import access, cards, ending
from .cards import Written
from .models import Board, Card
from .moving import MOST, Refused

_ = translator(__file__, "rse_kanban").gettext
ACTS = ("archive", "restore", "delete", "assign", "unassign", "label", "unlabel", "due")
#: What takes an act back; only of the cards that it changed.
BACK = {
    "archive": "restore", "delete": "restore", "assign": "unassign", "unassign": "assign", "label": "unlabel",
    "unlabel": "label",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be done. ``people``: ids, for (un)assign; ``label``: its id; ``due_at`` None: no date any more."""

    kind: str
    people: Sequence[int] = ()
    label: int | None = None
    due_at: dt.datetime | None = None


def apply(
    session: Session, person_id: int, wanted: Sequence[tuple[int, int | None]], act: Act
) -> tuple[list[Card], list[Refused]]:
    """Do it to many cards.

    :param wanted: number and version of each.
    :returns: the cards that it changed; those that were so already are in neither list.
    """
    if not wanted:
        raise BadInput(_("Choose at least one card."), fields={"cards": _("None is chosen.")})
    if len(wanted) > MOST:
        raise BadInput(_("At most %(most)s cards can be changed at once.", most=str(MOST)))
    _check(act)
    limit(session, person_id, "kanban.many", most=60, seconds=60)
    # All boards at once and in their order: two who act on the same boards must not wait for each other.
    homes = set(session.scalars(select(Card.board_id).where(Card.id.in_([ident for ident, _version in wanted]))))
    for ident in sorted(homes):
        session.scalar(select(Board.id).where(Board.id == ident).with_for_update())
    done: list[Card] = []
    refused: list[Refused] = []
    for card_id, version in dict(wanted).items():
        title = ""
        try:
            card, _chair = access.open_card(session, person_id, card_id, lock=True, held=homes)
            title, before = card.title, card.version
            if _one(session, person_id, card, act, version).version != before:
                done.append(card)
        except RseError as error:
            refused.append(Refused(card_id, title, error))
    return done, refused


def _check(act: Act) -> None:
    if act.kind not in ACTS:
        raise BadInput(_("There is no such act."), fields={"act": _("Choose one.")})
    if act.kind in ("assign", "unassign") and not act.people:
        message = _("Say who.")
        raise BadInput(message, fields={"people": message})
    if act.kind in ("label", "unlabel") and act.label is None:
        message = _("Choose a label.")
        raise BadInput(message, fields={"label": message})


def _one(session: Session, person_id: int, card: Card, act: Act, version: int | None) -> Card:
    if act.kind == "archive":
        return ending.archive(session, person_id, card.id, version=version)
    if act.kind == "restore":
        return ending.restore(session, person_id, card.id)
    if act.kind == "delete":
        return ending.delete(session, person_id, card.id, version=version)
    written = Written(due_at=act.due_at or False)
    if act.kind in ("assign", "unassign"):
        now = cards.people_of(session, card.id)
        left = [one for one in now if one not in act.people]
        written = Written(people=[*left, *act.people] if act.kind == "assign" else left)
    elif act.kind in ("label", "unlabel"):
        carried = set(cards.labels_of(session, card.id))
        one = {act.label} if act.label is not None else set()
        written = Written(labels=sorted(carried | one if act.kind == "label" else carried - one))
    return cards.edit(session, person_id, card.id, written, version=version, counted=False)
