"""Rules of a board: when something happens to a card, do something with it. A few verbs, no programs.

A rule acts in the transaction of what set it off, for the board and not for a person: passages and roles do not bind it,
limits on work in progress do. What a rule does may set off others; a rule acts once in such a chain, and a chain has at most
:data:`LONGEST` acts, so that two rules that answer each other end. Each act, and each that could not be, stands in the log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, LazyText, NotFound, RseError, dialect_insert, translator, utcnow
from rse_core.models.organisation import Membership, Person

from . import placing, telling
from .changes import board_changed, note, passed, tell, touched
from .models import Board, Card, CardLabel, CardPerson, CheckItem, Column, Label
from .models_more import Rule, RuleRun
from .placing import Place
from .texts import check_name

_t = translator(__file__, "rse_kanban")
_, lazy = _t.gettext, _t.lazy
RULES_MOST, LONGEST, RUNS_KEPT = 30, 10, 500
_CHAIN = "rse_kanban_rules"

#: What can set a rule off; which of them name a column or a label.
TRIGGERS: Mapping[str, LazyText] = {
    "created": lazy("A card is made in"), "moved": lazy("A card comes into"), "labelled": lazy("A card gets the label"),
    "checked": lazy("The checklist of a card is complete"),
}  # fmt: skip
#: What a rule can do.
ACTS: Mapping[str, LazyText] = {
    "move": lazy("Move it to"), "label": lazy("Give it the label"), "unlabel": lazy("Take the label away"),
    "assign": lazy("Assign it to"), "unassign": lazy("Assign it to nobody"), "due": lazy("Make it due in so many days"),
    "tick": lazy("Tick its whole checklist off"), "archive": lazy("Archive it"),
}  # fmt: skip
TRIGGER_KINDS = {"created": "column", "moved": "column", "labelled": "label"}
ACT_KINDS = {"move": "column", "label": "label", "unlabel": "label", "assign": "person", "due": "days"}


def rules_of(session: Session, board_id: int) -> list[Rule]:
    """The rules of a board, in the order in which they act."""
    return list(session.scalars(select(Rule).where(Rule.board_id == board_id).order_by(Rule.id)))


def runs_of(session: Session, board_id: int, most: int = 50) -> list[tuple[RuleRun, str, str]]:
    """What the rules of a board did last: the run, the rule's name, the card's title."""
    rows = session.execute(
        select(RuleRun, Rule.name, Card.title)
        .outerjoin(Rule, Rule.id == RuleRun.rule_id).outerjoin(Card, Card.id == RuleRun.card_id)
        .where(RuleRun.board_id == board_id).order_by(RuleRun.id.desc()).limit(most)
    )  # fmt: skip
    return [(run, name or "", title or "") for run, name, title in rows]


def keep(
    session: Session, person_id: int, board_id: int, *, name: str, trigger: str, trigger_id: int | None, act: str,
    act_id: int | None, active: bool = True, rule_id: int | None = None,
) -> Rule:  # fmt: skip
    """Make a rule, or change one.

    :raises BadInput: for a verb that there is not, or something that is not this board's.
    """
    from .boards import managed

    board = managed(session, person_id, board_id)
    if trigger not in TRIGGERS or act not in ACTS:
        raise BadInput(_("A rule says what happens, and what is done then."), fields={"trigger": _("Choose one.")})
    name = check_name(name, "name", 100)
    _check(session, board, TRIGGER_KINDS.get(trigger), trigger_id, "trigger_id", optional=trigger != "labelled")
    _check(session, board, ACT_KINDS.get(act), act_id, "act_id")
    if rule_id is None:
        count = session.scalar(select(func.count()).where(Rule.board_id == board.id)) or 0
        if count >= RULES_MOST:
            raise BadInput(_("A board has at most %(most)s rules.", most=str(RULES_MOST)))
        rule = Rule(board_id=board.id, created_by=person_id)
        session.add(rule)
    else:
        rule = _rule(session, board.id, rule_id)
    rule.name, rule.trigger, rule.act, rule.active = name, trigger, act, active
    rule.trigger_id = trigger_id if trigger in TRIGGER_KINDS else None
    rule.act_id = act_id if act in ACT_KINDS else None
    board_changed(session, board)
    return rule


def remove(session: Session, person_id: int, board_id: int, rule_id: int) -> None:
    """Take a rule away; the log keeps what it did."""
    from .boards import managed

    board = managed(session, person_id, board_id)
    session.delete(_rule(session, board.id, rule_id))
    board_changed(session, board)


def happened(
    session: Session, board: Board, card: Card, trigger: str, what: int | None, person_id: int | None
) -> None:
    """Let the rules of the board answer to what has just been done to the card; the board is held."""
    chain: list[int] = session.info.get(_CHAIN, [])
    outermost = not chain
    try:
        for rule in session.scalars(
            select(Rule).where(Rule.board_id == board.id, Rule.trigger == trigger, Rule.active).order_by(Rule.id)
        ).all():
            if not _fits(session, rule, card, what) or card.state != "open":
                continue
            if rule.id in chain or len(chain) >= LONGEST:
                _log(session, board, rule, card, "loop", _("It had acted in this chain already."))
                continue
            session.info[_CHAIN] = chain = [*chain, rule.id]
            try:
                _act(session, board, rule, card, person_id)
            except RseError as error:
                _log(session, board, rule, card, "refused", str(error))
            else:
                _log(session, board, rule, card, "done", "")
            chain = session.info.get(_CHAIN, chain)
    finally:
        if outermost:
            session.info.pop(_CHAIN, None)


def _fits(session: Session, rule: Rule, card: Card, what: int | None) -> bool:
    if rule.trigger == "labelled":
        return session.get(CardLabel, (card.id, rule.trigger_id)) is not None
    return rule.trigger_id is None or rule.trigger_id == what


def _act(session: Session, board: Board, rule: Rule, card: Card, person_id: int | None) -> None:
    if rule.act == "move":
        _move(session, board, card, rule.act_id or 0)
    elif rule.act in ("label", "unlabel"):
        present = session.get(CardLabel, (card.id, rule.act_id))
        if rule.act == "label" and present is None:
            label = session.get(Label, rule.act_id)
            if label is None or label.board_id != board.id:
                raise NotFound(_("This board has no such label."))
            session.add(CardLabel(card_id=card.id, label_id=label.id))
            touched(session, board, card, ["labels"])
            happened(session, board, card, "labelled", label.id, person_id)
        elif rule.act == "unlabel" and present is not None:
            session.delete(present)
            touched(session, board, card, ["labels"])
    elif rule.act in ("assign", "unassign"):
        _assign(session, board, card, rule.act_id if rule.act == "assign" else None)
    elif rule.act == "due":
        card.due_at = utcnow() + dt.timedelta(days=rule.act_id or 0)
        from .cards import plan_reminder

        plan_reminder(card)
        touched(session, board, card, ["due"])
    elif rule.act == "tick":
        for item in session.scalars(select(CheckItem).where(CheckItem.card_id == card.id, CheckItem.done_at.is_(None))):
            item.done_at = utcnow()
        touched(session, board, card)
    elif rule.act == "archive":
        passed(session, board, card, None, card.column_id, None)
        card.state, card.rank, card.ended_at, card.remind_at = "archived", None, utcnow(), None
        note(session, board, card, None, "archived", rule=rule.name)
        touched(session, board, card, ["state", "place"])
        tell(session, board, card, None, "archived")


def _move(session: Session, board: Board, card: Card, column_id: int) -> None:
    if card.column_id == column_id:
        return
    column = placing.column_of(session, board.id, column_id)
    placing.check_room(session, column)
    from_id, before = card.column_id, session.get(Column, card.column_id)
    placing.put(session, board, card, Place(column.id, card.lane_id))
    placing.enter_phase(card, column)
    passed(session, board, card, None, from_id, column.id)
    touched(session, board, card, ["place"])
    note(session, board, card, None, "moved", **{"from": before.name if before else "", "to": column.name})
    tell(session, board, card, None, "moved", {"from": from_id, "to": column.id, "done": column.phase == "done"})
    happened(session, board, card, "moved", column.id, None)


def _assign(session: Session, board: Board, card: Card, who: int | None) -> None:
    present = session.scalars(select(CardPerson).where(CardPerson.card_id == card.id)).all()
    if who is None:
        for row in present:
            telling.unassigned(session, card, row.person_id)
            session.delete(row)
    elif who not in {row.person_id for row in present}:
        if not _sees(session, board, who):
            raise BadInput(_("Somebody among them does not see this board."))
        session.execute(dialect_insert(session, CardPerson).values(card_id=card.id, person_id=who, at=utcnow()))
        telling.assigned(session, card, [who], None)
    touched(session, board, card, ["people"])


def _sees(session: Session, board: Board, person_id: int) -> bool:
    query = select(Person.id).where(Person.id == person_id, Person.status == "active")
    if board.audience_id is None:
        return person_id == board.owner_id
    query = query.join(Membership, Membership.person_id == Person.id).where(Membership.audience_id == board.audience_id)
    return session.scalar(query) is not None


def _log(session: Session, board: Board, rule: Rule, card: Card, outcome: str, text: str) -> None:
    session.add(
        RuleRun(board_id=board.id, rule_id=rule.id, card_id=card.id, outcome=outcome, note=text[:300], at=utcnow())
    )
    session.flush()


def prune(session: Session) -> None:
    """The job: the log keeps the last runs of each board."""
    from sqlalchemy import delete

    counted = select(RuleRun.board_id).group_by(RuleRun.board_id).having(func.count() > RUNS_KEPT)
    for board_id in session.scalars(counted).all():
        last = session.scalar(
            select(RuleRun.id).where(RuleRun.board_id == board_id).order_by(RuleRun.id.desc()).offset(RUNS_KEPT).limit(1)
        )
        session.execute(delete(RuleRun).where(RuleRun.board_id == board_id, RuleRun.id <= (last or 0)))


def _check(
    session: Session, board: Board, kind: str | None, ident: int | None, field: str, *, optional: bool = False
) -> None:
    if kind is None or (optional and ident is None):
        return
    fine = ident is not None
    if kind == "column":
        placing.column_of(session, board.id, ident or 0)
    elif kind == "label":
        label = session.get(Label, ident or 0)
        fine = label is not None and label.board_id == board.id
    elif kind == "person":
        fine = ident is not None and _sees(session, board, ident)
    elif kind == "days":
        fine = ident is not None and 0 <= ident <= 3650
    if not fine:
        message = _("Say which.")
        raise BadInput(message, fields={field: message})


def _rule(session: Session, board_id: int, rule_id: int) -> Rule:
    rule = session.get(Rule, rule_id)
    if rule is None or rule.board_id != board_id:
        raise NotFound(_("This board has no such rule."))
    return rule
