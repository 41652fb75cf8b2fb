"""Who sees which board and which card, once more: slow and obvious, as :mod:`model`, and sharing no code with the plugin."""

from __future__ import annotations

from dataclasses import dataclass, field

import visibility_model as model
from visibility_model import COLLABORATE, EVERYONE, REACT

READ, WRITE, MOVE, MANAGE = "kanban.read", "kanban.write_card", "kanban.move_card", "kanban.manage_board"
model.CAPABILITIES |= {
    READ: ("kanban", REACT, "all", False),
    WRITE: ("kanban", COLLABORATE, "members", True),
    MOVE: ("kanban", COLLABORATE, "members", True),
    MANAGE: ("kanban", COLLABORATE, "members", True),
}
ROLES = ("reader", "editor", "manager")


@dataclass
class Board:
    """``audience`` None: the ``owner``'s own."""

    number: int
    word: str
    author: str
    audience: tuple | None
    space: str | None = None
    entity: str | None = None
    state: str = "open"
    usual: str = "editor"
    named: dict = field(default_factory=dict)  # person -> role
    groups: dict = field(default_factory=dict)  # group -> role
    came: float = 0.0

    def __str__(self):
        return f"board {self.number} ({self.state} by {self.author} for {self.audience} in {self.space})"


@dataclass
class Card:
    number: int
    word: str
    board: int
    author: str
    state: str = "open"
    people: set = field(default_factory=set)
    lines: set = field(default_factory=set)  # whose lines of its checklist are not ticked off
    named: frozenset = frozenset()
    done: bool = False
    dated: bool = False
    parent: int | None = None
    blocks: set = field(default_factory=set)
    about: int | None = None  # a post
    told: frozenset = frozenset()  # who was told that somebody else moved it

    def __str__(self):
        return f"card {self.number} ({self.state} by {self.author} on {self.board})"


def board_of(world, card):
    return world.boards[card.board]


def reads(world, name, board):
    """Whether the board is shown to this person."""
    if world.people[name].disabled or board.state == "deleted":
        return False
    if board.audience is None:
        return board.author == name and model.may_anywhere(world, name, READ)
    return model.may(world, name, READ, board.audience, board.space)


def listed(world, name, state="open"):
    """The boards of this person's list."""
    return [board for board in world.boards.values() if board.state == state and reads(world, name, board)]


def moderates(world, name, board):
    """Whether this person decides on what waits on the board. On somebody's own nobody does."""
    return board.audience is not None and model.moderates_place(world, name, board)


def on_board(world, name, board):
    """The cards that this person is shown on the board: those that are there, and what waits of one's own or for one."""
    if not reads(world, name, board):
        return []
    return [
        card for card in world.cards.values() if card.board == board.number and (
            card.state == "open"
            or (card.state == "pending" and (card.author == name or moderates(world, name, board)))
        )
    ]  # fmt: skip


def opens(world, name, card):
    """Whether the card's own page opens."""
    board = board_of(world, card)
    if not reads(world, name, board):
        return False
    if card.state in ("open", "archived"):
        return True
    if card.state == "deleted":
        return manages(world, name, board)
    return card.author == name or moderates(world, name, board)


def across(world, name):
    """The cards that lists over many boards take account of."""
    return [
        card for board in listed(world, name) for card in world.cards.values()
        if card.board == board.number and (card.state == "open" or (card.state == "pending" and card.author == name))
    ]  # fmt: skip


def mine(world, name):
    """The cards that this person works on and that are not done."""
    return [card for card in across(world, name) if name in card.people and not card.done]


def my_lines(world, name):
    """The cards in whose checklist something is left to this person."""
    return [card for card in across(world, name) if name in card.lines]


def load(world, name, boards):
    """For each person, how many cards on these boards are left to them, as far as ``name`` is shown them."""
    found = {}
    numbers = {board.number for board in boards}
    for card in across(world, name):
        if card.board in numbers and not card.done:
            for person in card.people:
                found[person] = found.get(person, 0) + 1
    return found


def counts(world, board):
    """How many cards stand on the board, whoever is shown them."""
    return sum(1 for card in world.cards.values() if card.board == board.number and card.state in ("open", "pending"))


# -- what one may do there -------------------------------------------------------------------------------------------------


def runs(world, name, board):
    """Whether the person runs the board by what they are elsewhere."""
    if world.people[name].disabled:
        return False
    grants = world.people[name].grants
    if board.audience is None:
        return board.author == name
    if board.space is not None:
        return model.runs(world, name, board.space)
    if ("site_admin", "site", "") in grants:
        return True
    return any(("entity_admin", "entity", one) in grants for one in model.path(world, board.entity))


def role(world, name, board):
    """What the person is on the board: who runs it; else the role beside the name; else the highest of the groups' and the
    usual one."""
    if runs(world, name, board):
        return "manager"
    if name in board.named:
        return board.named[name]
    mine = [board.usual, *(there for group, there in board.groups.items() if group in world.people[name].groups)]
    return max(mine, key=ROLES.index)


def may(world, name, board, capability):
    """Whether the rules of the cursor let the person do this there."""
    if board.audience is None:
        return board.author == name and model.may_anywhere(world, name, capability)
    return model.may(world, name, capability, board.audience, board.space)


def does(world, name, board, capability):
    """Whether the person may make, change or move cards there."""
    fits = reads(world, name, board) and board.state == "open" and may(world, name, board, capability)
    return fits and role(world, name, board) != "reader"


def manages(world, name, board):
    return reads(world, name, board) and may(world, name, board, MANAGE) and role(world, name, board) == "manager"


# -- elsewhere -----------------------------------------------------------------------------------------------------------


def in_feed(world, name):
    """The boards of whose making the feed tells this person."""
    return [
        board for board in world.boards.values() if board.audience is not None and board.state == "open"
        and model.may(world, name, "feed.read", board.audience, board.space) and reads(world, name, board)
    ]  # fmt: skip


def found_by(world, name):
    """The boards and cards that this person finds: not what is somebody's own, not even one's own."""
    if not model.may_anywhere(world, name, "search.use"):
        return set()
    found = set()
    for board in world.boards.values():
        if board.audience is None or not reads(world, name, board):
            continue
        if not model.may(world, name, "search.use", board.audience, board.space):
            continue
        # What is of no entity counts for that of who wrote it.
        entity = board.entity or world.people[board.author].entity
        found.add(model.Found("board", board.number, board.author, board.space, entity))
        for card in world.cards.values():
            if card.board == board.number and card.state in ("open", "archived"):
                entity = board.entity or world.people[card.author].entity
                found.add(model.Found("card", card.number, card.author, board.space, entity))
    return found


def told_now(world, name):
    """The cards of which this person's notifications speak: those to work on, and those in which they are named."""
    found = set()
    for card in world.cards.values():
        if card.state not in ("open", "archived") or not reads(world, name, board_of(world, card)):
            continue
        if name in card.people and name != card.author:
            found.add(("kanban.assigned", card.number))
        if name in card.told:
            found.add(("kanban.moved", card.number))
        if name in card.named and name != card.author and card.state == "open":
            found.add(("kanban.mentioned", card.number))
    return found


__all__ = ["EVERYONE", "Board", "Card"]
