"""Exports that are trees: Trello's, Deck's, and our own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rse_core.api import translator

from .. import snapshots
from .shape import Parsed, TakenCard, moment, phases, short

_t = translator(str(Path(__file__).parent), "rse_kanban")
_ = _t.gettext
#: Colours of Trello's labels as ours.
HUES = {
    "green": 4, "yellow": 2, "orange": 1, "red": 0, "purple": 9, "blue": 7, "sky": 6, "lime": 3, "pink": 10, "black": 8,
}  # fmt: skip


def read(tree: Any) -> Parsed | None:
    """The tree in our shape; None when it is nobody's that is known."""
    if isinstance(tree, dict) and tree.get("format") == snapshots.FORMAT:
        return _own(tree)
    if isinstance(tree, dict) and isinstance(tree.get("lists"), list) and isinstance(tree.get("cards"), list):
        return _trello(tree)
    boards = tree.get("boards") if isinstance(tree, dict) else tree
    if isinstance(boards, dict):
        boards = list(boards.values())
    if isinstance(boards, list) and boards and all(isinstance(one, dict) and "stacks" in one for one in boards):
        return _deck(boards)
    return _deck([tree]) if isinstance(tree, dict) and "stacks" in tree else None


def _rows(value: Any) -> Iterable[Mapping[str, Any]]:
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [one for one in found if isinstance(one, dict)]


def _place(row: Mapping[str, Any], name: str) -> float:
    try:
        return float(row.get(name) or 0)
    except (TypeError, ValueError):
        return 0.0


def _trello(tree: Mapping[str, Any]) -> Parsed:
    found = Parsed("trello", short(tree.get("name"), 200))
    lists = sorted(_rows(tree["lists"]), key=lambda one: _place(one, "pos"))
    open_lists = [one for one in lists if not one.get("closed")]
    names: dict[str, str] = {}
    for one, phase in zip(open_lists, phases([str(one.get("name")) for one in open_lists]), strict=True):
        names[str(one.get("id"))] = found.column(str(one.get("name")), phase)
    shut = {str(one.get("id")): short(one.get("name"), 100) for one in lists if one.get("closed")}
    people = {str(one.get("id")): str(one.get("username") or "") for one in _rows(tree.get("members"))}
    items: dict[str, list[tuple[str, bool]]] = {}
    for checklist in sorted(_rows(tree.get("checklists")), key=lambda one: _place(one, "pos")):
        for item in sorted(_rows(checklist.get("checkItems")), key=lambda one: _place(one, "pos")):
            done = item.get("state") == "complete"
            items.setdefault(str(checklist.get("idCard")), []).append((short(item.get("name"), 300), done))
    for one in sorted(_rows(tree["cards"]), key=lambda one: _place(one, "pos")):
        title, home = short(one.get("name"), 300), str(one.get("idList"))
        if home in shut:
            found.left.append(_("“%(card)s”: its list “%(list)s” was archived.", card=title, list=shut[home]))
            continue
        if not title or home not in names:
            found.left.append(_("A card without a title or a list: %(id)s.", id=short(one.get("id"), 40)))
            continue
        labels = [
            found.label(str(two.get("name") or two.get("color") or ""), HUES.get(str(two.get("color")).split("_")[0], 6))
            for two in _rows(one.get("labels"))
        ]
        attached = len(list(_rows(one.get("attachments"))))
        if attached:
            found.left.append(
                _t.ngettext(
                    "“%(card)s”: %(num)s attachment.", "“%(card)s”: %(num)s attachments.", attached, card=title
                )
            )
        found.cards.append(TakenCard(
            f"trello:{short(one.get('id'), 80)}", title, names[home], str(one.get("desc") or ""),
            labels=tuple(label for label in labels if label),
            people=tuple(people[str(ident)] for ident in one.get("idMembers") or () if people.get(str(ident))),
            due_at=moment(one.get("due")), checklist=tuple(item for item in items.get(str(one.get("id")), []) if item[0]),
            archived=bool(one.get("closed")),
        ))  # fmt: skip
    comments = sum(1 for one in _rows(tree.get("actions")) if one.get("type") == "commentCard")
    if comments:
        found.left.append(_t.ngettext("%(num)s comment.", "%(num)s comments.", comments))
    fields = len(list(_rows(tree.get("customFields"))))
    if fields:
        found.left.append(_t.ngettext("%(num)s custom field.", "%(num)s custom fields.", fields))
    return found


def _deck(boards: Iterable[Mapping[str, Any]]) -> Parsed:
    boards = list(boards)
    found = Parsed("deck", short(boards[0].get("title"), 200))
    for other in boards[1:]:
        found.left.append(_("The board “%(board)s”: one board at a time.", board=short(other.get("title"), 200)))
    board = boards[0]
    stacks = sorted(_rows(board.get("stacks")), key=lambda one: _place(one, "order"))
    for label in _rows(board.get("labels")):
        found.label(str(label.get("title") or ""))
    for stack, phase in zip(stacks, phases([str(one.get("title")) for one in stacks]), strict=True):
        column = found.column(str(stack.get("title")), phase)
        for one in sorted(_rows(stack.get("cards")), key=lambda one: _place(one, "order")):
            title = short(one.get("title"), 300)
            if not title or one.get("deletedAt"):
                found.left.append(_("A card without a title, or deleted: %(id)s.", id=short(one.get("id"), 40)))
                continue
            people = []
            for who in _rows(one.get("assignedUsers")):
                participant = who.get("participant")
                name = participant
                if isinstance(participant, dict):
                    name = participant.get("uid") or participant.get("primaryKey")
                if name:
                    people.append(str(name))
            count = one.get("attachmentCount") or len(list(_rows(one.get("attachments"))))
            if count:
                found.left.append(_t.ngettext(
                    "“%(card)s”: %(num)s attachment.", "“%(card)s”: %(num)s attachments.", int(count), card=title
                ))  # fmt: skip
            if one.get("commentsCount"):
                found.left.append(_t.ngettext(
                    "“%(card)s”: %(num)s comment.", "“%(card)s”: %(num)s comments.", int(one["commentsCount"]), card=title
                ))  # fmt: skip
            found.cards.append(TakenCard(
                f"deck:{short(board.get('id'), 20)}:{short(one.get('id'), 40)}", title, column,
                str(one.get("description") or ""),
                labels=tuple(filter(None, (found.label(str(two.get("title") or "")) for two in _rows(one.get("labels"))))),
                people=tuple(people), due_at=moment(one.get("duedate")), archived=bool(one.get("archived")),
            ))  # fmt: skip
    return found


def _own(tree: Mapping[str, Any]) -> Parsed:
    found = Parsed("rse", short(tree.get("title"), 200))
    for column in _rows(tree.get("columns")):
        phase = str(column.get("phase"))
        found.column(str(column.get("name")), phase if phase in ("todo", "doing", "done") else "todo")
    found.lanes = [short(name, 100) for name in tree.get("lanes") or [] if short(name, 100)]
    for label in _rows(tree.get("labels")):
        found.label(str(label.get("name")), int(_place(label, "hue")))
    for one in _rows(tree.get("cards")):
        title = short(one.get("title"), 300)
        if not title or not short(one.get("column"), 100):
            found.left.append(_("A card without a title or a list: %(id)s.", id=short(one.get("id"), 40)))
            continue
        items = [(short(item.get("text"), 300), bool(item.get("done"))) for item in _rows(one.get("checklist"))]
        found.cards.append(TakenCard(
            f"rse:{short(tree.get('board'), 20)}:{short(one.get('id'), 20)}", title, found.column(str(one.get("column"))),
            str(one.get("body") or ""), short(one.get("lane"), 100),
            tuple(filter(None, (found.label(str(name)) for name in one.get("labels") or ()))),
            tuple(str(name) for name in one.get("assignees") or ()), moment(one.get("due_at")),
            tuple(item for item in items if item[0]), one.get("state") == "archived",
        ))  # fmt: skip
        for name, value in (one.get("fields") or {}).items() if isinstance(one.get("fields"), dict) else ():
            said = short(value, 60)
            found.left.append(_("“%(card)s”: the field %(field)s (%(value)s).", card=title, field=name, value=said))
    return found
