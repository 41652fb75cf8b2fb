"""One entry as a person, an entity or a group: text from bytes, ids, the facts by the mapping."""

from __future__ import annotations

import uuid

from rse_core.api import DirectoryEntity, DirectoryFault

from . import dn
from .config import Config
from .connection import Entry
from .i18n import _


class Unusable(Exception):
    """An entry that cannot be taken: the attribute, and why."""

    def __init__(self, attribute: str, message: str) -> None:
        super().__init__(message)
        self.attribute = attribute

    def fault(self, entry: Entry, external_id: str = "") -> DirectoryFault:
        """As a line of the report."""
        return DirectoryFault(entry.dn, self.attribute, str(self), _("Mend the entry in the directory."), external_id)


class Mapping:
    """Reads facts off entries, by the attributes of the configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.names = config.attributes

    def attributes(self, *facts: str) -> list[str]:
        """The attributes to ask for."""
        return sorted({name for fact in facts for name in self.names[fact]})

    def text(self, entry: Entry, fact: str) -> str:
        """The first value of the first attribute that has one, trimmed.

        :raises Unusable: for bytes that are no text.
        """
        for name in self.names[fact]:
            for value in entry.all(name):
                try:
                    found = value.decode("utf-8").strip()
                except UnicodeDecodeError:
                    raise Unusable(name, _("The attribute %(name)s has bytes that are no text.", name=name)) from None
                if found:
                    return found
        return ""

    def texts(self, entry: Entry, fact: str) -> list[str]:
        """All values of all attributes, trimmed, each once.

        :raises Unusable: for bytes that are no text.
        """
        found: dict[str, None] = {}
        for name in self.names[fact]:
            for value in entry.all(name):
                try:
                    found.setdefault(value.decode("utf-8").strip())
                except UnicodeDecodeError:
                    raise Unusable(name, _("The attribute %(name)s has bytes that are no text.", name=name)) from None
        return [text for text in found if text]

    def raw(self, entry: Entry, fact: str) -> bytes:
        """The first value of the first attribute that has one, as bytes; ``b""`` for none."""
        return next((value for name in self.names[fact] for value in entry.all(name) if value), b"")

    def ident(self, entry: Entry, fact: str = "id") -> str:
        """What never changes of an entry; 16 bytes, as Active Directory keeps them, are written as a UUID.

        :raises Unusable: when there is none.
        """
        for name in self.names[fact]:
            for value in entry.all(name):
                if name.lower() == "objectguid" and len(value) == 16:
                    return str(uuid.UUID(bytes_le=value))
                try:
                    found = value.decode("utf-8").strip()
                except UnicodeDecodeError:
                    raise Unusable(name, _("The attribute %(name)s has bytes that are no text.", name=name)) from None
                if found:
                    return found
        name = self.names[fact][0]
        raise Unusable(name, _("The attribute %(name)s is missing.", name=name))


class Tree:
    """The entities, by their names in the directory."""

    def __init__(self) -> None:
        self.by_dn: dict[str, DirectoryEntity] = {}
        self.keys: set[str] = set()

    def add(self, entry: Entry, key: str, name: str) -> None:
        """Note one; its parent is found once all are known."""
        self.by_dn[dn.normal(entry.dn)] = DirectoryEntity(key, name, "", entry.dn)
        self.keys.add(key)

    def named(self, text: str) -> str:
        """The key of what a value names: an entity's key, or an entry at or below one; "" when there is none."""
        if text in self.keys:
            return text
        name = dn.normal(text)
        return self.by_dn[name].key if name in self.by_dn else self.nearest(name)

    def nearest(self, name: str) -> str:
        """The key of the nearest entity above an entry, by its normal name; "" when there is none."""
        over = dn.above(name)
        while over:
            if over in self.by_dn:
                return self.by_dn[over].key
            over = dn.above(over)
        return ""

    def entities(self) -> list[DirectoryEntity]:
        """All, each with the key of the one above it; those above before those below."""
        ordered = sorted(self.by_dn.items(), key=lambda pair: pair[0].count(","))
        return [DirectoryEntity(one.key, one.name, self.nearest(name), one.where) for name, one in ordered]
