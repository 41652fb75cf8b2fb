"""Files kept tidy: bytes that no row speaks of, loose files, and what a person brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from .contributions import Job, PersonalData
from .db import utcnow
from .files import _IN_STATEMENT, DAY, _core, _drop
from .files_store import PARTS, SIZES, store_of
from .i18n import lazy
from .models.content import File


def drop_bytes(session: Session, keys: list[str]) -> None:
    """The job ``core.files_drop``: forget the bytes of files whose rows are gone."""
    store = store_of(_core(session).settings)
    still = set(session.scalars(select(File.key).where(File.key.in_(keys))))
    for key in keys:
        if key not in still:
            for part in ("", *(f".{size}" for size in SIZES)):
                store.remove(key + part)


def sweep(session: Session, *, whole: bool = False) -> int:
    """The job ``core.files_sweep``: loose files older than a day, and bytes that no row speaks of; how many.

    Each hour looks at one twenty-fourth of the store, so that each day has looked at all of it.

    :param whole: look at all of it now.
    """
    now = utcnow()
    old = session.scalars(
        select(File.key).where(File.ref_type.is_(None), File.created_at < now - DAY).order_by(File.created_at).limit(1000)
    ).all()
    _drop(session, old)
    store, turn, gone = store_of(_core(session).settings), int(now.timestamp() // 3600) % 24, 0
    for part in range(PARTS):
        if whole or part % 24 == turn:
            names = [name for name, at in store.kept(part) if at < now - DAY]
            for start in range(0, len(names), _IN_STATEMENT):
                some = names[start : start + _IN_STATEMENT]
                known = set(session.scalars(select(File.key).where(File.key.in_({name[:40] for name in some}))))
                for name in some:
                    if name[:40] not in known:
                        store.remove(name)
                        gone += 1
    return len(old) + gone


def _sweep(session: Session) -> None:
    from .errors import ConfigError

    try:
        sweep(session)
    except ConfigError:
        # Nobody can have brought a file where none can be kept.
        return


JOBS = (
    Job("core.files_drop", drop_bytes),
    Job("core.files_sweep", _sweep, every=3600),
)


def _exported(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    rows = session.execute(
        select(File.name, File.media_type, File.size, File.alt, File.ref_type, File.ref_id, File.created_at)
        .where(File.owner_id == person_id)
        .order_by(File.id)
    )
    return [
        {
            "name": row.name, "media_type": row.media_type, "size": row.size, "alt": row.alt,
            "part_of": f"{row.ref_type}:{row.ref_id}" if row.ref_type else None, "at": row.created_at.isoformat(),
        }
        for row in rows
    ]  # fmt: skip


def _erased(session: Session, person_id: int) -> int:
    """Loose ones go; those of an object stay with it, without saying who brought them."""
    mine = session.scalars(select(File.key).where(File.owner_id == person_id, File.ref_type.is_(None))).all()
    _drop(session, mine)
    done: Any = session.execute(update(File).where(File.owner_id == person_id).values(owner_id=None))
    return len(mine) + int(done.rowcount)


PERSONAL = PersonalData(
    "core.files",
    lazy("Files"),
    lazy("To show the pictures and documents that you add to what you write"),
    _exported,
    _erased,
    retention=lazy("As long as what they are part of; a file that was not sent is kept for a day."),
)
