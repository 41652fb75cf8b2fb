"""How somebody who signs in becomes one of the people: the links between (issuer, subject) and a person."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .audit import Actor, record
from .i18n import lazy
from .identity import Identity, IdentityRefused
from .models.organisation import Person, PersonIdentity
from .sessions import end_of

logger = logging.getLogger(__name__)


def for_identity(session: Session, identity: Identity) -> Person | None:
    """The active person behind an identity; None for somebody unknown to the organisation, or who has left.

    Known by (issuer, subject). At the first visit the person is looked for by the setting ``identity_key``
    (their username or
    external id) and the identity is recorded: in this session when it writes, else in a transaction of its
    own.

    :raises IdentityRefused: (``already_linked``) when the person is known to this issuer under another
        subject.
    """
    person = _known(session, identity)
    if person is None:
        person = _first_visit(session, identity)
    return person if person is not None and person.status == "active" else None


def drop_identities(session: Session, usernames: Iterable[tuple[int, str]]) -> None:
    """Forget identities whose subject was a former username: whoever has that name next is somebody else.

    :param usernames: (person id, former username).
    """
    for person_id, username in usernames:
        session.execute(
            delete(PersonIdentity).where(PersonIdentity.person_id == person_id, PersonIdentity.subject == username)
        )


def _known(session: Session, identity: Identity) -> Person | None:
    return session.scalar(
        select(Person)
        .join(PersonIdentity, PersonIdentity.person_id == Person.id)
        .where(PersonIdentity.issuer == identity.issuer, PersonIdentity.subject == identity.subject)
    )


def _first_visit(session: Session, identity: Identity) -> Person | None:
    from .runtime import core_of

    core = core_of(session)
    person = _match(session, identity, core.settings.identity_key)
    if person is None or person.status != "active":
        return None
    _refuse_second(session, identity, person)
    if session.info.get("rse_writing"):
        return _record(session, identity, person.id)
    try:
        with core.db.write() as writing:
            _record(writing, identity, person.id)
    except IntegrityError:
        # Another request of the same first visit was quicker; its row is read below.
        pass
    session.expire(person)
    return person


def _match(session: Session, identity: Identity, key: str) -> Person | None:
    if key == "none":
        return None
    if key == "username":
        return session.scalar(select(Person).where(Person.username == (identity.username or identity.subject)))
    for value in (identity.subject, identity.username):
        person = None if value is None else _by_external_id(session, value)
        if person is not None:
            return person
    return None


def _record(session: Session, identity: Identity, person_id: int) -> Person | None:
    # The lock keeps two subjects from being linked to one person at the same moment (SQLite has one writer
    # anyway).
    person = session.scalar(select(Person).where(Person.id == person_id).with_for_update())
    if person is None:
        return None
    known = _known(session, identity)
    if known is not None:
        return known
    _refuse_second(session, identity, person)
    session.add(PersonIdentity(issuer=identity.issuer, subject=identity.subject, person_id=person_id))
    session.flush()
    return person


def _refuse_second(session: Session, identity: Identity, person: Person) -> None:
    other = session.scalar(
        select(PersonIdentity.subject).where(
            PersonIdentity.issuer == identity.issuer,
            PersonIdentity.person_id == person.id,
            PersonIdentity.subject != identity.subject,
        )
    )
    if other is not None:
        logger.warning(
            "the issuer %r vouches for the subject %r as %r, who is known to it as %r: refused",
            identity.issuer, identity.subject, person.username, other,
        )  # fmt: skip
        raise IdentityRefused(
            lazy("This account is already linked to another sign-in. Please ask the people who run this site."),
            code="already_linked",
        )


def unlink_identities(session: Session, person_id: int, *, actor: Actor, why: str = "") -> int:
    """Forget by which identities the person is known, so that their next visit counts as the first; how many."""
    rows = session.scalars(select(PersonIdentity).where(PersonIdentity.person_id == person_id)).all()
    for row in rows:
        session.delete(row)
    if rows:
        username = session.scalar(select(Person.username).where(Person.id == person_id))
        before = [{"issuer": row.issuer, "subject": row.subject} for row in rows]
        record(session, actor, "person.unlink", f"person:{username}", before=before, why=why)
        end_of(session, [person_id], "unlinked")
    session.flush()
    return len(rows)


def _by_external_id(session: Session, external_id: str) -> Person | None:
    return session.scalar(select(Person).where(Person.external_id == external_id))
