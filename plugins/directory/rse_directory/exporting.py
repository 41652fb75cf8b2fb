"""What leaves the directory: a vCard, a signature, and the CSV file of those who may have one."""

from __future__ import annotations

import csv
import io
import re

from sqlalchemy.orm import Session

from rse_core.api import Actor, Forbidden, option, record, require, translator
from rse_core.roles import administers

from . import access, finding, profiles
from .finding import Asked
from .profiles import Card

_ = translator(__file__, "rse_directory").gettext
COLUMNS = ("username", "display_name", "entity", "job_title", "site", "email", "phone")
BATCH = 500
#: A cell that begins so would be computed by a spreadsheet.
_FORMULA = re.compile(r"\s*[=+\-@\t\r]")


def vcard(card: Card) -> str:
    """A vCard 4.0 of what is shown of somebody; lines are folded at 75 bytes."""
    first, _space, last = card.display_name.partition(" ")
    lines = [
        "BEGIN:VCARD", "VERSION:4.0", f"FN:{_escaped(card.display_name)}", f"N:{_escaped(last)};{_escaped(first)};;;",
    ]  # fmt: skip
    if card.entity_name:
        lines.append(f"ORG:{_escaped(card.entity_name)}")
    for key, name in (("job_title", "TITLE"), ("email", "EMAIL;TYPE=work"), ("site", "NOTE")):
        if card.value(key):
            lines.append(f"{name}:{_escaped(card.value(key))}")
    if card.value("phone"):
        lines.append(f"TEL;TYPE=work:{_escaped(card.value('phone'))}")
    return "".join(f"{_folded(line)}\r\n" for line in (*lines, "END:VCARD"))


def _escaped(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return re.sub(r"\r\n|\r|\n", r"\\n", plain)


def _folded(line: str) -> str:
    """No line longer than 75 bytes, and no character torn apart."""
    out, size = [], 0
    for char in line:
        wide = len(char.encode("utf-8"))
        if size + wide > 75:
            out.append("\r\n ")
            size = 1
        out.append(char)
        size += wide
    return "".join(out)


def signature(card: Card) -> str:
    """Plain text for the foot of a mail: what everybody would write there, as far as it is shown."""
    parts = [card.display_name, card.value("job_title"), card.entity_name, card.value("site")]
    reach = " · ".join(part for part in (card.value("phone"), card.value("email")) if part)
    return "\n".join(part for part in (*parts, reach) if part)


def csv_file(session: Session, viewer_id: int | None, asked: Asked) -> str:
    """People as a CSV file, by what of them is shown to who asks; bounded, and in the audit log.

    :raises Forbidden: for everybody but administrators of the site and, for their own entity, of an entity.
    """
    require(session, viewer_id, access.EXPORT)
    seen = access.sight(session, viewer_id)
    if not _may_export(session, viewer_id, asked):
        raise Forbidden(_("Only those who administer the site, or the entity that was chosen, may take out a list."))
    most: int = option(session, "directory.export_most")
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    after, number = None, 0
    while number < most:
        hits = finding.find(session, seen, asked, after=after, limit=min(BATCH, most - number))
        for card in profiles.cards(session, seen, hits.ids, whole=True):
            values = (card.username, card.display_name, card.entity_name, *(card.value(key) for key in COLUMNS[3:]))
            writer.writerow([_safe(value) for value in values])
        number += len(hits.ids)
        after = hits.after
        if after is None or hits.near:
            break
    person = profiles.names(session, [seen.person_id])[seen.person_id]
    record(
        session, Actor(person.username, person.id), "directory.export", "site", after={"people": number, **asked.arguments()}
    )
    return out.getvalue()


def may_export(session: Session, viewer_id: int | None, asked: Asked) -> bool:
    """Whether the list may be taken out; shows or hides the button."""
    from rse_core.api import can

    return can(session, viewer_id, access.EXPORT).allowed and _may_export(session, viewer_id, asked)


def _may_export(session: Session, viewer_id: int | None, asked: Asked) -> bool:
    from sqlalchemy import select

    from rse_core.models.organisation import Entity

    if not asked.entity:
        return administers(session, viewer_id, None)
    entity_id = session.scalar(select(Entity.id).where(Entity.key == asked.entity))
    return entity_id is not None and administers(session, viewer_id, entity_id)


def _safe(value: str) -> str:
    return "'" + value if _FORMULA.match(value) else value
