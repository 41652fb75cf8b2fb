"""Cursors for keyset pages: opaque, signed, bound to what they page through."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from ..errors import BadInput
from ..i18n import _
from ..settings import Settings

MAX_CURSOR = 400


class CursorError(BadInput):
    """The cursor was not made here, or for another list."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins: the sort key of the last row seen. ``scope`` names the list and its filters."""

    scope: str
    after: tuple[Any, ...]


def encode_cursor(settings: Settings, cursor: Cursor) -> str:
    """Text for an address; the values must be JSON-ready (texts, numbers)."""
    body = json.dumps([cursor.scope, *cursor.after], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mac(settings, body) + body).decode().rstrip("=")


def decode_cursor(settings: Settings, text: str, scope: str) -> Cursor:
    """:raises CursorError: for a text that is no cursor of this list."""
    try:
        if len(text) > MAX_CURSOR:
            raise ValueError
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        mac, body = raw[:12], raw[12:]
        if not hmac.compare_digest(mac, _mac(settings, body)):
            raise ValueError
        values = json.loads(body)
        if values[0] != scope:
            raise ValueError
        return Cursor(scope, tuple(values[1:]))
    except (ValueError, IndexError, TypeError):
        raise CursorError(
            _("The cursor does not belong to this list."), remedy=_("Begin again without a cursor.")
        ) from None


def _mac(settings: Settings, body: bytes) -> bytes:
    return hmac.new(settings.key(), b"cursor:" + body, hashlib.sha256).digest()[:12]
