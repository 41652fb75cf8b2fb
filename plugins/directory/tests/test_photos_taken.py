"""Photos that a directory has: taken when they are others, whose word counts, what goes when they are gone."""

from __future__ import annotations

import hashlib
import io
import json

import pytest
from PIL import Image
from sqlalchemy import select

from rse_core import directory, files
from rse_core.api import Actor, BadInput, ConfigError, DirectoryPerson, DirectoryPhoto, DirectoryReading, DirectorySource
from rse_core.testing import count_queries
from rse_directory import photos_taken
from rse_directory.models import PhotoFrom
from rse_directory.photos import photo_ref


def jpeg(colour, size=(1600, 1200)):
    made, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = "SecretCamera"
    Image.new("RGB", size, colour).save(made, "JPEG", exif=exif, comment=b"SecretComment")
    return made.getvalue()


TEAL, RED = jpeg("teal"), jpeg("red")


class Staff:
    """A directory of two people whose photos are what ``photos`` says."""

    def __init__(self, site):
        self.site, self.photos, self.fails, self.asked = site, {}, None, 0
        self.sync()

    def read(self, mark, progress):
        people = [DirectoryPerson(f"E-{name}", name, name.title()) for name in ("ana", "bob")]
        return DirectoryReading(people, complete=not mark, mark="1")

    def given(self, mark):
        self.asked += 1
        for name in ("ana", "bob"):
            yield [DirectoryPhoto(f"E-{name}", self.photos.get(name, b""))]
        if self.fails:
            raise self.fails

    def sync(self, **options):
        source = DirectorySource("hr.main", "HR", self.read, photos=self.given)
        return directory.sync(self.site.core, source, actor=Actor("test"), complete=True, **options)

    def person(self, name):
        from rse_core.people import by_username

        with self.site.core.db.read() as session:
            return by_username(session, name)

    def photo(self, name):
        ref = photo_ref(self.person(name).id)
        with self.site.core.db.read() as session:
            return next(iter(files.of(session, [ref]).get(ref, ())), None)

    def bring(self, name, data):
        person = self.person(name)
        with self.site.core.db.write() as session:
            key = files.keep(session, person.id, io.BytesIO(data), "me.jpg").key
        self.site.edit(person, photo=[key])
        return key


@pytest.fixture
def site(rse_core, tmp_path, make_site):
    return make_site(rse_core(data_dir=str(tmp_path)))


@pytest.fixture
def staff(site):
    return Staff(site)


def get_file(site, viewer, key):
    with site.client(viewer).get(f"/rse/files/{key}") as answer:
        return answer.status_code, answer.data


def test_a_photo_is_taken_made_anew_and_only_when_it_is_another(site, staff, monkeypatch):
    staff.photos["ana"] = TEAL
    assert staff.sync().report.photos == 1
    taken = staff.photo("ana")
    assert (taken.media_type, taken.kind) == ("image/webp", "image")
    assert max(taken.width, taken.height) <= 1600
    served = get_file(site, staff.person("bob"), taken.key)[1]
    assert b"Secret" not in served
    assert Image.open(io.BytesIO(served)).format == "WEBP"
    assert staff.photo("bob") is None

    monkeypatch.setattr(photos_taken, "_prepared", lambda data: pytest.fail("read again"))
    assert staff.sync().report.photos == 0
    assert staff.photo("ana").key == taken.key
    monkeypatch.undo()
    staff.photos["ana"] = RED
    assert staff.sync().report.photos == 1
    assert staff.photo("ana").key != taken.key
    assert get_file(site, staff.person("bob"), taken.key)[0] == 404


def test_a_photo_that_is_gone_goes(staff):
    staff.photos["ana"] = TEAL
    staff.sync()
    del staff.photos["ana"]
    assert staff.sync().report.photos == 1
    assert staff.photo("ana") is None
    assert staff.sync().report.photos == 0
    staff.photos["ana"] = TEAL
    staff.sync()
    assert staff.photo("ana") is not None


def test_a_photo_that_somebody_brought_stays_and_one_they_took_away_does_not_come_back(site, staff):
    site.set(kept={"hr": ["job_title"]})
    own = staff.bring("ana", RED)
    staff.photos |= {"ana": TEAL, "bob": TEAL}
    assert staff.sync().report.photos == 1
    assert staff.photo("ana").key == own
    assert staff.photo("bob") is not None
    site.edit(staff.person("bob"), photo=[])
    staff.photos["bob"] = RED
    assert staff.sync().report.photos == 0
    assert staff.photo("bob") is None
    # Their own instead of the directory's, then nothing there: theirs stays.
    bobs = staff.bring("bob", TEAL)
    staff.photos.clear()
    assert staff.sync().report.photos == 0
    assert (staff.photo("ana").key, staff.photo("bob").key) == (own, bobs)


def test_where_the_source_keeps_photos_its_own_counts_and_people_cannot_change_it(site, staff):
    own = staff.bring("ana", RED)
    site.set(kept={"hr": ["photo"]})
    staff.photos["ana"] = TEAL
    assert staff.sync().report.photos == 1
    taken = staff.photo("ana").key
    assert taken != own
    ana = staff.person("ana")
    for wanted in ([], ["0" * 40]):
        with pytest.raises(BadInput) as refused:
            site.edit(ana, photo=wanted)
        assert "files" in refused.value.fields
    page = site.get(ana, "me").text
    assert 'name="photo_kept"' in page
    assert 'type="file"' not in page
    client = site.client(ana)
    token = client.get("/rse/directory/me").text.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "about": "Hello", "photo_kept": "1"}
    answer = client.post("/rse/directory/me", data=data)
    assert answer.status_code == 303
    assert staff.photo("ana").key == taken


def test_a_bad_photo_is_told_and_changes_nothing(staff):
    staff.photos["ana"] = TEAL
    staff.sync()
    before = staff.photo("ana").key
    staff.photos |= {"ana": TEAL[:2000], "bob": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< >>\nendobj\n"}
    result = staff.sync()
    assert (result.state, result.report.photos) == ("done", 0)
    assert [error.column for error in result.report.errors] == ["photo", "photo"]
    assert staff.photo("ana").key == before
    assert staff.photo("bob") is None


def test_when_photos_cannot_be_read_to_the_end_people_stay_and_everything_is_read_again(site, staff):
    staff.photos["ana"], staff.fails = TEAL, BadInput("The line broke.")
    result = staff.sync()
    assert (result.state, result.report.photos, [str(e) for e in result.report.errors]) == (
        "done", 1, ["hr.main:photo: The line broke."],
    )  # fmt: skip
    with site.core.db.read() as session:
        assert directory.runs(session, "hr.main")[0].mark == ""
    staff.fails = None
    staff.sync()
    with site.core.db.read() as session:
        run = directory.runs(session, "hr.main")[0]
    assert (run.mark, json.loads(json.dumps(run.report))["photos"]) == ("1", 0)


def test_a_trial_reads_no_photos_and_somebody_of_another_source_has_none_taken(site, staff):
    asked = staff.asked
    staff.sync(dry_run=True)
    assert staff.asked == asked
    other = site.person("cleo", name="Cleo", source="csv")
    with site.core.db.read() as session:
        assert session.get(PhotoFrom, other.id) is None
    staff.photos["cleo"] = TEAL
    assert staff.sync().report.photos == 0


def test_where_files_cannot_be_kept_the_report_says_so_once(rse_core, make_site, monkeypatch):
    staff = Staff(make_site(rse_core()))
    staff.photos |= {"ana": TEAL, "bob": RED}

    def none(*_values):
        raise ConfigError("No folder.")

    monkeypatch.setattr(files, "keep", none)
    result = staff.sync()
    assert (result.state, result.report.photos, [e.message for e in result.report.errors]) == ("done", 0, ["No folder."])


def test_the_number_of_queries_does_not_grow_with_people(site, staff):
    people = [site.person(f"p{n}", name=f"P {n}", source="hr.main").id for n in range(20)]

    def queries(ids):
        with count_queries(site.core) as counted:
            photos_taken.take(site.core, "hr.main", dict.fromkeys(ids, b""))
        return len(counted)

    queries(people)
    assert queries(people) == queries(people[:1]) <= 4


def test_where_a_photo_is_from_is_exported_and_goes_with_the_person(site, staff):
    staff.photos["ana"] = TEAL
    staff.sync()
    ana = staff.person("ana")
    from rse_directory.personal import erase, export

    with site.core.db.write() as session:
        row = session.get_one(PhotoFrom, ana.id)
        assert row.digest == hashlib.sha256(TEAL).hexdigest()
        assert [one["source"] for one in export(session, ana.id) if one["kind"] == "photo of a source"] == ["hr.main"]
        erase(session, ana.id)
        assert session.scalar(select(PhotoFrom.person_id).where(PhotoFrom.person_id == ana.id)) is None
