"""How messages travel: in the address of a redirect, in a form, or in a SOAP envelope between servers."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from dataclasses import dataclass
from urllib.parse import unquote_plus, urlencode

from ..reasons import Reason, SsoRefused
from .config import ALGORITHMS, KeyPair
from .crypto import sign_octets
from .xml import MAX_BYTES, SOAP, Element, parse

REQUEST, RESPONSE = "SAMLRequest", "SAMLResponse"


@dataclass(frozen=True)
class Form:
    """What a page of ours posts to the provider: to which address, the field's name and value, the relay state."""

    action: str
    field: str
    value: str
    relay_state: str | None = None


@dataclass(frozen=True)
class Query:
    """A message that came in an address.

    :param signed: the part of the query that the signature covers, as it came; ``None`` without a signature.
    """

    field: str
    message: bytes
    relay_state: str | None
    signed: bytes | None
    signature: bytes
    algorithm: str


def packed(message: str) -> str:
    """A message for a form."""
    return base64.b64encode(message.encode("utf-8")).decode()


def unpacked(value: str) -> bytes:
    """The message of a form.

    :raises SsoRefused: ``saml_too_long`` or ``saml_malformed``.
    """
    if len(value) > MAX_BYTES * 4 // 3 + 4096:
        raise SsoRefused(Reason.SAML_TOO_LONG, f"more than {MAX_BYTES} bytes")
    try:
        return base64.b64decode(re.sub(r"\s+", "", value), validate=True)
    except (binascii.Error, ValueError):
        raise SsoRefused(Reason.SAML_MALFORMED, "not base64") from None


def redirect_to(location: str, field: str, message: str, relay_state: str | None, pair: KeyPair) -> str:
    """The address that carries a signed message."""
    made = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = made.compress(message.encode("utf-8")) + made.flush()
    query = {field: base64.b64encode(deflated).decode()}
    if relay_state is not None:
        query["RelayState"] = relay_state
    query["SigAlg"] = ALGORITHMS["rsa-sha256"]
    octets = urlencode(query)
    signature = urlencode({"Signature": sign_octets(octets.encode("ascii"), pair)})
    return f"{location}{'&' if '?' in location else '?'}{octets}&{signature}"


def read_query(raw: bytes) -> Query:
    """The message in a query, each parameter as it was written: signatures cover the writing.

    :raises SsoRefused: ``saml_malformed`` or ``saml_too_long``.
    """
    parts: dict[str, str] = {}
    for each in raw.decode("latin-1").split("&"):
        name, _, value = each.partition("=")
        if name in parts and name in (REQUEST, RESPONSE, "RelayState", "SigAlg", "Signature", "SAMLEncoding"):
            raise SsoRefused(Reason.SAML_MALFORMED, "a parameter came twice")
        parts[name] = value
    fields = [name for name in (REQUEST, RESPONSE) if name in parts]
    if len(fields) != 1 or "SAMLEncoding" in parts:
        raise SsoRefused(Reason.SAML_MALFORMED, "not one message in the address")
    (field,) = fields
    signed = None
    if "Signature" in parts and "SigAlg" in parts:
        names = [name for name in (field, "RelayState", "SigAlg") if name in parts]
        signed = "&".join(f"{name}={parts[name]}" for name in names).encode("latin-1")
    signature = unpacked(unquote_plus(parts.get("Signature", "")))
    relay_state = unquote_plus(parts["RelayState"]) if "RelayState" in parts else None
    algorithm = unquote_plus(parts.get("SigAlg", ""))
    return Query(field, _inflated(unquote_plus(parts[field])), relay_state, signed, signature, algorithm)


def _inflated(value: str) -> bytes:
    made = zlib.decompressobj(-15)
    try:
        found = made.decompress(unpacked(value), MAX_BYTES + 1)
    except zlib.error:
        raise SsoRefused(Reason.SAML_MALFORMED, "not deflated") from None
    if len(found) > MAX_BYTES:
        raise SsoRefused(Reason.SAML_TOO_LONG, f"more than {MAX_BYTES} bytes when unfolded")
    return found


def in_envelope(message: str) -> str:
    """A message for a server."""
    text = re.sub(r"^<\?xml[^>]*\?>\s*", "", message)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<s:Envelope xmlns:s="{SOAP[1:-1]}"><s:Body>{text}</s:Body></s:Envelope>'
    )


def from_envelope(raw: bytes) -> tuple[Element, Element]:
    """The envelope of a server's message, and the message in it.

    :raises SsoRefused: ``saml_malformed``.
    """
    root = parse(raw)
    bodies = root.findall(f"{SOAP}Body")
    if root.tag != f"{SOAP}Envelope" or len(bodies) != 1 or len(bodies[0]) != 1:
        raise SsoRefused(Reason.SAML_MALFORMED, "no SOAP envelope of one message")
    return root, bodies[0][0]
