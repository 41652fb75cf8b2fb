"""Many people at once, from a list: added or taken out, with what became of each line.

Up to :data:`AT_ONCE` lines are worked through within the request; a longer list by a job, portion by portion, its report
growing meanwhile. A line names somebody by username, by the organisation's own id or by mail address.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from rse_core import notify, spaces
from rse_core.api import BadInput, Forbidden, NotFound, Text, defer, option, record, translator, utcnow
from rse_core.models.organisation import Person, Space, SpaceMember
from rse_core.organisation import space_ref

from . import access, members
from .models import Batch, FedMember

_t = translator(__file__, "rse_communities")
_, lazy = _t.gettext, _t.lazy
AT_ONCE, PORTION = 500, 500
MOST_LINES, MOST_BYTES = 50_000, 5 * 1024 * 1024
#: Roles that a list may give.
GIVEN = ("member", "writer", "moderator", "external")
HEADERS = frozenset({"username", "identifiant", "login", "person", "personne"})

OUTCOMES: Mapping[str, Text] = {
    "added": lazy("added"),
    "removed": lazy("taken out"),
    "already": lazy("was a member already"),
    "no_member": lazy("was no member"),
    "unknown": lazy("nobody is known by this name"),
    "several": lazy("several people are known by this address: write the username"),
    "left": lazy("has left the organisation"),
    "twice": lazy("stands on an earlier line too"),
    "bad_role": lazy("the role cannot be given by a list"),
    "outside": lazy("is from outside, and what is in a public space is for the staff"),
    "owner": lazy("is an owner, and stays"),
    "refused": lazy("not done: whoever sent the list no longer runs the space"),
    "archived": lazy("not done: the space is archived"),
}


def parse(text: str | bytes) -> list[list[Any]]:
    """The lines of a list as ``[line, name, role]``; comma, semicolon or tab; a header when its first cell says username.

    :raises BadInput: for what is no such list, or too long a one.
    """
    if isinstance(text, bytes):
        if len(text) > MOST_BYTES:
            raise BadInput(
                _("The file is larger than %(most)s MB.", most=str(MOST_BYTES >> 20)), fields={"file": _("Split it.")}
            )
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise BadInput(_("The file is not UTF-8."), fields={"file": _("Save it as “CSV UTF-8”.")}) from None
    if "\x00" in text:
        raise BadInput(_("This is no list of people."), fields={"file": _("Send a CSV file.")})
    head = text.split("\n", 1)[0]
    delimiter = max((";", ",", "\t"), key=head.count)
    rows: list[list[Any]] = []
    places = (0, 1)
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), start=1):
            clean = [cell.strip() for cell in cells]
            if number == 1 and clean and clean[0].lower() in HEADERS | {"role"}:
                low = [cell.lower() for cell in clean]
                name = next((place for place, cell in enumerate(low) if cell in HEADERS), 0)
                places = (name, low.index("role") if "role" in low else len(low) + 9)
                continue
            if not any(clean):
                continue
            name_cell = clean[places[0]] if places[0] < len(clean) else ""
            role = clean[places[1]].lower() if places[1] < len(clean) else ""
            rows.append([number, name_cell[:320], role[:20]])
            if len(rows) > MOST_LINES:
                raise BadInput(_("The list has more than %(most)s lines.", most=MOST_LINES), fields={"file": _("Split it.")})
    except csv.Error as error:
        raise BadInput(_("The list is not well-formed CSV (%(why)s).", why=error), fields={"file": _("Mend it.")}) from None
    if not rows:
        raise BadInput(_("The list is empty."), fields={"file": _("Write one username a line.")})
    return rows


def send(session: Session, person_id: int, key: str, act: str, rows: Sequence[Sequence[Any]]) -> Batch:
    """Add or remove the people of a list.

    :param act: ``add`` or ``remove``.
    :raises Forbidden: for who does not administer the space, or where the site wants invitations.
    """
    seat = access.managing(session, person_id, key, least="administers")
    if act == "add" and not option(session, "communities.add_directly"):
        raise Forbidden(_("On this site people are invited, not added."))
    return start(session, seat.space, act, rows, person_id=person_id)


def start(
    session: Session, space: Space, act: str, rows: Sequence[Sequence[Any]], *, person_id: int | None, now: bool = True
) -> Batch:
    """As :func:`send`, for a command (``person_id`` None) or one whose right was checked.

    :param now: work through it, here or by a job; otherwise the caller does, portion by portion.
    """
    if act not in ("add", "remove"):
        raise BadInput(_("“%(value)s” cannot be chosen here.", value=act[:40]))
    batch = Batch(space_id=space.id, act=act, created_by=person_id, rows=[list(row) for row in rows], report=[])
    session.add(batch)
    session.flush()
    actor = access.actor_of(session, person_id) if person_id is not None else None
    if actor is not None:
        record(
            session, actor, f"communities.list_{act}", f"space:{space.key}", after={"lines": len(rows), "batch": batch.id}
        )
    if not now:
        return batch
    if len(rows) <= AT_ONCE:
        portion(session, batch)
    else:
        defer(session, "communities.batch", key=f"communities.batch:{batch.id}", batch_id=batch.id)
    return batch


def run(session: Session, batch_id: int, part: int = 0) -> None:
    """The job ``communities.batch``: one portion, and a job for the next."""
    batch = session.scalar(
        select(Batch).where(Batch.id == batch_id).with_for_update().execution_options(populate_existing=True)
    )
    if batch is None or batch.finished_at is not None:
        return
    portion(session, batch)
    if batch.finished_at is None:
        defer(session, "communities.batch", key=f"communities.batch:{batch_id}:{part + 1}", batch_id=batch_id, part=part + 1)


def portion(session: Session, batch: Batch) -> None:
    """Work through the next lines; the report grows by as many."""
    done = len(batch.report)
    rows = batch.rows[done : done + PORTION]
    space = session.get_one(Space, batch.space_id)
    found: dict[int, str] = {}
    if space.archived_at is not None and batch.act == "add":
        found = {row[0]: "archived" for row in rows}
    elif batch.created_by is not None and not _still_may(session, batch):
        found = {row[0]: "refused" for row in rows}
    else:
        found = _work(session, batch, space, rows)
    batch.report = [*batch.report, *([row[0], row[1], found[row[0]]] for row in rows)]
    if len(batch.report) >= len(batch.rows):
        batch.finished_at = utcnow()
    session.flush()


def _work(session: Session, batch: Batch, space: Space, rows: Sequence[Sequence[Any]]) -> dict[int, str]:
    people = _lookup(session, [row[1] for row in rows])
    before = {name.lower() for _line, name, _outcome in batch.report}
    outcome: dict[int, str] = {}
    wanted: dict[int, tuple[int, str]] = {}
    roles = dict(
        session.execute(
            select(SpaceMember.person_id, SpaceMember.role).where(
                SpaceMember.space_id == space.id, SpaceMember.person_id.in_([p.id for p in people.values() if p is not None])
            )
        ).all()
    )
    for line, name, role in rows:
        person = people.get(name.lower(), False)
        if person is False:
            outcome[line] = "unknown"
        elif person is None:
            outcome[line] = "several"
        elif person.id in wanted or name.lower() in before:
            outcome[line] = "twice"
        elif batch.act == "add":
            if role and role not in GIVEN:
                outcome[line] = "bad_role"
            elif person.status != "active":
                outcome[line] = "left"
            elif person.external and space.visibility == "public":
                outcome[line] = "outside"
            elif person.id in roles:
                outcome[line] = "already"
            else:
                wanted[person.id] = (line, "external" if person.external else role or "member")
        elif person.id not in roles:
            outcome[line] = "no_member"
        elif roles[person.id] == "owner":
            outcome[line] = "owner"
        else:
            wanted[person.id] = (line, "")
    if batch.act == "add":
        _add(session, batch, space, wanted)
    else:
        spaces.remove_members(session, space.id, list(wanted))
        session.execute(
            delete(FedMember).where(FedMember.space_id == space.id, FedMember.person_id.in_(list(wanted)))
            .execution_options(synchronize_session=False)
        )  # fmt: skip
    outcome |= {line: "added" if batch.act == "add" else "removed" for line, _role in wanted.values()}
    if wanted:
        members.recount(session, [space.id])
    return outcome


def _add(session: Session, batch: Batch, space: Space, wanted: Mapping[int, tuple[int, str]]) -> None:
    by_role: dict[str, list[int]] = {}
    for person_id, (_line, role) in wanted.items():
        by_role.setdefault(role, []).append(person_id)
    for role, ids in by_role.items():
        spaces.add_members(session, space.id, ids, role=role)
    if wanted:
        members.settle(session, space.id, list(wanted))
        notify.notify_many(
            session, list(wanted), "communities.added", space_ref(space.id), actor_id=batch.created_by,
            cause=f"batch:{batch.id}", data={"space": space.name},
        )  # fmt: skip


def _lookup(session: Session, names: Iterable[str]) -> dict[str, Any]:
    """By lower-case name: the person, or None when a mail address is several people's. Usernames win, then ids."""
    low = sorted({name.lower() for name in names if name})
    if not low:
        return {}
    rows = session.execute(
        select(Person.id, Person.username, Person.external_id, Person.email, Person.status, Person.external).where(
            or_(
                func.lower(Person.username).in_(low), func.lower(Person.external_id).in_(low),
                func.lower(Person.email).in_(low),
            )
        )
    ).all()  # fmt: skip
    found: dict[str, Any] = {}
    for row in rows:
        if row.email:
            key = row.email.lower()
            found[key] = None if key in found else row
    for column in ("external_id", "username"):
        found |= {getattr(row, column).lower(): row for row in rows}
    return {name: found[name] for name in low if name in found}


def _still_may(session: Session, batch: Batch) -> bool:
    role = session.scalar(
        select(SpaceMember.role)
        .join(Person, Person.id == SpaceMember.person_id)
        .where(SpaceMember.space_id == batch.space_id, SpaceMember.person_id == batch.created_by, Person.status == "active")
    )
    return role in access.ADMINISTERING


def get(session: Session, person_id: int, key: str, batch_id: int) -> Batch:
    """A list and its report, for those who administer the space."""
    seat = access.managing(session, person_id, key, least="administers")
    batch = session.get(Batch, batch_id)
    if batch is None or batch.space_id != seat.space.id:
        raise NotFound(_("There is no such list."))
    return batch


def latest(session: Session, space_id: int, *, most: int = 10) -> list[Batch]:
    """The last lists of a space."""
    rows = select(Batch).where(Batch.space_id == space_id).order_by(Batch.id.desc()).limit(most)
    return list(session.scalars(rows))


def summary(batch: Batch) -> dict[str, int]:
    """How many lines came out how."""
    found: dict[str, int] = {}
    for _line, _name, outcome in batch.report:
        found[outcome] = found.get(outcome, 0) + 1
    return found


def prune(session: Session) -> None:
    """The job ``communities.prune``: lists older than 90 days go, with the names on them."""
    old = utcnow() - dt.timedelta(days=90)
    session.execute(delete(Batch).where(Batch.created_at < old, Batch.finished_at.is_not(None)))
