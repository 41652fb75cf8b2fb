"""Where the reading of each source stands, and who reads it now: one row for each source, in ``rse_core_legacy_sync``.

The row's ``state`` holds the source's own notes and, beside them, ours: whether its first pass is over, who reads it and
until when, when it is due, and what the last run found. Whoever reads a source holds a claim that each batch renews; a
reader whose claim ran out finds another's in its place and stops before it writes.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .db import dialect_insert, utcnow
from .errors import Conflict, RseError
from .i18n import _
from .models.content import LegacySync

if TYPE_CHECKING:
    from .contributions import LegacySource
    from .runtime import Core

LEASE = dt.timedelta(minutes=5)
LONGEST = dt.timedelta(hours=6)
#: Bytes of a source's notes as JSON.
MAX_NOTES = 4_000_000
MAX_WARNINGS = 10


@dataclass(slots=True)
class Counts:
    """What a run found: all that was ``seen``, of these what was ``new``, ``changed`` or ``gone``, what was ``announced``
    as news, what points ``elsewhere`` (not into the intranet), what could not be used and what another source keeps."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    announced: int = 0
    elsewhere: int = 0
    unusable: int = 0
    others: int = 0

    def add(self, more: Counts) -> None:
        """Add those of a batch."""
        for name, number in asdict(more).items():
            setattr(self, name, getattr(self, name) + number)

    @property
    def touched(self) -> int:
        """Pages that are not as they were."""
        return self.new + self.changed + self.gone


@dataclass(slots=True)
class Claimed:
    """The right to read one source, until it lapses."""

    token: str
    notes: Mapping[str, Any]
    first: bool


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How one source does, for people."""

    name: str
    label: str
    every: int
    due_at: dt.datetime | None
    ran_at: dt.datetime | None
    ok_at: dt.datetime | None
    failures: int
    error: str
    running: bool
    first: bool
    counts: Counts
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready but for the times."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Facts:
    """Ours, beside the source's notes."""

    notes: Mapping[str, Any] = field(default_factory=dict)
    first: bool = True
    by: str = ""
    until: str = ""
    due: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    @classmethod
    def of(cls, row: LegacySync | None) -> _Facts:
        kept = row.state if row is not None and isinstance(row.state, dict) else {}
        known = {name: kept[name] for name in cls.__dataclass_fields__ if name in kept}
        return cls(**known)

    def kept(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def held(self, now: dt.datetime) -> bool:
        return bool(self.by) and (_moment(self.until) or now) > now


def due(session: Session, sources: Mapping[str, LegacySource]) -> list[str]:
    """The sources whose turn has come and that nobody reads."""
    now = utcnow()
    found = []
    for name in sources:
        facts = _Facts.of(session.get(LegacySync, name))
        if not facts.held(now) and (_moment(facts.due) or now) <= now:
            found.append(name)
    return found


def peek(session: Session, name: str) -> Claimed:
    """The notes without the claim, for a look that writes nothing."""
    facts = _Facts.of(session.get(LegacySync, name))
    return Claimed("", facts.notes, facts.first)


def claim(core: Core, name: str) -> Claimed | None:
    """Take the source to read it; None while another holds it."""
    now = utcnow()
    with core.db.write() as session:
        empty = dialect_insert(session, LegacySync).values(source=name, state={}, error="", failures=0, seen=0, changed=0)
        session.execute(empty.on_conflict_do_nothing())
        row = _locked(session, name)
        facts = _Facts.of(row)
        if facts.held(now):
            return None
        token = str(uuid.uuid4())
        row.state = {**facts.kept(), "by": token, "until": (now + LEASE).isoformat()}
        row.ran_at = now
        return Claimed(token, facts.notes, facts.first)


def hold(session: Session, name: str, claimed: Claimed, *, notes: Mapping[str, Any] | None = None) -> None:
    """Renew the claim in the transaction that is about to write, and keep the notes with it.

    :raises Conflict: when another has it by now.
    :raises RseError: when the notes are no JSON or too long to keep.
    """
    row = _locked(session, name)
    facts = _Facts.of(row)
    if facts.by != claimed.token:
        raise Conflict(_("The source “%(name)s” is read by another worker by now.", name=name))
    state = {**facts.kept(), "until": (utcnow() + LEASE).isoformat()}
    if notes is not None:
        state["notes"] = _checked(notes, name)
    row.state = state


def finish(
    core: Core, source: LegacySource, claimed: Claimed, counts: Counts, *, error: str = "", warnings: tuple[str, ...] = (),
    unfinished: bool = False,
) -> None:  # fmt: skip
    """Give the source back, with how it went; after a fault it waits longer each time.

    :param unfinished: there is more to read: it is due again at once.
    """
    now = utcnow()
    with core.db.write() as session:
        row = _locked(session, source.name)
        facts = _Facts.of(row)
        if facts.by != claimed.token:
            return
        row.seen, row.changed, row.error = counts.seen, counts.touched, error[:2000]
        if error:
            row.failures += 1
            wait = min(dt.timedelta(seconds=max(60, source.every)) * 2 ** min(row.failures, 10), LONGEST)
        else:
            row.failures, row.ok_at = 0, now
            wait = dt.timedelta(0) if unfinished else dt.timedelta(seconds=source.every)
        row.state = {
            "notes": facts.notes,
            "first": facts.first and (bool(error) or unfinished),
            "due": (now + wait).isoformat(),
            "counts": asdict(counts),
            "warnings": list(warnings[:MAX_WARNINGS]),
        }


def statuses(session: Session, sources: Mapping[str, LegacySource]) -> list[SourceStatus]:
    """How each source does, in the order of their names."""
    rows = {row.source: row for row in session.scalars(select(LegacySync).where(LegacySync.source.in_(sources)))}
    now = utcnow()
    found = []
    for name, source in sorted(sources.items()):
        row, facts = rows.get(name), _Facts.of(rows.get(name))
        found.append(
            SourceStatus(
                name, str(source.label), source.every, _moment(facts.due),
                row.ran_at if row else None, row.ok_at if row else None, row.failures if row else 0,
                row.error if row else "", facts.held(now), facts.first,
                Counts(**{k: v for k, v in facts.counts.items() if k in Counts.__dataclass_fields__}),
                tuple(facts.warnings),
            )
        )  # fmt: skip
    return found


def _locked(session: Session, name: str) -> LegacySync:
    return session.scalars(select(LegacySync).where(LegacySync.source == name).with_for_update()).one()


def _checked(notes: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    try:
        size = len(json.dumps(notes))
    except (TypeError, ValueError):
        raise RseError(
            _("The notes of the source “%(name)s” cannot be kept: they are not JSON.", name=name),
            remedy=_("Return numbers, texts, lists and dictionaries."),
        ) from None
    if size > MAX_NOTES:
        raise RseError(
            _("The notes of the source “%(name)s” are longer than %(max)s bytes.", name=name, max=str(MAX_NOTES)),
            remedy=_("Have it list fewer pages."),
        )
    return notes


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None
