"""Sessions that RSE itself began (a hand-off, single sign-on): kept on the server, listed and ended by their owner.

The browser's cookie holds a random text, the database only its SHA-256. A session that was ended is over at the next
request, on every server. What the intranet vouches for with each request (a trusted header) needs no session and cannot be
ended here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from .audit import Actor, record
from .db import utcnow
from .errors import NotFound
from .i18n import _
from .identity import Identity
from .live import say_changed
from .live.hub import SESSION
from .models.organisation import Person
from .models.runtime import SignedSession

#: How often it is noted that a session is used: not at each request.
NOTED = dt.timedelta(minutes=10)
#: Ended ones are kept so long, for whoever asks what happened.
KEPT = dt.timedelta(days=30)
#: Sessions that one person may have at once; the oldest ends when another begins.
MOST = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as its owner sees it. ``mine``: the one that asks."""

    id: int
    label: str
    began_at: dt.datetime
    seen_at: dt.datetime
    mine: bool


def begin(
    session: Session, person_id: int, identity: Identity, *, hours: int, sid: str = "", agent: str = "",
    until: dt.datetime | None = None,
) -> str:  # fmt: skip
    """Begin one; its text for the cookie, given back once.

    :param sid: the provider's own name of the session, by which it may end it.
    :param agent: the ``User-Agent``, of which the browser and the system are kept.
    :param until: when it is over at the latest, however much it is used.
    """
    text, now = secrets.token_urlsafe(32), utcnow()
    own = select(SignedSession.id).where(SignedSession.person_id == person_id, SignedSession.ended_at.is_(None))
    _end(session, session.scalars(own.order_by(SignedSession.seen_at.desc()).offset(MOST - 1)).all(), "too many")
    session.add(
        SignedSession(
            digest=_digest(text), person_id=person_id, issuer=identity.issuer[:300], subject=identity.subject[:300],
            sid=sid[:200], label=browser(agent), began_at=now, seen_at=now, expires_at=_end_of_use(now, hours, until),
        )
    )  # fmt: skip
    return text


def current(session: Session, text: str) -> SignedSession | None:
    """The session of this text, while it stands and its person has not left; one indexed query."""
    return session.scalar(
        select(SignedSession)
        .join(Person, Person.id == SignedSession.person_id)
        .where(
            SignedSession.digest == _digest(text), SignedSession.ended_at.is_(None), SignedSession.expires_at > utcnow(),
            Person.status == "active",
        )
    )  # fmt: skip


def note_use(session: Session, session_id: int, *, hours: int, until: dt.datetime | None = None) -> None:
    """It is used, and stands as long again, but not beyond ``until``."""
    now = utcnow()
    session.execute(
        update(SignedSession)
        .where(SignedSession.id == session_id, SignedSession.ended_at.is_(None))
        .values(seen_at=now, expires_at=_end_of_use(now, hours, until))
    )


def list_for(session: Session, person_id: int, text: str = "") -> list[Shown]:
    """A person's sessions that stand, the last used first.

    :param text: that of the session that asks, to mark it.
    """
    rows = session.scalars(
        select(SignedSession)
        .where(SignedSession.person_id == person_id, SignedSession.ended_at.is_(None), SignedSession.expires_at > utcnow())
        .order_by(SignedSession.seen_at.desc(), SignedSession.id.desc())
    )
    own = _digest(text) if text else b""
    return [Shown(row.id, row.label, row.began_at, row.seen_at, row.digest == own) for row in rows]


def end_one(session: Session, person_id: int, session_id: int, *, actor: Actor) -> None:
    """End a person's session.

    :raises NotFound: for another's, as for one that is over or never was.
    """
    row = session.get(SignedSession, session_id)
    if row is None or row.person_id != person_id or row.ended_at is not None:
        raise NotFound(_("There is no such session."), remedy=_("It may be over already."))
    _end(session, [row.id], "owner" if actor.person_id == person_id else "administrator")
    _record(session, actor, person_id, 1)


def end_all(session: Session, person_id: int, *, actor: Actor, but: str = "", why: str = "owner") -> int:
    """End all of a person's sessions, or all but the one with this text; how many."""
    query = select(SignedSession.id).where(SignedSession.person_id == person_id, SignedSession.ended_at.is_(None))
    if but:
        query = query.where(SignedSession.digest != _digest(but))
    count = _end(session, session.scalars(query).all(), why)
    if count:
        _record(session, actor, person_id, count)
    return count


def end(session: Session, *, issuer: str, subject: str = "", sid: str = "") -> int:
    """What a provider asks when somebody signs out there: end the session of this ``sid``, or all of the subject's.

    :returns: how many; none when it names nothing.
    """
    if not (subject or sid):
        return 0
    query = select(SignedSession.id).where(SignedSession.issuer == issuer, SignedSession.ended_at.is_(None))
    query = query.where(SignedSession.sid == sid) if sid else query
    query = query.where(SignedSession.subject == subject) if subject else query
    return _end(session, session.scalars(query).all(), "provider")


def end_text(session: Session, text: str) -> None:
    """Sign-out: the session of this text is over."""
    row = select(SignedSession.id).where(SignedSession.digest == _digest(text), SignedSession.ended_at.is_(None))
    _end(session, session.scalars(row).all(), "signed out")


def end_of(session: Session, person_ids: Iterable[int], why: str) -> None:
    """End all sessions of these people: they have left, or their sign-in was unlinked."""
    ids = list(person_ids)
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        session.execute(
            update(SignedSession)
            .where(SignedSession.person_id.in_(some), SignedSession.ended_at.is_(None))
            .values(ended_at=utcnow(), ended_why=why)
        )
        say_changed(session, *(f"{SESSION}:{one}" for one in some))


def prune(session: Session) -> None:
    """Forget those that have been over for long."""
    before = utcnow() - KEPT
    session.execute(delete(SignedSession).where(SignedSession.expires_at < before))
    session.execute(delete(SignedSession).where(SignedSession.ended_at < before))


def _end_of_use(now: dt.datetime, hours: int, until: dt.datetime | None) -> dt.datetime:
    unused = now + dt.timedelta(hours=hours)
    return unused if until is None else min(unused, until)


def _end(session: Session, ids: Iterable[int], why: str) -> int:
    some = list(ids)
    if some:
        ended = update(SignedSession).where(SignedSession.id.in_(some)).values(ended_at=utcnow(), ended_why=why)
        whose = session.scalars(ended.returning(SignedSession.person_id)).all()
        # What they listen to ends at once.
        say_changed(session, *(f"{SESSION}:{one}" for one in whose))
    return len(some)


def _record(session: Session, actor: Actor, person_id: int, count: int) -> None:
    username = session.scalar(select(Person.username).where(Person.id == person_id))
    record(session, actor, "session.end", f"person:{username}", after={"sessions": count})


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser(agent: str) -> str:
    """What a person recognises their browser by.

    >>> browser("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox, Linux'
    """
    name = next((shown for sign, shown in _BROWSERS if sign in agent), "")
    system = next((shown for sign, shown in _SYSTEMS if sign in agent), "")
    return ", ".join(filter(None, (name, system)))
