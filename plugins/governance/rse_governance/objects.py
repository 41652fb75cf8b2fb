"""What notifications of this plugin lead to: the lists of moderators, one's own page, and single cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.api import ContentInfo, ObjectRef, core_of, translator

from .models import Case

_ = translator(__file__, "rse_governance").gettext
DESK, CASE = "governance.desk", "governance.case"
QUEUE, REPORTS, MINE = ObjectRef(DESK, "queue"), ObjectRef(DESK, "reports"), ObjectRef(DESK, "mine")


def desks(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
    """Pages that everybody may know of; who may open them is decided there. No query."""
    core = core_of(session)
    prefix, everyone = core.settings.url_prefix, core.policy.everyone()
    known = {
        "queue": (_("What waits for a moderator"), "/moderation/"),
        "reports": (_("Reports"), "/moderation/reports"),
        "mine": (_("My texts and moderation"), "/moderation/mine"),
    }
    return {
        ident: ContentInfo(ObjectRef(DESK, ident), known[ident][0], prefix + known[ident][1], everyone)
        for ident in ids
        if ident in known
    }


def cases(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
    """Cases by id: the author's and the moderators' alone, as they have no audience. One query."""
    numbers = [int(ident) for ident in ids if ident.isdecimal() and len(ident) < 19]
    prefix = core_of(session).settings.url_prefix
    rows = session.execute(select(Case.id, Case.author_id, Case.space_id).where(Case.id.in_(numbers)))
    return {
        str(row.id): ContentInfo(
            ObjectRef(CASE, str(row.id)), _("A decision of the moderators"), f"{prefix}/moderation/mine#rse-case-{row.id}",
            None, space_id=row.space_id, author_id=row.author_id,
        )
        for row in rows
    }  # fmt: skip
