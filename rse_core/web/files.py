"""Files over HTTP: taken from forms that say so, given to whom the object they are part of is shown.

A view that takes files says so with :func:`allow_files`; all others refuse a body above ``max_body``, before it is read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from babel.units import format_unit
from flask import Blueprint, current_app, jsonify, request, send_file, url_for

from .. import files
from ..errors import BadInput
from ..files import FileInfo, Prepared
from ..files_store import SIZES, store_of
from ..i18n import _, current_locale
from .identity import current_person_id, require_person
from .state import core, session_read, session_write
from .visits import note_file

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

log = logging.getLogger("rse.web")
blueprint = Blueprint("rse_files", __name__, url_prefix="/files")
V = TypeVar("V", bound=Callable[..., Any])
#: Nothing in a file may run, ask for anything, or be framed.
POLICY = "default-src 'none'; style-src 'none'; sandbox; frame-ancestors 'none'"
#: Seconds for which a browser keeps a file for this one person without asking again.
KEPT = 300
ACCEPTED = (
    "image/jpeg,image/png,image/gif,image/webp,.pdf,.docx,.xlsx,.pptx,.doc,.xls,.ppt,.odt,.ods,.odp,.odg,.rtf,.txt,.csv,"
    ".md,.ics,.zip,.7z,.mp4,.mp3"
)


def allow_files(view: V) -> V:
    """Decorator of a view whose form takes files: its requests may be as large as these (``max_files`` of ``max_file`` MB)
    when somebody is signed in."""
    view.rse_files = True  # type: ignore[attr-defined]
    return view


def takes_files() -> bool:
    """The view of this request is marked with :func:`allow_files`."""
    view = current_app.view_functions.get(request.endpoint or "")
    method = getattr(getattr(view, "view_class", None), request.method.lower(), None)
    return bool(getattr(view, "rse_files", False) or getattr(method, "rse_files", False))


def raise_limit() -> None:
    """Before the body is read: let a request of a known person to such a view be large."""
    if request.method == "POST" and takes_files() and current_person_id() is not None:
        settings = core().settings
        request.max_content_length = settings.max_body + settings.max_files * settings.max_file * files.MB


@dataclass(frozen=True, slots=True)
class TakenFiles:
    """What a form's field for files says: ``keys`` for :func:`rse_core.files.attach`, in order, and texts by key."""

    keys: list[str]
    alts: Mapping[str, str] = field(default_factory=dict)


def uploads(name: str = "files") -> list[tuple[Prepared, str]]:
    """The files that came in a field of the form, read and checked, for :func:`rse_core.files.keep`.

    Call it before the transaction: making pictures anew takes a while.

    :raises BadInput: for a file that is not accepted, or for more than one object may have.
    """
    require_person()
    settings = core().settings
    sent = [one for one in request.files.getlist(name) if one.filename]
    if len(sent) > settings.max_files:
        raise too_many(len(sent))
    return [
        (files.prepare(one.stream, one.filename or "", most=settings.max_file), one.filename or "") for one in sent
    ]


def take_files(name: str = "files") -> TakenFiles:
    """All that the macro ``upload_field(name, …)`` sent: new files, kept loose at once, and those that stay.

    A form that is refused afterwards shows them again: ``upload_field(name, files.loose(session, person_id, keys))``.

    :raises BadInput: as :func:`uploads`.
    """
    person = require_person()
    gone = set(request.form.getlist(f"{name}_remove"))
    keys = [key for key in dict.fromkeys(request.form.getlist(f"{name}_kept")) if key not in gone]
    alts = {key: request.form[f"{name}_alt_{key}"] for key in keys if f"{name}_alt_{key}" in request.form}
    most, sent = core().settings.max_files, sum(1 for one in request.files.getlist(name) if one.filename)
    if len(keys) + sent > most:
        raise too_many(len(keys) + sent)
    new = uploads(name)
    if new:
        texts = request.form.getlist(f"{name}_newalt")
        with session_write() as session:
            for place, (ready, typed) in enumerate(new):
                alt = texts[place] if place < len(texts) else ""
                keys.append(files.keep(session, person.id, ready, typed, alt=alt).key)
    return TakenFiles(keys, alts)


def too_many(count: int) -> BadInput:
    """More files than one object may have."""
    text = _("At most %(most)s files can be added here; you chose %(count)s.", most=core().settings.max_files, count=count)
    return BadInput(text, remedy=_("Take some of them away."), fields={"files": text})


@blueprint.post("/")
@allow_files
def upload() -> tuple[Response, int]:
    """Keep files loose; the answer says the keys for the form that sends them with a text."""
    person = require_person()
    new = uploads("files")
    if not new:
        raise BadInput(_("No file was sent."), remedy=_("Send one in the field “files”."))
    with session_write() as session:
        infos = [files.keep(session, person.id, ready, typed) for ready, typed in new]
    return jsonify({"files": [described(info) for info in infos]}), 201


@blueprint.get("/<string(length=40):key>")
@blueprint.get("/<string(length=40):key>/<string:size>")
def show(key: str, size: str = "large") -> Response:
    """A file, or a picture in one of its sizes, for whom its object is shown."""
    with session_read() as session:
        found = files.served(session, current_person_id(), key, size if size in SIZES else "large")
    info = found.info
    note_file(current_person_id(), info)
    answer = send_file(
        store_of(core().settings).path(found.stored),
        mimetype=info.media_type,
        as_attachment=info.kind != "image",
        download_name=info.name,
        etag=found.etag,
        last_modified=None,
        max_age=KEPT,
    )
    answer.headers["Cache-Control"] = f"private, max-age={KEPT}"
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.vary.add("Cookie")
    return answer


def file_url(info: FileInfo, size: str | None = None) -> str:
    """The address of a file, or of a picture in one of its sizes (``small``, ``medium``; without one, the largest)."""
    if size is None or info.kind != "image":
        return url_for("rse_files.show", key=info.key)
    return url_for("rse_files.show", key=info.key, size=size)


def described(info: FileInfo) -> dict[str, Any]:
    """One file, JSON-ready."""
    return {
        "key": info.key,
        "name": info.name,
        "kind": info.kind,
        "media_type": info.media_type,
        "size": info.size,
        "width": info.width,
        "height": info.height,
        "alt": info.alt,
        "ref": str(info.ref) if info.ref is not None else None,
        "url": file_url(info),
    }


def file_size(size: int) -> str:
    """Bytes as people read them: ``1.2 MB``, ``1,2 Mo``."""
    for unit, least in (("gigabyte", files.MB * 1024), ("megabyte", files.MB)):
        if size >= least:
            return str(format_unit(round(size / least, 1), f"digital-{unit}", "short", locale=current_locale()))
    return str(format_unit(max(1, round(size / 1024)), "digital-kilobyte", "short", locale=current_locale()))


def file_limits() -> dict[str, Any]:
    """What a field for files says of itself: ``most`` files of ``megabytes`` each, and the types it offers."""
    settings = core().settings
    return {"most": settings.max_files, "megabytes": settings.max_file, "accept": ACCEPTED}
