"""Placing the cursor: levels, ceilings and caps, dated, with who and why; what stands, and the history.

Nothing is ever changed or deleted: a new row takes over from its start; one without a level withdraws what stood there.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import cursor
from .audit import Actor, record
from .cursor import Spot
from .db import utcnow
from .errors import BadInput, NotFound
from .freshness import touch
from .i18n import _
from .levels import Level, parse_level
from .models.levels import CapabilityShift, LevelRow
from .models.organisation import Entity, Group, Space
from .snapshot import load_snapshot
from .when import EARLIEST, LATEST

if TYPE_CHECKING:
    from .runtime import Core

#: Where each kind of row may stand.
KINDS = {
    "level": ("site", "entity", "group", "space"),
    "ceiling": ("site", "entity"),
    "cap": ("entity", "group", "space", "section"),
}
_MODELS: dict[str, type[Entity] | type[Group] | type[Space]] = {"entity": Entity, "group": Group, "space": Space}
MAX_WHY = 2_000


@dataclass(frozen=True, slots=True)
class Where:
    """A place for the cursor. ``ident``: its row's id (0: the site; a path: a section); ``key``: as people know it."""

    scope: str
    ident: int | str = 0
    key: str = ""
    name: str = ""

    def __str__(self) -> str:
        return self.scope if self.scope == "site" else f"{self.scope}:{self.key}"

    def spot(self, kind: str) -> Spot:
        """The spot of one kind of row there."""
        return (kind, self.scope, self.ident)

    @property
    def stored(self) -> str:
        """As it stands in ``LevelRow.scope_key``."""
        return "" if self.scope == "site" else str(self.ident)


SITE = Where("site")


def locate(session: Session, scope: str, key: str = "") -> Where:
    """A place from its external id or path.

    :raises NotFound: names the nearest known id.
    :raises BadInput: for a text that is no section.
    """
    if scope == "site":
        return SITE
    if scope == "section":
        return Where("section", _section(key), _section(key))
    model = _MODELS.get(scope)
    if model is None:
        raise BadInput(_("“%(scope)s” is nothing that has a level.", scope=scope))
    found = session.execute(select(model.id, model.key, model.name).where(model.key == key)).first()
    if found is not None:
        return Where(scope, *found)
    near = difflib.get_close_matches(key, session.scalars(select(model.key)).all(), n=1, cutoff=0.5)
    messages = {
        "entity": _("There is no entity “%(key)s”.", key=key[:80]),
        "group": _("There is no group “%(key)s”.", key=key[:80]),
        "space": _("There is no space “%(key)s”.", key=key[:80]),
    }
    raise NotFound(
        messages[scope], remedy=_("Did you mean “%(near)s”?", near=near[0]) if near else _("Check the identifier.")
    )


def of_id(session: Session, scope: str, ident: int) -> Where:
    """A place from its row's id, for screens that already know it.

    :raises NotFound: when there is none.
    """
    model = _MODELS[scope]
    found = session.execute(select(model.id, model.key, model.name).where(model.id == ident)).first()
    if found is None:
        raise NotFound(_("There is no such place."))
    return Where(scope, *found)


def _section(text: str) -> str:
    path = text.strip()
    if not path.startswith("/") or path.startswith("//") or any(c in path for c in "?#\\") or not path.isprintable():
        raise BadInput(
            _("“%(text)s” is not a section.", text=text[:80]), remedy=_("Write a path without parameters, such as /hr.")
        )
    if any(part in (".", "..") for part in path.split("/")) or len(cursor.normal_section(path)) > 300:
        raise BadInput(_("“%(text)s” is not a section.", text=text[:80]), remedy=_("Write the path in full."))
    return cursor.normal_section(path)


def place(
    session: Session, where: Where, level: Level | int | str | None, *, actor: Actor, kind: str = "level",
    starts_at: dt.datetime | None = None, why: str = "",
) -> LevelRow:  # fmt: skip
    """Place a level, a ceiling or a cap.

    :param level: None withdraws what stands there.
    :param starts_at: from when, aware; now when not given.
    :raises BadInput: for a level that does not exist, or a kind that cannot stand there.
    """
    if where.scope not in KINDS.get(kind, ()):
        raise BadInput(
            _("A %(kind)s cannot stand on a %(scope)s.", kind=kind, scope=where.scope),
            remedy=_("It can stand on: %(scopes)s.", scopes=", ".join(KINDS.get(kind, ()))),
        )
    if len(why) > MAX_WHY or "\x00" in why:
        raise BadInput(_("The reason is longer than %(max)s characters, or not a text.", max=str(MAX_WHY)))
    if starts_at is not None and not EARLIEST <= starts_at.date() <= LATEST:
        raise BadInput(_("A level begins on a day from %(first)s to %(last)s.", first=EARLIEST, last=LATEST))
    number = None if level is None else int(parse_level(level if isinstance(level, str) else int(level)))
    # The clock is read behind the lock that touch() takes: who comes later also starts later.
    touch(session)
    now = utcnow()
    before = cursor.level_at(load_snapshot(session), where.spot(kind), now)
    row = LevelRow(
        kind=kind, scope=where.scope, scope_key=where.stored, level=number, starts_at=starts_at or now, created_at=now,
        created_by=actor.label, why=why,
    )  # fmt: skip
    session.add(row)
    session.flush()
    after = {"level": number, "starts_at": row.starts_at.isoformat()}
    act = "level.set" if kind == "level" else f"level.{kind}"
    record(session, actor, act, str(where), before={"level": before}, after=after, why=why)
    return row


def history(
    session: Session, *, kind: str | None = None, where: Where | None = None, before: int | None = None,
    limit: int = 100,
) -> list[LevelRow]:  # fmt: skip
    """Rows as they were placed, the latest first; page on with ``before`` (a row's id)."""
    query = select(LevelRow).order_by(LevelRow.id.desc()).limit(limit)
    if kind is not None:
        query = query.where(LevelRow.kind == kind)
    if where is not None:
        query = query.where(LevelRow.scope == where.scope, LevelRow.scope_key == where.stored)
    if before is not None:
        query = query.where(LevelRow.id < before)
    return list(session.scalars(query))


def standing(snapshot: cursor.Snapshot, at: dt.datetime, spots: Sequence[Spot] | None = None) -> list[dict[str, Any]]:
    """What is in force and what is still to come on these spots (all of them for None), JSON-ready, in order."""
    chosen = sorted(snapshot.assignments, key=lambda s: (s[1], str(s[2]), s[0])) if spots is None else spots
    return [row for spot in chosen for row in cursor.rows_on(snapshot, spot, at)]


def shift(session: Session, core: Core, capability: str, level: Level | int | str | None, *, actor: Actor) -> int:
    """Let the site open a capability from another level than the plugin's own; None goes back to the plugin's.

    :returns: the level from which it opens now.
    :raises NotFound: for a capability that no running plugin has; names the nearest.
    """
    known = core.plugins.capabilities
    if capability not in known:
        near = difflib.get_close_matches(capability, known, n=1, cutoff=0.5)
        raise NotFound(
            _("There is no capability “%(key)s”.", key=capability[:80]),
            remedy=_("Did you mean “%(near)s”?", near=near[0]) if near else _("See rse capability list."),
        )
    own = int(known[capability].level)
    number = own if level is None else int(parse_level(level if isinstance(level, str) else int(level)))
    touch(session)
    row = session.get(CapabilityShift, capability)
    before = own if row is None else row.level
    if number == own and row is not None:
        session.delete(row)
    elif number != own and row is None:
        session.add(CapabilityShift(capability=capability, level=number, changed_by=actor.label))
    elif number != own and row is not None:
        row.level, row.changed_at, row.changed_by = number, utcnow(), actor.label
    session.flush()
    record(session, actor, "capability.shift", capability, before={"level": before}, after={"level": number})
    return number
