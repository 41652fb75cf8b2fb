"""Who is told of what: moderators of what waits, grouped; authors of decisions; reporters of what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import moderation
from rse_core.api import (
    Event,
    LazyText,
    NotificationType,
    ObjectRef,
    Target,
    core_of,
    notify,
    translator,
    withdraw,
)
from rse_core.models.governance import Held
from rse_core.notify import notify_many

from . import access, cases, objects
from .models import Case, Report

_t = translator(__file__, "rse_governance")
_, lazy = _t.gettext, _t.lazy


def waiting(session: Session, event: Event) -> None:
    """The nearest moderators are told that something waits; looked at again now, as it may be decided already."""
    held = session.get(Held, event.data.get("held") or 0)
    if held is None or held.state != "pending":
        return
    people = moderation.moderators(
        session, audience_id=held.audience_id, entity_id=held.entity_id, space_id=held.space_id, nearest=True
    )
    people = access.who_may_look(session, people, held.audience_id) - {held.author_id or 0}
    if not people:
        # Whoever runs the space wrote it: those of the site see to it that somebody decides.
        people = moderation.moderators(session, audience_id=None) - {held.author_id or 0}
    notify_many(session, people, "governance.waiting", objects.QUEUE, actor_id=held.author_id, cause=f"held:{held.id}")


def decided(session: Session, event: Event) -> None:
    """Nobody needs to look at it any more; its author learns what became of it, and why."""
    held = session.get(Held, event.data.get("held") or 0)
    withdraw(session, f"held:{event.data.get('held')}")
    if held is None or held.author_id is None or event.ref is None:
        return
    if event.name == "moderation.approved":
        kind = "governance.approved"
    elif _tells_itself(session, event.ref):
        return
    else:
        kind = "governance.refused"
    notify(
        session, held.author_id, kind, event.ref, actor_id=event.actor_id, cause=f"decided:{held.id}",
        data={"reason": held.reason},
    )  # fmt: skip


def amended(session: Session, event: Event) -> None:
    """A moderator corrected what waits."""
    author = event.data.get("author")
    if author is not None and event.ref is not None:
        notify(
            session, author, "governance.amended", event.ref, actor_id=event.actor_id, cause=f"amended:{event.id}", firm=True
        )


def undeleted(session: Session, event: Event) -> None:
    """A moderator took something out of the recycle bin."""
    author = event.data.get("author")
    if author is not None and event.ref is not None:
        notify(session, author, "governance.undeleted", event.ref, actor_id=event.actor_id, cause=f"undeleted:{event.id}")


def reported(session: Session, event: Event) -> None:
    """Moderators are told of reports and appeals; never the author, and not who reported."""
    case = session.get(Case, event.data.get("case") or 0)
    if case is None or case.state not in ("open", "appealed"):
        return
    people = moderation.moderators(
        session, audience_id=case.audience_id, entity_id=case.entity_id, space_id=case.space_id, nearest=True
    )
    out = {case.author_id or 0} | ({case.decided_by or 0} if case.state == "appealed" else set())
    told = set() if case.escalated else access.who_may_look(session, people, case.audience_id) - out
    told = told or moderation.moderators(session, audience_id=None) - out
    kind = "governance.appealed" if case.state == "appealed" else "governance.reported"
    data = {"site": True} if case.escalated else {}
    notify_many(session, told, kind, objects.REPORTS, actor_id=None, cause=f"case:{case.id}", data=data)


def hidden(session: Session, event: Event) -> None:
    """So many people reported it that it was taken down: its author is told, and may appeal."""
    case = session.get(Case, event.data.get("case") or 0)
    if case is not None and case.author_id is not None and case.automatic:
        _tell_author(session, case, "governance.hidden", event, _reports=True)


def taken_down(session: Session, event: Event) -> None:
    """A moderator took something down where it stands; the plugin tells its author, here they may appeal."""
    if event.ref is None:
        return
    data = event.data
    target = Target(event.audience_id, space_id=data.get("space"), author_id=data.get("author"))
    cases.noted_down(
        session, event.ref, author_id=data.get("author"), by_id=event.actor_id, reason=str(data.get("reason", "")),
        target=target,
    )  # fmt: skip


def case_decided(session: Session, event: Event) -> None:
    """The author is told when something changed for them; who reported it, what became of it."""
    case = session.get(Case, event.data.get("case") or 0)
    if case is None or event.ref is None:
        return
    withdraw(session, f"case:{case.id}")
    if event.name == "governance.appeal_decided":
        _tell_author(session, case, "governance.appeal_decided", event)
        return
    if case.state == "hidden":
        _tell_author(session, case, "governance.hidden", event)
    reporters = select(Report.person_id).where(Report.case_id == case.id, Report.person_id.is_not(None))
    notify_many(
        session, list(session.scalars(reporters)), "governance.report_decided", event.ref, actor_id=None,
        cause=f"report:{case.id}:{event.id}", data={"hidden": case.state == "hidden"},
    )  # fmt: skip


def _tell_author(session: Session, case: Case, kind: str, event: Event, *, _reports: bool = False) -> None:
    if case.author_id is None:
        return
    reason = case.appeal_reason if kind == "governance.appeal_decided" else case.reason
    notify(
        session, case.author_id, kind, ObjectRef(objects.CASE, str(case.id)), actor_id=None, cause=f"{kind}:{event.id}",
        data={"reason": "" if _reports else reason, "state": case.state, "final": not _reports and not case.appealable},
        firm=True,
    )  # fmt: skip


def _tells_itself(session: Session, ref: ObjectRef) -> bool:
    """Whether the object's plugin has a notification of its own for a refusal, by its name: ``comments.refused``."""
    name = f"{ref.type.partition('.')[0]}.refused"
    kinds = core_of(session).plugins.contributions(NotificationType)
    return any(kind.name == name for _plugin, kind in kinds)


# -- in words ----------------------------------------------------------------------------------------------------------


def _reason(data: Mapping[str, Any]) -> str:
    return str(data.get("reason") or "–")


def _waiting(count: int, _data: Mapping[str, Any]) -> LazyText:
    return LazyText(lambda: _t.ngettext(
        "What %(num)s person wrote waits for a moderator.", "What %(num)s people wrote waits for a moderator.", max(count, 1)
    ))  # fmt: skip


def _suspended(_count: int, data: Mapping[str, Any]) -> LazyText:
    def text() -> str:
        until = dt.datetime.fromisoformat(str(data["until"])).date().isoformat() if data.get("until") else "–"
        return _("You cannot write until %(date)s; you go on reading. Reason: %(reason)s", date=until, reason=_reason(data))

    return LazyText(text)


def _appeal(_count: int, data: Mapping[str, Any]) -> LazyText:
    if data.get("state") == "restored":
        return lazy("Your appeal was granted: what you wrote is shown again. Reason: %(reason)s", reason=_reason(data))
    return lazy("Your appeal was not granted. Reason: %(reason)s", reason=_reason(data))


def _appealed(_count: int, data: Mapping[str, Any]) -> LazyText:
    if data.get("site"):
        return lazy(
            "Somebody appeals against a decision where nobody else moderates: a moderator of the whole site decides."
        )
    return lazy("Somebody appeals against a decision: another moderator decides.")


def _report(_count: int, data: Mapping[str, Any]) -> LazyText:
    if data.get("hidden"):
        return lazy("What you reported was taken down. Thank you for telling.")
    return lazy("The moderators looked at what you reported and left it in place.")


def _hidden(_count: int, data: Mapping[str, Any]) -> LazyText:
    if not data.get("reason"):
        return lazy("Several people reported what you wrote: it is not shown until a moderator decides. You may appeal.")
    if data.get("final"):
        return lazy("What you wrote was taken down. Reason: %(reason)s", reason=_reason(data))
    return lazy("What you wrote was taken down. Reason: %(reason)s You may appeal.", reason=_reason(data))


def _refused(_count: int, data: Mapping[str, Any]) -> LazyText:
    return lazy("What you wrote was not published. Reason: %(reason)s", reason=_reason(data))


def types() -> Iterable[NotificationType]:
    """Every kind."""
    yield NotificationType("governance.waiting", lazy("Something waits for you as a moderator"), _waiting, stays=True)
    yield NotificationType(
        "governance.reported", lazy("Something was reported where you moderate"),
        lambda _count, _data: lazy("Something that you moderate was reported."), mail="immediate", stays=True,
    )  # fmt: skip
    yield NotificationType(
        "governance.appealed", lazy("Somebody appeals where you moderate"),
        _appealed, stays=True,
    )  # fmt: skip
    yield NotificationType(
        "governance.approved", lazy("What you wrote was approved"),
        lambda _count, data: lazy("What you wrote is published: %(title)s", title=str(data.get("title", ""))),
        personal=True, stays=True,
    )  # fmt: skip
    yield NotificationType(
        "governance.refused", lazy("What you wrote was refused"), _refused, mail="immediate", personal=True, stays=True
    )
    yield NotificationType(
        "governance.amended", lazy("A moderator corrected what you wrote"),
        lambda _count, _data: lazy("A moderator corrected what you wrote; its history shows how."), personal=True,
        stays=True,
    )  # fmt: skip
    yield NotificationType(
        "governance.undeleted", lazy("Something of yours was taken out of the recycle bin"),
        lambda _count, data: lazy("A moderator shows again: %(title)s", title=str(data.get("title", ""))),
        personal=True, stays=True,
    )  # fmt: skip
    yield NotificationType(
        "governance.hidden", lazy("What you wrote was taken down"), _hidden, mail="immediate", personal=True, stays=True
    )
    yield NotificationType(
        "governance.appeal_decided", lazy("Your appeal was decided"), _appeal, mail="immediate", personal=True, stays=True
    )
    yield NotificationType(
        "governance.report_decided", lazy("What you reported was decided on"), _report, personal=True, stays=True
    )
    yield NotificationType(
        "governance.suspended", lazy("Your writing is suspended"), _suspended, mail="immediate", personal=True, stays=True
    )
