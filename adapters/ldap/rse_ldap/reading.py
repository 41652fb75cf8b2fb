"""A reading of the directory: entities, people, groups with those inside them; everything, or what changed since a mark.

The mark is the server's own: the latest ``modifyTimestamp`` that was seen, or Active Directory's ``highestCommittedUSN`` of
the domain controller that was asked. Who has left is found by a complete reading only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from rse_core.api import DirectoryEntity, DirectoryFault, DirectoryGroup, DirectoryPerson, DirectoryPhoto, DirectoryReading
from rse_core.people import called

from . import dn
from .config import Config
from .connection import CHANGED, Asker, Entry, Interrupted, asking
from .entries import Mapping, Tree, Unusable
from .i18n import _

logger = logging.getLogger(__name__)
Progress = Callable[[str, int, int], None]

#: How often a reading begins again after its connection was lost.
ATTEMPTS = 3
#: People whose photos are held at once.
SOME = 20
#: Up to so many changed people are asked about one by one.
FEW = 300
_FACTS = ("id", "username", "display_name", "email", "job_title", "manager", "locale", "phone", "site")
_SEVERAL = ("assistants", "other_entities")
_MEMBERS = ("member", "uniqueMember")


def photos(config: Config, mark: str) -> Iterator[list[DirectoryPhoto]]:
    """The photos of everybody, or of who changed since the mark; a page of few people at a time.

    :raises DirectoryUnavailable: when they cannot be read to the end.
    """
    with asking(config) as asker:
        yield from _Reader(config, asker, None).photos(mark)


def read(config: Config, mark: str, progress: Progress | None = None) -> DirectoryReading:
    """Read the directory.

    :raises DirectoryUnavailable: when it cannot be read to its end, also when begun anew.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with asking(config) as asker:
                return _Reader(config, asker, progress).read(mark)
        except Interrupted as error:
            if attempt == ATTEMPTS:
                raise
            logger.warning("the directory %s was lost, beginning again (%s of %s): %s", config.url, attempt, ATTEMPTS, error)
    raise AssertionError


@dataclass(slots=True)
class _Person:
    """Somebody whose manager and assistants are not looked up yet."""

    said: DirectoryPerson
    manager_dn: str
    assistant_dns: list[str]


@dataclass(slots=True)
class _Reader:
    config: Config
    asker: Asker
    progress: Progress | None
    faults: list[DirectoryFault] = field(default_factory=list)
    latest: str = ""
    #: normal name → external id, of people that were read
    ids: dict[str, str] = field(default_factory=dict)
    mapping: Mapping = field(init=False)

    def __post_init__(self) -> None:
        self.mapping = Mapping(self.config)

    def read(self, mark: str) -> DirectoryReading:
        since, server = self._since(mark)
        tree, entities = self._entities()
        people = self._people(tree, since)
        if entities is None and self.config.entity_attribute:
            # Of those that were read; the others stay as they are.
            named = (key for one in people for key in (one.said.entity, *(one.said.others or ())))
            keys = dict.fromkeys(key for key in named if key)
            entities = [DirectoryEntity(key[:120], key) for key in keys]
        groups = self._groups(since)
        said = self._managers(people, complete=not since)
        return DirectoryReading(said, entities, groups, self.faults, complete=not since, mark=server or self.latest)

    def photos(self, mark: str) -> Iterator[list[DirectoryPhoto]]:
        """See :func:`photos`; an entry without a usable id was reported by :meth:`read`."""
        config, (since, _server) = self.config, self._since(mark)
        wanted, most = config.people_filter, config.photo_limit * 1024
        if since:
            wanted = f"(&{wanted}({CHANGED[config.kind]}>={since}))"
        attributes = self.mapping.attributes("id", "photo")
        for page in self.asker.search(config.people_base, wanted, attributes, key="people_base", size=SOME):
            found = []
            for entry in page:
                try:
                    external_id, data = self.mapping.ident(entry), self.mapping.raw(entry, "photo")
                except Unusable:
                    continue
                problem = ""
                if len(data) > most:
                    problem = _("The photo is larger than %(most)s kB.", most=config.photo_limit)
                found.append(DirectoryPhoto(external_id, b"" if problem else data, problem, entry.dn))
            yield found

    def _since(self, mark: str) -> tuple[str, str]:
        """Where to go on ("" for a complete reading), and the mark for the next time when the server names it."""
        if self.config.kind != "ad":
            self.latest = mark
            return mark, ""
        root = self.asker.root()
        name = b"".join(root.all("dsServiceName")).decode("utf-8", "replace").split(",")[0:2]
        number = b"".join(root.all("highestCommittedUSN")).decode("ascii", "replace")
        server = f"{'|'.join(name)[:150]}#{number}" if number.isdecimal() else ""
        before, _sign, usn = mark.rpartition("#")
        # Another domain controller counts otherwise: everything is read again.
        return (usn if before and before == server.rpartition("#")[0] else ""), server

    def _pages(self, base: str, wanted: str, attributes: Sequence[str], key: str, since: str = "") -> Iterator[Entry]:
        changed = CHANGED[self.config.kind]
        if since:
            wanted = f"(&{wanted}({changed}>={since}))"
        done = 0
        for page in self.asker.search(base, wanted, [*attributes, changed], key=key):
            for entry in page:
                stamp = b"".join(entry.all(changed)[:1]).decode("ascii", "replace")
                if self.config.kind != "ad" and stamp > self.latest:
                    self.latest = stamp
                yield entry
            done += len(page)
            if self.progress is not None:
                self.progress(key.partition("_")[0], done, done)

    # -- entities ------------------------------------------------------------------------------------------------------

    def _entities(self) -> tuple[Tree, list[DirectoryEntity] | None]:
        tree, config = Tree(), self.config
        if not config.entities_base:
            return tree, None
        attributes = self.mapping.attributes("entity_id", "entity_name")
        for entry in self._pages(config.entities_base, config.entities_filter, attributes, "entities_base"):
            try:
                key = self.mapping.ident(entry, "entity_id")
                tree.add(entry, key, self.mapping.text(entry, "entity_name") or key)
            except Unusable as error:
                self.faults.append(error.fault(entry))
        return tree, tree.entities()

    # -- people --------------------------------------------------------------------------------------------------------

    def _people(self, tree: Tree, since: str) -> list[_Person]:
        config, found = self.config, []
        attributes = self.mapping.attributes(*_FACTS, *_SEVERAL)
        if config.entity_attribute:
            attributes.append(config.entity_attribute)
        outside = dn.normal(config.external_base)
        for entry in self._pages(config.people_base, config.people_filter, attributes, "people_base", since):
            external_id = ""
            try:
                external_id = self.mapping.ident(entry)
                one = self._person(entry, external_id, tree, outside)
            except Unusable as error:
                self.faults.append(error.fault(entry, external_id))
                continue
            self.ids[dn.normal(entry.dn)] = external_id
            found.append(one)
        return found

    def _person(self, entry: Entry, external_id: str, tree: Tree, outside: str) -> _Person:
        values = {fact: self.mapping.text(entry, fact) for fact in _FACTS if fact not in ("id", "display_name")}
        # All its names: where one is an e-mail address another may be none.
        values["display_name"] = called(self.mapping.texts(entry, "display_name"))
        manager = values.pop("manager")
        name = dn.normal(entry.dn)
        if self.config.entity_attribute:
            entity = self._attribute(entry, self.config.entity_attribute)[:120]
        else:
            entity = tree.nearest(name)
        external = dn.within(name, outside) if outside else None
        said = DirectoryPerson(
            external_id, values["username"], values["display_name"], values["email"], entity, values["job_title"],
            locale=values["locale"], phone=values["phone"], site=values["site"], external=external, where=entry.dn,
            others=self._others(entry, tree),
        )  # fmt: skip
        return _Person(said, manager, self.mapping.texts(entry, "assistants"))

    def _others(self, entry: Entry, tree: Tree) -> tuple[str, ...] | None:
        """The entities beside the main one; None where the configuration names no attribute for them."""
        if not self.mapping.names["other_entities"]:
            return None
        texts = self.mapping.texts(entry, "other_entities")
        if self.config.entities_base:
            # A value that names no entity is told as one that is not there.
            texts = [tree.named(text) or text for text in texts]
        return tuple(dict.fromkeys(text[:120] for text in texts))

    def _attribute(self, entry: Entry, name: str) -> str:
        for value in entry.all(name):
            try:
                return value.decode("utf-8").strip()
            except UnicodeDecodeError:
                raise Unusable(name, _("The attribute %(name)s has bytes that are no text.", name=name)) from None
        return ""

    def _managers(self, people: list[_Person], *, complete: bool) -> list[DirectoryPerson]:
        """Everybody with the id of their manager; who is somebody's manager is one."""
        leading = {dn.normal(one.manager_dn) for one in people if one.manager_dn}
        if not complete and len(people) > FEW:
            # As many as came in the second of the mark: one pass over all costs less than a question for each.
            self._all_ids()
            leading = self._all_leading()
            complete = True
        found = []
        for one in people:
            own = dn.normal(one.said.where)
            manager = self._id_of(one.manager_dn, complete=complete) if one.manager_dn else ""
            leads = own in leading or (not complete and self._leads(one.said.where))
            # One's own manager, as some directories have it at the very top, is nobody's.
            manager = "" if manager == one.said.external_id else manager
            helped = [self._id_of(name, complete=complete) for name in one.assistant_dns]
            assistants = tuple(filter(None, helped)) if self.mapping.names["assistants"] else None
            found.append(replace(one.said, manager=manager, is_manager=leads, assistants=assistants))
        return found

    def _id_of(self, name: str, *, complete: bool) -> str:
        normal = dn.normal(name)
        if normal not in self.ids and not complete:
            entry = self.asker.one(name, self.mapping.attributes("id"))
            try:
                self.ids[normal] = self.mapping.ident(entry) if entry is not None else ""
            except Unusable:
                self.ids[normal] = ""
        # A manager who is not read (left, or in another part of the directory) is none.
        return self.ids.get(normal, "")

    def _all_leading(self) -> set[str]:
        config, attribute = self.config, self.mapping.names["manager"][0]
        wanted = f"(&{config.people_filter}({attribute}=*))"
        pages = self.asker.search(config.people_base, wanted, [attribute], key="people_base")
        values = (value for page in pages for entry in page for value in entry.all(attribute))
        return {dn.normal(value.decode("utf-8", "replace")) for value in values}

    def _leads(self, name: str) -> bool:
        attribute = self.mapping.names["manager"][0]
        wanted = f"(&{self.config.people_filter}({attribute}={_filtered(name)}))"
        for page in self.asker.search(self.config.people_base, wanted, ["1.1"], key="people_base"):
            return bool(page)
        return False

    # -- groups --------------------------------------------------------------------------------------------------------

    def _groups(self, since: str) -> list[DirectoryGroup] | None:
        config = self.config
        if not config.groups_base:
            return None
        if since and not any(
            True for _entry in self._pages(config.groups_base, config.groups_filter, [], "groups_base", since)
        ):
            return []
        if since:
            # A group can stand in others: once one has changed, all are read, with the ids of everybody.
            self._all_ids()
        entries, members = self._read_groups()
        return self._flattened(entries, members)

    def _read_groups(self) -> tuple[dict[str, tuple[Entry, str, str]], dict[str, list[str]]]:
        entries: dict[str, tuple[Entry, str, str]] = {}
        members: dict[str, list[str]] = {}
        attributes = [*self.mapping.attributes("group_id", "group_name"), *_MEMBERS]
        for entry in self._pages(self.config.groups_base, self.config.groups_filter, attributes, "groups_base"):
            try:
                key = self.mapping.ident(entry, "group_id")
                name = self.mapping.text(entry, "group_name") or key
            except Unusable as error:
                self.faults.append(error.fault(entry))
                continue
            own = dn.normal(entry.dn)
            entries[own] = (entry, key, name)
            values = [value for attribute in _MEMBERS for value in entry.all(attribute)]
            members[own] = [dn.normal(value.decode("utf-8", "replace")) for value in values]
        return entries, members

    def _flattened(self, entries: dict[str, tuple[Entry, str, str]], members: dict[str, list[str]]) -> list[DirectoryGroup]:
        """Each group with the people in it and in the groups inside it; a circle of groups is one set of people."""
        found = []
        for own, (entry, key, name) in entries.items():
            people: dict[str, None] = {}
            seen, waiting = {own}, [own]
            while waiting:
                for member in members[waiting.pop()]:
                    if member in members:
                        if member not in seen:
                            seen.add(member)
                            waiting.append(member)
                    elif self.ids.get(member):
                        people[self.ids[member]] = None
            found.append(DirectoryGroup(key, name, tuple(people), entry.dn))
        return found

    def _all_ids(self) -> None:
        config = self.config
        attributes = self.mapping.attributes("id")
        for page in self.asker.search(config.people_base, config.people_filter, attributes, key="people_base"):
            for entry in page:
                try:
                    self.ids[dn.normal(entry.dn)] = self.mapping.ident(entry)
                except Unusable:
                    continue


def _filtered(value: str) -> str:
    """A value inside a filter (RFC 4515)."""
    return "".join(f"\\{ord(sign):02x}" if sign in "\\*()\0" else sign for sign in value)
