"""The small language in which cards are filtered, on a board and across boards.

::

    accueil affiche          both words stand in the title or the text
    "salle de réunion"       these words together
    who:me  who:none  who:anna          label:urgent  column:"In progress"  lane:Nord
    due:late  due:today  due:week  due:none  due:<14d  due:<2027-01-31     since:>7d (in its column)
    is:done  is:open  is:blocked  is:waiting      has:file  has:checklist  has:text  has:due
    field:Budget             the board's own field “Budget” has something in it
    field:Site=Nord  "field:Site=Les Forges"  field:Budget>500  field:Start<2027-01-31
    -label:urgent            not

The words before the colon are also known in French.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Float, String, and_, case, cast, exists, func, not_, or_, select
from sqlalchemy.orm import Session, aliased

from rse_core.api import BadInput, core_of, translator, utcnow
from rse_core.models.content import File
from rse_core.models.organisation import Person

from . import access
from .models import Card, CardLabel, CardLink, CardPerson, CardValue, CheckItem, Column, Field, Label, Lane

_ = translator(__file__, "rse_kanban").gettext
LENGTH_MOST, TERMS_MOST = 500, 20
KEYS = {
    "who": "who", "qui": "who", "label": "label", "étiquette": "label", "etiquette": "label", "column": "column",
    "colonne": "column", "lane": "lane", "couloir": "lane", "due": "due", "échéance": "due", "echeance": "due",
    "is": "is", "est": "is", "has": "has", "a": "has", "since": "since", "depuis": "since", "by": "by", "par": "by",
    "field": "field", "champ": "field",
}  # fmt: skip
WORDS = {
    "moi": "me", "personne": "none", "aucune": "none", "aucun": "none", "retard": "late", "aujourd'hui": "today",
    "aujourd’hui": "today", "semaine": "week", "fini": "done", "terminée": "done", "ouverte": "open", "bloquée": "blocked",
    "attente": "waiting", "fichier": "file", "liste": "checklist", "texte": "text", "échéance": "due",
}  # fmt: skip
_TOKEN = re.compile(r'(-?)(?:([^\s:"]+):)?(?:"([^"]*)"|(\S+))')
_SPAN = re.compile(r"([<>])(\d{1,4})([dj])\Z")
_FIELD = re.compile(r"([^=<>]+)([=<>])(.*)\Z")
_DATE = re.compile(r"([<>])(\d{4}-\d{2}-\d{2})\Z")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition; ``key`` "" stands for words of the text."""

    key: str
    value: str
    negated: bool = False


def parse(text: str) -> list[Term]:
    """Read a question.

    :raises BadInput: for a word before a colon that is unknown, or a value that the word does not take; names it.
    """
    if len(text) > LENGTH_MOST:
        raise BadInput(_("A filter has at most %(most)s characters.", most=str(LENGTH_MOST)), fields={"q": _("Shorten it.")})
    terms = []
    for match in _TOKEN.finditer(text):
        minus, key, quoted, bare = match.groups()
        value = quoted if quoted is not None else bare
        if key is not None and key.lower() not in KEYS:
            if "//" in value or key.isdecimal():
                # An address or a time of day is no condition.
                key, value = None, f"{key}:{value}"
            else:
                known = "who, label, column, lane, due, since, by, is, has, field"
                raise _bad(_("“%(word)s:” is no condition of a filter.", word=key), _("There are: %(known)s.", known=known))
        if value:
            term = Term(KEYS[key.lower()] if key else "", value, bool(minus))
            _check(term)
            terms.append(term)
    if len(terms) > TERMS_MOST:
        raise _bad(_("A filter has at most %(most)s conditions.", most=str(TERMS_MOST)))
    return terms


def conditions(session: Session, person_id: int, terms: Sequence[Term]) -> list[ColumnElement[bool]]:
    """The question as conditions on cards; no query of its own."""
    zone = ZoneInfo(core_of(session).settings.timezone)
    made = [_one(term, person_id, zone) for term in terms]
    return [not_(func.coalesce(one, False)) if term.negated else one for term, one in zip(terms, made, strict=True)]


def _bad(message: str, remedy: str | None = None) -> BadInput:
    return BadInput(message, remedy=remedy, fields={"q": message})


def _word(value: str) -> str:
    return WORDS.get(value.lower(), value.lower())


def _check(term: Term) -> None:
    if term.key == "field":
        name, sign, wanted = _compared(term.value)
        number_or_day = sign in ("", "=") or _number(wanted) is not None or _day(f"<{wanted}") is not None
        if not name or name[0] in "=<>" or (sign and not wanted) or not number_or_day:
            raise _bad(
                _("“%(value)s” is nothing that “%(word)s:” takes.", value=term.value, word=term.key),
                _("There are: %(known)s.", known="field:Budget, field:Site=Nord, field:Budget>500, field:Start<2027-01-31"),
            )
        return
    words = {
        "is": ("done", "open", "blocked", "waiting"), "has": ("file", "checklist", "text", "due"),
        "due": ("late", "today", "week", "none"), "since": (),
    }.get(term.key)  # fmt: skip
    if words is None or _word(term.value) in words:
        return
    if term.key in ("due", "since") and (_SPAN.match(term.value) or _day(term.value) is not None):
        return
    examples = [*words, *(("<14d", "<2027-01-31") if term.key == "due" else (">7d",) if term.key == "since" else ())]
    raise _bad(
        _("“%(value)s” is nothing that “%(word)s:” takes.", value=term.value, word=term.key),
        _("There are: %(known)s.", known=", ".join(examples)),
    )


def _day(value: str) -> tuple[str, dt.date] | None:
    match = _DATE.match(value)
    if match is None:
        return None
    try:
        return match[1], dt.date.fromisoformat(match[2])
    except ValueError:
        return None


def _one(term: Term, person_id: int, zone: ZoneInfo) -> ColumnElement[bool]:
    value = term.value
    if term.key == "":
        like = f"%{value.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        return or_(Card.title.ilike(like, escape="!"), Card.body.ilike(like, escape="!"))
    if term.key == "who":
        works = exists().where(CardPerson.card_id == Card.id)
        if _word(value) == "none":
            return ~works
        if _word(value) == "me":
            return works.where(CardPerson.person_id == person_id)
        return works.where(CardPerson.person_id == _person(value))
    if term.key == "by":
        return Card.author_id == (person_id if _word(value) == "me" else _person(value))
    if term.key == "label":
        if _word(value) == "none":
            return ~exists().where(CardLabel.card_id == Card.id)
        named = func.lower(Label.name) == value.lower()
        exact = exists().where(CardLabel.card_id == Card.id, CardLabel.label_id == Label.id, or_(named, Label.name == value))
        return exact
    if term.key == "field":
        return _field(value)
    if term.key in ("column", "lane"):
        table = Column if term.key == "column" else Lane
        held = Card.column_id if term.key == "column" else Card.lane_id
        if term.key == "lane" and _word(value) == "none":
            return Card.lane_id.is_(None)
        return exists().where(table.id == held, or_(func.lower(table.name) == value.lower(), table.name == value))
    if term.key == "due":
        return _due(value, zone)
    if term.key == "since":
        return _compare(Card.entered_at, value, zone, back=True)
    return _state(_word(value))


def _compared(value: str) -> tuple[str, str, str]:
    """The name of a field, how it is compared ("": it has anything in it) and with what."""
    match = _FIELD.match(value)
    if match is None:
        return value.strip(), "", ""
    return match[1].strip(), match[2], match[3].strip()


def _number(text: str) -> float | None:
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _field(value: str) -> ColumnElement[bool]:
    """A board's own field, by its name: boards that have none of that name have no such cards."""
    name, sign, wanted = _compared(value)
    named = or_(func.lower(Field.name) == name.lower(), Field.name == name)
    held = exists().where(CardValue.card_id == Card.id, CardValue.field_id == Field.id, named)
    if not sign:
        return held
    if sign == "=":
        number = _number(wanted)
        # A box that is ticked holds “1”.
        told = "1" if wanted.lower() in ("yes", "oui") else wanted
        same = or_(func.lower(CardValue.value) == wanted.lower(), CardValue.value == wanted)
        same = or_(same, and_(Field.kind == "check", CardValue.value == told))
        return held.where(same if number is None else or_(same, _figure() == number))
    number = _number(wanted)
    if number is not None:
        return held.where(_figure() < number if sign == "<" else _figure() > number)
    day = CardValue.value < wanted if sign == "<" else CardValue.value >= wanted
    return held.where(Field.kind == "date", day)


def _figure() -> ColumnElement[float]:
    """What a field of numbers holds, as a number; nothing else is read as one."""
    return case((Field.kind == "number", cast(CardValue.value, Float)))


def _person(value: str) -> ColumnElement[int]:
    return select(Person.id).where(Person.username == value.lstrip("@")).scalar_subquery()


def _due(value: str, zone: ZoneInfo) -> ColumnElement[bool]:
    word, now = _word(value), utcnow()
    if word == "none":
        return Card.due_at.is_(None)
    if word == "late":
        return and_(Card.due_at < now, Card.done_at.is_(None))
    today = dt.datetime.combine(now.astimezone(zone).date(), dt.time(), zone)
    if word == "today":
        return and_(Card.due_at >= today, Card.due_at < today + dt.timedelta(days=1))
    if word == "week":
        return and_(Card.due_at >= today, Card.due_at < today + dt.timedelta(days=7))
    return _compare(Card.due_at, value, zone)


def _compare(column: Any, value: str, zone: ZoneInfo, *, back: bool = False) -> ColumnElement[bool]:
    """``<14d``: before that time (with ``back``: for fewer days than that); ``>`` the other way."""
    span, day = _SPAN.match(value), _day(value)
    if span is not None:
        days = dt.timedelta(days=int(span[2]))
        moment, less = (utcnow() - days, span[1] == ">") if back else (utcnow() + days, span[1] == "<")
    else:
        assert day is not None  # noqa: S101  checked when it was read
        moment, less = dt.datetime.combine(day[1], dt.time(), zone), day[0] == "<"
    found: ColumnElement[bool] = column < moment if less else column >= moment
    return found


def _state(word: str) -> ColumnElement[bool]:
    if word == "done":
        return Card.done_at.is_not(None)
    if word == "open":
        return Card.done_at.is_(None)
    if word == "waiting":
        return Card.state == "pending"
    if word == "blocked":
        other = aliased(Card)
        return exists().where(
            CardLink.kind == "blocks", CardLink.other_id == Card.id, CardLink.card_id == other.id, other.state == "open",
            other.done_at.is_(None),
        )  # fmt: skip
    if word == "file":
        return exists().where(File.ref_type == access.CARD, File.ref_id == cast(Card.id, String))
    if word == "checklist":
        return exists().where(CheckItem.card_id == Card.id)
    if word == "text":
        return Card.body != ""
    return Card.due_at.is_not(None)
