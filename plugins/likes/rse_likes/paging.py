"""What a cursor is bound to, in pages and in REST alike."""

from __future__ import annotations

import hashlib

from rse_core.api import ObjectRef


def cursor_scope(name: str, ref: ObjectRef, kind: str | None) -> str:
    """The name of one list. Hashed: an object's id may be longer than a cursor is allowed to be."""
    return f"{name}:{hashlib.blake2b(f'{kind} {ref}'.encode(), digest_size=12).hexdigest()}"
