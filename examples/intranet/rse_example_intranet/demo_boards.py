"""The boards of the demo: what ``cards.csv`` says of each card, made and moved through the services, on days gone by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rse_comments import service as comments
from rse_core import levelsets, people
from rse_core.api import Actor, Level, ObjectRef, utcnow
from rse_example_intranet.demo_social import rows
from rse_feed.models import Entry
from rse_kanban import access, boards, cards, checklist, columns, fields, filters, links, moving, placing, recurring
from rse_kanban.models import Activity, Board, Card, Column, Transition
from rse_kanban.placing import Place

#: The members of this project move cards, whatever the level of their entity, under its ceiling.
OPENED = "nouvelle-messagerie"
AHEAD, WORKED, DONE = "todo", "doing", "done"


@dataclass(frozen=True)
class Plan:
    """A board before there is one. ``limits``: of columns, by name; ``filters``: shared with all who see it."""

    key: str
    space: str
    owner: str
    title: str
    description: str
    columns: tuple[tuple[str, str], ...]
    lanes: tuple[str, ...] = ()
    labels: tuple[tuple[str, int], ...] = ()
    field: tuple[str, tuple[str, ...]] | None = None
    limits: tuple[tuple[str, int], ...] = ()
    filters: tuple[tuple[str, str], ...] = ()


BOARDS = (
    Plan(
        "messagerie", "nouvelle-messagerie", "samia.kaced", "Bascule de la messagerie",
        "Ce qui reste à faire, caisse par caisse. Trois chantiers au plus à la fois.",
        (("À préparer", AHEAD), ("En cours", WORKED), ("À vérifier", WORKED), ("Terminé", DONE)),
        ("Technique", "Accompagnement"), (("Communication", 10), ("Formation", 4), ("Sécurité", 8), ("Urgent", 0)),
        ("Caisse", ("Siège", "Trois-Rivières", "Côte-Blanche", "Val-d’Argent", "Haut-Plateau")), (("En cours", 4),),
        (("Urgent et en retard", "label:Urgent due:late"), ("À moi", "who:me")),
    ),
    Plan(
        "accessibilite", "accessibilite", "capucine.crepin", "Plan d’accessibilité",
        "Ce que nous rendons utilisable par tout le monde, et dans quel ordre.",
        (("Idées", AHEAD), ("Choisi", AHEAD), ("En cours", WORKED), ("Publié", DONE)), (),
        (("Accueil", 2), ("Lettres", 6), ("Site", 8)),
    ),
    Plan(
        "dialogue", "dialogue-social", "jean-baptiste.lebihan", "Réunions de préparation", "Ce qui est écrit ici reste ici.",
        (("À inscrire", AHEAD), ("En préparation", WORKED), ("Traité", DONE)),
    ),
)  # fmt: skip
#: one card waits for another; one is a part of another
BLOCKED = (("Bascule des Trois-Rivières", "Obtenir l’accès de secours du fournisseur"),)
PARTS = (
    ("Former les assistants des caisses", "Bascule de la Côte-Blanche"),
    ("Vérifier les signatures de courriel", "Bascule de la Côte-Blanche"),
)
TALK = (
    ("Bascule des Trois-Rivières", "loic.gueguen", "Le fournisseur promet l’accès pour jeudi. Je ne commence pas sans."),
    ("Bascule des Trois-Rivières", "remi.castaing", "D’accord. J’appelle leur direction demain matin."),
    ("Bascule du Val-d’Argent", "samia.kaced", "Bravo pour les 41 boîtes, tout est passé du premier coup."),
    ("Lettre de bienvenue en français facile", "helene.dupont", "L’atelier a relu : deux phrases à raccourcir, c’est tout."),
    ("Mobilité entre les caisses", "zoe.bourguignon", "Il me manque les réponses de deux caisses."),
)
REPEATED = ("Répondre aux questions de la première semaine", "samia.kaced")


def prepare(session: Session, actor: Actor, keys: dict[str, str]) -> None:
    """Open boards to the members of a project; committed before they are asked what they may do."""
    where = levelsets.locate(session, "space", keys[OPENED])
    levelsets.place(session, where, Level.COLLABORATE, actor=actor, why="L’équipe du projet travaille sur un tableau.")


def make(session: Session, keys: dict[str, str], posts: dict[str, int]) -> None:
    """Make the boards in their communities, with all that is on them.

    :param keys: of the communities, by the key in their file; ``posts``: by title.
    """
    made = {plan.key: _board(session, plan, keys[plan.space]) for plan in BOARDS}
    known: dict[str, Card] = {}
    for place, row in enumerate(rows("cards.csv")):
        known[row["title"]] = _card(session, made[row["board"]], row, place, posts)
    for later, first in BLOCKED:
        links.link(session, known[later].author_id or 0, known[later].id, known[first].id, "blocked")
    for part, whole in PARTS:
        links.set_parent(session, known[part].author_id or 0, known[part].id, known[whole].id)
    for hours, (title, username, text) in enumerate(TALK):
        comment = comments.write(session, _id(session, username), access.card_ref(known[title].id), text)
        comment.created_at = utcnow() - dt.timedelta(hours=30 - 5 * hours)
    title, username = REPEATED
    at = (utcnow() + dt.timedelta(days=7)).replace(hour=7, minute=0, second=0, microsecond=0)
    recurring.repeat(
        session, _id(session, username), known[title].id, every="week", times=1, starts_at=at, zone="Europe/Paris",
        column_id=known[title].column_id,
    )  # fmt: skip
    for plan in BOARDS:
        _finish(session, plan, made[plan.key])


def opened_before(session: Session, since: dt.timedelta) -> None:
    """What the feed says of the boards is as old as they are."""
    for board in session.scalars(select(Board)):
        board.created_at = utcnow() - since
        session.execute(
            update(Entry).where(Entry.ref_type == access.BOARD, Entry.ref_id == str(board.id))
            .values(created_at=board.created_at, last_activity=board.created_at)
        )  # fmt: skip
    for card in session.scalars(select(Card)):
        session.execute(
            update(Entry).where(Entry.ref_type == access.CARD, Entry.ref_id == str(card.id))
            .values(created_at=card.done_at or card.updated_at, last_activity=card.done_at or card.updated_at)
        )  # fmt: skip


def _id(session: Session, username: str) -> int:
    return people.by_username(session, username).id


def _board(session: Session, plan: Plan, key: str) -> Board:
    owner = _id(session, plan.owner)
    board = boards.create(session, owner, f"space:{key}", plan.title, description=plan.description, columns=plan.columns)
    for lane in plan.lanes:
        columns.add_lane(session, owner, board.id, lane)
    for name, hue in plan.labels:
        columns.keep_label(session, owner, board.id, name, hue)
    if plan.field is not None:
        name, choices = plan.field
        fields.keep(session, owner, board.id, name=name, kind="choice", choices=choices, on_board=True)
    session.flush()
    return board


def _card(session: Session, board: Board, row: dict[str, str], place: int, posts: dict[str, int]) -> Card:
    """One card: made, moved as far as it came, and put back to the days on which that happened."""
    author = _id(session, row["author"])
    present = session.scalars(select(Column).where(Column.board_id == board.id).order_by(Column.position)).all()
    lanes = {lane.name: lane.id for lane in placing.lanes_of(session, board.id)}
    labels = {label.name: label.id for label in columns.labels_of(session, board.id)}
    own = fields.fields_of(session, board.id)
    due = utcnow().replace(hour=16, minute=0, second=0, microsecond=0) + dt.timedelta(days=int(row["due"] or 0))
    written = cards.Written(
        title=row["title"], body=row["text"], due_at=due if row["due"] else None,
        people=[_id(session, one) for one in row["people"].split()], labels=[labels[one] for one in row["labels"].split()],
        values={own[0].id: row["field"]} if row["field"] else None,
    )  # fmt: skip
    about = ObjectRef("feed.post", str(posts[row["about"]])) if row["about"] else None
    lane = lanes.get(row["lane"])
    card = cards.create(session, author, Place(present[0].id, lane), written, about=about)
    for line in filter(None, row["checklist"].split("|")):
        item = checklist.add(session, author, card.id, line.lstrip("*"))
        if line.startswith("*"):
            session.flush()
            checklist.tick(session, author, item.id, True)
    steps = [int(days) for days in row["steps"].split()]
    for column in present[1 : len(steps)]:
        moving.move(session, _mover(session, board, row), card.id, Place(column.id, lane), version=None)
    session.refresh(card)
    _put_back(session, card, present, steps, place)
    return card


def _mover(session: Session, board: Board, row: dict[str, str]) -> int:
    """Who works on the card, as far as they may move it; else who made it."""
    for username in row["people"].split():
        person_id = _id(session, username)
        if access.seat(session, person_id, board).movable:
            return person_id
    return _id(session, row["author"])


def _put_back(session: Session, card: Card, present: Sequence[Column], steps: list[int], place: int) -> None:
    now = utcnow() - dt.timedelta(minutes=11 * (place % 30))
    moments = [now - dt.timedelta(days=days) for days in steps]
    phases = [column.phase for column in present[: len(steps)]]
    card.created_at, card.entered_at, card.updated_at = moments[0], moments[-1], moments[-1]
    card.started_at = next((at for at, phase in zip(moments, phases, strict=True) if phase != AHEAD), None)
    card.done_at = moments[-1] if phases[-1] == DONE else None
    passages = session.scalars(select(Transition).where(Transition.card_id == card.id).order_by(Transition.id)).all()
    for passage, at in zip(passages, moments, strict=True):
        passage.at = at
    moves = iter(moments[1:])
    for line in session.scalars(select(Activity).where(Activity.card_id == card.id).order_by(Activity.id)):
        line.at = next(moves) if line.verb == "moved" else moments[0] if line.verb == "created" else moments[-1]
    session.flush()


def _finish(session: Session, plan: Plan, board: Board) -> None:
    """What would have stood in the way before: limits; and the filters."""
    owner = _id(session, plan.owner)
    for column in placing.columns_of(session, board.id):
        limit = dict(plan.limits).get(column.name)
        if limit is not None:
            columns.change_column(
                session, owner, column.id, name=column.name, phase=column.phase, wip_limit=limit, wip_hard=False
            )
    for name, query in plan.filters:
        filters.keep(session, owner, board.id, name, query, shared=True)
