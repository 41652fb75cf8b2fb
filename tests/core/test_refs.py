"""Rows of some objects: exactly those, and by an index."""

from __future__ import annotations

from sqlalchemy import select, text

from rse_core.api import ObjectRef
from rse_core.models.content import File
from rse_core.refs import among

REFS = [ObjectRef("notes.note", "1"), ObjectRef("notes.note", "2"), ObjectRef("page", "1")]


def test_exactly_the_rows_of_these_objects_are_found(core):
    with core.db.write() as session:
        for number, (kind, ident) in enumerate([("notes.note", "1"), ("page", "1"), ("page", "2"), ("other.other", "1")]):
            session.add(File(
                key=f"{number:040}", ref_type=kind, ref_id=ident, kind="file", name="a", media_type="text/plain", size=1,
                sha256="",
            ))  # fmt: skip
    found = select(File.ref_type, File.ref_id).where(among(File.ref_type, File.ref_id, REFS))
    with core.db.read() as session:
        assert {tuple(row) for row in session.execute(found)} == {("notes.note", "1"), ("page", "1")}
        assert session.scalars(select(File.id).where(among(File.ref_type, File.ref_id, []))).all() == []


def test_sqlite_reads_an_index_not_the_table(rse_core):
    core = rse_core()
    if not core.db.is_sqlite:
        return
    found = select(File.id).where(among(File.ref_type, File.ref_id, REFS[:2]))
    statement = str(found.compile(core.db.engine, compile_kwargs={"literal_binds": True}))
    with core.db.read() as session:
        plan = " ".join(row[3] for row in session.execute(text(f"EXPLAIN QUERY PLAN {statement}")))
    assert "ix_rse_core_file_ref" in plan
    assert "SCAN" not in plan
