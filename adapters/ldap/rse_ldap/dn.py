"""Names of entries: compared as RFC 4514 says, whatever their spelling."""

from __future__ import annotations

import re
from functools import lru_cache

_ESCAPED = re.compile(rb"\\([0-9A-Fa-f]{2})|\\(.)", re.DOTALL)
_PART = re.compile(r"(?:[^,\\]|\\.)*", re.DOTALL)


def split(dn: str) -> tuple[str, str]:
    """The first part of a name and the rest: ``uid=a,ou=b`` → ``uid=a``, ``ou=b``. A comma behind a backslash is text."""
    found = _PART.match(dn)
    first = found[0] if found else ""
    return first, dn[len(first) + 1 :].lstrip()


@lru_cache(maxsize=200_000)
def normal(dn: str) -> str:
    """One spelling for all that mean the same: lower case, no spaces around signs, escapes resolved."""
    if not dn:
        return ""
    first, rest = split(dn)
    own = "+".join(sorted(_pair(part) for part in re.split(r"(?<!\\)\+", first)))
    above = normal(rest)
    return f"{own},{above}" if above else own


def _pair(text: str) -> str:
    name, _equals, value = text.partition("=")
    # A space at the end belongs to the value when a backslash stands before it.
    stripped = value.strip()
    if stripped.endswith("\\"):
        stripped += " "
    plain = " ".join(_plain(stripped).casefold().split())
    # The separators of the normal form cannot stand in a value.
    plain = plain.replace("\\", "\\5c").replace(",", "\\2c").replace("+", "\\2b")
    return f"{name.strip().lower()}={plain}"


def _plain(value: str) -> str:
    def one(found: re.Match[bytes]) -> bytes:
        return bytes([int(found[1], 16)]) if found[1] else found[2]

    return _ESCAPED.sub(one, value.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")


def above(dn: str) -> str:
    """The normal name of the entry above the one with this normal name; "" at the top."""
    return split(dn)[1]


def within(dn: str, base: str) -> bool:
    """Whether an entry, by its normal name, is ``base`` or stands below it."""
    return dn == base or dn.endswith(f",{base}")
