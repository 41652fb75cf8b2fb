"""What the sign-ins at a server have in common: a session of its own, a page for each refusal, a way back."""

from __future__ import annotations

import datetime as dt

from flask import request
from werkzeug.wrappers import Response

from rse_core.api import Identity
from rse_core.webapi import session_read, sign_in

from .handoff import log_refusal, peer_for_log
from .reasons import Reason, SsoRefused


def begin_session(identity: Identity, sid: str, until: float | None = None) -> None:
    """The session before, if any, is emptied first: nobody can be given one that somebody else knows.

    :param until: seconds since 1970 at which the provider wants it to be over, None when it does not say.
    :raises SsoRefused: ``person_unknown`` or ``person_disabled``.
    """
    latest = None if until is None else dt.datetime.fromtimestamp(until, dt.UTC)
    if sign_in(identity, sid=sid, until=latest) is None:
        reason = Reason.PERSON_DISABLED if _is_disabled(identity) else Reason.PERSON_UNKNOWN
        raise SsoRefused(reason, f"issuer {identity.issuer}")


def refused(refusal: SsoRefused, issuer: str) -> SsoRefused:
    """The refusal, once the administrator's line is written."""
    named = SsoRefused(refusal.reason, f"issuer {issuer}" + (f", {refusal.detail}" if refusal.detail else ""))
    log_refusal(named if "issuer" not in refusal.detail else refusal, peer_for_log(request.environ))
    return named


def private(answer: Response) -> Response:
    """Kept by no cache, and its address by no referrer."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _is_disabled(identity: Identity) -> bool:
    from sqlalchemy import or_, select

    from rse_core.models.organisation import Person, PersonIdentity

    known = select(PersonIdentity.person_id).where(
        PersonIdentity.issuer == identity.issuer, PersonIdentity.subject == identity.subject
    )
    with session_read() as session:
        return (
            session.scalar(
                select(Person.id).where(
                    Person.status != "active", or_(Person.id.in_(known), Person.username == identity.username)
                )
            )
            is not None
        )
