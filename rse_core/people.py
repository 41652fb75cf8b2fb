"""People: found, named, added, changed and disabled; and how somebody who signs in becomes one of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Boolean, select
from sqlalchemy.orm import Session

from . import audiences, sessions
from .db import utcnow
from .errors import BadInput, Conflict, NotFound
from .events import Event, emit
from .freshness import touch
from .i18n import _, normalise_locale
from .identity import Identity
from .models.organisation import Entity, Person
from .onlookers import USERNAME, entity_names, is_onlooker, no_self
from .organisation import nearest
from .signins import drop_identities, for_identity
from .statements import Statement

__all__ = [
    "LIMITS", "PersonCard", "add", "by_external_id", "by_username", "called", "card", "check_text", "disable", "enable",
    "folded", "for_identity", "get", "move", "names", "release_username", "rename", "update",
]  # fmt: skip

#: The most characters that a person's texts may have.
LIMITS = {
    "external_id": 200,
    "username": 200,
    "display_name": 300,
    "email": 320,
    "job_title": 300,
    "phone": 60,
    "site": 200,
}
REQUIRED = ("external_id", "username", "display_name")
#: Events, with the person's id in ``data["person"]``: somebody has left, or is back.
DISABLED, ENABLED = "people.disabled", "people.enabled"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_EMAIL = re.compile(r"[^@\s<>\"',;]+@[^@\s<>\"',;]+\.[^@\s<>\"',;.]+\Z")
#: An address inside a name, with what stands around it; in group 1 what stands before its ``@``.
_ADDRESS = re.compile(r"""[<(\["']*([^\s@<>()\[\]"',;]+)@[^\s@<>()\[\]"',;]+[>)\]"']*""")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})


@dataclass(frozen=True, slots=True)
class PersonCard:
    """What is shown of somebody beside what they wrote. ``active`` is False for who has left."""

    id: int
    username: str
    display_name: str
    entity_id: int | None
    entity_name: str
    job_title: str
    active: bool
    locale: str = ""
    external: bool = False


def folded(text: str) -> str:
    """Lower case, no accents, œ → oe, æ → ae, ß → ss, single spaces: for prefix search and sorting."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LIGATURES))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def called(names: Iterable[str | None]) -> str:
    """How somebody is called, of the names that a source gives, the best first: never by an e-mail address, which they may
    hide. The first that is none, without an address that stands in it; else what stands before the first ``@``; "" when
    there is nothing.
    """
    given = [name.strip() for name in names if name and name.strip()]
    for name in given:
        if "@" not in name:
            return name
        if rest := " ".join(_ADDRESS.sub(" ", name).split()).strip(" ,;:-\"'"):
            return rest
    return next((found[1] for name in given if (found := _ADDRESS.search(name))), "")


def get(session: Session, person_id: int) -> Person:
    """:raises NotFound: when there is no such person.
    :raises Forbidden: for an onlooker (:mod:`rse_core.onlookers`), who is nobody.
    """
    if is_onlooker(person_id):
        raise no_self()
    found = session.get(Person, person_id)
    if found is None:
        raise NotFound(f"There is no person with the id {person_id}.")
    return found


def by_username(session: Session, username: str) -> Person:
    """:raises NotFound: names the nearest username."""
    found = session.scalar(select(Person).where(Person.username == username))
    if found is None:
        start = select(Person.username).where(Person.username.startswith(username[:2], autoescape=True)).limit(2_000)
        hint = nearest(username, session.scalars(start))
        message = _("There is no person with the username “%(name)s”.", name=username[:80])
        raise NotFound(message, remedy=hint or None)
    return found


def by_external_id(session: Session, external_id: str) -> Person | None:
    """The person that the organisation knows by this id, if there is one."""
    return session.scalar(select(Person).where(Person.external_id == external_id))


def names(session: Session, ids: Iterable[int | None]) -> Mapping[int, PersonCard]:
    """Cards of these people by id, in one query; ids that are None or unknown are left out."""
    wanted = sorted({i for i in ids if i is not None})
    if not wanted:
        return {}
    rows = session.execute(select(*_CARD).outerjoin(Entity, Entity.id == Person.entity_id).where(Person.id.in_(wanted)))
    found = {row[0]: _card(row) for row in rows}
    if is_onlooker(wanted[0]):
        for ident, (entity_id, entity, level) in entity_names(session, wanted).items():
            name = _("Somebody of %(entity)s, level “%(level)s”", entity=entity, level=level.label)
            found[ident] = PersonCard(ident, USERNAME, name, entity_id, entity, "", True)
    return found


def card(session: Session, person_id: int) -> PersonCard | None:
    """The card of one person, None when there is none."""
    return names(session, (person_id,)).get(person_id)


def known(session: Session, identity: Identity) -> tuple[PersonCard, dict[str, object]] | None:
    """The active person who has signed in with this identity before, and all they chose: one query, for every request.

    None says nothing of somebody who comes for the first time: :func:`for_identity` does.
    """
    rows = _KNOWN(session, issuer=identity.issuer, subject=identity.subject)
    if not rows or not (found := _card(rows[0])).active:
        return None
    return found, {str(row.key): row.value for row in rows if row.key is not None}


_KNOWN = Statement(
    "SELECT p.id, p.username, p.display_name, p.entity_id, e.name, p.job_title, p.status, p.locale, p.external, c.key, "
    "c.value FROM rse_core_identity i JOIN rse_core_person p ON p.id = i.person_id "
    "LEFT JOIN rse_core_entity e ON e.id = p.entity_id LEFT JOIN rse_core_preference c ON c.person_id = p.id "
    "WHERE i.issuer = :issuer AND i.subject = :subject",
    columns={"external": Boolean(), "value": JSON()},
)
_CARD = (
    Person.id, Person.username, Person.display_name, Person.entity_id, Entity.name, Person.job_title, Person.status,
    Person.locale, Person.external,
)  # fmt: skip


def _card(row: Sequence[Any]) -> PersonCard:
    ident, username, name, entity_id, entity, title, status, locale, external = row[:9]
    return PersonCard(ident, username, name, entity_id, entity or "", title, status == "active", locale, external)


# Changes


def add(
    session: Session,
    *,
    external_id: str,
    username: str,
    display_name: str,
    email: str = "",
    entity_id: int | None = None,
    job_title: str = "",
    manager_id: int | None = None,
    is_manager: bool = False,
    locale: str = "",
    phone: str = "",
    site: str = "",
    source: str = "local",
    external: bool = False,
) -> Person:
    """Add somebody.

    :param external: from outside the organisation: sees only what is in their groups and spaces.
    :param source: who keeps this person; one of source ``local`` is never disabled by an import.
    :raises BadInput: for a value that cannot be used; names the field.
    :raises Conflict: when the external id or the username is taken.
    """
    touch(session)
    texts = {
        "external_id": external_id,
        "username": username,
        "display_name": display_name,
        "email": email,
        "job_title": job_title,
        "phone": phone,
        "site": site,
    }
    for field, value in texts.items():
        check_text(field, value)
    _check_free(session, "external_id", external_id)
    _check_free(session, "username", username)
    person = Person(
        **texts,
        folded_name=folded(display_name),
        entity_id=entity_id,
        manager_id=manager_id,
        is_manager=is_manager,
        locale=normalise_locale(locale) or "",
        source=source,
        external=external,
        status="active",
    )
    session.add(person)
    session.flush()
    audiences.everyone(session)
    audiences.refresh(session, [person.id])
    return person


def move(session: Session, person_id: int, entity_id: int | None) -> None:
    """Put the person into another entity, or none.

    :raises NotFound: when either does not exist.
    """
    touch(session, person_id)
    person = get(session, person_id)
    if entity_id is not None and session.get(Entity, entity_id) is None:
        raise NotFound(f"There is no entity with the id {entity_id}.")
    person.entity_id, person.updated_at = entity_id, utcnow()
    audiences.refresh(session, [person_id])


def rename(session: Session, person_id: int, *, username: str | None = None, display_name: str | None = None) -> None:
    """Change how the person is called. Sign-ins known by the old username no longer lead to them."""
    touch(session, person_id)
    person = get(session, person_id)
    if display_name is not None:
        check_text("display_name", display_name)
        person.display_name, person.folded_name = display_name, folded(display_name)
    if username is not None and username != person.username:
        check_text("username", username)
        _check_free(session, "username", username)
        drop_identities(session, [(person_id, person.username)])
        person.username = username
    person.updated_at = utcnow()
    session.flush()


def update(session: Session, person_id: int, **facts: Any) -> dict[str, tuple[Any, Any]]:
    """Bring somebody's facts to what their directory says; what is not named stays.

    :param facts: any argument of :func:`add`. Sign-ins known by a former username no longer lead to them.
    :returns: what changed: field → (before, after); empty when nothing did.
    :raises BadInput: for a value that cannot be used; names the field.
    :raises Conflict: when the external id or the username is somebody else's.
    """
    person = get(session, person_id)
    for field in LIMITS.keys() & facts.keys():
        check_text(field, facts[field])
    if "locale" in facts:
        facts["locale"] = normalise_locale(facts["locale"]) or ""
    changed = {name: (getattr(person, name), value) for name, value in facts.items() if getattr(person, name) != value}
    for name in ("external_id", "username"):
        if name in changed:
            _check_free(session, name, changed[name][1])
    if not changed:
        return {}
    touch(session, person_id)
    if "username" in changed:
        drop_identities(session, [(person_id, person.username)])
    for name, (_before, value) in changed.items():
        setattr(person, name, value)
    person.folded_name, person.updated_at = folded(person.display_name)[:300], utcnow()
    if {"entity_id", "external"} & changed.keys():
        audiences.refresh(session, [person_id])
    session.flush()
    return changed


def release_username(session: Session, username: str) -> None:
    """A newcomer gets the username of somebody who has left: theirs becomes ``name~id``. Nothing for one in use."""
    holder = session.scalar(select(Person).where(Person.username == username, Person.status == "disabled"))
    if holder is not None:
        rename(session, holder.id, username=f"{username[:180]}~{holder.id}")


def _check_free(session: Session, name: str, value: str) -> None:
    column = Person.external_id if name == "external_id" else Person.username
    if session.scalar(select(Person.id).where(column == value)) is not None:
        raise Conflict(_("Somebody has the %(field)s “%(value)s” already.", field=name, value=value))


def disable(session: Session, person_id: int) -> None:
    """The person has left: they can do and see nothing; what they wrote is kept."""
    touch(session, person_id)
    person = get(session, person_id)
    if person.status == "disabled":
        return
    person.status, person.disabled_at, person.updated_at = "disabled", utcnow(), utcnow()
    sessions.end_of(session, [person_id], "left")
    emit(session, Event(DISABLED, data={"person": person_id}))
    audiences.refresh(session, [person_id])


def enable(session: Session, person_id: int) -> None:
    """The person is back, as they were."""
    touch(session, person_id)
    person = get(session, person_id)
    if person.status == "active":
        return
    person.status, person.disabled_at, person.updated_at = "active", None, utcnow()
    emit(session, Event(ENABLED, data={"person": person_id}))
    audiences.refresh(session, [person_id])


def is_email(value: str) -> bool:
    """Whether this looks like one e-mail address, or is blank. A light check: only a message sent would tell."""
    return not value or _EMAIL.match(value) is not None


def check_text(field: str, value: str) -> None:
    """:raises BadInput: for a value that this field of a person cannot take; ``fields`` names it."""
    if field in REQUIRED and not value.strip():
        problem, remedy = _("%(field)s is missing.", field=field), _("Fill it in.")
    elif len(value) > LIMITS[field]:
        problem = _("%(field)s has %(count)s characters.", field=field, count=len(value))
        remedy = _("Give at most %(limit)s.", limit=LIMITS[field])
    elif _CONTROL.search(value):
        problem, remedy = _("%(field)s holds a control character.", field=field), _("Remove it.")
    elif field == "email" and not is_email(value):
        problem = _("“%(value)s” is not an e-mail address.", value=value[:80])
        remedy = _("Write name@example.org, or leave it blank.")
    else:
        return
    raise BadInput(problem, remedy=remedy, fields={field: f"{problem} {remedy}"})
