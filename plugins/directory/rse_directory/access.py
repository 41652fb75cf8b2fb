"""Who is shown whom, and which fields of them: one rule, in SQL for lists and in Python for one profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, Select, String, and_, cast, false, func, literal, or_, select, true
from sqlalchemy.orm import Session, aliased

from rse_core.api import NotFound, option, require, translator
from rse_core.models.organisation import Audience, Entity, EntityPath, Person, PersonEntity, Space, SpaceMember
from rse_core.onlookers import stands_for
from rse_core.roles import is_site_admin

from . import fields as field_rules
from .fields import ENTITY, EVERYONE, MANAGERS, Field
from .models import Choice, Profile, Token

_ = translator(__file__, "rse_directory").gettext
SEE, EDIT, ENDORSE, ASK, EXPORT = (
    "directory.see", "directory.edit", "directory.endorse", "directory.ask", "directory.export",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sight:
    """What of the directory one person is shown. ``path``: their entities and all above them.

    ``zones`` are the isolated entities in which they are, one for each of their entities (None where it is in none);
    ``shared`` says that one of theirs is a service of all entities.
    """

    person_id: int
    entity_id: int | None
    external: bool
    is_manager: bool
    path: tuple[int, ...]
    admin: bool
    fields: Mapping[str, Field]
    may_leave: bool
    isolated: tuple[int, ...] = ()
    services: tuple[int, ...] = ()
    zones: tuple[int | None, ...] = (None,)
    shared: bool = False


def sight(session: Session, person_id: int | None) -> Sight:
    """What this person is shown; a few queries, whatever the number of people.

    :raises Forbidden: when the directory is not open to them.
    :raises SignInNeeded: when nobody is signed in.
    """
    require(session, person_id, SEE)
    found = _sight(session, person_id)
    if found is None:
        raise NotFound(_("There is no such person."))
    return found


def offered(session: Session, viewer_id: int) -> ColumnElement[bool] | None:
    """Whom somebody is offered where people are chosen elsewhere (mentions, invitations); None: everybody.

    Who left the list, or is of another isolated entity, is offered to those who share a space with them, and to themselves.
    The directory need not be open to who chooses.
    """
    if not option(session, "directory.may_leave") and not option(session, "directory.isolated"):
        return None
    seen = _sight(session, viewer_id)
    if seen is None:
        return false()
    if seen.admin:
        return None
    return or_(and_(_kept(seen), near(seen)), Person.id == viewer_id, _together(seen))


def _sight(session: Session, person_id: int | None) -> Sight | None:
    me = _who(session, person_id)
    if me is None:
        return None
    paths: dict[int, list[int]] = {}
    up = select(EntityPath.entity_id, EntityPath.ancestor_id).where(
        or_(
            EntityPath.entity_id == me.entity_id,
            EntityPath.entity_id.in_(select(PersonEntity.entity_id).where(PersonEntity.person_id == me.id)),
        )
    )
    for entity_id, above in session.execute(up.order_by(EntityPath.depth)):
        paths.setdefault(entity_id, []).append(above)
    path = tuple(dict.fromkeys(one for some in paths.values() for one in some))
    isolated, services = _keyed(session, "directory.isolated"), _keyed(session, "directory.services")
    return Sight(
        me.id, me.entity_id, me.external, me.is_manager, path, is_site_admin(session, me.id), field_rules.fields(session),
        bool(option(session, "directory.may_leave")), isolated, services,
        tuple(dict.fromkeys(next((one for one in some if one in isolated), None) for some in paths.values())) or (None,),
        any(one in services for one in path),
    )  # fmt: skip


def _who(session: Session, person_id: int | None) -> Row[int, int | None, bool, bool] | None:
    """Id, entity, whether from outside, whether a manager."""
    if person_id is not None and (found := stands_for(person_id)) is not None:
        # Somebody of the entity who is nobody in particular: an administrator looks as such a person would.
        onlooker = select(
            literal(person_id).label("id"), Entity.id.label("entity_id"),
            literal(False).label("external"), literal(False).label("is_manager"),
        ).where(Entity.id == found[0])  # fmt: skip
        return session.execute(onlooker).first()
    query = select(Person.id, Person.entity_id, Person.external, Person.is_manager)
    return session.execute(query.where(Person.id == person_id, Person.status == "active")).first()


def _keyed(session: Session, setting: str) -> tuple[int, ...]:
    keys: list[str] = option(session, setting)
    if not keys:
        return ()
    return tuple(session.scalars(select(Entity.id).where(Entity.key.in_(keys)).order_by(Entity.id)))


# -- whom ----------------------------------------------------------------------------------------------------------------


def people(seen: Sight, *, former: bool = False, outside: bool = False) -> ColumnElement[bool]:
    """A condition on :class:`Person`: those that this person finds in lists.

    :param former: only those who have left; for administrators of the site.
    :param outside: only people from outside; they are listed apart.
    """
    state = Person.status != "active" if former else Person.status == "active"
    if former and not seen.admin:
        return false()
    if seen.admin:
        return and_(state, Person.external.is_(outside)) if not former else state
    kept = _kept(seen)
    if seen.external or outside:
        return and_(state, Person.external.is_(outside), kept, _together(seen), near(seen))
    return and_(state, Person.external.is_(False), kept, near(seen))


def _kept(seen: Sight) -> ColumnElement[bool]:
    """Who has not left the list."""
    if not seen.may_leave:
        return true()
    left = select(Profile.person_id).where(Profile.person_id == Person.id, Profile.listed.is_(False))
    # A query may read profiles too: this one is of its own.
    return ~left.correlate(Person).exists()


def _together(seen: Sight) -> ColumnElement[bool]:
    """Who is in a space with them."""
    mine = aliased(SpaceMember)
    return Person.id.in_(
        select(SpaceMember.person_id)
        .join(mine, mine.space_id == SpaceMember.space_id)
        .join(Space, Space.id == SpaceMember.space_id)
        .where(mine.person_id == seen.person_id, Space.archived_at.is_(None))
    )


def near(seen: Sight) -> ColumnElement[bool]:
    """Isolation between entities: one's own zone, and the services of all."""
    if not seen.isolated or seen.shared or seen.external:
        return true()

    def below(ids: tuple[int, ...]) -> ColumnElement[bool]:
        return Person.entity_id.in_(select(EntityPath.entity_id).where(EntityPath.ancestor_id.in_(ids)))

    def of(zone: int | None) -> ColumnElement[bool]:
        inner = tuple(one for one in seen.isolated if one != zone)
        if zone is None:
            return or_(Person.entity_id.is_(None), ~below(inner))
        # A zone within this one is another, a zone around it is not this one either.
        inside = select(EntityPath.entity_id).where(
            EntityPath.ancestor_id.in_(inner),
            EntityPath.entity_id.in_(select(EntityPath.entity_id).where(EntityPath.ancestor_id == zone)),
            EntityPath.depth < _depth_to(zone),
        )
        return and_(below((zone,)), Person.entity_id.not_in(inside))

    mine = or_(*(of(zone) for zone in seen.zones))
    return or_(mine, below(seen.services)) if seen.services else mine


def among(session: Session, viewer_id: int) -> Select[str] | None:
    """Whom somebody finds in search everywhere, where entities are isolated; None where they are not, or not for them."""
    if not option(session, "directory.isolated"):
        return None
    seen = _sight(session, viewer_id)
    if seen is None or seen.admin or seen.shared or seen.external:
        return None
    return select(cast(Person.id, String)).where(near(seen))


def beyond(session: Session, viewer_id: int) -> Sequence[int]:
    """The audiences of isolated entities whose people somebody outside them finds in search everywhere: who serves all
    entities, and administrators of the site, as the directory lists them; nobody else."""
    if not option(session, "directory.isolated"):
        return ()
    seen = _sight(session, viewer_id)
    if seen is None or seen.external or not (seen.admin or seen.shared):
        return ()
    return session.scalars(
        select(Audience.id).where(Audience.kind == "entity", Audience.target_id.in_(seen.isolated)).order_by(Audience.id)
    ).all()


def _depth_to(zone: int) -> ColumnElement[int]:
    up = aliased(EntityPath)
    return (
        select(func.max(up.depth)).where(up.entity_id == EntityPath.entity_id, up.ancestor_id == zone).scalar_subquery()
    )  # fmt: skip


# -- which fields --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Codes:
    """For one field: the choices (0: none) with which it is shown to somebody, always or where they are of the entity."""

    always: tuple[int, ...]
    entity: tuple[int, ...]


def codes(seen: Sight, field: Field) -> Codes:
    """See :class:`Codes`."""
    always, entity = [], []
    for choice in (0, *field_rules.AUDIENCES.values()):
        found = field_rules.effective(field, choice)
        if found == EVERYONE or (found == MANAGERS and seen.is_manager):
            always.append(choice)
        elif found == ENTITY and seen.path:
            entity.append(choice)
    return Codes(tuple(always), tuple(entity))


def shows(seen: Sight, field: Field, choice: int, person_id: int, entity_id: int | None) -> bool:
    """Whether one field of one person is shown; everybody sees their own."""
    if person_id == seen.person_id:
        return True
    found = codes(seen, field)
    return choice in found.always or (choice in found.entity and entity_id in seen.path)


def field_shown(seen: Sight, key: str) -> ColumnElement[bool]:
    """A condition on :class:`Person`: this field of theirs is shown."""
    field = seen.fields[key]
    found = codes(seen, field)
    if field.imposed:
        return true() if found.always else _of_entity(seen) if found.entity else false()
    chosen = select(Choice.audience).where(Choice.person_id == Person.id, Choice.field == key)
    code = func.coalesce(chosen.correlate(Person).scalar_subquery(), 0)
    rule: ColumnElement[bool] = code.in_(found.always) if found.always else false()
    return or_(rule, and_(code.in_(found.entity), _of_entity(seen))) if found.entity else rule


def _of_entity(seen: Sight) -> ColumnElement[bool]:
    return Person.entity_id.in_(seen.path)


def token_rules(seen: Sight) -> tuple[ColumnElement[bool], ColumnElement[bool] | None]:
    """Conditions on :class:`Token`: what always finds somebody, and what does where they are of the entity."""
    always: dict[tuple[int, ...], list[str]] = {}
    entity: dict[tuple[int, ...], list[str]] = {}
    for key, field in seen.fields.items():
        found = codes(seen, field)
        always.setdefault(found.always, []).append(key)
        entity.setdefault(found.entity, []).append(key)

    def rule(groups: dict[tuple[int, ...], list[str]]) -> list[ColumnElement[bool]]:
        return [and_(Token.field.in_(keys), Token.choice.in_(kinds)) for kinds, keys in groups.items() if kinds]

    within = rule(entity)
    return or_(Token.field == "name", *rule(always)), or_(*within) if within else None
