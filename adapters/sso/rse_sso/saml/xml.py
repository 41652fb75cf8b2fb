"""Messages as XML: read strictly, so that what is verified and what is read cannot be two different things.

A message may hold no document type, comment, CDATA section or processing instruction: none of them has a place in SAML, and
each has been used to make two parsers see two texts. Without them the characters ``<!`` cannot occur.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from ..reasons import Reason, SsoRefused

Element = Any
"""An element of the standard library's ElementTree, whose stubs are of no help here."""

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
XENC = "{http://www.w3.org/2001/04/xmlenc#}"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"

MAX_BYTES = 256 * 1024
"""The longest message: a hundred times what an assertion needs."""

MAX_DEPTH, MAX_ELEMENTS = 40, 4000
_DECLARATION = re.compile(
    r"""<\?xml\s+version=(['"])1\.0\1(\s+encoding=(['"])utf-8\3)?(\s+standalone=(['"])(yes|no)\5)?\s*\?>""", re.I
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|\+00:00)", re.ASCII)
_IDS = ("ID", "Id", "id", "AssertionID", "ResponseID", "{http://www.w3.org/XML/1998/namespace}id")


def parse(raw: bytes) -> Element:
    """One message.

    :raises SsoRefused: ``saml_too_long``, ``saml_malformed``, or ``saml_wrapped`` when two elements claim one identifier.
    """
    if len(raw) > MAX_BYTES:
        raise SsoRefused(Reason.SAML_TOO_LONG, f"more than {MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise SsoRefused(Reason.SAML_MALFORMED, "not UTF-8") from None
    rest = text[found.end() :] if (found := _DECLARATION.match(text)) else text
    if "<!" in rest or "<?" in rest:
        raise SsoRefused(Reason.SAML_MALFORMED, "it holds a document type, a comment, CDATA or an instruction")
    root = parse_any(raw)
    _bounds(root)
    _unique(root)
    return root


def parse_any(raw: bytes) -> Element:
    """XML without a document type: what metadata may be.

    :raises SsoRefused: ``saml_malformed``.
    """
    try:
        return fromstring(raw, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise SsoRefused(Reason.SAML_MALFORMED, f"not safe XML: {type(error).__name__}") from None


def _bounds(root: Element) -> None:
    count, level = 0, [root]
    for _depth in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_ELEMENTS:
            raise SsoRefused(Reason.SAML_MALFORMED, "too many elements")
        level = [child for each in level for child in each]
        if not level:
            return
    raise SsoRefused(Reason.SAML_MALFORMED, "too deep")


def _unique(root: Element) -> None:
    seen: set[str] = set()
    for each in root.iter():
        for name in _IDS:
            value = each.get(name)
            if value is not None:
                if value in seen:
                    raise SsoRefused(Reason.SAML_WRAPPED, "two elements have one identifier")
                seen.add(value)


def only(parent: Element, tag: str) -> Element | None:
    """The one child of that name, ``None`` without; never one of two.

    :raises SsoRefused: ``saml_malformed`` when there are several.
    """
    found = parent.findall(tag)
    if len(found) > 1:
        raise SsoRefused(Reason.SAML_MALFORMED, f"several {local(tag)}")
    return found[0] if found else None


def text_of(element: Element | None) -> str | None:
    """The text of an element that holds nothing but text, ``None`` when it is missing, empty or more than that."""
    if element is None or len(element) or not (element.text or "").strip():
        return None
    return str(element.text).strip()


def local(tag: str) -> str:
    """A name without its namespace, for the log."""
    return tag.rpartition("}")[2]


def moment(value: str | None) -> float | None:
    """A date of SAML in seconds since 1970; ``None`` without one.

    :raises SsoRefused: ``saml_malformed`` for anything but UTC in full.
    """
    if value is None:
        return None
    found = _TIME.fullmatch(value.strip())
    try:
        if found is None:
            raise ValueError
        return dt.datetime.fromisoformat(found[1] + "+00:00").timestamp() + float(found[2] or 0)
    except (ValueError, OverflowError):
        raise SsoRefused(Reason.SAML_MALFORMED, "a date that is none") from None


def write_moment(seconds: float) -> str:
    """A date as SAML writes it."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def every(root: Element, tag: str) -> Iterator[Element]:
    """All elements of that name, at any depth."""
    return iter(root.iter(tag))
