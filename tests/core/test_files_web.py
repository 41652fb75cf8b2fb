"""Files over HTTP: forms that take them and those that do not, what is served to whom and how, the API."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask import Blueprint, render_template_string, request
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from rse_core import files
from rse_core.api import ContentInfo, ContentType, Level, Manifest, ObjectRef, Plugin, hookimpl
from rse_core.extension import create_app
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_person, set_level
from rse_core.webapi import allow_files, current_person, session_read, session_write, take_files

NOTE = ObjectRef("notes.note", "1")
FORM = """{% extends "rse/base.html" %}{% from "rse/_files.html" import gallery, upload_field %}
{% block title %}Notes{% endblock %}{% block content %}<h1>Notes</h1>{{ gallery(infos) }}
<form method="post" enctype="multipart/form-data">{{ hidden_fields(once=True) }}{{ upload_field("files", infos) }}
<button class="rse-button rse-primary">Send</button></form>{% endblock %}"""


class Notes(Plugin):
    """One object with files, and a form that takes them."""

    manifest = Manifest("notes", "Notes")
    audience: int | None = None

    @hookimpl
    def rse_content_types(self) -> list[ContentType]:
        def resolve(session: Any, ids: Any) -> dict[str, ContentInfo]:
            return {"1": ContentInfo(NOTE, "Note", "/notes/1", self.audience)} if "1" in ids else {}

        return [ContentType("notes.note", "note", resolve)]

    @hookimpl
    def rse_blueprints(self) -> list[Blueprint]:
        pages = Blueprint("rse_notes", __name__, url_prefix="/notes")

        @pages.get("/")
        def form() -> str:
            with session_read() as session:
                return render_template_string(FORM, infos=files.of(session, [NOTE]).get(NOTE, []))

        @pages.post("/")
        @allow_files
        def save() -> str:
            taken = take_files("files")
            person = current_person()
            assert person is not None
            with session_write() as session:
                files.attach(session, person.id, taken.keys, NOTE, alts=taken.alts)
            return "saved"

        @pages.post("/small")
        def small() -> str:
            return request.form.get("text", "")

        return [pages]


@pytest.fixture
def core(rse_core: Any, tmp_path: Any) -> Any:
    from rse_core.audiences import everyone

    notes = Notes()
    made = rse_core([notes], data_dir=str(tmp_path), max_file=1, max_files=3, max_body=65_536, default_locale="en")
    with made.db.write() as session:
        notes.audience = everyone(session)
    set_level(made, Level.CONTRIBUTE)
    return made


@pytest.fixture
def anna(core: Any) -> Any:
    return make_person(core, "anna", locale="en")


@pytest.fixture
def client(core: Any, anna: Any, as_person: Any) -> Any:
    return as_person(create_app(core).test_client(), anna)


def photo(size: tuple[int, int] = (1200, 600)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "teal").save(made, "JPEG")
    return made.getvalue()


def token(client: Any) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', client.get("/rse/notes/").text)
    assert found is not None
    return found.group(1)


def post(client: Any, path: str, fields: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    """As a browser does; encoded here, because the client would leave a large body's file open."""
    boundary, body = encode_multipart(
        {
            name: [FileStorage(io.BytesIO(one[0]), one[1]) if isinstance(one, tuple) else one for one in values]
            for name, values in ((name, v if isinstance(v, list) else [v]) for name, v in fields.items())
        }
    )
    kind = f'multipart/form-data; boundary="{boundary}"'
    return client.post(path, data=body, content_type=kind, headers=headers or {}, buffered=True)


def get(client: Any, path: str, **values: Any) -> Any:
    return client.get(path, buffered=True, **values)


def send(client: Any, *sent: tuple[bytes, str], **fields: Any) -> Any:
    return post(client, "/rse/notes/", {"csrf_token": token(client), **fields, "files": list(sent)})


def kept(core: Any) -> list[files.FileInfo]:
    with core.db.read() as session:
        return list(files.of(session, [NOTE]).get(NOTE, []))


def test_a_form_keeps_new_files_and_lets_others_go(core: Any, client: Any) -> None:
    assert send(client, (photo(), "one.jpg"), (b"hello", "two.txt"), files_newalt=["A teal field", ""]).text == "saved"
    one, two = kept(core)
    assert (one.name, one.alt, one.width, two.name) == ("one.webp", "A teal field", 1200, "two.txt")
    page = client.get("/rse/notes/").text
    assert f'src="/rse/files/{one.key}/medium" alt="A teal field"' in page
    assert f'href="/rse/files/{two.key}" download' in page
    assert "TXT, 1 kB" in page
    answer = send(
        client,
        (b"more", "three.txt"),
        files_kept=[one.key, two.key],
        files_remove=two.key,
        **{f"files_alt_{one.key}": "Sea"},
    )
    assert answer.text == "saved"
    assert [(info.name, info.alt) for info in kept(core)] == [("one.webp", "Sea"), ("three.txt", "")]


def test_too_many_files_and_refused_ones_are_named(client: Any, core: Any) -> None:
    answer = send(client, *[(b"x", f"{number}.txt") for number in range(4)])
    assert answer.status_code == 422
    assert "At most 3 files can be added here; you chose 4." in answer.text
    answer = send(client, (b"<html>", "page.html"))
    assert answer.status_code == 422
    assert "“page.html” cannot be taken: a browser or a system would run it." in answer.text
    answer = send(client, (b"a" * 1_100_000, "large.txt"))
    assert answer.status_code == 422
    assert "“large.txt” is larger than 1 MB." in answer.text
    answer = send(client, (b"", "empty.txt"))
    assert answer.status_code == 422
    assert "is empty" in answer.text
    assert kept(core) == []


def test_only_views_that_take_files_accept_a_large_body_and_only_of_known_people(
    client: Any, core: Any, as_person: Any
) -> None:
    large = {"csrf_token": token(client), "files": (b"a" * 400_000, "a.txt")}
    assert post(client, "/rse/notes/small", large).status_code == 413
    assert post(client, "/rse/notes/", large).text == "saved"
    nobody = as_person(create_app(core).test_client(), None)
    assert post(nobody, "/rse/notes/", large).status_code == 413
    answer = post(client, "/rse/notes/", large | {"files": (b"a" * 5_000_000, "a.txt")})
    assert answer.status_code == 413
    assert "3136 KB" in answer.text


def test_a_form_of_another_site_brings_no_file(client: Any) -> None:
    sent = {"files": (b"x", "a.txt"), "file": (b"x", "a.txt")}
    allowed = sent | {"csrf_token": token(client)}
    assert post(client, "/rse/files/", allowed, {"Origin": "https://evil.example"}).status_code == 403
    assert post(client, "/rse/files/", sent).status_code == 403
    assert post(client, "/rse/api/v1/files", sent).status_code == 403


def test_a_picture_is_shown_in_sizes_and_revalidated(client: Any, core: Any) -> None:
    send(client, (photo((3000, 1000)), "one.jpg"))
    (info,) = kept(core)
    sizes = {}
    for size in ("", "/small", "/medium", "/large", "/huge"):
        answer = get(client, f"/rse/files/{info.key}{size}")
        assert answer.status_code == 200
        sizes[size] = Image.open(io.BytesIO(answer.data)).size
    assert sizes == {
        "": (1920, 640),
        "/small": (320, 107),
        "/medium": (960, 320),
        "/large": (1920, 640),
        "/huge": (1920, 640),
    }
    answer = get(client, f"/rse/files/{info.key}/small")
    headers = answer.headers
    assert headers["Content-Type"] == "image/webp"
    assert headers["Content-Disposition"].startswith("inline")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "private, max-age=300"
    assert "Cookie" in headers["Vary"]
    again = get(client, f"/rse/files/{info.key}/small", headers={"If-None-Match": headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_everything_else_is_downloaded_by_its_name_in_any_letters_and_in_parts(client: Any, core: Any) -> None:
    send(client, ("bonjour à tous".encode(), "Compte rendu d’été.txt"))
    (info,) = kept(core)
    answer = get(client, f"/rse/files/{info.key}")
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert "filename*=UTF-8''Compte%20rendu%20d%E2%80%99%C3%A9t%C3%A9.txt" in disposition
    part = get(client, f"/rse/files/{info.key}", headers={"Range": "bytes=0-6"})
    assert (part.status_code, part.data, part.headers["Content-Range"]) == (206, b"bonjour", "bytes 0-6/15")
    assert get(client, f"/rse/files/{info.key}", headers={"Range": "bytes=99-"}).status_code == 416


def test_another_persons_loose_file_is_as_one_that_does_not_exist(client: Any, core: Any, as_person: Any, anna: Any) -> None:
    with core.db.write() as session:
        info = files.keep(session, anna.id, io.BytesIO(b"mine"), "mine.txt")
    ben = as_person(create_app(core).test_client(), make_person(core, "ben", locale="en"))
    assert get(client, f"/rse/files/{info.key}").data == b"mine"
    answers = [get(ben, f"/rse/files/{key}") for key in (info.key, "0" * 40, "0" * 40 + "/small")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({re.sub(r"[0-9a-f]{40,64}(/small)?", "", answer.text) for answer in answers}) == 1
    assert get(ben, f"/rse/api/v1/files/{info.key}").status_code == 404
    nobody = as_person(create_app(core).test_client(), None)
    assert get(nobody, f"/rse/files/{info.key}").status_code == 404


def test_a_file_costs_the_same_queries_however_many_its_object_has(client: Any, core: Any) -> None:
    send(client, (b"1", "1.txt"))
    (info,) = kept(core)
    get(client, f"/rse/files/{info.key}")
    with count_queries(core) as one:
        get(client, f"/rse/files/{info.key}")
    send(client, (b"2", "2.txt"), (b"3", "3.txt"), files_kept=info.key)
    with count_queries(core) as three:
        get(client, f"/rse/files/{info.key}")
    assert len(one) == len(three), f"{one}\n{three}"
    # Two of them say who asks.
    assert len(three) <= 6, str(three)


def test_the_script_uploads_and_the_api_too(client: Any, core: Any) -> None:
    headers = {"X-RSE-CSRF": token(client)}
    answer = post(client, "/rse/files/", {"files": [(b"one", "one.txt"), (photo(), "two.jpg")]}, headers)
    assert answer.status_code == 201
    assert [one["name"] for one in answer.json["files"]] == ["one.txt", "two.webp"]
    assert get(client, answer.json["files"][1]["url"]).status_code == 200
    headers |= {"Idempotency-Key": "k1"}
    first, again = (
        post(client, "/rse/api/v1/files", {"file": (b"api", "api.csv"), "alt": "x"}, headers) for _time in range(2)
    )
    assert first.status_code == 201
    assert first.json == again.json
    assert first.json["media_type"] == "text/csv"
    assert first.json["ref"] is None
    other = post(client, "/rse/api/v1/files", {"file": (b"other", "api.csv")}, headers)
    assert other.status_code == 409
    key = first.json["key"]
    assert get(client, f"/rse/api/v1/files/{key}").json == first.json
    headers.pop("Idempotency-Key")
    assert client.delete(f"/rse/api/v1/files/{key}", headers=headers).status_code == 204
    assert get(client, f"/rse/api/v1/files/{key}").status_code == 404
    assert client.delete(f"/rse/api/v1/files/{key}", headers=headers).status_code == 404
    none = client.post("/rse/api/v1/files", json={}, headers=headers)
    assert (none.status_code, none.json["errors"]) == (422, {"file": "Send one file in the field “file”."})


def test_a_site_without_a_folder_says_so_at_the_first_upload(rse_core: Any, rse_database: Any, as_person: Any) -> None:
    if rse_database.is_sqlite:
        pytest.skip("SQLite has a folder beside it")
    core = rse_core([Notes()])
    client = as_person(create_app(core).test_client(), make_person(core, "anna", locale="en"))
    headers = {"X-RSE-CSRF": token(client), "Accept": "application/json"}
    answer = post(client, "/rse/files/", {"files": (b"x", "a.txt")}, headers)
    assert answer.status_code == 500
    assert "RSE_DATA_DIR" in answer.json["remedy"]
