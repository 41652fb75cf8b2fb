"""Files of objects: kept loose, attached, read by whom the object is shown, forgotten; nothing lost or left over."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select, update

from rse_core import files, files_upkeep, privacy
from rse_core.api import (
    Actor,
    BadInput,
    Capability,
    ContentInfo,
    ContentType,
    Level,
    Manifest,
    NotFound,
    ObjectRef,
    Plugin,
    TooMany,
    hookimpl,
)
from rse_core.db import utcnow
from rse_core.errors import ConfigError
from rse_core.files_store import LocalFiles, folder_of, store_of
from rse_core.i18n import use_locale
from rse_core.models.content import File
from rse_core.settings import Settings
from rse_core.testing import count_queries
from rse_core.testing.databases import kit_settings
from rse_core.testing.organisation import make_person, make_space, set_level

NOTE = ObjectRef("notes.note", "1")


@pytest.fixture(autouse=True)
def english() -> Any:
    with use_locale("en"):
        yield


class Notes(Plugin):
    """Objects in any audience and state."""

    manifest = Manifest(name="notes", label="Notes")

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}

    @hookimpl
    def rse_capabilities(self) -> list[Capability]:
        return [Capability("notes.write", "Write notes", Level.CONTRIBUTE)]

    @hookimpl
    def rse_content_types(self) -> list[ContentType]:
        def resolve(session: Any, ids: Any) -> dict[str, ContentInfo]:
            return {
                one: ContentInfo(ObjectRef("notes.note", one), f"Note {one}", f"/notes/{one}", **self.kept[one])
                for one in ids
                if one in self.kept
            }

        return [ContentType("notes.note", "note", resolve)]


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def core(rse_core: Any, notes: Notes, tmp_path: Any) -> Any:
    made = rse_core([notes], data_dir=str(tmp_path / "data"), max_file=1, max_files=3, file_quota=3)
    set_level(made, "contribute")
    return made


def picture(kind: str = "JPEG", size: tuple[int, int] = (2400, 1200), **options: Any) -> io.BytesIO:
    made = io.BytesIO()
    Image.new("RGB", size, (200, 40, 40)).save(made, kind, **options)
    made.seek(0)
    return made


def text(words: str = "Compte rendu de la réunion") -> io.BytesIO:
    return io.BytesIO(words.encode())


def keep(core: Any, person: Any, stream: io.BytesIO | None = None, name: str = "notes.txt", **values: Any) -> files.FileInfo:
    with core.db.write() as session:
        return files.keep(session, person.id, stream or text(), name, **values)


def attach(core: Any, person: Any, keys: list[str], ref: ObjectRef = NOTE, **values: Any) -> list[files.FileInfo]:
    with core.db.write() as session:
        return files.attach(session, person.id, keys, ref, **values)


def reads(core: Any, person: Any, key: str) -> bool:
    """Whether this person is given the file; refusals all read the same."""
    said = []
    with core.db.read() as session:
        try:
            files.served(session, person.id if person else None, key)
        except NotFound as error:
            said.append(error.message)
    if said:
        assert said == ["Nothing stands at this address, or nothing that you may see."]
    return not said


def stored(core: Any) -> list[str]:
    return sorted(path.name for path in folder_of(core.settings).rglob("*") if path.is_file())


def test_a_file_is_kept_with_its_name_type_and_content(core: Any) -> None:
    anna = make_person(core, "anna")
    info = keep(core, anna, text("a;b\n1;2"), "Effectifs 2026.csv")
    assert (info.name, info.kind, info.media_type, info.size) == ("Effectifs 2026.csv", "file", "text/csv", 7)
    assert store_of(core.settings).path(info.key).read_bytes() == b"a;b\n1;2"
    assert stored(core) == [info.key]


def test_exactly_the_attached_files_belong_to_the_object_in_their_order(core: Any, notes: Notes) -> None:
    anna = make_person(core, "anna")
    first, second = keep(core, anna, name="one.txt"), keep(core, anna, picture(), "two.jpg")
    attach(core, anna, [second.key, first.key], alts={second.key: "  A red\nrectangle "})
    with core.db.read() as session:
        found = files.of(session, [NOTE, ObjectRef("notes.note", "2")])
    assert [(one.name, one.alt, one.ref) for one in found[NOTE]] == [
        ("two.webp", "A red rectangle", NOTE),
        ("one.txt", "", NOTE),
    ]
    attach(core, anna, [first.key])
    with core.db.read() as session:
        assert [one.name for one in files.of(session, [NOTE])[NOTE]] == ["one.txt"]
    core.jobs.run_due()
    assert stored(core) == [first.key]


def test_the_files_of_many_objects_take_one_query(core: Any) -> None:
    anna = make_person(core, "anna")
    refs = [ObjectRef("notes.note", str(number)) for number in range(1, 6)]
    for ref in refs[:4]:
        attach(core, anna, [keep(core, anna).key], ref)
    with core.db.read() as session, count_queries(core) as queries:
        assert len(files.of(session, [*refs, ObjectRef("talk.topic", "1")])) == 4
    assert len(queries) == 1, str(queries)
    with core.db.read() as session:
        assert files.of(session, []) == {}


def test_anothers_loose_file_cannot_be_attached_nor_one_of_another_object(core: Any) -> None:
    anna, ben = make_person(core, "anna"), make_person(core, "ben")
    loose, taken = keep(core, ben), keep(core, anna)
    attach(core, anna, [taken.key], ObjectRef("notes.note", "2"))
    for key in (loose.key, taken.key, "0" * 40):
        with pytest.raises(NotFound) as refused:
            attach(core, anna, [key])
        assert refused.value.message == "One of these files is no longer there."
    with core.db.read() as session:
        assert files.of(session, [NOTE]) == {}


def test_another_editor_keeps_the_files_that_the_object_has(core: Any) -> None:
    anna, ben = make_person(core, "anna"), make_person(core, "ben")
    one = keep(core, anna)
    attach(core, anna, [one.key])
    attach(core, ben, [one.key, keep(core, ben, name="more.txt").key])
    with core.db.read() as session:
        assert [found.name for found in files.of(session, [NOTE])[NOTE]] == ["notes.txt", "more.txt"]


def test_an_object_has_at_most_so_many_files(core: Any) -> None:
    anna = make_person(core, "anna")
    keys = [keep(core, anna).key for _number in range(4)]
    with pytest.raises(BadInput, match="At most 3 files"):
        attach(core, anna, keys)


def test_a_loose_file_is_its_owners_alone(core: Any) -> None:
    anna, ben = make_person(core, "anna"), make_person(core, "ben")
    info = keep(core, anna)
    assert reads(core, anna, info.key)
    assert not reads(core, ben, info.key)
    assert not reads(core, None, info.key)
    with core.db.read() as session:
        assert files.loose(session, ben.id, [info.key]) == []
        assert files.loose(session, anna.id, ["0" * 40, info.key]) == [info]


def test_who_may_see_the_object_may_read_its_files_and_nobody_else(core: Any, notes: Notes) -> None:
    anna, ben, carl = (make_person(core, name) for name in ("anna", "ben", "carl"))
    space = make_space(core, "garden", visibility="secret", members=[anna, ben])
    from rse_core.audiences import of_members

    with core.db.write() as session:
        audience = of_members(session, space.id)
    info = keep(core, anna)
    attach(core, anna, [info.key])
    assert not reads(core, anna, info.key), "there is no such object"
    notes.kept["1"] = {"audience_id": audience, "space_id": space.id, "author_id": anna.id}
    assert reads(core, anna, info.key)
    assert reads(core, ben, info.key)
    assert not reads(core, carl, info.key)
    notes.kept["1"] |= {"state": "deleted"}
    assert not reads(core, anna, info.key)


@pytest.mark.parametrize(("state", "moderator"), [("draft", False), ("scheduled", False), ("pending", True)])
def test_what_waits_is_read_by_its_author_and_what_is_pending_by_moderators(
    core: Any, notes: Notes, state: str, moderator: bool
) -> None:
    from rse_core import roles
    from rse_core.audiences import everyone

    anna, ben, mod = (make_person(core, name) for name in ("anna", "ben", "mod"))
    with core.db.write() as session:
        roles.grant(session, mod.id, "moderator", actor=Actor("kit"))
        audience = everyone(session)
    notes.kept["1"] = {"audience_id": audience, "author_id": anna.id, "state": state}
    info = keep(core, anna)
    attach(core, anna, [info.key])
    assert reads(core, anna, info.key)
    assert not reads(core, ben, info.key)
    assert reads(core, mod, info.key) is moderator


def test_who_stands_at_inform_reads_no_files(core: Any, notes: Notes) -> None:
    from rse_core.audiences import everyone

    anna, ben = make_person(core, "anna"), make_person(core, "ben", level=Level.INFORM)
    with core.db.write() as session:
        notes.kept["1"] = {"audience_id": everyone(session), "author_id": anna.id}
    info = keep(core, anna)
    attach(core, anna, [info.key])
    assert reads(core, anna, info.key)
    assert not reads(core, ben, info.key)


def test_a_refused_form_leaves_no_bytes_behind(core: Any) -> None:
    anna = make_person(core, "anna")
    with pytest.raises(RuntimeError), core.db.write() as session:
        files.keep(session, anna.id, picture(), "photo.jpg")
        assert len(stored(core)) == 3
        raise RuntimeError
    assert stored(core) == []


def test_a_removed_file_keeps_its_bytes_when_the_removal_is_undone(core: Any) -> None:
    anna = make_person(core, "anna")
    info = keep(core, anna)
    attach(core, anna, [info.key])
    with pytest.raises(RuntimeError), core.db.write() as session:
        files.forget(session, NOTE)
        raise RuntimeError
    core.jobs.run_due()
    assert stored(core) == [info.key]
    with core.db.write() as session:
        files.forget(session, NOTE)
    core.jobs.run_due()
    assert stored(core) == []
    with core.db.read() as session:
        assert session.scalars(select(File)).all() == []


def test_the_sweep_takes_old_loose_files_and_bytes_without_a_row(core: Any) -> None:
    import os

    anna = make_person(core, "anna")
    old, new, part = keep(core, anna, picture(), "old.jpg"), keep(core, anna), keep(core, anna)
    attach(core, anna, [part.key])
    with core.db.write() as session:
        session.execute(update(File).where(File.key == old.key).values(created_at=utcnow() - dt.timedelta(days=2)))
    store = store_of(core.settings)
    store.put("ab" * 20, b"of a crash")
    store.put("cd" * 20, b"of a moment ago")
    before = (utcnow() - dt.timedelta(days=2)).timestamp()
    for name in ("ab" * 20, part.key):
        os.utime(store.path(name), (before, before))
    with core.db.write() as session:
        assert files_upkeep.sweep(session, whole=True) == 2
    core.jobs.run_due()
    assert stored(core) == sorted([new.key, part.key, "cd" * 20])


def test_each_day_sweeps_the_whole_store(core: Any) -> None:
    from rse_core.files_store import PARTS

    assert sorted(part for turn in range(24) for part in range(PARTS) if part % 24 == turn) == list(range(PARTS))
    assert core.jobs.registered["core.files_sweep"].every == 3600


def test_one_person_may_bring_so_much_within_a_day(core: Any) -> None:
    anna, ben = make_person(core, "anna"), make_person(core, "ben")
    for _number in range(3):
        keep(core, anna, text("a" * 900_000))
    with pytest.raises(TooMany, match="more than 3 MB"):
        keep(core, anna, text("a" * 900_000))
    keep(core, ben, text("a" * 900_000))
    with core.db.write() as session:
        session.execute(update(File).values(created_at=utcnow() - dt.timedelta(days=2)))
    keep(core, anna, text("a" * 900_000))


def test_files_are_exported_and_erased(core: Any) -> None:
    anna = make_person(core, "anna")
    loose, part = keep(core, anna, name="loose.txt"), keep(core, anna, name="part.txt")
    attach(core, anna, [part.key])
    with core.db.read() as session:
        section = next(one for one in privacy.export(session, anna.id)["sections"] if one["name"] == "core.files")
    assert [(row["name"], row["part_of"]) for row in section["rows"]] == [("loose.txt", None), ("part.txt", "notes.note:1")]
    with core.db.write() as session:
        assert privacy.erase(session, anna.id, actor=Actor("kit"))["core.files"] == 2
    core.jobs.run_due()
    assert stored(core) == [part.key]
    with core.db.read() as session:
        assert session.execute(select(File.key, File.owner_id)).all() == [(part.key, None)]
    assert loose.key != part.key


def test_files_stand_beside_an_sqlite_database_and_need_a_folder_elsewhere() -> None:
    assert str(folder_of(Settings(database_url="sqlite:////srv/rse.db"))) == "/srv/rse-files"
    assert str(folder_of(Settings(database_url="postgresql://db/rse", data_dir="/srv/data"))) == "/srv/data/files"
    for url in ("postgresql://db/rse", "sqlite://"):
        with pytest.raises(ConfigError, match="RSE_DATA_DIR"):
            folder_of(kit_settings(database_url=url))


def test_the_store_refuses_names_that_are_none(tmp_path: Any) -> None:
    store = LocalFiles(tmp_path)
    for name in ("../../etc/passwd", "a" * 39, "A" * 40, "a" * 40 + ".large/..", ""):
        with pytest.raises(NotFound):
            store.path(name)
    store.put("ab" * 20 + ".small", b"x")
    store.remove("ab" * 20 + ".small")
    store.remove("ab" * 20 + ".small")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_macros_in_documents_are_refused_and_a_plain_zip_is_taken(core: Any) -> None:
    anna = make_person(core, "anna")
    for name, parts, sentence in (
        ("budget.xlsx", ["[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"], "holds macros"),
        ("tool.zip", ["META-INF/MANIFEST.MF"], "it is a program"),
    ):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as packed:
            for part in parts:
                packed.writestr(part, "x")
        made.seek(0)
        with pytest.raises(BadInput, match=sentence):
            keep(core, anna, made, name)
    assert stored(core) == []
