"""REST: bring a file, read what is known of it, take a loose one back. The bytes are at ``url``."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint

from .. import files
from ..errors import BadInput
from ..i18n import _
from ..idempotency import once
from ..web.files import allow_files, described, uploads
from ..web.identity import current_person_id, require_person
from ..web.state import session_read, session_write

blueprint = Blueprint("files", __name__, url_prefix="/files", description="Files to add to what one writes")


class FileSchema(ma.Schema):
    """A file. It is loose until something is written with its key; a loose one is kept for a day."""

    key = ma.fields.String()
    name = ma.fields.String()
    kind = ma.fields.String(metadata={"description": "image or file"})
    media_type = ma.fields.String()
    size = ma.fields.Integer(metadata={"description": "bytes"})
    width = ma.fields.Integer(allow_none=True, metadata={"description": "pixels"})
    height = ma.fields.Integer(allow_none=True)
    alt = ma.fields.String(metadata={"description": "text for who cannot see a picture"})
    ref = ma.fields.String(allow_none=True, metadata={"description": "the object that it is part of"})
    url = ma.fields.String()


_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}, "alt": {"type": "string"}},
                "required": ["file"],
            }
        }
    },
}


@blueprint.route("")
class Files(MethodView):
    @blueprint.doc(requestBody=_BODY)
    @blueprint.response(201, FileSchema)
    @allow_files
    def post(self) -> dict[str, Any]:
        """Bring one file, as multipart/form-data. With the header Idempotency-Key a repeated call keeps one."""
        person = require_person()
        new = uploads("file")
        if len(new) != 1:
            raise BadInput(_("Send one file in the field “file”."), fields={"file": _("Send one file in the field “file”.")})
        ready, typed = new[0]
        alt = request.form.get("alt", "")
        with session_write() as session:
            key, _fresh = once(
                session, person.id, request.headers.get("Idempotency-Key"), "core.files", f"{ready.name}\n{ready.digest}",
                lambda: files.keep(session, person.id, ready, typed, alt=alt).key,
            )  # fmt: skip
            return described(files.served(session, person.id, key).info)


@blueprint.route("/<string:key>")
class OneFile(MethodView):
    @blueprint.response(200, FileSchema)
    def get(self, key: str) -> dict[str, Any]:
        """What is known of a file, for whom its object is shown."""
        require_person()
        with session_read() as session:
            return described(files.served(session, current_person_id(), key).info)

    @blueprint.response(204)
    def delete(self, key: str) -> None:
        """Take back a loose file of one's own."""
        person = require_person()
        with session_write() as session:
            files.discard(session, person.id, key)
