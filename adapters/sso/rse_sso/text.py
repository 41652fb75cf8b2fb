"""Text that comes through a web server's headers: decoding, and what is refused in it."""

from __future__ import annotations

import unicodedata
from typing import Literal
from urllib.parse import unquote_to_bytes

from .reasons import Reason, SsoRefused

Encoding = Literal["auto", "utf-8", "latin-1", "percent"]

MAX_SUBJECT = 255
MAX_NAME = 200
MAX_EMAIL = 254
MAX_ATTRIBUTE = 1000

# Marks that reorder what is displayed: with them a name can be made to look like another.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
# In an identifier nothing invisible is acceptable: two persons could not be told apart on screen.
_IDENTIFIER_CONTROLS = _CONTROLS | {"Cf", "Co", "Cn"}


def decode_header(value: str, encoding: Encoding = "auto") -> str:
    """Give back the text a proxy meant, from the ``str`` that WSGI hands over.

    WSGI decodes header bytes as latin-1 (PEP 3333), so UTF-8 arrives as ``HÃ©lÃ¨ne``. With ``auto`` the
    bytes are read as UTF-8, and as Windows-1252 where they are not valid UTF-8. A value that already holds
    characters beyond latin-1 was set in this process by the host application and is returned as it is.

    :param encoding: ``auto``, ``utf-8``, ``latin-1`` or ``percent`` (UTF-8 bytes written ``%C3%A9``).
    :raises SsoRefused: ``header_encoding`` when the bytes are not in the encoding that was configured.
    """
    try:
        raw = value.encode("latin-1")
    except UnicodeEncodeError:
        return unicodedata.normalize("NFC", value)
    try:
        if encoding == "percent":
            text = unquote_to_bytes(raw).decode("utf-8")
        elif encoding == "utf-8":
            text = raw.decode("utf-8")
        elif encoding == "latin-1":
            text = value
        else:
            text = _guess(raw, value)
    except UnicodeDecodeError:
        raise SsoRefused(Reason.HEADER_ENCODING, f"not {encoding}") from None
    return unicodedata.normalize("NFC", text)


def _guess(raw: bytes, value: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        # Old intranets that say ISO-8859-1 send Windows-1252: « œ » is a C1 control in latin-1.
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return value


def first_control(text: str, *, identifier: bool) -> str | None:
    """The code point (``U+000A``) of the first character that is refused, or ``None``.

    :param identifier: stricter: nothing invisible at all, as two identifiers must not look alike.
    """
    refused = _IDENTIFIER_CONTROLS if identifier else _CONTROLS
    for character in text:
        if character in _BIDI or unicodedata.category(character) in refused:
            return f"U+{ord(character):04X}"
    return None
