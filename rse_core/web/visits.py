"""What a request teaches: a visit, once per person and day, at every level (the baseline of a rollout must exist before it
begins), and the names of the page, from those who may do something on it."""

from __future__ import annotations

import logging

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from .. import indicators
from ..content import ObjectRef
from ..errors import RseError
from ..files import FileInfo
from ..levels import Level
from ..onlookers import is_onlooker
from ..pages import PageClaim, PageIdentity
from ..people import PersonCard
from ..ratelimit import limit
from .state import core, session_write

log = logging.getLogger("rse.web")


def note_visit(person: PersonCard | None) -> None:
    """Note today's visit of the person who asks; most requests write nothing."""
    if person is None or is_onlooker(person.id) or indicators.visited_today(core(), person.id):
        return
    try:
        with session_write() as session:
            indicators.record_visit(session, person.id)
    except Exception:
        # A visit that could not be noted must not cost anybody the page; the next request tries again.
        log.exception("a visit could not be noted")


def note_file(person_id: int | None, info: FileInfo) -> None:
    """Note that somebody opened a file of a text: of each text once a day."""
    if person_id is None or is_onlooker(person_id) or info.ref is None or info.kind == "image":
        return
    _note_opening(person_id, str(info.ref), info.ref)


def note_publication(person: PersonCard | None, page: PageIdentity) -> None:
    """Note that somebody opened a publication of the intranet; once a day, whichever and however many."""
    if person is not None and not is_onlooker(person.id) and page.listed:
        _note_opening(person.id, "page", None)


def _note_opening(person_id: int, what: str, ref: ObjectRef | None) -> None:
    if indicators.opened_today(core(), person_id, what):
        return
    try:
        with session_write() as session:
            indicators.record_opening(session, person_id, what, ref=ref)
    except Exception:
        # As of a visit: nobody is kept from a document by what could not be counted.
        log.exception("an opened document could not be noted")


#: New names of pages that one person's browser may teach within an hour.
NAMES_PER_HOUR = 300


def learn_page(session: Session, claim: PageClaim) -> PageIdentity:
    """The page a claim speaks of; what is new in it is learnt when somebody who may react says it.

    :raises NotFound: outside the intranet.
    """
    running = core()
    page = running.pages.identify(session, claim)
    if page.settled or claim.person_id is None or is_onlooker(claim.person_id):
        return page
    if running.policy.level_of(session, claim.person_id, running.pages.target_of(page)) < Level.REACT:
        return page
    try:
        with session_write() as writing:
            limit(writing, claim.person_id, "pages.learn", most=NAMES_PER_HOUR, seconds=3600)
            return running.pages.identify(writing, claim, create=True)
    except RseError:
        return page
    except DBAPIError:
        # Two browsers teach the same names at once and one loses: nothing of the page hangs on it, and the next
        # visit tries again.
        log.warning("the names of a page could not be learnt", exc_info=True)
        return page
