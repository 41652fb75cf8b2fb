"""What the pages share: the blueprint, times as fields have them, answers to forms."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, Conflict, Forbidden, NotFound, TooMany, translator
from rse_core.webapi import core, return_to

from .. import access, cards
from ..cards import Written
from ..reading import Sheet

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext
blueprint = Blueprint(
    "rse_kanban", __name__, url_prefix="/kanban", template_folder="../templates", static_folder="../static"
)
#: Refusals after which a form is shown again with what was typed.
KEPT = (BadInput, Conflict, Forbidden, TooMany)
#: What two people who change a card at once are merged by.
MERGED = ("title", "body", "due", "people", "labels", "values", "files")


@dataclass
class Typed:
    """A form as it is shown: what was typed, what was wrong."""

    values: Mapping[str, str] = field(default_factory=dict)
    many: Mapping[str, Sequence[str]] = field(default_factory=dict)
    error: BadInput | Conflict | Forbidden | NotFound | TooMany | None = None

    def get(self, name: str, usual: str = "") -> str:
        """What stands in a field."""
        return self.values.get(name, usual)

    def wrong(self, name: str) -> str:
        """What is wrong with a field."""
        return getattr(self.error, "fields", {}).get(name, "") if self.error is not None else ""


def typed(error: BadInput | Conflict | Forbidden | NotFound | TooMany | None = None) -> Typed:
    """The form that was sent."""
    return Typed(request.form.to_dict(), {name: request.form.getlist(name) for name in request.form}, error)


def zone() -> ZoneInfo:
    """The clock of the site."""
    return ZoneInfo(core().settings.timezone)


def local(when: dt.datetime | None) -> str:
    """A time as a field of a form has it, on the site's clock."""
    return when.astimezone(zone()).strftime("%Y-%m-%dT%H:%M") if when is not None else ""


def moment(text: str, name: str) -> dt.datetime | None:
    """A time as it was typed; midnight of a date alone is the end of that day. None for an empty field.

    :raises BadInput: for what is no time; names the field.
    """
    text = text.strip()
    if not text:
        return None
    try:
        if len(text) == 10:
            return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(23, 59), zone())
        return dt.datetime.fromisoformat(text).replace(tzinfo=zone())
    except ValueError:
        message = _("Write a date and a time, such as 2027-01-31T09:00.")
        raise BadInput(message, fields={name: message}) from None


def day(text: str, name: str) -> dt.date | None:
    """A date as it was typed; None for an empty field. :raises BadInput: names the field."""
    try:
        return dt.date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        message = _("Write a date, such as 2027-01-31.")
        raise BadInput(message, fields={name: message}) from None


def number(name: str, *, needed: bool = False) -> int | None:
    """A whole number of the form; None for an empty field.

    :raises BadInput: for anything else; names the field.
    """
    text = request.form.get(name, "").strip().lstrip("#")
    if not text and not needed:
        return None
    if not text.isdecimal() or len(text) > 18:
        message = _("Choose one.") if not text else _("“%(text)s” is not a number.", text=text[:20])
        raise BadInput(message, fields={name: message})
    return int(text)


def answer(message: str, where: str) -> BaseResponse:
    """A form was taken: say so, on the page that it came from or on this one."""
    if message:
        flash(message)
    return redirect(where, 303)


def card_url(card_id: int) -> str:
    """The page of a card."""
    return url_for("rse_kanban.card", card_id=card_id)


def board_url(board_id: int) -> str:
    """The page of a board."""
    return url_for("rse_kanban.board", board_id=board_id)


def back(board_id: int) -> str:
    """Where a form of a board came from, or the board."""
    return return_to(board_url(board_id))


def written(session: Session, chair: access.Seat, *, files: Sequence[str] | None, alts: Mapping[str, str]) -> Written:
    """What the whole form of a card says; fields that stand as they stood in the form say nothing."""
    form, mine = request.form, typed()
    mine.values = {**mine.values, "files": marked_files(files or (), alts)}
    due = moment(form.get("due_at", ""), "due_at") if "due_at" in form else None
    remind = form.get("remind", "")
    usernames = form.get("people", "").replace(",", " ").split()
    wanted = Written(
        title=form.get("title"), body=form.get("body"), due_at=(due or False) if "due_at" in form else None,
        remind=(int(remind) if remind.isdecimal() and len(remind) < 7 else False) if "remind" in form else None,
        people=cards.find_people(session, chair, usernames) if "people" in form and touched(mine, "people") else None,
        labels=[int(one) for one in form.getlist("labels") if one.isdecimal()] if "has_labels" in form else None,
        values=own_values(mine) or None, files=files, alts=alts,
    )  # fmt: skip
    untouched = {name: None for name in ("title", "body", "people", "labels", "values", "files") if not touched(mine, name)}
    if not touched(mine, "due"):
        untouched |= {"due_at": None, "remind": None}
    return replace(wanted, **untouched)  # type: ignore[arg-type]


def own_values(form: Typed) -> dict[int, str]:
    """What the form has in the board's own fields; a box that is not ticked sends nothing."""
    values = {
        int(name[6:]): value for name, value in form.values.items() if name.startswith("field-") and name[6:].isdecimal()
    }
    for name in form.many.get("boxes", ()):
        if name.isdecimal():
            values.setdefault(int(name), "")
    return values


def mark(form: Typed, name: str) -> str:
    """A short sign of what stands in a field: the form carries that of the card it was made from."""
    if name == "due":
        text = f"{form.get('due_at')}|{form.get('remind')}"
    elif name == "labels":
        text = ",".join(sorted(form.many.get("labels", ())))
    elif name == "values":
        text = "|".join(f"{ident}={value.strip()}" for ident, value in sorted(own_values(form).items()) if value.strip())
    elif name == "files":
        text = form.get("files")
    elif name == "people":
        text = " ".join(form.get("people").replace(",", " ").split())
    else:
        text = form.get(name).replace("\r\n", "\n").strip()
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def touched(form: Typed, name: str) -> bool:
    """Whether somebody changed a field of the form that they were given."""
    was = form.get(f"was_{name}")
    return not was or was != mark(form, name)


def merged(form: Typed, now: Typed) -> Typed:
    """The form again: what was typed where something was, elsewhere the card as it is now."""
    values, many = dict(now.values), dict(now.many)
    for name in MERGED:
        if not touched(form, name):
            continue
        if name == "due":
            values |= {one: form.get(one) for one in ("due_at", "remind")}
        elif name == "labels":
            many["labels"] = form.many.get("labels", ())
        elif name == "files":
            # Which they are is what the field for them shows.
            continue
        elif name == "values":
            values |= {f"field-{ident}": value for ident, value in own_values(form).items()}
        else:
            values[name] = form.get(name)
    return Typed(values, many, form.error)


def marked_files(keys: Sequence[str], alts: Mapping[str, str]) -> str:
    """Files and what is said of them, in one text."""
    return "|".join(f"{key}={' '.join(alts.get(key, '').split())}" for key in keys)


def words_of(found: Sheet) -> Typed:
    """A card as its form shows it."""
    card, people = found.card, found.people
    labels = [label.id for label in found.labels]
    values = {one.id: value for one, value in found.fields}
    files = marked_files([info.key for info in found.files], {info.key: info.alt for info in found.files})
    shown = {
        "title": card.title, "body": card.body, "files": files, "due_at": local(card.due_at),
        "remind": "" if card.remind is None else str(card.remind), "people": " ".join(f"@{one.username}" for one in people),
        **{f"field-{ident}": value for ident, value in values.items()},
    }  # fmt: skip
    return Typed(shown, {"labels": [str(one) for one in labels]})
