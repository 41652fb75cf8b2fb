"""One person as another is shown them: the card of a list, and the profile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import files, people, places
from rse_core.api import NotFound, translator
from rse_core.files import FileInfo
from rse_core.models.organisation import Entity, Person

from . import access, assisting, communities, skills
from . import fields as field_rules
from .access import Sight
from .communities import Community
from .fields import TEXTS, Field
from .models import Own, Profile
from .photos import photo_ref
from .skills import Expertise

_ = translator(__file__, "rse_directory").gettext


@dataclass(frozen=True, slots=True)
class Line:
    """A field with its value, as it is shown."""

    key: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Card:
    """What a list shows of somebody. What is not shown to who looks is not in it."""

    id: int
    username: str
    display_name: str
    entity_name: str
    active: bool
    external: bool
    lines: Mapping[str, Line] = field(default_factory=dict)
    skills: tuple[str, ...] = ()
    photo: FileInfo | None = None
    #: entities beside the main one
    others: tuple[str, ...] = ()

    def value(self, key: str) -> str:
        """The value of a field; "" where there is none or it is not shown."""
        return self.lines[key].value if key in self.lines else ""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole profile, as somebody is shown it."""

    card: Card
    own: bool
    entities: tuple[str, ...] = ()
    manager: Card | None = None
    assistants: tuple[Card, ...] = ()
    assists: tuple[Card, ...] = ()
    expertise: tuple[Expertise, ...] = ()
    birthday: tuple[int, int] | None = None
    filled: int = 0
    source: str = ""
    synchronised_at: dt.datetime | None = None
    kept: frozenset[str] = frozenset()
    communities: tuple[Community, ...] = ()


def cards(session: Session, seen: Sight, ids: Sequence[int], *, whole: bool = False) -> list[Card]:
    """Cards in the order of the ids, which are of people that ``seen`` may see; seven queries at most.

    :param whole: with every field that is shown, not only those that the site puts on cards.
    """
    if not ids:
        return []
    rows = {
        row.id: row
        for row in session.execute(
            select(
                Person.id, Person.username, Person.display_name, Person.entity_id, Person.job_title, Person.site,
                Person.email, Person.phone, Person.status, Person.external, Entity.name.label("entity"),
            )
            .outerjoin(Entity, Entity.id == Person.entity_id)
            .where(Person.id.in_(ids))
        )
    }  # fmt: skip
    chosen = field_rules.choices(session, ids)
    shown = {key: one for key, one in seen.fields.items() if whole or one.card}
    values = _values(session, ids, shown)
    declared: dict[int, tuple[str, ...]] = skills.labels(session, ids) if "expertise" in shown else {}
    beside = places.others(session, ids)
    pictures = files.of(session, [photo_ref(one) for one in ids]) if "photo" in shown else {}
    made = []
    for ident in ids:
        row = rows.get(ident)
        if row is None:
            continue

        def may(key: str, row: Any = row) -> bool:
            return key in shown and access.shows(seen, shown[key], chosen.get(row.id, {}).get(key, 0), row.id, row.entity_id)

        here = row.status == "active"
        texts = {key: getattr(row, key) for key in ("job_title", "site", "email", "phone")} | values.get(ident, {})
        lines = {key: Line(key, shown[key].title, texts[key]) for key in shown if here and texts.get(key) and may(key)}
        photo = pictures.get(photo_ref(ident), [])
        made.append(
            Card(
                ident, row.username, row.display_name, row.entity or "", here, row.external, lines,
                declared.get(ident, ()) if here and may("expertise") else (),
                photo[0] if photo and here and may("photo") else None,
                tuple(one.name for one in beside.get(ident, ())) if here and not row.external else (),
            )
        )  # fmt: skip
    return made


def _values(session: Session, ids: Sequence[int], shown: Mapping[str, Field]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    if any(key in shown for key in TEXTS):
        rows = session.execute(
            select(Profile.person_id, *(getattr(Profile, key) for key in TEXTS)).where(Profile.person_id.in_(ids))
        )
        for row in rows:
            found.setdefault(row.person_id, {}).update({key: getattr(row, key) for key in TEXTS})
    if any(one.own for one in shown.values()):
        for person_id, key, value in session.execute(
            select(Own.person_id, Own.field, Own.value).where(Own.person_id.in_(ids))
        ):
            found.setdefault(person_id, {})[key] = value
    return found


def visible_id(session: Session, seen: Sight, username: str, *, former: bool = False) -> int:
    """The id of somebody that ``seen`` may see, from the list or as a person from outside.

    :param former: also who has left, of whom nothing but the name is shown.
    :raises NotFound: in every other case, always with the same sentence.
    """
    rows = select(Person.id, Person.status, Person.external, Person.entity_id).where(Person.username == username[:200])
    row = session.execute(rows).first()
    if row is not None:
        if row.id == seen.person_id or _in_list(session, seen, row.id, row.external):
            return int(row.id)
        if former and row.status != "active" and not row.external and (seen.admin or not seen.external):
            # A link from what somebody wrote still says that they have left.
            here = select(Person.id).where(Person.id == row.id, access.near(seen))
            if session.scalar(here) is not None:
                return int(row.id)
    raise NotFound(_("There is no such person in the directory, or none that you may see."))


def _in_list(session: Session, seen: Sight, person_id: int, external: bool) -> bool:
    rule = access.people(seen, outside=external)
    return session.scalar(select(Person.id).where(Person.id == person_id, rule)) is not None


def page(session: Session, viewer_id: int | None, username: str) -> Page:
    """A whole profile.

    :raises NotFound: for who is not shown.
    """
    seen = access.sight(session, viewer_id)
    ident = visible_id(session, seen, username, former=True)
    card = cards(session, seen, [ident], whole=True)[0]
    if not card.active:
        return Page(card, own=False)
    person = people.get(session, ident)
    chosen = field_rules.choices(session, [ident]).get(ident, {})

    def may(key: str) -> bool:
        return access.shows(seen, seen.fields[key], chosen.get(key, 0), ident, person.entity_id)

    written = session.get(Profile, ident)
    own = ident == seen.person_id
    manager: list[Card] = []
    if person.manager_id is not None and may("manager"):
        rule = access.people(seen)
        above = session.scalars(select(Person.id).where(Person.id == person.manager_id, rule)).all()
        manager = cards(session, seen, above)
    born = None
    if written is not None and written.birth_day and written.birth_month and may("birthday"):
        born = (written.birth_day, written.birth_month)
    helpers, helping = assisting.by(session, seen, [ident]).get(ident, ()), assisting.of(session, seen, ident)
    tied = {one.id: one for one in cards(session, seen, [*helpers, *helping])}
    return Page(
        card, own, _path(session, person.entity_id), manager[0] if manager else None,
        tuple(tied[one] for one in helpers), tuple(tied[one] for one in helping),
        skills.of(session, seen, ident) if may("expertise") else (), born, written.filled if written and own else 0,
        field_rules.source_label(session, person.source) if own else "",
        field_rules.synchronised_at(session, person) if own else None,
        field_rules.kept_by(session, person.source) if own else frozenset(),
        communities.of(session, seen, ident) if may("communities") else (),
    )  # fmt: skip


def _path(session: Session, entity_id: int | None) -> tuple[str, ...]:
    from rse_core.models.organisation import EntityPath

    if entity_id is None:
        return ()
    rows = select(Entity.name).join(EntityPath, EntityPath.ancestor_id == Entity.id)
    return tuple(session.scalars(rows.where(EntityPath.entity_id == entity_id).order_by(EntityPath.depth.desc())))


def names(session: Session, ids: Iterable[int]) -> Mapping[int, Any]:
    """The core's cards, for what is no part of a profile."""
    return people.names(session, ids)
