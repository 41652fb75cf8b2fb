"""What a person wants to be told of: by type and channel, and by space or thread.

The order: the person's own choice, then the site's default, then the type's own. A space has a default of its own
(``Space.notify``), which the person's word on that space replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, literal, select, tuple_
from sqlalchemy.orm import Session

from .audit import Actor, record
from .content import ObjectRef
from .contributions import NotificationTransport, NotificationType
from .db import dialect_insert, utcnow
from .errors import BadInput
from .i18n import _
from .models.notices import Mute, NotificationChoice, NotificationDefault
from .models.organisation import Space

PAGE = "page"
#: Ways to be told by a channel; the page knows only the first two.
WAYS = ("none", "immediate", "daily", "weekly")
#: What one hears of a space: all, what names one, nothing.
HEARS = ("all", "mentions", "none")
SPACE = "communities.space"
#: The type's own word for a channel, ``digest``, as a way.
_OWN = {"digest": "daily"}


# -- spaces and threads ------------------------------------------------------------------------------------------------


def mute(session: Session, person_id: int, ref: ObjectRef, *, hears: str = "mentions") -> None:
    """This person no longer hears of a space (``ObjectRef("communities.space", id)``) or a thread (its object's reference);
    what names them still reaches them, unless ``hears`` is ``none``.

    :param hears: ``mentions``, ``none``, or ``all``, which stands against a space's own default.
    """
    if hears not in HEARS:
        raise BadInput(_("“%(value)s” is not a choice here.", value=hears[:40]), remedy=_("Use one of: %(choices)s.",
                       choices=", ".join(HEARS)))  # fmt: skip
    made = dialect_insert(session, Mute).values(
        person_id=person_id, ref_type=ref.type, ref_id=ref.id, hears=hears, at=utcnow()
    )
    session.execute(
        made.on_conflict_do_update(index_elements=["person_id", "ref_type", "ref_id"], set_={"hears": made.excluded.hears})
    )


def unmute(session: Session, person_id: int, ref: ObjectRef) -> None:
    """The person hears of it again, even where the space itself says that its members hear nothing."""
    if _default_of(session, ref) != "all":
        mute(session, person_id, ref, hears="all")
        return
    session.execute(delete(Mute).where(Mute.person_id == person_id, Mute.ref_type == ref.type, Mute.ref_id == ref.id))


def is_muted(session: Session, person_id: int, refs: Sequence[ObjectRef]) -> frozenset[ObjectRef]:
    """Those of these spaces and threads of which the person does not hear everything; at most two queries."""
    return frozenset(ref for ref, how in hears(session, person_id, refs).items() if how != "all")


def hears(session: Session, person_id: int, refs: Sequence[ObjectRef]) -> Mapping[ObjectRef, str]:
    """What the person hears of these spaces and threads, space defaults included; at most two queries."""
    if not refs:
        return {}
    rows = session.execute(
        select(Mute.ref_type, Mute.ref_id, Mute.hears).where(
            Mute.person_id == person_id, tuple_(Mute.ref_type, Mute.ref_id).in_([(ref.type, ref.id) for ref in refs])
        )
    )
    own = {ObjectRef(kind, ident): how for kind, ident, how in rows}
    return {ref: own.get(ref, default) for ref, default in _defaults_of(session, refs).items()}


def muted_by(session: Session, person_id: int) -> list[tuple[ObjectRef, str]]:
    """What the person muted themselves, the latest first."""
    rows = session.execute(
        select(Mute.ref_type, Mute.ref_id, Mute.hears)
        .where(Mute.person_id == person_id, Mute.hears != "all")
        .order_by(Mute.at.desc(), Mute.ref_type, Mute.ref_id)
        .limit(500)
    )
    return [(ObjectRef(kind, ident), how) for kind, ident, how in rows]


def _default_of(session: Session, ref: ObjectRef) -> str:
    return _defaults_of(session, [ref])[ref]


def _defaults_of(session: Session, refs: Iterable[ObjectRef]) -> dict[ObjectRef, str]:
    """What members hear of a space where they have not said; a thread is heard."""
    found = dict.fromkeys(refs, "all")
    ids = [int(ref.id) for ref in found if ref.type == SPACE and ref.id.isdecimal()]
    if ids:
        for ident, notify in session.execute(select(Space.id, Space.notify).where(Space.id.in_(ids))):
            found[ObjectRef(SPACE, str(ident))] = notify or "all"
    return found


def hearing(session: Session, person: Any, refs: Iterable[ObjectRef], *, personal: bool) -> ColumnElement[bool]:
    """SQL: this person (a column) hears of what stands in all of these spaces and threads."""
    enough = ("all", "mentions") if personal else ("all",)
    conditions: list[ColumnElement[bool]] = []
    for ref, default in _defaults_of(session, refs).items():
        here = (Mute.person_id == person, Mute.ref_type == ref.type, Mute.ref_id == ref.id)
        if default in enough:
            conditions.append(~exists().where(*here, Mute.hears.not_in(enough)))
        else:
            conditions.append(exists().where(*here, Mute.hears.in_(enough)))
    return and_(*conditions) if conditions else literal(True)


# -- types and channels ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wish:
    """How one type reaches somebody by one channel: what holds, the default behind it, and whether they chose."""

    type: str
    channel: str
    value: str
    default: str
    chosen: bool


def channels(session: Session) -> list[str]:
    """The page, then whatever carries notifications elsewhere on this site."""
    from .runtime import core_of

    return [PAGE, *(one.name for _plugin, one in core_of(session).plugins.contributions(NotificationTransport))]


def own_default(kind: NotificationType, channel: str) -> str:
    """What the type itself says of a channel; one that it does not know stays silent until somebody asks for it."""
    if channel == PAGE:
        return "immediate" if kind.page else "none"
    return _OWN.get(kind.mail, kind.mail) if channel == "mail" else "none"


def defaults(session: Session) -> dict[tuple[str, str], str]:
    """What the site has set, by type and channel; one query."""
    rows = session.execute(select(NotificationDefault.type, NotificationDefault.channel, NotificationDefault.value))
    return {(kind, channel): value for kind, channel, value in rows}


def default(session: Session, kind: NotificationType, channel: str) -> str:
    """The default in force for one type; one query by key."""
    found = session.scalar(
        select(NotificationDefault.value).where(
            NotificationDefault.type == kind.name, NotificationDefault.channel == channel
        )
    )
    return found or own_default(kind, channel)


def wishes(session: Session, person_id: int | None) -> dict[tuple[str, str], Wish]:
    """Everything that holds for a person (for everybody who has not chosen, for None), in two queries."""
    from .runtime import core_of

    site = defaults(session)
    mine: dict[tuple[str, str], str] = {}
    if person_id is not None:
        query = select(NotificationChoice.type, NotificationChoice.channel, NotificationChoice.value)
        mine = {(kind, by): v for kind, by, v in session.execute(query.where(NotificationChoice.person_id == person_id))}
    found = {}
    known = channels(session)
    for _plugin, kind in core_of(session).plugins.contributions(NotificationType):
        for channel in known:
            key = (kind.name, channel)
            usual = site.get(key) or own_default(kind, channel)
            found[key] = Wish(kind.name, channel, mine.get(key, usual), usual, key in mine)
    return found


def choose(session: Session, person_id: int, type_name: str, channel: str, value: str | None) -> None:
    """Keep a person's choice; None goes back to the default.

    :raises BadInput: for a type, channel or way that does not exist.
    """
    _check(session, type_name, channel, value)
    key = {"type": type_name, "channel": channel}
    if value is None:
        session.execute(
            delete(NotificationChoice).where(
                NotificationChoice.person_id == person_id,
                NotificationChoice.type == type_name,
                NotificationChoice.channel == channel,
            )
        )
        return
    made = dialect_insert(session, NotificationChoice).values(person_id=person_id, value=value, **key)
    session.execute(
        made.on_conflict_do_update(index_elements=["person_id", "type", "channel"], set_={"value": made.excluded.value})
    )


def set_default(session: Session, type_name: str, channel: str, value: str | None, actor: Actor) -> None:
    """Set what holds for everybody who has not chosen; None goes back to the type's own.

    :raises BadInput: for a type, channel or way that does not exist.
    """
    _check(session, type_name, channel, value)
    row = session.get(NotificationDefault, (type_name, channel))
    before = None if row is None else row.value
    if before == value:
        return
    if row is None:
        session.add(NotificationDefault(type=type_name, channel=channel, value=value))
    elif value is None:
        session.delete(row)
    else:
        row.value = value
    record(session, actor, "notification.default", f"{type_name}/{channel}", before=before, after=value)
    session.flush()


def effective(person: Any, kind: NotificationType, channel: str, usual: str) -> ColumnElement[str]:
    """SQL: how this person (a column) is told of this type by this channel; ``usual`` is the default in force."""
    chosen = (
        select(NotificationChoice.value)
        .where(
            NotificationChoice.person_id == person,
            NotificationChoice.type == kind.name,
            NotificationChoice.channel == channel,
        )
        .scalar_subquery()
    )
    return func.coalesce(chosen, usual)


def effective_of_all(
    person: Any, type_column: Any, channel: str, kinds: Iterable[NotificationType], site: Mapping[tuple[str, str], str]
) -> ColumnElement[str]:
    """As :func:`effective`, for rows of any type; ``site`` is what :func:`defaults` gave."""
    usual = {kind.name: site.get((kind.name, channel)) or own_default(kind, channel) for kind in kinds}
    chosen = (
        select(NotificationChoice.value)
        .where(
            NotificationChoice.person_id == person,
            NotificationChoice.type == type_column,
            NotificationChoice.channel == channel,
        )
        .scalar_subquery()
    )
    otherwise: Any = case(usual, value=type_column, else_="none") if usual else literal("none")
    return func.coalesce(chosen, otherwise)


def _check(session: Session, type_name: str, channel: str, value: str | None) -> None:
    from .runtime import core_of

    names = {kind.name for _plugin, kind in core_of(session).plugins.contributions(NotificationType)}
    if type_name not in names:
        raise BadInput(_("No notification is called “%(name)s”.", name=type_name[:80]))
    if channel not in channels(session):
        raise BadInput(_("No notification leaves by “%(name)s”.", name=channel[:40]))
    allowed = WAYS[:2] if channel == PAGE else WAYS
    if value is not None and value not in allowed:
        raise BadInput(
            _("“%(value)s” is not a choice here.", value=value[:40]),
            remedy=_("Use one of: %(choices)s.", choices=", ".join(allowed)),
        )
