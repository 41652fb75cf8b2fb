"""The register “which tool for which use”, against the pile of tools: kept by site administrators, shown where people start
writing."""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, Conflict, NotFound, record, translator
from rse_core.freshness import touch

from . import access
from .models import Tool

_ = translator(__file__, "rse_governance").gettext
MOST = 100


def register(session: Session, *, beside: bool = False) -> list[Tool]:
    """Every line, in order; ``beside``: only those shown beside the forms."""
    query = select(Tool).order_by(Tool.position, Tool.id).limit(MOST)
    return list(session.scalars(query.where(Tool.shown.is_(True)) if beside else query))


def save(
    session: Session, person_id: int, *, tool_id: int | None = None, use: str, tool: str, address: str = "", note: str = "",
    position: int = 0, shown: bool = True,
) -> Tool:  # fmt: skip
    """Add a line, or change one.

    :raises Forbidden: for who is no site administrator.
    :raises BadInput: names the field.
    """
    access.require_admin(session, person_id)
    values = {"use": " ".join(use.split()), "tool": " ".join(tool.split()), "note": " ".join(note.split())}
    for field, most, needed in (("use", 200, True), ("tool", 200, True), ("note", 500, False)):
        if (needed and not values[field]) or len(values[field]) > most or "\x00" in values[field]:
            message = _("Write 1 to %(most)s characters.", most=str(most))
            raise BadInput(message, fields={field: message})
    address = address.strip()
    if address and not _leads(address):
        message = _("This is not the address of a page.")
        raise BadInput(message, remedy=_("Write https://… or /…"), fields={"address": message})
    row = session.get(Tool, tool_id) if tool_id is not None else Tool()
    if row is None:
        raise NotFound(_("There is no such line."))
    if tool_id is None:
        if (session.scalar(select(func.count()).select_from(Tool)) or 0) >= MOST:
            raise Conflict(_("There are as many lines as there can be: %(most)s.", most=str(MOST)))
        session.add(row)
    row.use, row.tool, row.note = values["use"], values["tool"], values["note"]
    row.address, row.position, row.shown = address, max(0, min(position, 9_999)), shown
    session.flush()
    record(
        session, access.actor_of(session, person_id), "tools.save", f"tool:{row.id}",
        after={"use": row.use, "tool": row.tool},
    )  # fmt: skip
    # What stands beside the forms is kept with the policy's memory.
    touch(session)
    return row


def remove(session: Session, person_id: int, tool_id: int) -> None:
    """Take a line away."""
    access.require_admin(session, person_id)
    row = session.get(Tool, tool_id)
    if row is None:
        raise NotFound(_("There is no such line."))
    record(session, access.actor_of(session, person_id), "tools.remove", f"tool:{row.id}", before={"use": row.use})
    session.delete(row)
    touch(session)


def _leads(address: str) -> bool:
    if len(address) > 1_000 or not address.isprintable() or "\\" in address or " " in address:
        return False
    if address.startswith("/"):
        return not address.startswith("//")
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
