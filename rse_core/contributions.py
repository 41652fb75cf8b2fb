"""What a plugin hands to the core: frozen dataclasses, one for each kind of contribution."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .content import ContentInfo, ContentType, ObjectRef
from .contributions_outside import (
    DirectoryEntity,
    DirectoryFault,
    DirectoryGroup,
    DirectoryPerson,
    DirectoryPhoto,
    DirectoryReading,
    DirectorySource,
    LegacySource,
    NotificationTransport,
    OutgoingMessage,
    Publication,
)
from .contributions_pages import (
    Activity,
    Asset,
    DigestLine,
    LiveTopic,
    NavItem,
    SlotItem,
    Viewer,
)
from .i18n import Text
from .levels import Level

if TYPE_CHECKING:
    import click
    from flask_smorest import Blueprint as RestBlueprint
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from .events import Event
    from .runtime import Core

__all__ = [
    "Activity", "Asset", "Capability", "Cli", "Consumer", "ContentInfo", "ContentType", "DigestLine", "DirectoryEntity",
    "DirectoryFault", "DirectoryGroup", "DirectoryPerson", "DirectoryPhoto", "DirectoryReading", "DirectorySource",
    "HealthCheck", "HealthResult", "Indicator", "Job", "LegacySource", "LiveTopic", "Migrations", "NavItem",
    "NotificationTransport", "NotificationType", "ObjectRef", "OutgoingMessage", "PersonalData", "Publication",
    "RestBlueprints", "Review", "SearchDocument", "Setting", "SlotItem", "SpaceChange", "Translations", "Veto", "Viewer",
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
class Job:
    """A named background job; ``run(session, **args)`` within a transaction of its own. ``every`` in seconds repeats it.

    :param after: ``notify``: it also runs soon after somebody was notified, once for many.
    :param before: what takes long, done before that transaction and outside of it: ``before(core)`` reads, and writes in
        short transactions of its own, so that nobody waits for it. Repeated with the rest after a failure.
    """

    name: str
    run: Callable[..., None]
    every: int | None = None
    max_attempts: int = 8
    after: str = ""
    before: Callable[[Core], None] | None = None


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
