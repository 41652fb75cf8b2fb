"""One person as another is shown them: the card of a list, the profile, and changing one's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rse_core import files, people, places
from rse_core.api import BadInput, Conflict, Event, NotFound, dialect_insert, emit, require, translator, utcnow
from rse_core.files import FileInfo
from rse_core.models.organisation import Entity, Person

from . import access, assisting, indexing, skills
from . import fields as field_rules
from .access import Sight
from .fields import AUDIENCES, ENTITY, EVERYONE, MOST, TEXTS, Field
from .models import Choice, Own, PersonSkill, Profile
from .photos import photo_ref
from .skills import Expertise

_ = translator(__file__, "rse_directory").gettext
#: The fields that one may write of oneself when they are kept nowhere else.
#: From how much of 100 a profile counts as filled in.
HALF = 50
SELF = ("phone", "site", "job_title")


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
    )  # fmt: skip


def _path(session: Session, entity_id: int | None) -> tuple[str, ...]:
    from rse_core.models.organisation import EntityPath

    if entity_id is None:
        return ()
    rows = select(Entity.name).join(EntityPath, EntityPath.ancestor_id == Entity.id)
    return tuple(session.scalars(rows.where(EntityPath.entity_id == entity_id).order_by(EntityPath.depth.desc())))


# -- one's own -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mine:
    """One's own profile, to be changed."""

    person: Person
    texts: Mapping[str, str]
    own: Mapping[str, str]
    skills: tuple[str, ...]
    choices: Mapping[str, str]
    kept: frozenset[str]
    listed: bool
    may_leave: bool
    birthday: tuple[int, int] | None
    version: int
    fields: Mapping[str, Field]
    photo: tuple[FileInfo, ...]
    filled: int

    def locked(self, key: str) -> bool:
        """Whether the field is kept elsewhere."""
        return key not in SELF or key in self.kept


def mine(session: Session, person_id: int | None) -> Mine:
    """What one may change of oneself."""
    seen = access.sight(session, person_id)
    person = people.get(session, seen.person_id)
    written = session.get(Profile, person.id)
    own = dict(session.execute(select(Own.field, Own.value).where(Own.person_id == person.id)).all())
    chosen = field_rules.choices(session, [person.id]).get(person.id, {})
    return Mine(
        person, {key: getattr(written, key) if written else "" for key in TEXTS}, own,
        skills.labels(session, [person.id]).get(person.id, ()),
        {key: field_rules.name_of(code) for key, code in chosen.items()}, field_rules.kept_by(session, person.source),
        written.listed if written else True, seen.may_leave,
        (written.birth_day, written.birth_month) if written and written.birth_day and written.birth_month else None,
        written.version if written else 0, seen.fields,
        tuple(files.of(session, [photo_ref(person.id)]).get(photo_ref(person.id), ())), written.filled if written else 0,
    )  # fmt: skip


def edit(session: Session, person_id: int | None, values: Mapping[str, Any], *, version: int | None = None) -> None:
    """Change one's own profile: only what ``values`` names.

    Keys: the texts; ``phone``, ``site``, ``job_title`` where nobody else keeps them; fields of the site's own;
    ``skills`` (a list); ``choices`` (field to audience, "" for the site's); ``listed``; ``birthday`` (day, month);
    ``photo`` (keys of loose files).

    :param version: of the profile that was changed; another one in force is a conflict.
    :raises BadInput: names each field and what is wrong with it.
    :raises Conflict: when it was changed elsewhere meanwhile.
    :raises Forbidden: when a field is kept by a source, or the profile may not be changed.
    """
    require(session, person_id, access.EDIT)
    seen = access.sight(session, person_id)
    person = people.get(session, seen.person_id)
    row = _row(session, person.id)
    if version is not None and version != row.version - 1:
        raise Conflict(
            _("Your profile was changed elsewhere since you opened it."), remedy=_("Look at it again, then change it.")
        )
    checked = _checked(session, seen, person, values)
    for key in TEXTS:
        if key in checked:
            setattr(row, key, checked[key])
    for key in SELF:
        if key in checked and checked[key] != getattr(person, key):
            setattr(person, key, checked[key])
            person.updated_at = utcnow()
    for key, one in seen.fields.items():
        if one.own and key in checked:
            _set_own(session, person.id, key, checked[key])
    if "listed" in checked:
        row.listed = checked["listed"]
    if "birthday" in checked:
        row.birth_day, row.birth_month = checked["birthday"] or (None, None)
    for key, code in checked.get("choices", {}).items():
        session.execute(delete(Choice).where(Choice.person_id == person.id, Choice.field == key))
        if code:
            session.add(Choice(person_id=person.id, field=key, audience=code))
    if "skills" in checked:
        skills.declare(session, person.id, checked["skills"])
    if "photo" in checked:
        files.attach(session, person.id, checked["photo"], photo_ref(person.id), alts={})
    row.updated_at = utcnow()
    session.flush()
    before, row.filled = row.filled, filled(session, row)
    if before < HALF <= row.filled:
        emit(session, Event("directory.profile_filled", person.id))
    indexing.changed(session, person.id, person.id)
    emit(session, Event("directory.profile_edited", person.id, indexing.ref_of(person.id)))


def _row(session: Session, person_id: int) -> Profile:
    """One's profile, made when it is not there, with its number counted up: two that save at once queue here."""
    made = dialect_insert(session, Profile).values(
        person_id=person_id, about="", experience="", projects="", languages="", listed=True, filled=0, version=1,
        updated_at=utcnow(),
    )  # fmt: skip
    counted = made.on_conflict_do_update(index_elements=["person_id"], set_={"version": Profile.version + 1})
    session.execute(counted)
    session.flush()
    return session.get_one(Profile, person_id, populate_existing=True)


def _set_own(session: Session, person_id: int, key: str, value: str) -> None:
    session.execute(delete(Own).where(Own.person_id == person_id, Own.field == key))
    if value:
        session.add(Own(person_id=person_id, field=key, value=value))


def _checked(session: Session, seen: Sight, person: Person, values: Mapping[str, Any]) -> dict[str, Any]:
    kept, problems, found = field_rules.kept_by(session, person.source), {}, dict(values)
    for key, value in values.items():
        known = seen.fields.get(key)
        if key in TEXTS or (known is not None and known.own):
            most = MOST.get(key, 1000)
            found[key] = text = str(value).replace("\x00", "").replace("\r\n", "\n").strip()
            if len(text) > most:
                problems[key] = _("At most %(most)s characters.", most=most)
        elif key in SELF:
            found[key] = text = str(value).strip()
            if text == getattr(person, key):
                continue
            if key in kept:
                problems[key] = _("Kept by %(source)s.", source=field_rules.source_label(session, person.source))
                continue
            try:
                people.check_text(key, text)
            except BadInput as error:
                problems[key] = str(error)
        elif key == "choices":
            found[key] = _checked_choices(seen, value, problems)
        elif key == "listed":
            found[key] = bool(value)
            if not value and not seen.may_leave:
                problems[key] = _("Everybody is in the directory here.")
        elif key == "birthday":
            found[key] = _checked_birthday(value, problems)
        elif key not in ("skills", "photo"):
            problems[key] = _("There is no such field, or it is not yours to change.")
    if problems:
        message = _("Your profile was not saved.")
        raise BadInput(message, remedy=_("Correct what is marked, then save again."), fields=problems)
    return found


def _checked_choices(seen: Sight, value: Any, problems: dict[str, str]) -> dict[str, int]:
    found = {}
    for key, name in dict(value).items():
        known = seen.fields.get(key)
        if known is None or (name and name not in AUDIENCES):
            problems[f"choice_{key}"] = _("Nobody is called so.")
        elif name and known.imposed:
            problems[f"choice_{key}"] = _("The organisation settles whom this is shown.")
        elif name and key == "photo" and AUDIENCES[name] not in (EVERYONE, ENTITY):
            problems[f"choice_{key}"] = _("Remove the photo instead.")
        else:
            found[key] = AUDIENCES.get(name, 0)
    return found


def _checked_birthday(value: Any, problems: dict[str, str]) -> tuple[int, int] | None:
    if not value:
        return None
    try:
        day, month = int(value[0]), int(value[1])
        dt.date(2024, month, day)
    except (TypeError, ValueError, IndexError):
        problems["birthday"] = _("This is no day of the year.")
        return None
    return day, month


def filled(session: Session, row: Profile) -> int:
    """How much of a profile is filled in, of 100: a text about oneself, experience, projects, languages, expertise."""
    parts = [bool(getattr(row, key)) for key in TEXTS]
    declared = session.scalar(select(PersonSkill.skill_id).where(PersonSkill.person_id == row.person_id).limit(1))
    parts.append(declared is not None)
    return round(100 * sum(parts) / len(parts))


def names(session: Session, ids: Iterable[int]) -> Mapping[int, Any]:
    """The core's cards, for what is no part of a profile."""
    return people.names(session, ids)
