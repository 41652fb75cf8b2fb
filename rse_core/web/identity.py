"""Who asks: the ambient identity of the request (an adapter's), else the signed session of a hand-off.

People are keyed on (issuer, subject). A session never serves two people: when the ambient identity is another person
than the one whose session it is, the session is emptied before anything else happens.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import time
from typing import TYPE_CHECKING

from flask import g, request, session
from sqlalchemy import select

from .. import people, sessions
from ..db import utcnow
from ..errors import SignInNeeded
from ..i18n import _
from ..identity import Identity
from ..models.runtime import Preference
from ..people import PersonCard
from .state import core

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger("rse.web")

WHO, SIGNED, SINCE, NONCE, TEXT, UNTIL = "who", "signed", "since", "n", "s", "until"
#: as whom an administrator looks (:mod:`rse_core.web.viewing`)
VIEW = "view"


def current_person() -> PersonCard | None:
    """The person who asks; None for nobody, and for an account that is disabled or unknown."""
    if "rse_person" not in g:
        resolve()
    person: PersonCard | None = g.rse_person
    return person


def current_person_id() -> int | None:
    """The id of the person who asks, or None."""
    person = current_person()
    return None if person is None else person.id


def current_identity() -> Identity | None:
    """The identity that was believed, known to the directory or not."""
    if "rse_person" not in g:
        resolve()
    identity: Identity | None = g.rse_identity
    return identity


def require_person() -> PersonCard:
    """The person who asks.

    :raises SignInNeeded: when there is none; says whether the account is unknown or nobody is signed in.
    """
    person = current_person()
    if person is not None:
        return person
    if current_identity() is not None:
        raise SignInNeeded(
            _("You are signed in to the intranet, but this service does not know your account."),
            remedy=_("Ask the administrators of the intranet to add it to the directory."),
        )
    raise SignInNeeded(_("Sign in to do this."))


def resolve() -> None:
    """Find out who asks, once per request.

    :raises IdentityRefused: from the identity source, for an identity that must not be believed.
    """
    g.rse_person = g.rse_identity = None
    token_owner = g.get("rse_token_person_id")
    if token_owner is not None:
        g.rse_person = _load(token_owner)
        return
    ambient = _ambient()
    _drop_ended()
    stored = _stored()
    if ambient is not None and stored is not None and not _same(ambient, stored):
        log.info("a session was emptied: another person is signed in to the intranet")
        _clear()
        stored = None
    identity = ambient if ambient is not None else stored if session.get(SIGNED) else None
    if identity is None:
        return
    g.rse_identity = identity
    g.rse_person = _find(identity, own=True)
    _keep_alive()


def _ambient() -> Identity | None:
    ask = request.environ.get("rse.ask_host")
    if ask is not None:
        found: Identity | None = ask()
        if found is not None:
            return found
    source = core().plugins.identity_source()
    return source.identify(request.environ) if source is not None else None


def _drop_ended() -> None:
    """A session that was ended, here or elsewhere, is over; so is one of a time when they had no row."""
    if not session.get(SIGNED):
        return
    text, hours = session.get(TEXT), core().settings.session_hours
    with core().db.read() as db:
        row = sessions.current(db, text) if isinstance(text, str) else None
    if row is None:
        _clear()
    elif utcnow() - row.seen_at > sessions.NOTED:
        with core().db.write() as db:
            sessions.note_use(db, row.id, hours=hours, until=_latest())


def _latest() -> dt.datetime | None:
    """When the session is over however much it is used: it stands in the signed cookie, beside the session's text."""
    until = session.get(UNTIL)
    return dt.datetime.fromtimestamp(until, dt.UTC) if isinstance(until, int) else None


def session_text() -> str:
    """The text of the session that asks; "" for whom the intranet vouches at each request."""
    text = session.get(TEXT)
    return text if isinstance(text, str) and session.get(SIGNED) else ""


def sign_in(identity: Identity, *, sid: str = "", until: dt.datetime | None = None) -> PersonCard | None:
    """Begin a session for somebody whom an adapter has vouched for (a hand-off). The CSRF token changes.

    :param sid: what the provider calls the session, by which it may end it (:func:`rse_core.sessions.end`).
    :param until: when the provider wants the session to be over at the latest, to the second; None: while it is used.
    :returns: the person, or None when the directory does not know them (nothing is begun).
    """
    _clear()
    g.rse_identity = identity
    g.rse_person = _find(identity)
    if g.rse_person is not None:
        session[WHO] = [identity.issuer, identity.subject, identity.username]
        session[SIGNED] = True
        if until is not None:
            session[UNTIL] = int(until.timestamp())
        with core().db.write() as db:
            session[TEXT] = sessions.begin(
                db, g.rse_person.id, identity, hours=core().settings.session_hours, sid=sid, until=_latest(),
                agent=request.headers.get("User-Agent", "")[:400],
            )  # fmt: skip
        session[SINCE] = int(time.time())
        session[NONCE] = secrets.token_urlsafe(18)
        session.permanent = True
    person: PersonCard | None = g.rse_person
    return person


def sign_out() -> None:
    """End the session. An ambient identity, which RSE did not give, is not ended by this."""
    text = session_text()
    _clear()
    if text:
        with core().db.write() as db:
            sessions.end_text(db, text)
    g.rse_person = g.rse_identity = None


def _clear() -> None:
    """Empty the session; an administrator who was looking as somebody else no longer does, and that is noted."""
    if VIEW in session:
        from . import viewing

        viewing.finish()
        viewing.stop("signed out")
    session.clear()


def session_nonce() -> str:
    """What the CSRF token is bound to; begins a session when there is none."""
    nonce = session.get(NONCE)
    if not isinstance(nonce, str):
        nonce = secrets.token_urlsafe(18)
        session[NONCE] = nonce
        session[SINCE] = int(time.time())
        session.permanent = True
    identity = current_identity()
    if identity is not None and WHO not in session:
        session[WHO] = [identity.issuer, identity.subject, identity.username]
    return nonce


def _stored() -> Identity | None:
    who = session.get(WHO)
    if not (isinstance(who, list) and len(who) == 3):
        return None
    return Identity(str(who[0]), str(who[1]), username=who[2])


def _same(ambient: Identity, stored: Identity) -> bool:
    if (ambient.issuer, ambient.subject) == (stored.issuer, stored.subject):
        return True
    # The header and the hand-off may vouch for one person under two issuers.
    first, second = _find(ambient), _find(stored)
    return first is not None and second is not None and first.id == second.id


def _keep_alive() -> None:
    # Sliding expiry, without a Set-Cookie on every answer.
    since = session.get(SINCE)
    if isinstance(since, int) and time.time() - since > core().settings.session_hours * 1800:
        session[SINCE] = int(time.time())


def _find(identity: Identity, *, own: bool = False) -> PersonCard | None:
    with core().db.read() as db:
        known = people.known(db, identity)
        if known is not None:
            if own:
                g.rse_preferences = known[1]
            return known[0]
        person = people.for_identity(db, identity)
        return None if person is None else people.card(db, person.id)


def _load(person_id: int) -> PersonCard | None:
    with core().db.read() as db:
        card = people.card(db, person_id)
    return card if card is not None and card.active else None


def preferences(db: Session, person_id: int) -> dict[str, object]:
    """The person's own choices, read once per request."""
    if "rse_preferences" not in g:
        rows = db.execute(select(Preference.key, Preference.value).where(Preference.person_id == person_id))
        g.rse_preferences = {row.key: row.value for row in rows}
    found: dict[str, object] = g.rse_preferences
    return found
