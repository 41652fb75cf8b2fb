"""What the owners of a plan are told: a wave has opened, or stays closed because its gate does not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from .content import ContentInfo, ContentType, ObjectRef
from .contributions import NotificationType
from .i18n import LazyText, Text, _, lazy
from .models.organisation import Person, RoleGrant
from .models.rollout import RolloutPlan, RolloutWave

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

TYPE = "core.rollout"


def _resolve(session: Session, ids: Sequence[str]) -> dict[str, ContentInfo]:
    from .runtime import core_of

    wanted = [int(one) for one in ids if one.isdigit() and len(one) < 19]
    rows = session.execute(
        select(RolloutWave.id, RolloutWave.name, RolloutPlan.name)
        .join(RolloutPlan, RolloutPlan.id == RolloutWave.plan_id).where(RolloutWave.id.in_(wanted))
    )  # fmt: skip
    prefix = core_of(session).settings.url_prefix
    return {
        str(ident): ContentInfo(
            ObjectRef("wave", str(ident)), f"{plan} · {wave}", f"{prefix}/admin/rollout/{ident}/sheet", None
        )
        for ident, wave, plan in rows
    }


def _render(_count: int, data: Mapping[str, Any]) -> Text:
    wave = str(data.get("wave", ""))
    if data.get("state") == "open":
        return lazy("The wave “%(wave)s” has opened.", wave=wave)
    return LazyText(lambda: _("The wave “%(wave)s” stays closed: its conditions are not met.", wave=wave))


#: A wave as something that a notification can point at; only those who administer the site see its page.
WAVE = ContentType("wave", lazy("wave"), _resolve, moderated=False)
NOTIFICATION = NotificationType(
    TYPE, lazy("A wave of the rollout opens, or stays closed"), _render, mail="immediate", stays=True, personal=True
)


def tell(session: Session, wave: RolloutWave, owners: Sequence[str], state: str) -> None:
    """Tell the owners, or the site's administrators where the plan names none; once for each state and day."""
    from .notify import notify_many

    if owners:
        people = select(Person.id).where(Person.username.in_(owners))
    else:
        people = select(RoleGrant.person_id).where(RoleGrant.role == "site_admin", RoleGrant.scope == "site")
    cause = f"wave:{wave.id}:{state}:{wave.changed_at.date().isoformat()}"
    notify_many(
        session, list(session.scalars(people)), TYPE, ObjectRef("wave", str(wave.id)), actor_id=None, cause=cause,
        data={"wave": wave.name, "state": state}, firm=True,
    )  # fmt: skip
