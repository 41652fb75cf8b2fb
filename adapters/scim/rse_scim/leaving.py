"""The threshold that stops a mass deactivation: a filter changed by mistake at the provider must not empty the intranet."""

from __future__ import annotations

import datetime as dt
import logging

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, TooMany, option, utcnow

from .config import SOURCE, Config
from .i18n import _
from .models import Leaving, ScimUser

logger = logging.getLogger("rse.scim")
#: The setting that a site administrator raises while many people really leave.
SETTING = "scim.leaving_percent"
DEFAULT_PERCENT = 10


def parse_percent(value: object) -> int:
    """:raises BadInput: unless it is a whole number from 0 to 100."""
    text = str(value).strip()
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or int(text) > 100:
        raise BadInput(_("“%(value)s” is not a whole number from 0 to 100.", value=text[:20]))
    return int(text)


def leave(session: Session, person_id: int, config: Config) -> None:
    """Count somebody who is about to be disabled.

    :raises TooMany: when more than the share that is allowed would have left within the window; nothing is counted then.
    """
    since = utcnow() - dt.timedelta(seconds=config.leaving_window)
    session.execute(delete(Leaving).where(Leaving.at < since))
    count = (session.scalar(select(func.count()).select_from(Leaving)) or 0) + 1
    if count > config.leaving_free:
        # Whoever was deleted has no resource any more, but was among those of whom this is a share.
        gone = ~select(ScimUser.number).where(ScimUser.person_id == Leaving.person_id).exists()
        known = session.scalar(select(func.count()).select_from(ScimUser)) or 0
        known += session.scalar(select(func.count()).select_from(Leaving).where(gone)) or 0
        percent = int(option(session, SETTING))
        if count * 100 > known * percent:
            logger.warning(
                "%s: %d of %d people would have been disabled within %d s, more than %d %%: refused",
                SOURCE, count, known, config.leaving_window, percent,
            )  # fmt: skip
            raise TooMany(
                _(
                    "%(count)s of %(known)s people would have left within %(hours)s hours, more than %(percent)s %%: this "
                    "one was not disabled. Check what the identity provider sends; if they have really left, raise the "
                    "setting %(setting)s for the time being.",
                    count=count, known=known, hours=max(1, config.leaving_window // 3600), percent=percent, setting=SETTING,
                ),
                retry_after=3_600,
            )  # fmt: skip
    session.merge(Leaving(person_id=person_id, at=utcnow()))
    session.flush()


def come_back(session: Session, person_id: int) -> None:
    """They are back: they no longer count among those who left."""
    session.execute(delete(Leaving).where(Leaving.person_id == person_id))
