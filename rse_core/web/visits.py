"""What a request teaches: a visit, once per person and day, at every level (the baseline of a rollout must exist before it
begins), and the names of the page, from those who may do something on it."""

from __future__ import annotations

import logging

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from .. import indicators
from ..errors import RseError
from ..levels import Level
from ..pages import PageClaim, PageIdentity
from ..people import PersonCard
from ..ratelimit import limit
from .state import core, session_write

log = logging.getLogger("rse.web")


def note_visit(person: PersonCard | None) -> None:
    """Note today's visit of the person who asks; most requests write nothing."""
    if person is None or indicators.visited_today(core(), person.id):
        return
    try:
        with session_write() as session:
            indicators.record_visit(session, person.id)
    except Exception:
        # A visit that could not be noted must not cost anybody the page; the next request tries again.
        log.exception("a visit could not be noted")


#: New names of pages that one person's browser may teach within an hour.
NAMES_PER_HOUR = 300


def learn_page(session: Session, claim: PageClaim) -> PageIdentity:
    """The page a claim speaks of; what is new in it is learnt when somebody who may react says it.

    :raises NotFound: outside the intranet.
    """
    running = core()
    page = running.pages.identify(session, claim)
    if page.settled or claim.person_id is None:
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
