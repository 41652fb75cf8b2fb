"""Charters: versioned texts. The latest one of kind ``use`` is accepted before a first contribution; reading needs none."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from .audit import Actor, record
from .db import utcnow
from .errors import BadInput, Conflict, NotFound
from .freshness import touch
from .i18n import _
from .models.governance import Charter, CharterAcceptance
from .models.organisation import Person, SpaceMember
from .onlookers import is_onlooker

KINDS = ("use", "editorial")
MAX_BODY = 200_000
#: A line of a charter that is a box to tick: "- [ ] I never write about customers by name."
_BOX = re.compile(r"[ \t]{0,3}[-*+] \[ ?\][ \t]+(\S.*?)[ \t]*\Z")


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a charter and the box under it; ``box`` is "" for what follows the last one."""

    text: str
    box: str


def steps(body: str) -> list[Step]:
    """The parts of a text, each up to its box: a line ``- [ ] I have read …``. One without any has a box of its own."""
    found: list[Step] = []
    lines: list[str] = []
    for line in body.splitlines():
        box = _BOX.match(line)
        if box is None:
            lines.append(line)
        else:
            found.append(Step("\n".join(lines).strip(), box.group(1)))
            lines = []
    rest = "\n".join(lines).strip()
    if not found:
        return [Step(rest, _("I have read this and accept it."))]
    return [*found, Step(rest, "")] if rest else found


def boxes(body: str) -> int:
    """How many boxes there are to tick, at least one."""
    return sum(1 for step in steps(body) if step.box)


def has_boxes(body: str) -> bool:
    """Whether the text has boxes of its own."""
    return any(_BOX.match(line) for line in body.splitlines())


def publish(
    session: Session, *, title: str, body: str, actor: Actor, version: str | None = None, kind: str = "use",
    space_id: int | None = None, published_at: dt.datetime | None = None,
) -> Charter:  # fmt: skip
    """Publish a version; from then on the earlier one is history.

    :param version: its name; the next number when not given.
    :param kind: ``use`` (to be accepted) or ``editorial`` (shown beside the forms).
    :param published_at: when it comes into force; now when not given.
    :raises BadInput: for an empty or overlong text.
    :raises Conflict: when this version was published before.
    """
    title, body = " ".join(title.split()), body.strip()
    if kind not in KINDS:
        raise BadInput(_("“%(kind)s” is not a kind of charter.", kind=kind), remedy=_("Use use or editorial."))
    if not title or len(title) > 300 or not body or len(body) > MAX_BODY or "\x00" in title + body:
        raise BadInput(
            _("A charter needs a title and a text of at most %(max)s characters.", max=str(MAX_BODY)),
        )
    touch(session)
    same = select(Charter).where(Charter.kind == kind, _of_space(space_id))
    if version is None:
        taken = set(session.scalars(same.with_only_columns(Charter.version)))
        version = next(str(n) for n in range(len(taken) + 1, len(taken) + 1000) if str(n) not in taken)
    if not version.strip() or len(version) > 40 or "\x00" in version:
        raise BadInput(_("The name of a version has 1 to 40 characters."))
    if session.scalar(same.where(Charter.version == version)) is not None:
        raise Conflict(
            _("Version “%(version)s” of this charter was published before.", version=version),
            remedy=_("Give another version; what was accepted stays evidence of what was read."),
        )
    charter = Charter(
        kind=kind, space_id=space_id, version=version, title=title, body=body, published_at=published_at or utcnow(),
        published_by=actor.label,
    )  # fmt: skip
    session.add(charter)
    session.flush()
    after = {"version": version, "title": title, "kind": kind, "published_at": charter.published_at.isoformat()}
    record(session, actor, "charter.publish", "site" if space_id is None else f"space:{space_id}", after=after)
    return charter


def in_force(
    session: Session, *, kind: str = "use", space_id: int | None = None, at: dt.datetime | None = None
) -> Charter | None:
    """The latest version published by then, of the site or of one space; None when there is none."""
    query = select(Charter).where(Charter.kind == kind, _of_space(space_id), Charter.published_at <= (at or utcnow()))
    return session.scalar(query.order_by(Charter.published_at.desc(), Charter.id.desc()).limit(1))


def versions(session: Session, *, kind: str = "use", space_id: int | None = None) -> list[Charter]:
    """All versions, the latest first."""
    query = select(Charter).where(Charter.kind == kind, _of_space(space_id))
    return list(session.scalars(query.order_by(Charter.published_at.desc(), Charter.id.desc())))


def published(session: Session, *, kind: str) -> Sequence[Row[int | None, int, str, dt.datetime]]:
    """Every version of one kind, of the site and of all spaces, the latest first: space, id, title, when."""
    query = select(Charter.space_id, Charter.id, Charter.title, Charter.published_at).where(Charter.kind == kind)
    return session.execute(query.order_by(Charter.published_at.desc(), Charter.id.desc())).all()


def missing(session: Session, person_id: int, *, space_id: int | None = None) -> list[Charter]:
    """What this person has still to accept before writing: the site's charter in force, and the space's own."""
    if is_onlooker(person_id):
        return []
    wanted = [in_force(session)] + ([in_force(session, space_id=space_id)] if space_id is not None else [])
    accepted = set(
        session.scalars(select(CharterAcceptance.charter_id).where(CharterAcceptance.person_id == person_id))
    )
    return [charter for charter in wanted if charter is not None and charter.id not in accepted]


def accept(session: Session, person_id: int, charter_id: int, *, actor: Actor | None = None) -> CharterAcceptance:
    """Note that this person accepts a version; once is enough, the first moment is kept.

    :param actor: who notes it, when that is not the person: goes to the audit log.
    :raises NotFound: when there is no such person or version.
    :raises Conflict: when the version is not in force (not yet, or no longer).
    """
    charter, person = session.get(Charter, charter_id), session.get(Person, person_id)
    if charter is None or person is None:
        raise NotFound(_("There is no such charter.") if charter is None else _("There is no such person."))
    touch(session, person_id)
    found = session.get(CharterAcceptance, (charter_id, person_id))
    if found is not None:
        return found
    current = in_force(session, kind=charter.kind, space_id=charter.space_id)
    if current is None or current.id != charter.id:
        raise Conflict(
            _("Version “%(version)s” is not the charter in force.", version=charter.version),
            remedy=_("Please read the present one."),
        )
    found = CharterAcceptance(charter_id=charter_id, person_id=person_id, accepted_at=utcnow())
    session.add(found)
    session.flush()
    if actor is not None:
        after = {"version": charter.version, "title": charter.title}
        record(session, actor, "charter.accept", f"person:{person.username}", after=after)
    return found


def acceptance(session: Session, charter: Charter) -> tuple[int, int]:
    """How many active people have accepted a version, and how many it is asked of."""
    people = select(func.count()).select_from(Person).where(Person.status == "active")
    if charter.space_id is not None:
        people = people.where(
            Person.id.in_(select(SpaceMember.person_id).where(SpaceMember.space_id == charter.space_id))
        )
    have = select(CharterAcceptance.person_id).where(CharterAcceptance.charter_id == charter.id)
    return session.scalar(people.where(Person.id.in_(have))) or 0, session.scalar(people) or 0


def _of_space(space_id: int | None) -> ColumnElement[bool]:
    return Charter.space_id.is_(None) if space_id is None else Charter.space_id == space_id
