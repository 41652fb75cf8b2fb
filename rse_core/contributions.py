"""What a plugin hands to the core: frozen dataclasses, one for each kind of contribution."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .content import ContentInfo, ContentType, ObjectRef
from .i18n import Text
from .levels import Level

if TYPE_CHECKING:
    import click
    from flask_smorest import Blueprint as RestBlueprint
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from .events import Event

__all__ = [
    "Activity", "Asset", "Capability", "Cli", "Consumer", "ContentInfo", "ContentType", "DigestLine", "DirectoryEntity",
    "DirectoryFault", "DirectoryGroup", "DirectoryPerson", "DirectoryReading", "DirectorySource", "HealthCheck",
    "HealthResult", "Indicator", "Job", "LegacySource", "LiveTopic", "Migrations", "NavItem", "NotificationTransport",
    "NotificationType", "ObjectRef", "OutgoingMessage", "PersonalData", "Publication", "RestBlueprints", "Review",
    "SearchDocument", "Setting", "SlotItem", "SpaceChange", "Translations", "Veto", "Viewer",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing a person may do.

    :param key: ``<plugin>.<verb>``, e.g. ``likes.react``.
    :param level: the level from which it opens; a site may shift it.
    :param writes: it leaves a trace others see: needs the charter, and is refused on any internal error.
    :param default_who: in a space, who may by default: ``nobody``, ``managers``, ``members`` or ``all``.
    :param reviewed: what it writes is held where publishing is moderated.
    """

    key: str
    label: Text
    level: Level
    description: Text = ""
    writes: bool = True
    reviewed: bool = False
    default_who: str = "all"


@dataclass(frozen=True, slots=True)
class Migrations:
    """Alembic scripts of one distribution: ``directory`` holds its ``versions/``; the version table is derived."""

    directory: Path


@dataclass(frozen=True, slots=True)
class Translations:
    """A catalogue: ``directory/<locale>/LC_MESSAGES/<domain>.mo``."""

    directory: Path
    domain: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A stylesheet or script for our pages and, with ``embed``, for the shadow roots of slots.

    :param endpoint: Flask static endpoint, e.g. ``rse_likes.static``.
    """

    endpoint: str
    filename: str
    kind: str = "css"
    embed: bool = True


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of RSE's own navigation; shown when ``capability`` (if any) is granted.

    :param area: ``main``; ``me`` for the page about the person; ``admin`` for the administration; ``notices`` for the one
        that lists their notifications, in place of the core's plain list; ``space`` for the pages of a space, whose endpoint
        takes the space's key as ``space``.
    :param badge: a number to show beside the label for this person (unread things), in one indexed query; 0 shows nothing.
    :param count: with a badge, the endpoint that answers ``{"count": 3}``, conditionally: the number follows while the page
        is open.
    :param topic: with ``count``, the kind of :class:`LiveTopic` whose id is the person's, by whose changes it changes.
    :param shown: whether it is for this person at all, where no capability says so (those who moderate somewhere); in
        ``main`` without a query.
    :param shown_in: the same in the area ``space``, for one space: ``shown_in(session, person_id, space_id)``.
    """

    endpoint: str
    label: Text
    order: int = 100
    capability: str | None = None
    icon: str | None = None
    area: str = "main"
    badge: Callable[[Session, int], int] | None = None
    count: str = ""
    topic: str = ""
    shown: Callable[[Session, int], bool] | None = None
    shown_in: Callable[[Session, int, int], bool] | None = None


@dataclass(frozen=True, slots=True)
class LiveTopic:
    """A kind of thing whose changes pages may listen to; a change is told by :func:`~rse_core.live.say_changed`.

    .. code-block:: python

        LiveTopic("kanban.board", lambda session, person_id, ident: boards.reads(session, person_id, ident))

    :param name: ``<plugin>.<kind>``; a topic is that with a thing's id, ``kanban.board:7``.
    :param may_listen: ``may_listen(session, person_id, ident)``: whether they may. Asked when a page begins to listen, every
        minute after that, and soon after the person's rights changed. ``ident`` is what the browser sent: it is
        printable ASCII, and nothing more is sure. False for what there is not: nobody can tell it from a refusal. An error
        refuses.
    :param stands_for: ``stands_for(session, person_id, ident)``: the topics by whose changes it changes for this person
        (each audience of theirs, for a feed), asked as often. None: itself.
    """

    name: str
    may_listen: Callable[[Session, int, str], bool]
    stands_for: Callable[[Session, int, str], Iterable[str]] | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, for markup: the person's id (None for nobody), language and what to build addresses with."""

    person_id: int | None
    locale: str
    prefix: str = "/rse"
    embed: bool = True
    now: dt.datetime | None = None
    #: What the request asked for, per slot (a sort order, a cursor, an open form, a linked comment): plain strings.
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SlotItem:
    """Markup for one object in one slot, in the order of ``order``. ``html`` is safe HTML; empty means nothing.

    ``stale_label`` is what the bar says when this slot has newer content ("3 new comments").
    """

    ref: ObjectRef
    html: str
    order: int = 100
    version: str = ""
    stale_label: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A named background job; ``run(session, **args)`` within a transaction of its own. ``every`` in seconds repeats it.

    :param after: ``notify``: it also runs soon after somebody was notified, once for many.
    """

    name: str
    run: Callable[..., None]
    every: int | None = None
    max_attempts: int = 8
    after: str = ""


@dataclass(frozen=True, slots=True)
class Consumer:
    """Told of events after their commit, at least once each; ``run(session, event)`` in a transaction of its own,
    which also notes the delivery, so that what it writes to the database happens exactly once."""

    name: str
    events: tuple[str, ...]
    run: Callable[[Session, Event], None]


@dataclass(frozen=True, slots=True)
class NotificationType:
    """A kind of notification, ``likes.liked``; ``render(count, data)`` gives one line of text.

    :param mail: default for mail: ``none``, ``digest`` (daily), ``weekly`` or ``immediate``.
    :param capability: what a person must be allowed where the object stands in order to be told; asked when it is written
        and again when it is sent, so that nobody hears of what their level does not show them.
    :param personal: it names the person (a mention, an answer to them): it passes a muted space or thread.
    :param stays: it is about the person themselves (an invitation, a refusal): it is told and listed though they do not see
        the object. Any other leaves the list of who is not among those for whom the object is, its author aside.
    """

    name: str
    label: Text
    render: Callable[[int, Mapping[str, Any]], Text]
    mail: str = "digest"
    page: bool = True
    capability: str | None = None
    personal: bool = False
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator's definition; ``events`` name what it counts (the core counts it).

    The numerator is the people of a place of whom such an event became known in the period. The denominator is all of its
    people, unless the indicator says otherwise:

    :param denominator: in words, of how many it is: "People whom an announcement asked in the period".
    :param eligible: who could do it in a period: ``eligible(session, first_day, last_day)`` gives a select of the ids of
        people. The figure is then about these among the people of the place.
    :param ever: an act counts from then on, in every later period as well, for as long as single acts are kept: "people who
        have filled in their profile".
    :param counts: ``people``; ``spaces`` for spaces in which such an event happened, of all that are open; ``own`` where the
        plugin shows the figure itself and the definition alone is listed.
    """

    name: str
    label: Text
    definition: Text
    events: tuple[str, ...] = ()
    denominator: Text = ""
    eligible: Callable[[Session, dt.date, dt.date], Select[int]] | None = None
    counts: str = "people"
    ever: bool = False


@dataclass(frozen=True, slots=True)
class HealthResult:
    """Outcome of a check; ``remedy`` says what to do when not ok."""

    ok: bool
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A check for ``/rse/readyz`` and ``rse doctor``; with ``repair`` the doctor can mend what it finds."""

    name: str
    check: Callable[[Session], HealthResult]
    repair: Callable[[Session], HealthResult] | None = None
    ready: bool = False


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What a plugin keeps about a person: how to export it (JSON-ready rows) and how to erase or anonymise it.

    ``erase`` returns the number of rows it changed.

    :param prune: ``prune(session, before)`` deletes what is older than a moment, of everybody, a part at a time, and returns
        how many rows went; called until it returns 0. None for what does not grow old.
    :param days: after how many days it is pruned, unless the site says otherwise; None: never.
    """

    name: str
    label: Text
    purpose: Text
    export: Callable[[Session, int], Iterable[Mapping[str, Any]]]
    erase: Callable[[Session, int], int]
    retention: Text = ""
    prune: Callable[[Session, dt.datetime], int] | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a plugin, changeable at run time by a site administrator.

    :param default: JSON-ready, as it would be stored; what code gets is ``parse`` of it.
    :param parse: makes the value that code gets from what is stored or typed; raises BadInput.
    :param kind: how the form shows it: ``text``, ``number``, ``boolean`` or ``json``.
    :param changed: called in the transaction of each change, with the session and what code got before and gets now.
    """

    key: str
    label: Text
    default: Any
    parse: Callable[[Any], Any]
    help: Text = ""
    kind: str = "text"
    changed: Callable[[Session, Any, Any], None] | None = None


@dataclass(frozen=True, slots=True)
class Cli:
    """A click command or group added under ``rse``."""

    command: click.Command


@dataclass(frozen=True, slots=True)
class RestBlueprints:
    """flask-smorest blueprints, mounted below ``/rse/api/v1``."""

    blueprints: Sequence[RestBlueprint]


@dataclass(frozen=True, slots=True)
class SearchDocument:
    """What the search index keeps of one object; trimmed by ``audience_id`` in SQL.

    ``kind`` is what people filter by (``post``, ``comment``, ``page``, ``space``, ``person`` …); by default the ref's type.
    """

    ref: ObjectRef
    title: str
    body: str
    audience_id: int
    author_id: int | None = None
    at: dt.datetime | None = None
    space_id: int | None = None
    entity_id: int | None = None
    kind: str = ""
    #: further words to be found by, which are not shown (topics, the name of a file)
    words: str = ""
    #: the object that it stands on (a comment's page or post): when that goes or moves, this one is looked at again
    parent: ObjectRef | None = None


@dataclass(frozen=True, slots=True)
class Veto:
    """``rse_decide`` says no, with a sentence for the person."""

    message: Text
    code: str = "denied"


@dataclass(frozen=True, slots=True)
class Review:
    """``rse_review`` asks that this be held for a moderator, with the reason shown to the author."""

    message: Text


@dataclass(frozen=True, slots=True)
class Activity:
    """An event that a feed may tell of: ``Activity("communities.opened", lazy("%(who)s opened a community"))``.

    The event's ``ref`` is the object that the entry points at; its audience, space and title are the object's own.

    :param verb: a sentence with ``%(who)s``, the person's name or the entity's.
    :param low: of little value to most (somebody joined): left out unless the site or the person wants it.
    :param bump: makes no entry of its own: the entry of the object (or of the one it stands on) becomes active again.
    """

    event: str
    verb: Text = ""
    low: bool = False
    bump: bool = False


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
class DirectorySource:
    """A directory of people (LDAP, a human resources system), read by ``rse people sync NAME`` and by a job of the core.

    :param name: ``<plugin>.<name>``; people keep it as their source, and no other source changes them.
    :param read: ``read(mark, progress)`` reads everything, or what changed since ``mark`` (of an earlier reading, "" for
        everything). It raises an :class:`~rse_core.errors.RseError` when it cannot read to the end: then nothing is written.
        It never writes to the database.
    :param every: seconds between two runs of the job; 0 leaves it to the command.
    :param complete_every: seconds after which a run reads everything again, to find out who has left.
    :param pushed: it sends what changes by itself (SCIM), noted by :func:`rse_core.directory_pushes.note`; ``read`` says so.
    """

    name: str
    label: Text
    read: Callable[[str, Callable[[str, int, int], None] | None], DirectoryReading]
    every: int = 0
    complete_every: int = 86_400
    pushed: bool = False


@dataclass(frozen=True, slots=True)
class TokenScope:
    """A scope that a token must have for one protocol of a plugin (SCIM), which asks for it by itself.

    Neither ``read`` nor ``write`` covers it, a session never has it, and people cannot give it to a token of their own.

    :param name: ``<plugin>.<what>``; tokens carry it as ``<plugin>:<what>``. ``read`` and ``write`` are the REST resources'.
    """

    name: str
    label: Text

    @property
    def scope(self) -> str:
        """As a token carries it."""
        return self.name.replace(".", ":")


@dataclass(frozen=True, slots=True)
class SpaceChange:
    """What stands in a space is for another audience from now on, or stands in another space (a merge)."""

    space_id: int
    audience_before: int
    audience_after: int
    #: the space that takes it in
    into: int | None = None


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One line of a digest beside the notifications: something worth reading since the last one."""

    ref: ObjectRef
    title: str
    url: str
    section: Text
    at: dt.datetime
    by: str = ""
    weight: int = 0


class SlotRenderer(Protocol):
    """Signature of ``rse_slot_items``."""

    def __call__(
        self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session
    ) -> Sequence[SlotItem]: ...

