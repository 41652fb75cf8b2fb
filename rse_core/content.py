"""References to things that can be reacted to, commented on, found, moderated: ObjectRef and ContentType."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import BadInput
from .i18n import Text

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from .audit import Actor

_TYPE = re.compile(r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39})?\Z")
MAX_ID = 500


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """Points at one thing: ``page:/news/12``, ``comments.comment:42``. Text form ``type:id``."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> ObjectRef:
        """Read ``type:id``.

        :raises BadInput: when the text is not of that form.
        """
        kind, sep, ident = text.partition(":")
        if not sep or not _TYPE.match(kind) or not ident or len(ident) > MAX_ID or "\x00" in ident:
            raise BadInput(f"“{text[:80]}” does not name an object.", remedy="Write TYPE:ID, for example page:/news/12.")
        return cls(kind, ident)


@dataclass(frozen=True, slots=True)
class ContentInfo:
    """What the core needs to know of one object. ``audience_id`` None means that nobody but its moderators sees it.

    ``state`` is ``published``, ``draft``, ``pending``, ``scheduled``, ``archived``, ``locked`` or ``deleted``.
    """

    ref: ObjectRef
    title: str
    url: str
    audience_id: int | None
    sections: tuple[str, ...] = ()
    space_id: int | None = None
    author_id: int | None = None
    state: str = "published"
    created_at: dt.datetime | None = None
    parent: ObjectRef | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    #: who answers for it since its author has left, and is told what its author would be
    keeper_id: int | None = None


#: Loads many objects at once, in a constant number of queries; ids that do not exist are left out.
Resolver = Callable[["Session", Sequence[str]], Mapping[str, ContentInfo]]
#: Lists ids by keyset, in an order that does not change: those after the given one (None: from the start), at most so many.
Lister = Callable[["Session", str | None, int], Sequence[str]]
#: Lists ids of those that stand on an object, as a :data:`Lister`.
Below = Callable[["Session", "ObjectRef", str | None, int], Sequence[str]]


#: A select of the ids that this person may find; None for all that their audiences show. Asked once for each search.
Among = Callable[["Session", int], "Select[str] | None"]
#: Audiences, beyond a person's own, whose objects of a type they find too. Asked once for each search.
Beyond = Callable[["Session", int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Handling:
    """What moderators can do to objects of a type; each None where the plugin cannot. Whoever calls one has made sure that
    the actor may: the functions check the object's state only, and change it in the caller's transaction.

    :param text: the texts of many objects as they were typed, whatever their state; ids that do not exist are left out.
    :param hide: ``hide(session, id, actor, reason)`` takes one down: nobody sees it but its author and the moderators.
    :param restore: ``restore(session, id, actor)`` shows again what was taken down or deleted; nobody is told anew.
    :param amend: ``amend(session, id, actor, text)`` changes the text of what waits; the text before stays in its history.
    :param purge: ``purge(session, id)`` empties what was deleted, for good.
    """

    text: Callable[[Session, Sequence[str]], Mapping[str, str]] | None = None
    hide: Callable[[Session, str, Actor, str], None] | None = None
    restore: Callable[[Session, str, Actor], None] | None = None
    amend: Callable[[Session, str, Actor, str], None] | None = None
    purge: Callable[[Session, str], None] | None = None


@dataclass(frozen=True, slots=True)
class ContentType:
    """A kind of object that a plugin brings. Register it with ``rse_content_types``.

    :param name: ``<plugin>.<kind>``; the core's own is ``page``.
    :param resolve: see :data:`Resolver`.
    :param likable, commentable: whether reactions and comments may be attached to it.
    """

    name: str
    label: Text
    resolve: Resolver
    likable: bool = False
    commentable: bool = False
    searchable: bool = False
    moderated: bool = True
    #: Every id, in a fixed order: ``refs(session, after, limit)`` gives those that follow ``after``; to rebuild an index.
    refs: Lister | None = None
    #: Those that stand on one object: ``below(session, ref, after, limit)``; found again when that object is shown again.
    below: Below | None = None
    #: The capability from whose level on these objects are shown; None when they are as visible as their audience says.
    reads: str | None = None
    #: For what a person's audiences alone do not decide: the ids among which they find any; see :data:`Among`.
    among: Among | None = None
    #: Where a person finds some that are not for their own audiences; see :data:`Beyond`.
    beyond: Beyond | None = None
    #: What moderators can do to these objects.
    handling: Handling = Handling()
