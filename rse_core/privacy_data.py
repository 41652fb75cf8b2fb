"""The core's own personal data, kind by kind: how it is exported and erased."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Select, String, cast, delete, or_, select, update
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session

from . import audiences, indicators_facts, richtext
from .contributions import PersonalData
from .files_upkeep import PERSONAL as FILES
from .i18n import lazy
from .models.content import Mention
from .models.governance import (
    Audit,
    Charter,
    CharterAcceptance,
    Held,
    ReviewRule,
    Suspension,
)
from .models.handover import Handover
from .models.indicators import Fact, Pseudonym, Signal, Standing
from .models.levels import CapabilityShift, LevelRow, PluginSwitch
from .models.notices import Broadcast, BroadcastMark, BroadcastReader, Mute, NotificationChoice
from .models.organisation import (
    Assistant,
    DirectoryRun,
    Entity,
    Group,
    GroupMember,
    Person,
    PersonEntity,
    PersonIdentity,
    RoleGrant,
    Space,
    SpaceMember,
)
from .models.rollout import RolloutPlan, RolloutWave
from .models.runtime import (
    IdempotencyKey,
    NotificationRow,
    Preference,
    RateMark,
    SettingRow,
    SignedSession,
    Token,
    Visit,
)
from .places import assistants, others
from .rollout_plan import without_owner

Rows = Iterable[Mapping[str, Any]]

#: Columns in which the name of who acted stands as text.
_LABELS: tuple[tuple[type[DeclarativeBase], InstrumentedAttribute[str]], ...] = (
    (Audit, Audit.actor),
    (LevelRow, LevelRow.created_by),
    (CapabilityShift, CapabilityShift.changed_by),
    (PluginSwitch, PluginSwitch.changed_by),
    (Charter, Charter.published_by),
    (Suspension, Suspension.created_by),
    (Suspension, Suspension.lifted_by),
    (ReviewRule, ReviewRule.created_by),
    (SettingRow, SettingRow.changed_by),
    (RoleGrant, RoleGrant.granted_by),
    (DirectoryRun, DirectoryRun.actor),
    (Handover, Handover.actor),
    (Handover, Handover.undone_by),
    (RolloutPlan, RolloutPlan.saved_by),
    (RolloutPlan, RolloutPlan.applied_by),
    (RolloutWave, RolloutWave.changed_by),
)


def forget_labels(session: Session, username: str, placeholder: str) -> None:
    """Take a username out of the histories: as who acted it becomes ``erased``, as what was acted on the placeholder."""
    for model, column in _LABELS:
        session.execute(update(model).where(column == username).values({column.key: "erased"}))
    # What was done to the person may quote their names before and after.
    session.execute(
        update(Audit)
        .where(Audit.subject == f"person:{username}")
        .values(subject=f"person:{placeholder}", before=None, after=None, why="")
    )
    for plan in session.scalars(select(RolloutPlan).where(RolloutPlan.text.contains(username, autoescape=True))):
        text = without_owner(plan.text, username, placeholder)
        if text != plan.text:
            # A form that is open elsewhere must not bring the name back; what was applied is what it was.
            plan.applied_version += plan.applied_version == plan.version
            plan.text, plan.version = text, plan.version + 1


def _rows(session: Session, query: Select[*tuple[Any, ...]], *names: str) -> list[dict[str, Any]]:
    return [
        {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in zip(names, row, strict=True)}
        for row in session.execute(query)
    ]


def _deleting(*models: type[Any]) -> Callable[[Session, int], int]:
    """An ``erase`` that deletes the person's rows of these tables."""

    def erase(session: Session, person_id: int) -> int:
        session.flush()
        count = 0
        for model in models:
            done: Any = session.execute(delete(model).where(model.person_id == person_id))
            count += done.rowcount
        return count

    return erase


def _profile(session: Session, person_id: int) -> Rows:
    person = session.get_one(Person, person_id)
    names = ("external_id", "username", "display_name", "email", "job_title", "is_manager", "locale", "phone", "site",
             "status", "source")  # fmt: skip
    row = {name: getattr(person, name) for name in names}
    row["entity"] = session.scalar(select(Entity.name).where(Entity.id == person.entity_id))
    row["manager"] = session.scalar(select(Person.display_name).where(Person.id == person.manager_id))
    row["other_entities"] = [one.name for one in others(session, [person_id]).get(person_id, ())]
    helpers = assistants(session, [person_id]).get(person_id, ())
    row["assistants"] = list(session.scalars(select(Person.display_name).where(Person.id.in_(helpers))))
    row["created_at"], row["updated_at"] = person.created_at.isoformat(), person.updated_at.isoformat()
    return [row]


def _erase_profile(_session: Session, _person_id: int) -> int:
    # The row itself is made anonymous at the very end, when nothing needs the name any more.
    return 1


def _identities(session: Session, person_id: int) -> Rows:
    query = select(PersonIdentity.issuer, PersonIdentity.subject, PersonIdentity.created_at)
    return _rows(session, query.where(PersonIdentity.person_id == person_id), "issuer", "subject", "since")


def _memberships(session: Session, person_id: int) -> Rows:
    groups = select(Group.name).join(GroupMember, GroupMember.group_id == Group.id)
    spaces = select(Space.name, SpaceMember.role, SpaceMember.since).join(SpaceMember, SpaceMember.space_id == Space.id)
    return [
        *_rows(session, groups.where(GroupMember.person_id == person_id), "group"),
        *_rows(session, spaces.where(SpaceMember.person_id == person_id), "space", "role", "since"),
    ]


def _erase_memberships(session: Session, person_id: int) -> int:
    count = _deleting(GroupMember, SpaceMember, PersonEntity, Assistant)(session, person_id)
    session.execute(delete(Assistant).where(Assistant.assistant_id == person_id))
    person = session.get_one(Person, person_id)
    person.status = "disabled"
    audiences.refresh(session, [person_id])
    return count


def _roles(session: Session, person_id: int) -> Rows:
    query = select(RoleGrant.role, RoleGrant.scope, RoleGrant.scope_id, RoleGrant.granted_at, RoleGrant.why)
    query = query.where(RoleGrant.person_id == person_id)
    return _rows(session, query, "role", "scope", "scope_id", "since", "why")


def _handovers(session: Session, person_id: int) -> Rows:
    columns = (Handover.at, Handover.counts, Handover.undone_at)
    left = select(*columns).where(Handover.person_id == person_id).order_by(Handover.id)
    kept = select(*columns).where(Handover.taker_id == person_id).order_by(Handover.id)
    return [
        *_rows(session, left, "handed_over_at", "what", "taken_back_at"),
        *_rows(session, kept, "taken_over_at", "what", "taken_back_at"),
    ]


def _erase_handovers(session: Session, person_id: int) -> int:
    theirs = or_(Handover.person_id == person_id, Handover.taker_id == person_id)
    done: Any = session.execute(delete(Handover).where(theirs).execution_options(synchronize_session=False))
    return int(done.rowcount)


def _charters(session: Session, person_id: int) -> Rows:
    query = select(Charter.title, Charter.version, CharterAcceptance.accepted_at)
    query = query.join(CharterAcceptance, CharterAcceptance.charter_id == Charter.id)
    return _rows(session, query.where(CharterAcceptance.person_id == person_id), "title", "version", "accepted_at")


def _suspensions(session: Session, person_id: int) -> Rows:
    query = select(Suspension.starts_at, Suspension.ends_at, Suspension.reason, Suspension.lifted_at)
    query = query.where(Suspension.person_id == person_id)
    return _rows(session, query, "starts_at", "ends_at", "reason", "lifted_at")


def _held(session: Session, person_id: int) -> Rows:
    query = select(Held.ref_type, Held.ref_id, Held.capability, Held.state, Held.held_at, Held.decided_at, Held.reason)
    query = query.where(Held.author_id == person_id)
    return _rows(session, query, "type", "id", "capability", "state", "held_at", "decided_at", "reason")


def _erase_held(session: Session, person_id: int) -> int:
    done: Any = session.execute(update(Held).where(Held.author_id == person_id).values(author_id=None, reason=""))
    return int(done.rowcount)


def _use(session: Session, person_id: int) -> Rows:
    visits = select(Visit.day).where(Visit.person_id == person_id).order_by(Visit.day)
    choices = select(Preference.key, Preference.value).where(Preference.person_id == person_id)
    return [*_rows(session, choices, "preference", "value"), *_rows(session, visits, "visit")]


def _counted(session: Session, person_id: int) -> Rows:
    mine = select(Pseudonym.who).where(Pseudonym.person_id == person_id).scalar_subquery()
    acts = (
        select(Signal.name, Fact.at, Fact.on_ref).join(Signal, Signal.id == Fact.signal).where(Fact.who == mine)
        .order_by(Fact.id)
    )  # fmt: skip
    places = select(Standing.kind, Standing.target, Standing.since, Standing.until).where(Standing.who == mine)
    return [*_rows(session, acts, "act", "at", "on"), *_rows(session, places, "place", "id", "since", "until")]


def _notifications(session: Session, person_id: int) -> Rows:
    query = select(
        NotificationRow.type,
        NotificationRow.ref_type,
        NotificationRow.ref_id,
        NotificationRow.created_at,
        NotificationRow.read_at,
    ).where(NotificationRow.person_id == person_id)
    mutes = select(Mute.ref_type, Mute.ref_id, Mute.hears).where(Mute.person_id == person_id)
    choices = select(NotificationChoice.type, NotificationChoice.channel, NotificationChoice.value)
    marks = (
        select(Broadcast.type, Broadcast.ref_type, Broadcast.ref_id, BroadcastMark.at)
        .join(BroadcastMark, BroadcastMark.broadcast_id == Broadcast.id)
        .where(BroadcastMark.person_id == person_id)
    )
    return [
        *_rows(session, query, "type", "ref_type", "ref_id", "created_at", "read_at"),
        *_rows(session, marks, "type", "ref_type", "ref_id", "read_at"),
        *_rows(session, mutes, "ref_type", "ref_id", "hears"),
        *_rows(session, choices.where(NotificationChoice.person_id == person_id), "type", "channel", "way"),
    ]


def _forget_in_notices(session: Session, person_id: int) -> None:
    """What others were told may quote a title in which the person is named."""
    person = session.get_one(Person, person_id)
    instead = f"erased-{person_id}"
    called = re.compile(rf"(?<!\w){re.escape(person.display_name)}(?!\w)")

    def without(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        named = richtext.MENTION.sub(
            lambda found: f"@{instead}" if found.group(1) == person.username else found.group(0), text
        )
        return called.sub(instead, named)

    models: tuple[type[Any], ...] = (NotificationRow, Broadcast)
    for model in models:
        # As the column holds it: JSON in ASCII.
        quoted = [json.dumps(name)[1:-1] for name in (f"@{person.username}", person.display_name)]
        held = or_(*(cast(model.data, String).contains(name, autoescape=True) for name in quoted))
        for row in session.scalars(select(model).where(held)):
            row.data = {key: without(value) for key, value in row.data.items()}


def _erase_notifications(session: Session, person_id: int) -> int:
    _forget_in_notices(session, person_id)
    done: Any = session.execute(update(Broadcast).where(Broadcast.actor_id == person_id).values(actor_id=None))
    own = (NotificationRow, BroadcastMark, BroadcastReader, Mute, NotificationChoice)
    return int(done.rowcount) + _deleting(*own)(session, person_id)


def _mentions(session: Session, person_id: int) -> Rows:
    query = select(Mention.ref_type, Mention.ref_id, Mention.typed).where(Mention.person_id == person_id)
    return _rows(session, query, "type", "id", "as")


def _tokens(session: Session, person_id: int) -> Rows:
    query = select(Token.name, Token.scopes, Token.created_at, Token.expires_at, Token.revoked_at, Token.last_used)
    query = query.where(Token.person_id == person_id)
    return _rows(session, query, "name", "scopes", "created_at", "expires_at", "revoked_at", "last_used")


def _sessions(session: Session, person_id: int) -> Rows:
    query = select(SignedSession.label, SignedSession.issuer, SignedSession.began_at, SignedSession.seen_at,
                   SignedSession.ended_at)  # fmt: skip
    query = query.where(SignedSession.person_id == person_id)
    return _rows(session, query, "browser", "issuer", "began_at", "seen_at", "ended_at")


def _acts(session: Session, person_id: int) -> Rows:
    query = select(Audit.at, Audit.act, Audit.subject, Audit.why).where(Audit.actor_id == person_id).order_by(Audit.id)
    return _rows(session, query, "at", "act", "subject", "why")


def _erase_acts(session: Session, person_id: int) -> int:
    done: Any = session.execute(update(Audit).where(Audit.actor_id == person_id).values(actor="erased"))
    return int(done.rowcount)


def _pruning(model: type[Any], key: Any, *old: Callable[[dt.datetime], Any]) -> Callable[[Session, dt.datetime], int]:
    """A ``prune`` that deletes rows which are old by all of these conditions, a few thousand at a time."""

    def prune(session: Session, before: dt.datetime) -> int:
        some = select(key).where(*(condition(before) for condition in old)).limit(5_000)
        done: Any = session.execute(delete(model).where(key.in_(some)).execution_options(synchronize_session=False))
        return int(done.rowcount)

    return prune


def _prune_visits(session: Session, before: dt.datetime) -> int:
    some = select(Visit.day).where(Visit.day < before.date()).order_by(Visit.day).limit(1)
    done: Any = session.execute(
        delete(Visit).where(Visit.day.in_(some)).execution_options(synchronize_session=False)
    )  # fmt: skip
    return int(done.rowcount)


CORE_DATA: tuple[PersonalData, ...] = (
    PersonalData(
        "core.profile", lazy("Profile"), lazy("To show who wrote, and to decide who may do what"), _profile, _erase_profile
    ),
    PersonalData(
        "core.identities",
        lazy("Sign-ins"),
        lazy("To recognise you at your next visit"),
        _identities,
        _deleting(PersonIdentity),
    ),
    PersonalData(
        "core.memberships",
        lazy("Groups and spaces"),
        lazy("To decide what you see and may do"),
        _memberships,
        _erase_memberships,
    ),
    PersonalData("core.roles", lazy("Roles"), lazy("To let you run a part of the site"), _roles, _deleting(RoleGrant)),
    PersonalData(
        "core.handovers", lazy("What was handed over when somebody left"),
        lazy("To know who answers for it since, and to bring it back"), _handovers, _erase_handovers,
        retention=lazy("As long as both accounts."),
    ),
    PersonalData(
        "core.charters",
        lazy("Charters accepted"),
        lazy("Evidence of what you agreed to"),
        _charters,
        _deleting(CharterAcceptance),
    ),
    PersonalData("core.suspensions", lazy("Suspensions"), lazy("To apply the charter"), _suspensions, _deleting(Suspension)),
    PersonalData(
        "core.held", lazy("Texts that waited for a moderator"), lazy("To moderate"), _held, _erase_held,
        prune=_pruning(Held, Held.id, lambda before: Held.state != "pending", lambda before: Held.decided_at < before),
        days=730,
    ),
    PersonalData(
        "core.use",
        lazy("Visits and preferences"),
        lazy("To count visits, and to keep your choices"),
        _use,
        _deleting(Visit, Preference, RateMark, IdempotencyKey),
        prune=_prune_visits,
    ),
    PersonalData(
        "core.counted",
        lazy("What is counted of you"),
        lazy("To count, under a number in place of your name, how many people take part"),
        _counted,
        indicators_facts.forget,
        retention=lazy("As long as the site keeps single acts (indicator_months); afterwards only numbers of many people"),
    ),
    PersonalData(
        "core.notifications",
        lazy("Notifications"),
        lazy("To tell you what concerns you"),
        _notifications,
        _erase_notifications,
    ),
    PersonalData(
        "core.mentions",
        lazy("Where you are named"),
        lazy("To show your name in texts and to tell you"),
        _mentions,
        _deleting(Mention),
    ),
    FILES,
    PersonalData(
        "core.sessions", lazy("Sessions"), lazy("To keep you signed in, and let you end that"), _sessions,
        _deleting(SignedSession),
    ),
    PersonalData("core.tokens", lazy("Access tokens"), lazy("To let your programs act for you"), _tokens, _deleting(Token)),
    PersonalData(
        "core.acts", lazy("Acts in the audit log"), lazy("To answer for how the site is run"), _acts, _erase_acts,
        prune=_pruning(Audit, Audit.id, lambda before: Audit.at < before),
    ),
)
