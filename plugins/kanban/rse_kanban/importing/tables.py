"""Exports that are tables: Kanboard's tasks, ours, and any CSV whose head says what its columns are."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

from rse_core.api import translator

from .shape import Parsed, TakenCard, moment, phases, short

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext
#: What a head may call each part, in English and French, in lower case.
HEADS = {
    "id": ("task id", "id", "number", "numéro", "identifiant", "tâche", "task"), "title": ("title", "titre", "name", "nom"),
    "body": ("description", "text", "texte", "body"), "column": ("column", "colonne", "list", "liste", "status", "statut"),
    "lane": ("swimlane", "lane", "couloir"), "labels": ("labels", "étiquettes", "tags", "libellés", "category", "catégorie"),
    "people": ("assignee username", "assignees", "assignee", "who", "qui", "responsable"),
    "due": ("due date", "due", "due_at", "échéance", "date d'échéance"), "checklist": ("checklist", "liste de contrôle"),
    "state": ("state", "état"),
}  # fmt: skip


def read(text: str) -> Parsed | None:
    """The table in our shape; None when its head names no title."""
    sample = text[:4096]
    delimiter = max(",;\t", key=sample.split("\n", 1)[0].count)
    # A cell as large as a card's text may be.
    csv.field_size_limit(200_000)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        return None
    if len(rows) < 2:
        return None
    head = [short(name, 60).lower() for name in rows[0]]
    kanboard = "task id" in head and "swimlane" in head
    places = {}
    for part, words in HEADS.items():
        if part == "column" and kanboard:
            words = ("column",)
        if part == "state" and kanboard:
            words = ("status",)
        known = [head.index(word) for word in words if word in head]
        if known:
            places[part] = known[0]
    if "title" not in places:
        return None
    found = Parsed("kanboard" if kanboard else "csv")
    unknown = [rows[0][place] for place in range(len(head)) if place not in places.values() and head[place]]
    if unknown:
        found.left.append(_("Columns of the table: %(names)s.", names=", ".join(short(name, 60) for name in unknown)))
    seen: dict[str, int] = {}
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        cell = {part: row[place].strip() if place < len(row) else "" for part, place in places.items()}
        title = short(cell["title"], 300)
        if not title:
            found.left.append(_("Line %(line)s: no title.", line=number))
            continue
        due = moment(cell.get("due"))
        if cell.get("due") and due is None:
            found.left.append(_("“%(card)s”: the date %(date)s.", card=title, date=short(cell["due"], 40)))
        column = found.column(cell.get("column") or _("To do"))
        lane = short(cell.get("lane"), 100)
        if kanboard and lane.lower() in ("default swimlane", "couloir par défaut"):
            lane = ""
        if lane and lane not in found.lanes:
            found.lanes.append(lane)
        found.cards.append(TakenCard(
            _origin(found.source, cell, row, seen), title, column, cell.get("body", ""), lane,
            tuple(filter(None, (found.label(one) for one in _split(cell.get("labels", ""))))),
            tuple(_split(cell.get("people", "").replace("@", ""))), due,
            tuple(_item(line) for line in cell.get("checklist", "").splitlines() if line.strip()),
            cell.get("state", "").lower() in ("closed", "archived", "fermé", "archivée", "terminé"),
        ))  # fmt: skip
    names = [name for name, _phase in found.columns]
    found.columns = list(zip(names, phases(names), strict=True))
    return found


def _origin(source: str, cell: dict[str, str], row: list[str], seen: dict[str, int]) -> str:
    if cell.get("id"):
        return f"{source}:{short(cell['id'], 80)}"
    # Without a number it is the same card while its line says the same; two same lines are two cards.
    digest = hashlib.sha256("\x1f".join(row).encode("utf-8", "replace")).hexdigest()[:32]
    seen[digest] = seen.get(digest, 0) + 1
    return f"{source}:{digest}:{seen[digest]}"


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]


def _item(line: str) -> tuple[str, bool]:
    line = line.strip()
    done = line.lower().startswith("[x]")
    return short(line[3:] if line[:3].lower() in ("[x]", "[ ]") else line, 300) or "–", done
