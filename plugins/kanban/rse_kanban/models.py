"""Boards, what they are made of, and cards.

A card stands in one column, at a rank that no other card of the column has. One that is archived, deleted or refused has no
rank, and so no place; its column is remembered for when it comes back. Whoever changes anything on a board locks the board's
row first: everything below is consistent under that one lock.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow

Base = plugin_base("kanban")
#: Ranks are compared byte by byte, whatever the database's own language.
RANK = String(120).with_variant(String(120, collation="C"), "postgresql")


def _person() -> Any:
    return mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"))


def _board() -> Any:
    return mapped_column(Key, ForeignKey("rse_kanban_board.id", ondelete="CASCADE"), index=True)


class Board(Base):
    """A board in a space, of an entity, or somebody's own (no audience: nobody else sees it).

    ``state``: open, archived or deleted. ``revision`` grows with every change of anything on it, ``default_role`` is what
    those are for whom no role is named: reader or editor.
    """

    __tablename__ = "rse_kanban_board"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    audience_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_audience.id"), index=True)
    space_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"), index=True)
    entity_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_entity.id", ondelete="SET NULL"))
    owner_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    state: Mapped[str] = mapped_column(String(10), default="open")
    default_role: Mapped[str] = mapped_column(String(10), default="editor")
    revision: Mapped[int] = mapped_column(Key, default=1)
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[int | None] = _person()
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[dt.datetime | None]


class Column(Base):
    """A column. ``phase``: todo, doing or done, for what is measured. One that was removed is kept for the figures."""

    __tablename__ = "rse_kanban_column"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = _board()
    name: Mapped[str] = mapped_column(String(100))
    position: Mapped[int] = mapped_column(default=0)
    phase: Mapped[str] = mapped_column(String(5), default="todo")
    #: most cards in it; hard: no further card comes in
    wip_limit: Mapped[int | None]
    wip_hard: Mapped[bool] = mapped_column(default=False)
    removed_at: Mapped[dt.datetime | None]


class Lane(Base):
    """A swimlane; a card of no lane stands in the first row."""

    __tablename__ = "rse_kanban_lane"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = _board()
    name: Mapped[str] = mapped_column(String(100))
    position: Mapped[int] = mapped_column(default=0)


class Label(Base):
    """A label of a board; ``hue`` 0 to 11 beside its name, never instead of it."""

    __tablename__ = "rse_kanban_label"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = _board()
    name: Mapped[str] = mapped_column(String(60))
    hue: Mapped[int] = mapped_column(default=6)
    __table_args__ = (UniqueConstraint("board_id", "name"),)


class Field(Base):
    """A field that the cards of a board have beside the usual ones. ``kind``: text, number, date, choice or check."""

    __tablename__ = "rse_kanban_field"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = _board()
    name: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(10), default="text")
    choices: Mapped[Any] = mapped_column(JSON, default=list)
    #: also shown on the board
    on_board: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    __table_args__ = (UniqueConstraint("board_id", "name"),)


class BoardRole(Base):
    """What a person or a group is on a board: reader, editor or manager. It opens the board to nobody who does not see
    it."""

    __tablename__ = "rse_kanban_role"
    board_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_board.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(6), primary_key=True)
    target_id: Mapped[int] = mapped_column(Key, primary_key=True)
    role: Mapped[str] = mapped_column(String(10))
    __table_args__ = (Index("ix_rse_kanban_role_target", "kind", "target_id"),)


class Passage(Base):
    """Who may move cards from one column to another (None: any): editors, assignees, managers or nobody."""

    __tablename__ = "rse_kanban_passage"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = _board()
    from_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_kanban_column.id", ondelete="CASCADE"))
    to_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_kanban_column.id", ondelete="CASCADE"))
    who: Mapped[str] = mapped_column(String(10))


class Card(Base):
    """A card. ``state``: open, pending (waits for a moderator), refused, hidden (taken down by one), archived or deleted.

    ``version`` grows with every change of the card, ``stamps`` says of each field at which version it last changed: who
    changes one field and who changes another do not disturb each other. ``revision`` is the board's at the last change.
    """

    __tablename__ = "rse_kanban_card"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_board.id", ondelete="CASCADE"))
    column_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_column.id"))
    lane_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_kanban_lane.id"), index=True)
    rank: Mapped[str | None] = mapped_column(RANK)
    title: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default="open")
    version: Mapped[int] = mapped_column(default=1)
    stamps: Mapped[Any] = mapped_column(JSON, default=dict)
    revision: Mapped[int] = mapped_column(Key, default=0)
    author_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    parent_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_kanban_card.id", ondelete="SET NULL"), index=True)
    due_at: Mapped[dt.datetime | None]
    #: minutes before it is due at which those assigned are reminded; None: not at all
    remind: Mapped[int | None]
    remind_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    #: since when it is in its column; when it first came into a column where one works; since when it is done
    entered_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    started_at: Mapped[dt.datetime | None]
    done_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    ended_by: Mapped[int | None] = _person()
    #: why a moderator refused it, or took it down
    reason: Mapped[str] = mapped_column(String(500), default="")
    #: what it was before it was deleted; whether it is kept restorable elsewhere, and emptied from there
    was: Mapped[str] = mapped_column(String(10), default="", server_default="")
    kept: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: where it was made from: an import, a recurring card; the same origin makes one card
    origin: Mapped[str | None] = mapped_column(String(200))
    __table_args__ = (
        UniqueConstraint("column_id", "rank"),
        UniqueConstraint("board_id", "origin"),
        Index("ix_rse_kanban_card_board", "board_id", "state", "id"),
        Index("ix_rse_kanban_card_remind", "remind_at"),
    )


class CardRevision(Base):
    """What a card said before an edit, on the board on which it stood then. ``by_id``: who changed it, ``at`` when.

    ``unpublished``: it waited for a moderator, or had been refused; nobody else has ever read it.
    """

    __tablename__ = "rse_kanban_revision"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    card_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_card.id", ondelete="CASCADE"))
    board_id: Mapped[int] = _board()
    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text, default="")
    unpublished: Mapped[bool] = mapped_column(default=False)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    __table_args__ = (Index("ix_rse_kanban_revision_card", "card_id", "id"),)


class CardPerson(Base):
    """This person works on this card."""

    __tablename__ = "rse_kanban_card_person"
    card_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_card.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class CardLabel(Base):
    """This card carries this label."""

    __tablename__ = "rse_kanban_card_label"
    card_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_card.id", ondelete="CASCADE"), primary_key=True)
    label_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_kanban_label.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class CardValue(Base):
    """What a card has in one of its board's own fields."""

    __tablename__ = "rse_kanban_value"
    card_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_card.id", ondelete="CASCADE"), primary_key=True)
    field_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_kanban_field.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    value: Mapped[str] = mapped_column(String(500))


class CheckItem(Base):
    """One line of a card's checklist, with somebody and a day of its own."""

    __tablename__ = "rse_kanban_check"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    card_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_card.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(String(300))
    position: Mapped[int] = mapped_column(default=0)
    person_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    due_on: Mapped[dt.date | None]
    done_at: Mapped[dt.datetime | None]
    done_by: Mapped[int | None] = _person()


class CardLink(Base):
    """One card and another. ``kind``: blocks (the first holds up the other), or relates."""

    __tablename__ = "rse_kanban_link"
    card_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_card.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_kanban_card.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)


class CardRef(Base):
    """An object of another kind that a card is about: a post, a comment, a page of the intranet."""

    __tablename__ = "rse_kanban_ref"
    card_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_card.id", ondelete="CASCADE"), primary_key=True)
    ref_type: Mapped[str] = mapped_column(String(81), primary_key=True)
    ref_id: Mapped[str] = mapped_column(String(500), primary_key=True)
    __table_args__ = (Index("ix_rse_kanban_ref_object", "ref_type", "ref_id"),)


class Transition(Base):
    """A card came into a column, or left the board. ``from_id`` None: it came from nowhere (made, restored, from another
    board); ``to_id`` None: it left. ``undone``: taken back at once, and so counted nowhere."""

    __tablename__ = "rse_kanban_transition"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_board.id", ondelete="CASCADE"))
    card_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_kanban_card.id", ondelete="CASCADE"), index=True)
    from_id: Mapped[int | None] = mapped_column(Key)
    to_id: Mapped[int | None] = mapped_column(Key)
    person_id: Mapped[int | None] = _person()
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    undone: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (Index("ix_rse_kanban_transition_board", "board_id", "at"),)


class Activity(Base):
    """One line of what happened to a card. ``data`` names columns, labels and fields, never what people wrote."""

    __tablename__ = "rse_kanban_activity"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    board_id: Mapped[int] = _board()
    card_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_kanban_card.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    verb: Mapped[str] = mapped_column(String(20))
    data: Mapped[Any] = mapped_column(JSON, default=dict)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index("ix_rse_kanban_activity_page", "board_id", "at", "id"),)
