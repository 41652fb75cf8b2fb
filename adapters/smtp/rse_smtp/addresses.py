"""Addresses of mail, checked so that none of them can become a header or a command of its own."""

from __future__ import annotations

import re
from email.headerregistry import Address

_LOCAL = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]+\Z")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)\Z")


class BadAddress(ValueError):
    """No mail can be sent to, or from, this."""


def check(name: str, address: str) -> Address:
    """The address, its domain in ASCII (``é.example`` becomes ``xn--9ca.example``).

    :raises BadAddress: for anything but one plain address.
    """
    local, at, domain = address.strip().rpartition("@")
    if not at or not _LOCAL.match(local) or len(local) > 64:
        raise BadAddress(f"“{address[:80]!r}” is not one address.")
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise BadAddress(f"“{domain[:80]!r}” is not a domain.") from None
    if not all(_LABEL.match(label) for label in ascii_domain.split(".")):
        raise BadAddress(f"“{domain[:80]!r}” is not a domain.")
    # What cannot be shown in one line is no part of a name.
    shown = "".join(char if char.isprintable() else " " for char in name)
    return Address(" ".join(shown.split())[:200], local, ascii_domain)
