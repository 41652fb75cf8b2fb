"""One's own profile: what one may change of it, and changing it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rse_core import files, people
from rse_core.api import BadInput, Conflict, Event, dialect_insert, emit, require, translator, utcnow
from rse_core.files import FileInfo
from rse_core.models.organisation import Person

from . import access, communities, indexing, skills
from . import fields as field_rules
from .access import Sight
from .communities import Community
from .fields import AUDIENCES, ENTITY, EVERYONE, MOST, TEXTS, Field
from .models import Choice, Own, PersonSkill, Profile
from .photos import photo_ref

_ = translator(__file__, "rse_directory").gettext
#: From how much of 100 a profile counts as filled in.
HALF = 50
#: The fields that one may write of oneself when they are kept nowhere else.
SELF = ("phone", "site", "job_title")


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
    communities: tuple[Community, ...] = ()

    def locked(self, key: str) -> bool:
        """Whether the field is kept elsewhere."""
        return key not in (*SELF, "photo") or key in self.kept


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
        tuple(_photo(session, person.id)), written.filled if written else 0,
        communities.of(session, seen, person.id),
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


def _photo(session: Session, person_id: int) -> list[FileInfo]:
    return files.of(session, [photo_ref(person_id)]).get(photo_ref(person_id), [])


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
        elif key == "photo":
            if "photo" in kept and list(value) != [one.key for one in _photo(session, person.id)]:
                problems["files"] = _("Kept by %(source)s.", source=field_rules.source_label(session, person.source))
        elif key != "skills":
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
