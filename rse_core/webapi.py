"""What a plugin's views and REST resources use: who asks, sessions, answers to a fragment's form, limits.

.. code-block:: python

    from rse_core.webapi import current_person, fragment_response, session_write

    @blueprint.post("/react")
    def react():
        person = require_person()
        with session_write() as session:
            service.react(session, person.id, ref, request.form["reaction"])
        return fragment_response(slots=["reactions"], refs=[ref], announce=_("Saved."))

Every unsafe request has passed the CSRF check before a view runs; a view does not repeat it.
"""

from __future__ import annotations

from .idempotency import once
from .ratelimit import limit
from .rest.cursors import Cursor, CursorError, decode_cursor, encode_cursor
from .web.charters import charter_boxes, markdown
from .web.csrf import csrf_exempt, csrf_token
from .web.files import TakenFiles, allow_files, file_url, take_files, uploads
from .web.fragments import FIELDS, fragment_response, hidden_fields, wants_fragment
from .web.identity import (
    current_identity,
    current_person,
    current_person_id,
    require_person,
    sign_in,
    sign_out,
)
from .web.kept_markup import KeptMarkup
from .web.language import format_date, format_datetime, format_number, format_relative
from .web.limits import own_rate
from .web.returns import return_to, safe_return_to
from .web.slots import params_for as slot_params
from .web.slots import slot_markup
from .web.state import actor, core, session_read, session_write, slow_down, viewer

__all__ = [
    "FIELDS", "Cursor", "CursorError", "KeptMarkup", "TakenFiles", "actor", "allow_files", "charter_boxes", "core",
    "csrf_exempt", "csrf_token", "current_identity", "current_person", "current_person_id", "decode_cursor",
    "encode_cursor", "file_url", "format_date", "format_datetime", "format_number", "format_relative",
    "fragment_response", "hidden_fields", "limit", "markdown", "once", "own_rate", "require_person", "return_to",
    "safe_return_to", "session_read", "session_write", "sign_in", "sign_out", "slot_markup", "slot_params",
    "slow_down", "take_files", "uploads", "viewer", "wants_fragment",
]  # fmt: skip
