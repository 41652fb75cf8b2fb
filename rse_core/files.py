"""Files that people bring: kept loose first, then part of an object; read by whoever may see the object.

.. code-block:: python

    for stream, name in uploads("files"):                       # rse_core.webapi, in a view marked with allow_files
        files.keep(session, person_id, stream, name)            # loose: its owner's alone, for a day
    files.attach(session, person_id, keys, ref, alts=alts)      # exactly these are the object's now, in this order
    shown = files.of(session, refs)                             # one query, for any number of objects

Pictures are made anew in our own sizes, without what the camera noted; see :mod:`rse_core.files_images`. The bytes are in a
:class:`~rse_core.files_store.FileStore`, by the key that also stands in addresses: knowing it lets nobody in.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from sqlalchemy import ColumnElement, delete, event, func, or_, select, update
from sqlalchemy.orm import Session

from .audiences import sees
from .content import ContentInfo, ObjectRef
from .db import utcnow
from .errors import BadInput, NotFound, TooMany
from .files_store import SIZES, FileStore, store_of
from .files_types import Recognised, clean_name, recognise
from .i18n import _
from .levels import Level
from .models.content import File
from .objects import SHOWN, resolve
from .ratelimit import limit
from .roles import moderates
from .rules import visible
from .statements import Statement
from .subjects import Target

MB = 1_048_576
DAY = dt.timedelta(days=1)
#: Files that one person may bring within a day, whatever their size.
PER_DAY = 500
MAX_ALT = 500
_IN_STATEMENT = 500


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file. ``kind`` is ``image`` or ``file``; ``size`` in bytes, ``width`` and ``height`` in pixels (pictures).

    ``ref`` is the object that it is part of; None while it is loose.
    """

    key: str
    name: str
    kind: str
    media_type: str
    size: int
    width: int | None = None
    height: int | None = None
    alt: str = ""
    ref: ObjectRef | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that has been read and checked, its picture made anew: everything that takes long, before a transaction.

    ``parts`` are the bytes by the end of their name in the store (empty, or ``.small``).
    """

    name: str
    kind: str
    media_type: str
    parts: Mapping[str, bytes] = field(repr=False)
    width: int | None = None
    height: int | None = None

    @property
    def main(self) -> bytes:
        """The bytes that are served when no size is asked for."""
        return self.parts.get(".large") or self.parts[""]

    @property
    def digest(self) -> str:
        """SHA-256 of these bytes."""
        return hashlib.sha256(self.main).hexdigest()


@dataclass(frozen=True, slots=True)
class Served:
    """What one request for a file needs: the file, and the name of its bytes in the store."""

    info: FileInfo
    stored: str
    etag: str


def prepare(stream: IO[bytes], name: str, *, most: int) -> Prepared:
    """Read a file and find out what it is.

    :param most: megabytes.
    :raises BadInput: for an empty, too large, damaged or refused file; names it.
    """
    data = stream.read(most * MB + 1)
    if not data:
        raise _bad(_("“%(name)s” is empty.", name=name[-120:]), _("Choose another file."))
    if len(data) > most * MB:
        raise _bad(
            _("“%(name)s” is larger than %(most)s MB.", name=name[-120:], most=most), _("Make it smaller, or share a link.")
        )
    kind = recognise(data, name)
    shown = clean_name(name, kind)
    if not kind.image:
        return Prepared(shown, "file", kind.media_type, {"": data})
    # Here, so that a command line that has nothing to do with pictures need not load their decoders.
    from .files_images import MEDIA_TYPE, remake

    picture = remake(data, name)
    parts = {f".{size}": made for size, made in picture.sizes.items()}
    shown = clean_name(shown.rpartition(".")[0] + ".webp", Recognised(MEDIA_TYPE, "webp", image=True))
    return Prepared(shown, "image", MEDIA_TYPE, parts, picture.width, picture.height)


def keep(session: Session, person_id: int, stream: IO[bytes] | Prepared, name: str, *, alt: str = "") -> FileInfo:
    """Keep a file loose: its owner's alone, until :func:`attach` or for a day.

    :param stream: the bytes, or what :func:`prepare` made of them (quicker: outside the transaction).
    :raises BadInput: for what is not accepted, with the name and the reason.
    :raises TooMany: above what one person may bring within a day (``file_quota``).
    """
    settings = _core(session).settings
    ready = stream if isinstance(stream, Prepared) else prepare(stream, name, most=settings.max_file)
    size = len(ready.main)
    limit(session, person_id, "core.files", most=PER_DAY, seconds=86_400)
    brought = session.scalar(
        select(func.coalesce(func.sum(File.size), 0)).where(File.owner_id == person_id, File.created_at > utcnow() - DAY)
    )
    if (brought or 0) + size > settings.file_quota * MB:
        raise TooMany(
            _("You have brought more than %(most)s MB of files within a day.", most=settings.file_quota), retry_after=3600
        )
    row = File(
        key=secrets.token_hex(20), owner_id=person_id, kind=ready.kind, name=ready.name, alt=_alt(alt),
        media_type=ready.media_type, size=size, sha256=ready.digest,
        width=ready.width, height=ready.height,
    )  # fmt: skip
    store = store_of(settings)
    names = [row.key + part for part in ready.parts]
    _remove_if_undone(session, store, names)
    for part, data in ready.parts.items():
        store.put(row.key + part, data)
    session.add(row)
    session.flush()
    return _info(row)


def attach(
    session: Session, person_id: int, keys: Sequence[str], ref: ObjectRef, *, alts: Mapping[str, str] | None = None
) -> list[FileInfo]:
    """Exactly these files are the object's from now on, in this order; the caller has checked that the person may edit it.

    :param keys: loose files of that person, or files that the object already has.
    :param alts: texts for who cannot see a picture, by key; a key that is not named keeps its own.
    :raises NotFound: for a key that is neither: another's loose file, or another object's.
    :raises BadInput: for more files than one object may have (``max_files``).
    """
    wanted = list(dict.fromkeys(keys))
    most = _core(session).settings.max_files
    if len(wanted) > most:
        raise _bad(
            _("At most %(most)s files can be added here; you chose %(count)s.", most=most, count=len(wanted)),
            _("Take some of them away."),
        )
    mine = (File.ref_type.is_(None)) & (File.owner_id == person_id)
    rows = session.scalars(select(File).where(_part_of([ref]) | (File.key.in_(wanted) & mine)).with_for_update()).all()
    by_key = {row.key: row for row in rows}
    if any(key not in by_key for key in wanted):
        raise NotFound(
            _("One of these files is no longer there."), remedy=_("Add it again; a file that is not sent is kept for a day.")
        )
    _drop(session, [row.key for row in rows if row.ref_type is not None and row.key not in wanted])
    for place, key in enumerate(wanted):
        row = by_key[key]
        row.ref_type, row.ref_id, row.position = ref.type, ref.id, place
        if alts is not None and key in alts:
            row.alt = _alt(alts[key])
    session.flush()
    return [_info(by_key[key]) for key in wanted]


def of(session: Session, refs: Iterable[ObjectRef]) -> Mapping[ObjectRef, list[FileInfo]]:
    """The files of these objects, in order, in one query; objects without any are left out."""
    wanted = list(refs)
    found: dict[ObjectRef, list[FileInfo]] = {}
    if wanted:
        for row in _of(session, wanted):
            info = _info(row)
            if info.ref is not None:
                found.setdefault(info.ref, []).append(info)
    return found


def _of(session: Session, refs: Sequence[ObjectRef]) -> Iterable[Any]:
    if len({ref.type for ref in refs}) == 1:
        return _OF(session, type=refs[0].type, ids=[ref.id for ref in refs])
    return session.execute(select(*_COLUMNS).where(_part_of(refs)).order_by(File.position, File.id))


def loose(session: Session, person_id: int, keys: Sequence[str]) -> list[FileInfo]:
    """Those of these that are this person's loose files, in the given order: to show them again in a refused form."""
    if not keys:
        return []
    rows = session.execute(select(*_COLUMNS).where(File.key.in_(keys), File.owner_id == person_id, File.ref_type.is_(None)))
    found = {row.key: _info(row) for row in rows}
    return [found[key] for key in dict.fromkeys(keys) if key in found]


def forget(session: Session, ref: ObjectRef) -> None:
    """The object has no files any more; their bytes go once this transaction has been committed."""
    _drop(session, session.scalars(select(File.key).where(_part_of([ref]))).all())


def move(session: Session, before: ObjectRef, after: ObjectRef) -> None:
    """The files of one object become those of another (a draft that is published under another reference)."""
    session.execute(update(File).where(_part_of([before])).values(ref_type=after.type, ref_id=after.id))


def served(session: Session, person_id: int | None, key: str, size: str = "large") -> Served:
    """A file for whom it is meant: who may see its object; its author and its moderators while it waits; a loose one its
    owner alone.

    :raises NotFound: in every other case, always with the same sentence.
    """
    row = session.execute(select(*_COLUMNS, File.owner_id, File.sha256).where(File.key == key)).first()
    if row is None or person_id is None or not _may_read(session, person_id, row):
        raise NotFound(
            _("Nothing stands at this address, or nothing that you may see."),
            remedy=_("Check the address, or go back to where you came from."),
        )
    info = _info(row)
    if info.kind != "image":
        return Served(info, key, row.sha256[:32])
    # A size that the picture is smaller than was not made.
    small = size != "large" and SIZES.get(size, 0) < max(info.width or 0, info.height or 0)
    chosen = size if small and size in SIZES else "large"
    return Served(info, f"{key}.{chosen}", f"{row.sha256[:32]}-{chosen}")


def discard(session: Session, person_id: int, key: str) -> None:
    """Take back a loose file of one's own.

    :raises NotFound: when there is none.
    """
    if not loose(session, person_id, [key]):
        raise NotFound(_("One of these files is no longer there."))
    _drop(session, [key])


def _may_read(session: Session, person_id: int, row: Any) -> bool:
    if row.ref_type is None:
        return bool(row.owner_id == person_id)
    info = resolve(session, [ObjectRef(row.ref_type, row.ref_id)]).get(ObjectRef(row.ref_type, row.ref_id))
    if info is None or info.state == "deleted":
        return False
    running = _core(session)
    policy = running.policy
    if info.state not in SHOWN:
        if person_id in (info.author_id, row.owner_id):
            return True
        if person_id == info.keeper_id and sees(session, person_id, info.audience_id):
            return True
        where = Target(ref=info.ref, audience_id=info.audience_id, space_id=info.space_id, author_id=info.author_id)
        return info.state == "pending" and _inside(running, person_id, info) and moderates(session, person_id, where)
    place, facts = policy.resolve(session, info)[0], policy.person(person_id)
    if place is None or facts is None or not visible(policy.snapshot(), facts, place):
        return False
    reads = getattr(running.plugins.content_types.get(info.ref.type), "reads", None)
    if reads is not None:
        return bool(policy.can(session, person_id, reads, info).allowed)
    # Who stands at INFORM sees nothing of what was written, or its counts alone.
    return bool(running.settings.inform_shows == "all" or policy.level_of(session, person_id, info) > Level.INFORM)


def _inside(running: Any, person_id: int, info: ContentInfo) -> bool:
    """What only the members of a space are shown is moderated by who is in it, also where it waits."""
    kind, _target = running.policy.snapshot().audiences.get(info.audience_id, ("", 0))
    facts = running.policy.person(person_id)
    return kind != "space" or (facts is not None and info.audience_id in facts.audiences)


# -- details -------------------------------------------------------------------------------------------------------------

_COLUMNS = (
    File.key, File.name, File.kind, File.media_type, File.size, File.width, File.height, File.alt,
    File.ref_type, File.ref_id,
)  # fmt: skip
_OF = Statement(
    f"SELECT {', '.join(column.key for column in _COLUMNS)} FROM rse_core_file "  # noqa: S608  the model's own columns
    "WHERE ref_type = :type AND ref_id IN :ids ORDER BY position, id",
    ids=str,
)


def _core(session: Session) -> Any:
    from .runtime import core_of

    return core_of(session)


def _info(row: Any) -> FileInfo:
    ref = ObjectRef(row.ref_type, row.ref_id) if row.ref_type is not None else None
    return FileInfo(row.key, row.name, row.kind, row.media_type, row.size, row.width, row.height, row.alt, ref)


def _part_of(refs: Sequence[ObjectRef]) -> ColumnElement[bool]:
    by_type: dict[str, list[str]] = {}
    for ref in refs:
        by_type.setdefault(ref.type, []).append(ref.id)
    return or_(*((File.ref_type == kind) & File.ref_id.in_(ids) for kind, ids in by_type.items()))


def _drop(session: Session, keys: Sequence[str]) -> None:
    """Delete these rows; their bytes go by a job after the commit, so that a rollback keeps both."""
    from .jobs import defer

    for start in range(0, len(keys), _IN_STATEMENT):
        some = list(keys[start : start + _IN_STATEMENT])
        session.execute(delete(File).where(File.key.in_(some)))
        defer(session, "core.files_drop", keys=some)


def _remove_if_undone(session: Session, store: FileStore, names: list[str]) -> None:
    """See that these bytes go when the transaction is rolled back, as it is by every refused form. After a crash, or a
    commit that failed midway and may have succeeded, the sweep finds what is left."""
    waiting: list[tuple[FileStore, str]] | None = session.info.get("rse_files_put")
    if waiting is None:
        waiting = session.info["rse_files_put"] = []
        pending = waiting

        def committing(_session: Session) -> None:
            pending.clear()

        def undone(_session: Session) -> None:
            for kept_in, name in pending:
                kept_in.remove(name)
            pending.clear()

        event.listen(session, "before_commit", committing)
        event.listen(session, "after_rollback", undone)
    waiting.extend((store, name) for name in names)


def _alt(text: str) -> str:
    return " ".join(text.split())[:MAX_ALT]


def _bad(message: str, remedy: str) -> BadInput:
    return BadInput(message, remedy=remedy, fields={"files": message})
