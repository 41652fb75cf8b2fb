"""Writing the index: documents in, objects out, audiences changed; whole sets at a time, in the caller's transaction."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import bindparam, cast

from rse_core.api import ObjectRef, SearchDocument, SpaceChange, dialect_insert, utcnow

from . import near
from .models import Document, Near, Rebuild
from .texts import Texts

MAX_TITLE, MAX_BODY, MAX_WORDS = 500, 20_000, 2_000
#: References in one statement: SQLite takes a bounded number of values.
CHUNK = 300
#: Whoever indexes holds this lock with others; a change of a space's audience holds it alone.
LOCK = 7_736_402
_TABLE = Document.__table__
#: What moves the things that stand on an object.
_CARRIED = ("audience_id", "space_id", "title")
_QUIET = {"synchronize_session": False}


def is_sqlite(session: Session) -> bool:
    """Whether this is the embedded database."""
    return session.get_bind().dialect.name == "sqlite"


def shared_lock(session: Session) -> None:
    """Taken before an object is read in order to be indexed.

    Without it, a change of audience that commits between the reading and the writing would be undone in the index. SQLite
    has one writer at a time.
    """
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": LOCK})


def lock_refs(session: Session, refs: Iterable[ObjectRef]) -> None:
    """Two workers never index one object side by side: the later one reads what the earlier one may not have seen."""
    if is_sqlite(session):
        return
    keys = sorted({int.from_bytes(hashlib.blake2b(str(ref).encode(), digest_size=8).digest(), signed=True) for ref in refs})
    if keys:
        # One statement, in order: nobody waits in a circle.
        ordered = (
            "SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:keys AS bigint[])) WITH ORDINALITY AS t(k, n) ORDER BY n"
        )
        session.execute(text(ordered), {"keys": keys})


def index(
    session: Session, documents: Iterable[SearchDocument], gone: Iterable[ObjectRef], *, generation: int = 0
) -> list[ObjectRef]:
    """Take documents in and forget objects; what is unchanged is not written.

    :param generation: the rebuilding that confirms these rows, or 0.
    :returns: the objects on which others may stand that must be looked at again: they came, went or moved.
    """
    rows = {document.ref: _row(document) for document in documents}
    generations = _generations(session, {ref.type for ref in rows}) if rows and not generation else {}
    moved = forget(session, [ref for ref in gone if ref not in rows])
    refs = list(rows)
    for start in range(0, len(refs), CHUNK):
        moved += _write(session, {ref: rows[ref] for ref in refs[start : start + CHUNK]}, generation, generations)
    return moved


def _generations(session: Session, types: Iterable[str]) -> dict[str, int]:
    """What is written while a type is rebuilt counts as confirmed by that rebuilding: it may have passed there already."""
    rows = session.execute(select(Rebuild.ref_type, Rebuild.generation).where(Rebuild.ref_type.in_(sorted(types))))
    return {name: number for name, number in rows}


def forget(session: Session, refs: Iterable[ObjectRef]) -> list[ObjectRef]:
    """Remove these objects; those that were there."""
    found: list[ObjectRef] = []
    wanted = list(dict.fromkeys(refs))
    for start in range(0, len(wanted), CHUNK):
        removed = session.execute(
            delete(Document).where(_among(wanted[start : start + CHUNK])).returning(Document.ref_type, Document.ref_id)
            .execution_options(**_QUIET)
        )  # fmt: skip
        found += [ObjectRef(kind, ident) for kind, ident in removed]
    return found


def clear(session: Session) -> None:
    """Remove everything."""
    for table in (Document, Near):
        session.execute(delete(table).execution_options(**_QUIET))


def children(session: Session, parent: ObjectRef, *, after: int = 0, limit: int = CHUNK) -> tuple[list[ObjectRef], int]:
    """What stands on an object, by keyset; the place to go on from, 0 at the end."""
    rows = session.execute(
        select(Document.id, Document.ref_type, Document.ref_id)
        .where(Document.parent_type == parent.type, Document.parent_id == parent.id, Document.id > after)
        .order_by(Document.id)
        .limit(limit)
    ).all()
    return [ObjectRef(kind, ident) for _id, kind, ident in rows], rows[-1][0] if len(rows) == limit else 0


def space_changed(session: Session, change: SpaceChange) -> list[ObjectRef]:
    """What stands in a space is for another audience, or in another space, from now on; three statements at most.

    :returns: what stood there for yet another audience, and the entry of the space itself, whose name others may have seen:
        out of the index until it has been looked at again.
    """
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    elsewhere = and_(
        Document.space_id == change.space_id,
        Document.audience_id.not_in((change.audience_before, change.audience_after)),
    )
    itself = and_(Document.kind == "space", Document.ref_id == str(change.space_id))
    others = delete(Document).where(or_(elsewhere, itself))
    removed = session.execute(others.returning(Document.ref_type, Document.ref_id).execution_options(**_QUIET)).all()
    values: dict[str, Any] = {"audience_id": change.audience_after, "digest": ""}
    if change.into is not None:
        values["space_id"] = change.into
    session.execute(
        update(Document).where(Document.space_id == change.space_id, Document.audience_id == change.audience_before)
        .values(**values).execution_options(**_QUIET)
    )  # fmt: skip
    if change.into is not None:
        session.execute(
            update(Document).where(Document.space_id == change.space_id).values(space_id=change.into, digest="")
            .execution_options(**_QUIET)
        )  # fmt: skip
    return [ObjectRef(kind, ident) for kind, ident in removed]


def _among(refs: Sequence[ObjectRef]) -> Any:
    by_type: dict[str, list[str]] = {}
    for ref in refs:
        by_type.setdefault(ref.type, []).append(ref.id)
    return or_(*(and_(Document.ref_type == name, Document.ref_id.in_(ids)) for name, ids in by_type.items()))


def _row(document: SearchDocument) -> dict[str, Any]:
    row: dict[str, Any] = {
        "ref_type": document.ref.type,
        "ref_id": document.ref.id,
        "kind": document.kind or document.ref.type,
        "title": _clean(document.title, MAX_TITLE),
        "body": _clean(document.body, MAX_BODY),
        "words": _clean(document.words, MAX_WORDS),
        "parent_type": document.parent.type if document.parent else None,
        "parent_id": document.parent.id if document.parent else None,
        "audience_id": document.audience_id,
        "author_id": document.author_id,
        "space_id": document.space_id,
        "entity_id": document.entity_id,
        "at": document.at,
    }
    values = [str(value.timestamp() if isinstance(value, dt.datetime) else value) for value in row.values()]
    row["digest"] = hashlib.blake2b("\x1f".join(values).encode("utf-8", "replace"), digest_size=16).hexdigest()
    return row


def _clean(value: str, most: int) -> str:
    # Half of a character, or a NUL, is no text for either database.
    return value.replace("\x00", " ").encode("utf-8", "ignore").decode()[:most].strip()


def _write(
    session: Session, rows: Mapping[ObjectRef, dict[str, Any]], generation: int, generations: Mapping[str, int]
) -> list[ObjectRef]:
    columns = (Document.ref_type, Document.ref_id, Document.digest, Document.generation, Document.at)
    kept = {
        ObjectRef(found.ref_type, found.ref_id): found
        for found in session.execute(
            select(*columns, *(getattr(Document, name) for name in _CARRIED)).where(_among(list(rows)))
        )
    }
    changed: list[dict[str, Any]] = []
    confirmed: dict[int, list[ObjectRef]] = {}
    moved: list[ObjectRef] = []
    now = utcnow()
    for ref, row in rows.items():
        before = kept.get(ref)
        stands = generation or generations.get(ref.type, 0)
        if before is not None and before.digest == row["digest"]:
            if before.generation < stands:
                confirmed.setdefault(stands, []).append(ref)
            continue
        at = row["at"] or (before.at if before is not None else now)
        changed.append(row | {"at": at, "generation": stands})
        if before is None or any(getattr(before, name) != row[name] for name in _CARRIED):
            moved.append(ref)
    for number, refs in confirmed.items():
        session.execute(update(Document).where(_among(refs)).values(generation=number).execution_options(**_QUIET))
    if changed:
        texts = [Texts.of(row["title"], row["words"], row["body"]) for row in changed]
        _upsert(session, changed, texts)
        near.learn(session, set().union(*(one.all for one in texts)))
    return moved


def _upsert(session: Session, rows: list[dict[str, Any]], texts: list[Texts]) -> None:
    sqlite = is_sqlite(session)
    insert = dialect_insert(session, _TABLE)
    names = [*rows[0]]
    if not sqlite:
        insert = insert.values({name: bindparam(name) for name in names} | {"vector": cast(bindparam("vector"), TSVECTOR)})
        names.append("vector")
        rows = [row | {"vector": one.vector()} for row, one in zip(rows, texts, strict=True)]
    keys = ["ref_type", "ref_id"]
    statement = insert.on_conflict_do_update(
        index_elements=keys, set_={name: insert.excluded[name] for name in names if name not in keys}
    )
    session.connection().execute(statement, rows)
    if sqlite:
        _write_text(session, rows, texts)


def _write_text(session: Session, rows: list[dict[str, Any]], texts: list[Texts]) -> None:
    """SQLite's own table of words stands beside the documents, under their ids."""
    refs = {ObjectRef(row["ref_type"], row["ref_id"]): one for row, one in zip(rows, texts, strict=True)}
    found = session.execute(select(Document.id, Document.ref_type, Document.ref_id).where(_among(list(refs)))).all()
    connection = session.connection()
    connection.execute(text("DELETE FROM rse_search_text WHERE rowid = :id"), [{"id": row.id} for row in found])
    connection.execute(
        text(
            "INSERT INTO rse_search_text (rowid, title, words, body, title_stems, stems) "
            "VALUES (:id, :title, :words, :body, :title_stems, :stems)"
        ),
        [{"id": row.id} | refs[ObjectRef(row.ref_type, row.ref_id)].columns() for row in found],
    )


def count(session: Session) -> dict[str, int]:
    """How many documents there are, by kind."""
    rows = session.execute(select(Document.kind, func.count()).group_by(Document.kind).order_by(Document.kind))
    return {kind: number for kind, number in rows}
