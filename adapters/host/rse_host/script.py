"""``embed.js`` as it is served: with the profiles in it, without comments and indentation, packed once."""

from __future__ import annotations

import functools
import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from .profiles import as_json

SOURCE = Path(__file__).parent / "static" / "embed.js"
_COMMENT_LINES = re.compile(r"^\s*/\*.*?\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """The script's bytes, the same packed, and their version (a hash of the content)."""

    body: bytes
    packed: bytes
    version: str


@functools.cache
def embed_script() -> Script:
    """Return the script; made once in a process."""
    source = SOURCE.read_text(encoding="utf-8")
    first, rest = source.split("\n", 1)
    text = _INDENT.sub("", _COMMENT_LINES.sub("", f"{first}\n{rest}"))
    body = text.replace("/*PROFILES*/null", as_json()).encode("utf-8")
    return Script(body, gzip.compress(body, 9, mtime=0), hashlib.sha256(body).hexdigest()[:12])
