"""Cards: made, changed, given to people and labels. What two people change at once is merged field by field."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from rse_core import files, mentions, moderation
from rse_core.api import BadInput, Conflict, Decision, Forbidden, Mode, NotFound, ObjectRef, examine, seen, translator
from rse_core.idempotency import once
from rse_core.models.organisation import Membership, Person
from rse_core.ratelimit import limit

from . import access, fields, placing, telling, versions
from .access import Seat
from .changes import CardConflict, note, passed, stale, tell, touched
from .models import Board, Card, CardLabel, CardPerson, CardRef, Label
from .placing import Place
from .texts import check_name, check_text

_ = translator(__file__, "rse_kanban").gettext
TITLE_MOST, BODY_MOST = 300, 50_000
PEOPLE_MOST, LABELS_MOST = 20, 30
PER_MINUTE = 120
#: What is merged one by one when two people change a card at once.
MERGED = ("title", "body", "due", "people", "labels", "values", "parent")


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be changed of a card; None leaves it as it is.

    :param due_at: an aware time, or False for none; ``remind`` in minutes before it, or False.
    :param people: ids of those who work on it; ``labels``: ids of labels of its board.
    :param values: of the board's own fields, by their ids; "" empties one.
    :param files: keys of files, all that it is to have.
    """

    title: str | None = None
    body: str | None = None
    due_at: dt.datetime | bool | None = None
    remind: int | bool | None = None
    people: Sequence[int] | None = None
    labels: Sequence[int] | None = None
    values: Mapping[int, str] | None = None
    files: Sequence[str] | None = None
    alts: Mapping[str, str] = field(default_factory=dict)


def create(
    session: Session, person_id: int, place: Place, written: Written, *, key: str | None = None,
    about: ObjectRef | None = None, origin: str | None = None,
) -> Card:  # fmt: skip
    """Make a card; where publishing is moderated it waits, with its place, for a moderator.

    :param place: its column says which board.
    :param about: an object of another kind that it is made of; the person must see it.
    :param key: idempotency key; the same key makes one card.
    :param origin: where it came from; the same origin makes one card on a board.
    :raises Forbidden: with the reason.
    :raises Full: when the column takes no further card.
    """
    from .models import Column

    column = session.get(Column, place.column_id)
    unknown = BadInput(_("This board has no such column."), fields={"column": _("Choose one.")})
    if column is None:
        raise unknown
    try:
        chair = access.open_board(session, person_id, column.board_id, lock=True)
    except NotFound:
        raise unknown from None
    decision = chair.need_write()

    def first_time() -> str:
        limit(session, person_id, access.WRITE, most=PER_MINUTE, seconds=60)
        return str(make(session, chair, decision, place, written, about=about, origin=origin).id)

    digest = hashlib.sha256(json.dumps([asdict(place), asdict(written)], default=str).encode()).hexdigest()
    ident, _new = once(session, person_id, key, access.WRITE, digest, first_time)
    return access.get_card(session, int(ident))


def make(
    session: Session, chair: Seat, decision: Decision, place: Place, written: Written, *, about: ObjectRef | None = None,
    origin: str | None = None, quiet: bool = False,
) -> Card:  # fmt: skip
    """Make a card on a board that is held, for somebody who may: what :func:`create` does once it has asked.

    :param quiet: nobody is told that they work on it, and no rule acts (an import).
    """
    from . import rules

    board, person_id = chair.board, chair.person_id
    column = placing.column_of(session, board.id, place.column_id)
    placing.lane_of(session, board.id, place.lane_id)
    placing.check_passage(session, chair, None, None, column.id)
    placing.check_room(session, column)
    if about is not None and about not in seen(session, person_id, [about]):
        raise access.missing_card()
    card = Card(
        board_id=board.id, column_id=column.id, lane_id=place.lane_id, author_id=person_id, origin=origin, version=1,
        title=check_name(written.title or "", "title", TITLE_MOST), stamps={}, state="pending",
    )  # fmt: skip
    session.add(card)
    session.flush()
    decision = looked_at(session, chair, card, decision, written)
    card.state = "pending" if decision.mode is Mode.REVIEW else "open"
    placing.put(session, board, card, place)
    placing.enter_phase(card, column)
    passed(session, board, card, person_id, None, column.id)
    told = _apply(session, chair, card, written)
    if quiet:
        told = []
    if about is not None:
        session.add(CardRef(card_id=card.id, ref_type=about.type, ref_id=about.id))
    touched(session, board, card)
    card.version = 1
    note(session, board, card, person_id, "created", to=column.name)
    if card.state == "pending":
        moderation.hold(
            session, access.card_ref(card.id), capability=access.WRITE, author_id=person_id, target=access.target_of(board)
        )
    else:
        published(session, board, card, told)
        if not quiet:
            rules.happened(session, board, card, "created", column.id, person_id)
    session.flush()
    return card


def edit(
    session: Session, person_id: int, card_id: int, written: Written, *, version: int | None, counted: bool = True
) -> Card:
    """Change a card. Fields that others changed meanwhile are left alone unless they are among these.

    :param version: of the card as it was read.
    :param counted: against what one person may write in a minute; False where many cards are counted as one.
    :raises CardConflict: when one of these fields has been changed by somebody else, to something else.
    :raises Forbidden: with the reason.
    """
    card, chair = access.open_card(session, person_id, card_id, lock=True)
    decision = chair.need_write()
    if card.state not in ("open", "pending", "refused"):
        raise Conflict(_("“%(title)s” is not on the board any more.", title=card.title), remedy=_("Restore it first."))
    board = chair.board
    differing = changed_fields(session, card, written)
    if not differing:
        return card
    late = stale(card, version, differing)
    if late:
        raise CardConflict(card, late)
    review = False
    if {"title", "body", "values"} & set(differing):
        review = moderated(chair, card, looked_at(session, chair, card, decision, written))
    if counted:
        limit(session, person_id, access.WRITE, most=PER_MINUTE, seconds=60)
    title, body = card.title, card.body
    told = _apply(session, chair, card, written)
    versions.keep(session, card, person_id, title, body)
    touched(session, board, card, differing)
    note(session, board, card, person_id, "edited", fields=sorted(differing))
    if review or card.state == "refused":
        hold_again(session, board, card)
    elif card.state == "open":
        mentions.keep(session, access.card_ref(card.id), card.body, board.audience_id)
        telling.assigned(session, card, told, person_id)
        telling.tell_mentioned(session, card)
        tell(session, board, card, person_id, "edited", {"fields": sorted(differing)})
    if "labels" in differing and card.state == "open":
        from . import rules

        rules.happened(session, board, card, "labelled", None, person_id)
    session.flush()
    return card


def looked_at(session: Session, chair: Seat, card: Card, decision: Decision, written: Written) -> Decision:
    """The decision once every plugin has looked at the words: perhaps they wait for a moderator.

    :raises BadInput: when one refuses them.
    """
    words = [written.title, written.body, *map(str, (written.values or {}).values())]
    return examine(
        session, decision, access.card_ref(card.id), chair.person_id, capability=access.WRITE,
        target=access.target_of(chair.board), text="\n".join(filter(None, words)),
    )  # fmt: skip


def moderated(chair: Seat, card: Card, decision: Decision) -> bool:
    """Whether words that this person puts on the card wait for a moderator.

    :raises Forbidden: on a card of somebody else: nobody makes another's card wait.
    """
    if decision.mode is not Mode.REVIEW:
        return False
    if card.author_id != chair.person_id and card.state == "open":
        raise Forbidden(_("What is written here is moderated before it is shown: a card's text is changed by its author."))
    return True


def changed_fields(session: Session, card: Card, written: Written) -> list[str]:
    """Which fields a text would change."""
    found = []
    if written.title is not None and check_name(written.title, "title", TITLE_MOST) != card.title:
        found.append("title")
    if written.body is not None and check_text(written.body, "body", BODY_MOST) != card.body:
        found.append("body")
    due = written.due_at
    if (due is not None and (due or None) != card.due_at) or (
        written.remind is not None and (None if written.remind is False else int(written.remind)) != card.remind
    ):  # fmt: skip
        found.append("due")
    if written.people is not None and set(written.people) != set(people_of(session, card.id)):
        found.append("people")
    if written.labels is not None and set(written.labels) != set(labels_of(session, card.id)):
        found.append("labels")
    if written.values is not None:
        now = fields.values_of(session, [card.id]).get(card.id, {})
        if any(now.get(ident, "") != value for ident, value in written.values.items()):
            found.append("values")
    if written.files is not None:
        ref = access.card_ref(card.id)
        attached = files.of(session, [ref]).get(ref, [])
        if [info.key for info in attached] != list(written.files) or any(
            written.alts.get(info.key, info.alt) != info.alt for info in attached
        ):
            found.append("files")
    return found


def people_of(session: Session, card_id: int) -> list[int]:
    """Ids of those who work on the card, in the order in which they came."""
    query = select(CardPerson.person_id).where(CardPerson.card_id == card_id)
    return list(session.scalars(query.order_by(CardPerson.at, CardPerson.person_id)))


def labels_of(session: Session, card_id: int) -> list[int]:
    """Ids of the card's labels."""
    return list(session.scalars(select(CardLabel.label_id).where(CardLabel.card_id == card_id)))


def find_people(session: Session, chair: Seat, usernames: Sequence[str]) -> list[int]:
    """The people of these usernames, as far as they see the board.

    :raises BadInput: names one who does not, in the same words as one who does not exist.
    """
    names = list(dict.fromkeys(name.strip().lstrip("@") for name in usernames if name.strip().lstrip("@")))
    if not names:
        return []
    query = select(Person.username, Person.id).where(Person.username.in_(names), Person.status == "active")
    if chair.board.audience_id is None:
        query = query.where(Person.id == chair.person_id)
    else:
        query = query.join(Membership, Membership.person_id == Person.id).where(
            Membership.audience_id == chair.board.audience_id
        )
    found = {username: ident for username, ident in session.execute(query)}
    unknown = [name for name in names if name not in found]
    if unknown:
        message = _("“%(name)s” is nobody who sees this board.", name=unknown[0][:80])
        raise BadInput(message, remedy=_("Choose among the names that are offered."), fields={"people": message})
    return [found[name] for name in names]


def _apply(session: Session, chair: Seat, card: Card, written: Written) -> list[int]:
    """Write what was asked, checked; who is newly assigned."""
    if written.title is not None:
        card.title = check_name(written.title, "title", TITLE_MOST)
    if written.body is not None:
        card.body = check_text(written.body, "body", BODY_MOST)
    if written.due_at is not None:
        card.due_at = written.due_at if isinstance(written.due_at, dt.datetime) else None
    if written.remind is not None:
        minutes = None if written.remind is False else int(written.remind)
        if minutes is not None and not 0 <= minutes <= 60 * 24 * 60:
            raise BadInput(_("A reminder comes at most 60 days before."), fields={"remind": _("Choose one.")})
        card.remind = minutes
    plan_reminder(card)
    new: list[int] = []
    if written.people is not None:
        new = _assign(session, chair, card, written.people)
    if written.labels is not None:
        _label(session, card, written.labels)
    if written.values is not None:
        fields.keep_values(session, card, written.values)
    if written.files is not None:
        files.attach(session, chair.person_id, written.files, access.card_ref(card.id), alts=written.alts)
    session.flush()
    return new


def plan_reminder(card: Card) -> None:
    """When those assigned are reminded: not for what is done, or over."""
    at = None
    if card.due_at is not None and card.remind is not None and card.done_at is None and card.state == "open":
        at = card.due_at - dt.timedelta(minutes=card.remind)
    card.remind_at = at


def _assign(session: Session, chair: Seat, card: Card, people: Sequence[int]) -> list[int]:
    wanted = list(dict.fromkeys(people))
    if len(wanted) > PEOPLE_MOST:
        message = _("At most %(most)s people work on one card.", most=str(PEOPLE_MOST))
        raise BadInput(message, fields={"people": message})
    before = set(people_of(session, card.id))
    new = [one for one in wanted if one not in before]
    if new:
        query = select(Person.id).where(Person.id.in_(new), Person.status == "active")
        if chair.board.audience_id is None:
            query = query.where(Person.id == chair.person_id)
        else:
            query = query.join(Membership, Membership.person_id == Person.id).where(
                Membership.audience_id == chair.board.audience_id
            )
        if set(session.scalars(query)) != set(new):
            message = _("Somebody among them does not see this board.")
            raise BadInput(message, fields={"people": message})
        session.execute(insert(CardPerson), [{"card_id": card.id, "person_id": one} for one in new])
    gone = before - set(wanted)
    if gone:
        session.execute(
            delete(CardPerson).where(CardPerson.card_id == card.id, CardPerson.person_id.in_(gone))
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        for one in gone:
            telling.unassigned(session, card, one)
    return new


def _label(session: Session, card: Card, labels: Sequence[int]) -> None:
    wanted = set(labels)
    known = set(session.scalars(select(Label.id).where(Label.board_id == card.board_id, Label.id.in_(wanted))))
    if known != wanted or len(wanted) > LABELS_MOST:
        message = _("This board has no such label.")
        raise BadInput(message, fields={"labels": message})
    before = set(labels_of(session, card.id))
    if wanted - before:
        session.execute(insert(CardLabel), [{"card_id": card.id, "label_id": one} for one in wanted - before])
    if before - wanted:
        session.execute(
            delete(CardLabel).where(CardLabel.card_id == card.id, CardLabel.label_id.in_(before - wanted))
            .execution_options(synchronize_session=False)
        )  # fmt: skip


# -- moderation ----------------------------------------------------------------------------------------------------------


def published(session: Session, board: Board, card: Card, told: Sequence[int]) -> None:
    """The card is there for all who see the board from now on, with everything that follows."""
    card.state = "open"
    plan_reminder(card)
    session.flush()
    mentions.keep(session, access.card_ref(card.id), card.body, board.audience_id)
    telling.assigned(session, card, told, card.author_id)
    telling.tell_mentioned(session, card)
    tell(session, board, card, card.author_id, "created", {"column": card.column_id})


def hold_again(session: Session, board: Board, card: Card) -> None:
    """What was approved was the text before: it waits again, out of sight, and keeps its place."""
    ref = access.card_ref(card.id)
    tell(session, board, card, card.author_id, "withdrawn")
    card.state = "pending"
    if card.rank is None:
        column = placing.column_of(session, board.id, card.column_id)
        placing.check_room(session, column)
        placing.put(session, board, card, Place(column.id, card.lane_id))
    moderation.withdraw(session, ref)
    moderation.hold(session, ref, capability=access.WRITE, author_id=card.author_id, target=access.target_of(board))
    mentions.forget(session, ref)
    telling.untell(session, card)


def approved(session: Session, card: Card, board: Board) -> None:
    """A moderator approved it."""
    if card.state == "pending":
        published(session, board, card, people_of(session, card.id))
        touched(session, board, card)


def refused(session: Session, card: Card, board: Board, reason: str, by: int | None) -> None:
    """A moderator refused it: it leaves the board; its author sees it, with the reason, and can send it again."""
    if card.state != "pending":
        return
    card.state, card.reason, card.rank = "refused", reason[:500], None
    passed(session, board, card, by, card.column_id, None)
    touched(session, board, card)
    telling.refused(session, card, by)
