"""What an adapter connects: messages that go out, the intranet's publications and directories of people that come in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .i18n import Text

if TYPE_CHECKING:
    pass


__all__ = [
    "DirectoryEntity", "DirectoryFault", "DirectoryGroup", "DirectoryPerson", "DirectoryPhoto", "DirectoryReading",
    "DirectorySource", "LegacySource", "NotificationTransport", "OutgoingMessage", "Publication",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to one person, ready to be sent: texts are already in the person's language.

    :param key: identifies it for ever; a transport that is handed the same key again must be able to tell.
    :param headers: further headers (``List-Unsubscribe`` …), for transports that have them.
    """

    key: str
    person_id: int
    address: str
    name: str
    subject: str
    text: str
    html: str
    locale: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotificationTransport:
    """A way by which notifications leave: ``mail``, ``push``.

    :param send: sends one message; raises on failure, and is then tried again: ``Undeliverable`` when that is of no use,
        ``TooMany`` when it is to wait without that counting as a failure. It may be handed a message that it has sent
        already (the process died before that was noted), and is given the same key.
    """

    name: str
    label: Text
    send: Callable[[OutgoingMessage], None]


@dataclass(frozen=True, slots=True)
class Publication:
    """One thing that the existing intranet published, as a source tells it. No full text: a summary and where it stands.

    :param address: absolute or relative address of the page; with ``native`` (``wordpress:42``) it gives the same key as the
        page itself does when somebody visits it.
    :param entity: key of the entity that published it, when the source knows; ``byline`` is a name as text.
    :param audience: ``everyone``, ``entity:KEY``, ``group:KEY``; None when the source does not say: then nothing but a link
        for those who open it, and no entry anywhere.
    """

    address: str
    title: str
    native: str | None = None
    summary: str = ""
    published_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    entity: str | None = None
    byline: str = ""
    section: str | None = None
    audience: str | None = None
    lang: str | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class LegacySource:
    """A source of the intranet's own content (a feed, an API, a sitemap), read by a job of the core.

    :param name: ``<plugin>.<name>``.
    :param read: ``read(state)`` yields publications that are new or changed since ``state`` (its notes of last time, JSON)
        and returns, as the generator's value, the notes for next time. It never writes to the database. Two of its notes
        are for the core and are taken out: with ``"more": true`` it is called again at once (a long list returns after each
        of its pages, so that a stop loses one page), and ``"warnings"`` is a list of sentences for whoever runs the site.
    :param every: seconds between two runs.
    :param first_days: what was published longer ago than this when it is first read is not announced as news.
    :param max_items: most publications taken in one run.
    :param max_seconds: longest time of one run.
    """

    name: str
    label: Text
    read: Callable[[Mapping[str, Any]], Generator[Publication, None, Mapping[str, Any]]]
    every: int = 300
    first_days: int = 30
    max_items: int = 5000
    max_seconds: int = 120


@dataclass(frozen=True, slots=True)
class DirectoryPerson:
    """Somebody, as a directory knows them.

    ``external_id`` never changes, whatever else does. ``entity`` is the key of an entity, ``manager`` an external id, "" for
    none. ``external``: from outside the organisation; None where the directory does not say. ``where`` names the entry in
    reports. ``others``: keys of entities beside the main one; ``assistants``: external ids; None where it does not say.
    """

    external_id: str
    username: str
    display_name: str
    email: str = ""
    entity: str = ""
    job_title: str = ""
    manager: str = ""
    is_manager: bool = False
    locale: str = ""
    phone: str = ""
    site: str = ""
    external: bool | None = None
    where: str = ""
    others: tuple[str, ...] | None = None
    assistants: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class DirectoryEntity:
    """A node of the organisation's tree; ``parent`` is the key of the one above it, "" at the top."""

    key: str
    name: str
    parent: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class DirectoryGroup:
    """A group with all its members, by their external ids."""

    key: str
    name: str
    members: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class DirectoryFault:
    """An entry that cannot be used: which, what is wrong, what to do. ``external_id`` where it is known whose it is:
    somebody whose entry is faulty has not left."""

    where: str
    field: str
    message: str
    remedy: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class DirectoryReading:
    """What a directory said.

    :param complete: everybody is there, so that whoever is missing has left. Else only what changed since the mark was read.
    :param entities: None where the source has no tree; likewise ``groups``.
    :param mark: what to give the next time, to be told of later changes alone; "" when it cannot.
    """

    people: Sequence[DirectoryPerson]
    entities: Sequence[DirectoryEntity] | None = None
    groups: Sequence[DirectoryGroup] | None = None
    faults: Sequence[DirectoryFault] = ()
    complete: bool = True
    mark: str = ""


@dataclass(frozen=True, slots=True)
class DirectoryPhoto:
    """The photo that a directory has of somebody: the bytes as they stand there, ``b""`` where it has none.

    :param problem: why it cannot be used; whatever photo there is then stays.
    :param where: names the entry in reports.
    """

    external_id: str
    data: bytes = field(default=b"", repr=False)
    problem: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class DirectorySource:
    """A directory of people (LDAP, a human resources system), read by ``rse people sync NAME`` and by a job of the core.

    :param name: ``<plugin>.<name>``; people keep it as their source, and no other source changes them.
    :param read: ``read(mark, progress)`` reads everything, or what changed since ``mark`` (of an earlier reading, "" for
        everything). It raises an :class:`~rse_core.errors.RseError` when it cannot read to the end: then nothing is written.
        It never writes to the database.
    :param every: seconds between two runs of the job; 0 leaves it to the command.
    :param complete_every: seconds after which a run reads everything again, to find out who has left.
    :param photos: ``photos(mark)``, when it has photos: those of everybody, or of who changed since ``mark``, a few people
        at a time, so that never more of them are held. Asked after people were written, when a plugin keeps photos.
    :param pushed: it sends what changes by itself (SCIM), noted by :func:`rse_core.directory_pushes.note`; ``read`` says so.
    """

    name: str
    label: Text
    read: Callable[[str, Callable[[str, int, int], None] | None], DirectoryReading]
    every: int = 0
    complete_every: int = 86_400
    pushed: bool = False
    photos: Callable[[str], Iterable[Sequence[DirectoryPhoto]]] | None = None
