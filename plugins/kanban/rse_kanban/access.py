"""Which boards a person sees and what they may do there. The rules of the cursor first, then the board's own roles.

*Roles of a board.* Who runs the space or administers the entity, and whoever owns the board, manages it. Beyond that a
person
who is named has the role that stands beside their name, whatever their groups have; who is not named has the highest role of
their groups and of the board's default. A role opens a board to nobody who is not of its audience. Groups are never
expanded: whether somebody is in one is asked of that person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import Session

from rse_core.api import (
    Conflict,
    Decision,
    Forbidden,
    NotFound,
    ObjectRef,
    Reason,
    Target,
    can,
    core_of,
    open_audiences,
    translator,
)
from rse_core.cursor import MANAGING_ROLES, PersonFacts

from .models import Board, BoardRole, Card

_ = translator(__file__, "rse_kanban").gettext

READ, WRITE, MOVE, MANAGE = "kanban.read", "kanban.write_card", "kanban.move_card", "kanban.manage_board"
CARD, BOARD = "kanban.card", "kanban.board"
ROLES = ("reader", "editor", "manager")
#: States in which a card has a place on the board.
PLACED = ("open", "pending")
#: States in which it is there for all who see the board.
OPEN = ("open", "archived")


@dataclass(frozen=True, slots=True)
class Seat:
    """One person before one board. ``writes``, ``moves`` and ``manages`` are decisions with their reasons."""

    board: Board
    person_id: int
    role: str
    writes: Decision
    moves: Decision
    manages: Decision

    @property
    def writable(self) -> bool:
        """May make and change cards."""
        return self.writes.allowed

    @property
    def movable(self) -> bool:
        """May move cards."""
        return self.moves.allowed

    @property
    def manageable(self) -> bool:
        """May change the board itself."""
        return self.manages.allowed

    def need_write(self) -> Decision:
        """:raises Forbidden: with the reason."""
        return _need(self.writes)

    def need_move(self) -> Decision:
        """:raises Forbidden: with the reason."""
        return _need(self.moves)

    def need_manage(self) -> Decision:
        """:raises Forbidden: with the reason."""
        return _need(self.manages)


def card_ref(card_id: int) -> ObjectRef:
    """The reference of a card."""
    return ObjectRef(CARD, str(card_id))


def board_ref(board_id: int) -> ObjectRef:
    """The reference of a board."""
    return ObjectRef(BOARD, str(board_id))


def target_of(board: Board) -> Target:
    """What the rules are asked about. Somebody's own board is nowhere in particular."""
    return Target(board.audience_id, space_id=board.space_id)


def missing_board() -> NotFound:
    """The answer for a board that does not exist, and for one of which this person may not know."""
    return NotFound(_("There is no such board."), remedy=_("Choose one of the boards that you see."))


def missing_card() -> NotFound:
    """The answer for a card that does not exist, and for one of which this person may not know."""
    return NotFound(_("There is no such card."), remedy=_("It may have been deleted; look at its board."))


def taken_elsewhere() -> Conflict:
    """The answer when a card has left the board that is held."""
    return Conflict(_("Somebody has just taken this card to another board."), remedy=_("Open it again, then decide."))


def get_board(session: Session, board_id: int, *, lock: bool = False) -> Board:
    """:param lock: hold it until the end of the transaction: nobody else changes anything on the board meanwhile.
    :raises NotFound: when there is none, or it was deleted.
    """
    query = select(Board).where(Board.id == board_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    board = session.scalar(query)
    if board is None or board.state == "deleted":
        raise missing_board()
    return board


def lock_boards(session: Session, board_ids: Iterable[int]) -> dict[int, Board]:
    """Hold several boards, always in the same order: two who need both wait for each other and never for ever."""
    return {ident: get_board(session, ident, lock=True) for ident in sorted(set(board_ids))}


def seat(session: Session, person_id: int, board: Board) -> Seat:
    """What this person may do on the board; one query.

    :raises NotFound: when they may not know of it.
    :raises Forbidden: with the decision, below the level of reading.
    """
    facts = core_of(session).policy.person(person_id)
    if facts is None or (board.audience_id is None and board.owner_id != person_id):
        raise missing_board()
    target = target_of(board)
    decision = can(session, person_id, READ, target)
    if not decision.allowed:
        if decision.reason in (Reason.UNKNOWN_OBJECT, Reason.ROLE, Reason.UNKNOWN_PERSON):
            raise missing_board()
        raise Forbidden(str(decision.message), decision=decision)
    return _seat(session, facts, board, role_of(session, facts, board))


def seats(session: Session, person_id: int, boards: Sequence[Board]) -> list[Seat]:
    """:func:`seat` before many boards that the person is known to read; one query for their roles on all of them."""
    facts = core_of(session).policy.person(person_id)
    if facts is None or not boards:
        return []
    rows = session.execute(_named(facts).where(BoardRole.board_id.in_([board.id for board in boards]))).all()
    found = []
    for board in boards:
        named = [(kind, role) for ident, kind, role in rows if ident == board.id]
        found.append(_seat(session, facts, board, _role(session, facts, board, named)))
    return found


def _seat(session: Session, facts: PersonFacts, board: Board, role: str) -> Seat:
    person_id, target = facts.id, target_of(board)

    def ask(capability: str, needed: str) -> Decision:
        answer = can(session, person_id, capability, target)
        if not answer.allowed:
            return answer
        if board.state != "open":
            return _no(answer, Reason.ARCHIVED, _("This board is archived: what is on it can be read."))
        if ROLES.index(role) < ROLES.index(needed):
            sentence = {
                "editor": _("On this board you read; those who run it decide who works on it."),
                "manager": _("Only those who run this board may do this."),
            }
            return _no(answer, Reason.ROLE, sentence[needed])
        return answer

    # An archived board is opened again by those who manage it.
    manages = can(session, person_id, MANAGE, target)
    if manages.allowed and role != "manager":
        manages = _no(manages, Reason.ROLE, _("Only those who run this board may do this."))
    return Seat(board, person_id, role, ask(WRITE, "editor"), ask(MOVE, "editor"), manages)


def open_board(session: Session, person_id: int, board_id: int, *, lock: bool = False) -> Seat:
    """:func:`seat` before the board of this number."""
    return seat(session, person_id, get_board(session, board_id, lock=lock))


def topic(board_id: int) -> str:
    """By which open pages hear that something on the board has changed."""
    return f"{BOARD}:{board_id}"


def may_listen(session: Session, person_id: int, ident: str) -> bool:
    """Whether this person sees the board, and so may hear that it changes."""
    if not ident.isdecimal() or len(ident) > 18:
        return False
    try:
        open_board(session, person_id, int(ident))
    except (NotFound, Forbidden):
        return False
    return True


def get_card(session: Session, card_id: int) -> Card:
    """The card as it is now, whoever asks. :raises NotFound: when there is none."""
    card = session.scalar(select(Card).where(Card.id == card_id).execution_options(populate_existing=True))
    if card is None:
        raise missing_card()
    return card


def open_card(
    session: Session, person_id: int, card_id: int, *, lock: bool = False, held: Collection[int] | None = None
) -> tuple[Card, Seat]:
    """A card that this person may see, and what they may do on its board; with ``lock``, held with its board.

    :param held: boards that are held already: no other is, as two who hold one each could wait for each other for ever.
    :raises NotFound: for one that does not exist, or of which they may not know.
    :raises Conflict: when somebody has taken it to another board at this moment.
    """
    card = get_card(session, card_id)
    if held is not None and card.board_id not in held:
        raise taken_elsewhere()
    try:
        chair = open_board(session, person_id, card.board_id, lock=lock)
    except NotFound as error:
        raise missing_card() from error
    if lock:
        before = card.board_id
        card = get_card(session, card_id)
        if card.board_id != before:
            raise taken_elsewhere()
    if not sees_state(session, chair, card):
        raise missing_card()
    return card, chair


def open_held(session: Session, person_id: int, card_id: int, boards: Mapping[int, Board]) -> tuple[Card, Seat]:
    """:func:`open_card` among boards that are held already.

    :raises NotFound: as there.
    :raises Conflict: when somebody has taken it to another board at this moment.
    """
    card = get_card(session, card_id)
    if card.board_id not in boards:
        raise taken_elsewhere()
    try:
        chair = seat(session, person_id, boards[card.board_id])
    except NotFound as error:
        raise missing_card() from error
    if not sees_state(session, chair, card):
        raise missing_card()
    return card, chair


def sees_state(session: Session, chair: Seat, card: Card) -> bool:
    """Whether a card in this state is shown to the person: what waits, to its author and to those who moderate."""
    if card.state in OPEN:
        return True
    if card.state == "deleted":
        return chair.manageable
    return card.author_id == chair.person_id or moderates(session, chair.person_id, chair.board)


def role_of(session: Session, facts: PersonFacts, board: Board) -> str:
    """The person's role on the board; one query."""
    rows = session.execute(_named(facts).where(BoardRole.board_id == board.id)).all()
    return _role(session, facts, board, [(kind, role) for _board, kind, role in rows])


def _named(facts: PersonFacts) -> Select[int, str, str]:
    return select(BoardRole.board_id, BoardRole.kind, BoardRole.role).where(
        or_(
            and_(BoardRole.kind == "person", BoardRole.target_id == facts.id),
            and_(BoardRole.kind == "group", BoardRole.target_id.in_(facts.groups)) if facts.groups else false(),
        )
    )


def _role(session: Session, facts: PersonFacts, board: Board, rows: Sequence[tuple[str, str]]) -> str:
    if runs(session, facts, board):
        return "manager"
    own = [role for kind, role in rows if kind == "person"]
    if own:
        return str(own[0])
    return max([board.default_role, *(role for _kind, role in rows)], key=ROLES.index)


def runs(session: Session, facts: PersonFacts, board: Board) -> bool:
    """Whether the person manages the board by what they are elsewhere; from memory."""
    if facts.disabled_at is not None:
        return False
    if board.owner_id is not None and board.audience_id is None:
        return board.owner_id == facts.id
    if board.space_id is not None:
        return runs_space(facts, board.space_id)
    return board.entity_id is not None and runs_entity(session, facts, board.entity_id)


def runs_space(facts: PersonFacts, space_id: int) -> bool:
    """Whether the person runs the space; from memory."""
    granted = any((role, "space", space_id) in facts.roles for role in ("animator", "moderator"))
    return granted or facts.spaces.get(space_id) in MANAGING_ROLES


def runs_entity(session: Session, facts: PersonFacts, entity_id: int) -> bool:
    """Whether the person administers the entity or one above it, or the site; from memory."""
    above = core_of(session).policy.snapshot().paths.get(entity_id, ())
    return ("site_admin", "site", 0) in facts.roles or any(("entity_admin", "entity", one) in facts.roles for one in above)


def moderates(session: Session, person_id: int, board: Board) -> bool:
    """Whether this person decides on what waits on the board; from memory."""
    from rse_core.cursor import moderates as decides

    policy = core_of(session).policy
    facts = policy.person(person_id)
    if facts is None or facts.disabled_at is not None or board.audience_id is None:
        return False
    snapshot, scopes = policy.snapshot(), [("site", 0)]
    kind, target = snapshot.audiences.get(board.audience_id, ("", 0))
    if kind in ("entity", "group", "space"):
        scopes.append((kind, target))
    if board.space_id is not None:
        scopes.append(("space", board.space_id))
    return any(decides(snapshot, facts, *scope) for scope in scopes)


def readable_boards(session: Session, person_id: int) -> ColumnElement[bool]:
    """Boards that this person reads, as an SQL condition: their audiences, and their own. No query of its own.

    A public space in which reading is decided otherwise than for everyone is left out, or added, by name.
    """
    facts = core_of(session).policy.person(person_id)
    if facts is None:
        return false()
    mine = and_(Board.audience_id.is_(None), Board.owner_id == person_id)
    own = mine if can(session, person_id, READ).allowed else false()
    audiences = open_audiences(session, person_id, READ)
    policy = core_of(session).policy
    everyone, special = policy.everyone(), policy.special_spaces()
    shown: ColumnElement[bool] = Board.audience_id.in_(audiences)
    here = [ident for ident in special if can(session, person_id, READ, Target(everyone, space_id=ident)).allowed]
    if everyone not in audiences and here:
        # Its members are let in by the space's own level, below which they stand elsewhere.
        shown = or_(shown, and_(Board.audience_id == everyone, Board.space_id.in_(here)))
    shut = sorted(set(special) - set(here)) if everyone in audiences else []
    if shut:
        shown = and_(shown, or_(Board.audience_id != everyone, Board.space_id.is_(None), Board.space_id.not_in(shut)))
    # A board of the members alone, in an audience that opens by the space's level, is decided with that space.
    return or_(own, shown)


def visible_cards(session: Session, person_id: int) -> ColumnElement[bool]:
    """Cards in lists across boards: open, on boards that are open and that the person reads; what waits, one's own."""
    return and_(
        Board.state == "open",
        readable_boards(session, person_id),
        or_(Card.state == "open", and_(Card.state == "pending", Card.author_id == person_id)),
    )


def _need(decision: Decision) -> Decision:
    if not decision.allowed:
        raise Forbidden(str(decision.message), decision=decision)
    return decision


def _no(decision: Decision, reason: Reason, message: str) -> Decision:
    from dataclasses import replace

    return replace(decision, allowed=False, reason=reason, message=message)
