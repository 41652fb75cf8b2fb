"""Who takes over is told: by a notification that leads to what they keep from now on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from .content import ContentInfo, ContentType, ObjectRef
from .contributions import NotificationType
from .i18n import LazyText, Text, _, lazy, ngettext
from .models.handover import Handover
from .models.organisation import Person

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

TYPE = "core.handover"


def ref_of(handover_id: int) -> ObjectRef:
    """What a notification points at."""
    return ObjectRef("handover", str(handover_id))


def cause_of(handover_id: int) -> str:
    """What notifications of a handover are caused by."""
    return f"handover:{handover_id}"


def _resolve(session: Session, ids: Sequence[str]) -> dict[str, ContentInfo]:
    from .runtime import core_of

    wanted = [int(one) for one in ids if one.isdigit() and len(one) < 19]
    rows = session.execute(
        select(Handover.id, Person.display_name).join(Person, Person.id == Handover.person_id)
        .where(Handover.id.in_(wanted))
    )  # fmt: skip
    prefix = core_of(session).settings.url_prefix
    return {
        str(ident): ContentInfo(
            ref_of(ident), _("What %(name)s left", name=name), f"{prefix}/leavers/kept/{ident}", None
        )
        for ident, name in rows
    }  # fmt: skip


def _render(_count: int, data: Mapping[str, Any]) -> Text:
    count = int(data.get("count", 0))
    return LazyText(
        lambda: ngettext(
            "You keep %(num)s thing that somebody left who is no longer here.",
            "You keep %(num)s things that somebody left who is no longer here.",
            count,
        )
    )


#: A handover as something that a notification can point at; its page says to whom it is shown.
CONTENT = ContentType("handover", lazy("handover"), _resolve, moderated=False)
NOTIFICATION = NotificationType(
    TYPE, lazy("You take over what a leaver kept"), _render, mail="immediate", stays=True, personal=True
)
