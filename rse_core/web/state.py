"""The running core inside a request, its sessions, and who looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from flask import current_app, g, request
from sqlalchemy.orm import Session

from ..audit import Actor
from ..contributions import Viewer
from ..db import utcnow
from ..i18n import current_locale
from ..onlookers import is_onlooker
from ..preferences import OWN
from ..ratelimit import limit
from ..runtime import Core

if TYPE_CHECKING:
    from ..extension import RSE


def rse() -> RSE:
    """The extension that made this application."""
    extension: RSE = current_app.extensions["rse"]
    return extension


def core() -> Core:
    """The running core."""
    return rse().core


@contextmanager
def session_read() -> Iterator[Session]:
    """A session for reading; use it as a context manager and keep the block short."""
    with core().db.read() as session:
        person = g.get("rse_person")
        if person is not None and "rse_preferences" in g and request.method in ("GET", "HEAD"):
            session.info[OWN] = (person.id, g.rse_preferences)
        yield session


def session_write() -> AbstractContextManager[Session]:
    """One writing transaction, committed at the end of the block, rolled back on any error."""
    g.pop("rse_preferences", None)
    return core().db.write()


def slow_down(person_id: int, what: str, *, most: int, seconds: int) -> None:
    """Count a request that only reads, in a transaction of its own; an onlooker's is not counted.

    :raises TooMany: see :func:`~rse_core.ratelimit.limit`.
    """
    if not is_onlooker(person_id):
        with session_write() as session:
            limit(session, person_id, what, most=most, seconds=seconds)


def actor() -> Actor:
    """Who acts, for histories and the audit log.

    :raises SignInNeeded: when nobody is signed in.
    """
    from .identity import require_person

    person = require_person()
    return Actor(person.username, person.id)


def viewer(params: Mapping[str, str] | None = None, *, embed: bool | None = None) -> Viewer:
    """Who looks at the markup that is being made.

    :param params: what the request asked of this slot.
    :param embed: the markup goes into the legacy page; by default as the request says.
    """
    from .fragments import wants_fragment
    from .identity import current_person_id

    return Viewer(
        person_id=current_person_id(),
        locale=current_locale(),
        prefix=request.script_root or core().settings.url_prefix,
        embed=wants_fragment() or bool(g.get("rse_embedding")) if embed is None else embed,
        now=utcnow(),
        params=dict(params or {}),
    )
