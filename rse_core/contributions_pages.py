"""What a plugin shows in pages, ours and the intranet's: files, entries of the navigation, slots, lines of a feed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from .content import ObjectRef
from .i18n import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


__all__ = ["Activity", "Asset", "DigestLine", "LiveTopic", "NavItem", "SlotItem", "SlotRenderer", "Viewer"]


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

    :param area: ``main``; ``running`` for what runs the site day by day (moderation): in the main navigation too, under the
        entry of the administration for those who have one; ``me`` for the page about the person; ``admin`` for the
        administration, its main pages under that entry as well; ``notices`` for the one
        that lists their notifications, in place of the core's plain list; ``space`` for the pages of a space, whose endpoint
        takes the space's key as ``space``.
    :param badge: a number to show beside the label for this person (unread things), in one indexed query; 0 shows nothing.
    :param count: with a badge, the endpoint that answers ``{"count": 3}``, conditionally: the number follows while the page
        is open.
    :param topic: with ``count``, the kind of :class:`LiveTopic` whose id is the person's, by whose changes it changes.
    :param shown: whether it is for this person at all, where no capability says so (those who moderate somewhere); in
        ``main``, ``running`` and ``admin`` without a query.
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


class SlotRenderer(Protocol):
    """Signature of ``rse_slot_items``."""

    def __call__(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]: ...


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
class DigestLine:
    """One line of a digest beside the notifications: something worth reading since the last one."""

    ref: ObjectRef
    title: str
    url: str
    section: Text
    at: dt.datetime
    by: str = ""
    weight: int = 0
