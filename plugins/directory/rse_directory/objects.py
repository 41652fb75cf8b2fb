"""People and questions as objects: to be found, reported, and pointed at by a reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from rse_core import audiences
from rse_core.api import (
    BadInput,
    ContentInfo,
    Event,
    ObjectRef,
    SearchDocument,
    core_of,
    emit,
    notify,
    option,
    record,
    require,
    translator,
)
from rse_core.audit import Actor
from rse_core.models.organisation import Entity, EntityPath, Person, RoleGrant
from rse_core.policy import Target
from rse_core.ratelimit import limit
from rse_core.roles import moderates

from . import access, indexing, profiles
from . import fields as field_rules
from .fields import EVERYONE, TEXTS
from .indexing import TYPE, ref_of
from .models import Choice, Profile, Question
from .photos import numbers, zones
from .skills import QUESTION

_ = translator(__file__, "rse_directory").gettext
MODERATORS, REASON = 20, 500


def resolve(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
    """People by id, or by ``@username``: active staff who are in the list."""
    usernames = [one[1:] for one in ids if one.startswith("@")]
    rows = session.execute(
        select(Person.id, Person.display_name, Person.username, Person.entity_id, Person.created_at, Profile.listed)
        .outerjoin(Profile, Profile.person_id == Person.id)
        .where(
            or_(Person.id.in_(numbers(ids)), Person.username.in_(usernames)),
            Person.status == "active", Person.external.is_(False),
        )
    ).all()  # fmt: skip
    may_leave = option(session, "directory.may_leave")
    prefix, everyone = core_of(session).settings.url_prefix, audiences.everyone(session)
    zoned = zones(session, [row.entity_id for row in rows])
    found = {}
    for row in rows:
        if may_leave and row.listed is False:
            continue
        place = audiences.of_entity(session, zoned[row.entity_id]) if row.entity_id in zoned else everyone
        for ident in (str(row.id), f"@{row.username}"):
            if ident in ids:
                found[ident] = ContentInfo(
                    ObjectRef(TYPE, ident), row.display_name, f"{prefix}/directory/people/{row.username}", place,
                    author_id=row.id, created_at=row.created_at,
                )  # fmt: skip
    return found


def listed(session: Session, after: str | None, most: int) -> Sequence[str]:
    """Everybody's id, by keyset."""
    rows = select(Person.id).where(Person.id > int(after or 0)).order_by(Person.id).limit(most)
    return [str(number) for number in session.scalars(rows)]


def documents(session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
    """For search everywhere: the name, the entity, and the job where it is shown to everybody."""
    wanted = [ref.id for ref in refs if ref.type == TYPE and not ref.id.startswith("@")]
    infos = resolve(session, wanted)
    if not infos:
        return
    rule = field_rules.fields(session)["job_title"]
    rows = session.execute(
        select(Person.id, Person.job_title, Person.entity_id, Entity.name, Choice.audience)
        .outerjoin(Entity, Entity.id == Person.entity_id)
        .outerjoin(Choice, (Choice.person_id == Person.id) & (Choice.field == "job_title"))
        .where(Person.id.in_(numbers(list(infos))))
    )
    for row in rows:
        info = infos[str(row.id)]
        job = row.job_title if field_rules.effective(rule, row.audience or 0) == EVERYONE else ""
        if info.audience_id is not None:
            yield SearchDocument(
                ref_of(row.id), info.title, ", ".join(part for part in (job, row.name) if part), info.audience_id,
                at=info.created_at, entity_id=row.entity_id, kind="person",
            )  # fmt: skip


def resolve_questions(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
    """Questions: nobody but the two of them is shown one."""
    prefix = core_of(session).settings.url_prefix
    rows = session.execute(select(Question.id, Question.from_id, Question.at).where(Question.id.in_(numbers(ids))))
    return {
        str(row.id): ContentInfo(
            ObjectRef(QUESTION, str(row.id)), _("A question to you"), f"{prefix}/directory/questions/{row.id}", None,
            author_id=row.from_id, created_at=row.at,
        )
        for row in rows
    }  # fmt: skip


# -- what somebody wrote of themselves, and should not have --------------------------------------------------------------


def report(session: Session, by_id: int | None, username: str, reason: str) -> None:
    """Tell those who moderate of what somebody wrote in their profile.

    :raises BadInput: without a reason, or with one that is too long.
    """
    seen = access.sight(session, by_id)
    person_id = profiles.visible_id(session, seen, username)
    text = " ".join(reason.replace("\x00", " ").split())
    if not text or len(text) > REASON:
        problem = _("Say what is wrong, in at most %(most)s characters.", most=REASON)
        raise BadInput(problem, fields={"reason": problem})
    limit(session, seen.person_id, "directory.report", most=10, seconds=86_400)
    reporter = profiles.names(session, [seen.person_id])[seen.person_id]
    record(session, Actor(reporter.username, reporter.id), "directory.report", f"person:{username}", why=text)
    entity_id = session.scalar(select(Person.entity_id).where(Person.id == person_id))
    above = list(session.scalars(select(EntityPath.ancestor_id).where(EntityPath.entity_id == entity_id)))
    here = (RoleGrant.scope == "entity") & RoleGrant.scope_id.in_(above) & RoleGrant.role.in_(("moderator", "entity_admin"))
    whole = (RoleGrant.scope == "site") & RoleGrant.role.in_(("site_admin", "moderator"))
    who = select(RoleGrant.person_id).where(or_(here, whole)).distinct().order_by(RoleGrant.person_id).limit(MODERATORS)
    for one in session.scalars(who).all():
        cause = f"directory.report:{person_id}:{seen.person_id}"
        notify(session, one, "directory.reported", ref_of(person_id), actor_id=seen.person_id, cause=cause)


def clear(session: Session, actor: Actor, username: str, field: str, why: str) -> None:
    """Empty a text of somebody's profile; for those who moderate them, with a reason, in the audit log.

    :raises Forbidden: for everybody else.
    """
    require(session, actor.person_id, access.SEE)
    row = session.execute(select(Person.id, Person.entity_id).where(Person.username == username)).first()
    if row is None or not moderates(session, actor.person_id, Target(author_id=row.id)):
        from rse_core.api import Forbidden

        raise Forbidden(_("Only those who moderate this person may do that."))
    if field not in TEXTS or not why.strip():
        raise BadInput(_("Name the text and the reason."), fields={"why": _("Give a reason.")})
    written = session.get(Profile, row.id, with_for_update=True)
    if written is not None and getattr(written, field):
        setattr(written, field, "")
        written.version += 1
        record(session, actor, "directory.clear", f"person:{username}", after=field, why=why.strip()[:REASON])
        indexing.changed(session, row.id, actor.person_id)
        emit(session, Event("directory.profile_cleared", actor.person_id, ref_of(row.id)))
        notify(
            session, row.id, "directory.cleared", ref_of(row.id), actor_id=actor.person_id,
            cause=f"directory.clear:{row.id}:{written.version}",
        )  # fmt: skip
