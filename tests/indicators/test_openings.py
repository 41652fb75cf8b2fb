"""Documents opened: files of texts and publications of the intranet, counted by person and day, and never which."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select

from rse_core import audiences, files, indicators_roll
from rse_core.api import ContentInfo, ContentType, Manifest, ObjectRef, Plugin, hookimpl, utcnow
from rse_core.indicators_figures import Asked, ask
from rse_core.models.content import Page
from rse_core.models.indicators import Fact
from rse_core.testing import as_person
from rse_core.testing.organisation import make_person, make_space, set_level

NOTE = ObjectRef("notes.note", "1")
WORDS = b"Minutes of the meeting. " * 20


class Notes(Plugin):
    """One object with files."""

    manifest = Manifest("notes", "Notes")
    audience: int | None = None
    space: int | None = None

    @hookimpl
    def rse_content_types(self):
        def resolve(_session, ids):
            info = ContentInfo(NOTE, "Note", "/notes/1", self.audience, space_id=self.space)
            return {"1": info} if "1" in ids else {}

        return [ContentType("notes.note", "note", resolve)]


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def core(rse_core, notes, tmp_path):
    return rse_core([notes], data_dir=str(tmp_path))


@pytest.fixture
def attached(core, notes):
    """Puts a document and a picture on the note; their keys."""
    from PIL import Image

    set_level(core, "contribute")
    owner = make_person(core, "owner")
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    with core.db.write() as session:
        notes.audience = audiences.everyone(session)
        infos = [
            files.keep(session, owner.id, io.BytesIO(data), name)
            for data, name in ((WORDS, "minutes.txt"), (WORDS + b"2", "more.txt"), (picture.getvalue(), "a.png"))
        ]
        files.attach(session, owner.id, [info.key for info in infos], NOTE)
    return [info.key for info in infos]


def opened(client, key):
    answer = client.get(f"/rse/files/{key}")
    answer.close()
    return answer.status_code


def facts(core):
    core.jobs.run_due()
    with core.db.read() as session:
        return session.execute(select(Fact.space_id, Fact.ref, Fact.on_ref).order_by(Fact.id)).all()


def test_a_file_counts_once_a_day_and_nothing_says_which(core, attached, notes, rse_client):
    text, more, picture = attached
    anna = as_person(rse_client, make_person(core, "anna"))
    assert opened(anna, picture) == 200
    assert facts(core) == []
    for key in (text, text, more):
        assert opened(anna, key) == 200
    assert opened(anna, "0" * 40) == 404
    assert facts(core) == [(None, "", "")]


def test_of_a_space_it_is_known_in_which(core, attached, notes, rse_client):
    anna = make_person(core, "anna")
    space = make_space(core, "garden", members=[anna])
    with core.db.write() as session:
        notes.space, notes.audience = space.id, audiences.of_space(session, space.id)
    assert opened(as_person(rse_client, anna), attached[0]) == 200
    assert facts(core) == [(space.id, "", "")]


def test_a_publication_that_a_source_lists_counts_and_no_other_page(core, rse_client):
    set_level(core, "react")
    anna = as_person(rse_client, make_person(core, "anna"))
    with core.db.write() as session:
        for number in (1, 2):
            core.pages.ensure(session, ObjectRef("page", f"/news/{number}"))
    anna.get("/rse/embed/slots?address=/news/1&slots=likes")
    assert facts(core) == []
    with core.db.write() as session:
        for page in session.scalars(select(Page)):
            page.source, page.published_at = "press.news", utcnow()
    for number in (1, 2, 1):
        assert anna.get(f"/rse/embed/slots?address=/news/{number}&slots=likes").status_code == 200
    rse_client.get("/rse/embed/slots?address=/news/1&slots=likes")
    assert facts(core) == [(None, "", "")]


def test_the_figure_is_of_people_and_hidden_for_few(core, attached, rse_client):
    people = [make_person(core, f"p{number}") for number in range(12)]
    with core.db.write() as session:
        indicators_roll.roll_up(session)
    for person in people[:5]:
        for key in attached[:2]:
            opened(as_person(rse_client, person), key)
    facts(core)
    with core.db.write() as session:
        indicators_roll.roll_up(session)
    day = utcnow().date()
    with core.db.read() as session:
        [figure] = ask(session, core, Asked("documents_opened", day, day)).figures
    assert (figure.numerator, figure.denominator) == (5, 13)
