"""People by SCIM: found, made, changed, disabled; each change in the audit log.

Whoever SCIM made, or took over, is of source ``scim.main``; nobody else is changed here. A deleted resource leaves the
person as somebody who has left: what they wrote stays, and when they are sent again they are the same person under a new
id.
"""

from __future__ import annotations

import uuid
from typing import Any, cast

from scim2_models import InvalidValueException, NotFoundException, Resource, UniquenessException
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rse_core import organisation, people
from rse_core.api import Actor, record, utcnow
from rse_core.models.organisation import Group, GroupMember, Person

from .config import SOURCE, Config
from .documents import ENTERPRISE, Facts, document_of, facts_of, fold, keys_of, storable
from .entities import entity_of
from .i18n import _
from .leaving import come_back, leave
from .managers import link
from .models import ScimGroup, ScimUser


class Users:
    """The people of one session.

    :param actor: who changes them.
    :ivar done: what was done: created, updated, disabled → how many.
    """

    def __init__(self, session: Session, config: Config, actor: Actor) -> None:
        self.session, self.config, self.actor = session, config, actor
        self.done: dict[str, int] = {}

    def row(self, uid: str) -> ScimUser:
        """:raises NotFoundException: for an id that nobody has."""
        found = self.session.scalar(select(ScimUser).where(ScimUser.uid == uid)) if storable(uid) else None
        if found is None:
            raise NotFoundException(detail=_("There is no user with the id “%(id)s”.", id=uid[:80]))
        return found

    # -- Making

    def create(self, resource: Resource[Any]) -> ScimUser:
        """Make a person, bring back one who had left, or take over one of a source in ``adopt``.

        :raises UniquenessException: when the userName or the external id is somebody's, with what to do.
        """
        given = cast("Any", resource)
        given.active = given.active is not False
        document = document_of(resource, self.config)
        facts = facts_of(document, self.config)
        self._check_user_name(facts.username, None)
        person = self._known(facts)
        uid = str(uuid.uuid4())
        if person is None:
            self._release(facts.username, None)
            person = self._add(facts, uid)
            act = "create"
        else:
            act = "return" if person.source == SOURCE else "adopt"
            self._release(facts.username, person.id)
            self._bring_back(person, facts)
        row = ScimUser(
            uid=uid, person_id=person.id, user_name_key=fold(facts.username), external_id=document.get("externalId"),
            manager=facts.manager or None, document=document, keys=keys_of(resource, self.config),
        )  # fmt: skip
        self.session.add(row)
        self.session.flush()
        self._note(person, act, facts)
        link(self.session, row)
        if not given.active:
            # One who comes switched off has not left: nobody is counted.
            people.disable(self.session, person.id)
        self._count("created" if act == "create" else "updated")
        return row

    def _known(self, facts: Facts) -> Person | None:
        """The person that is meant, when they are here already: one who had left, or one to be taken over."""
        found = None if facts.external_id is None else people.by_external_id(self.session, facts.external_id)
        if found is not None:
            self._check_own(found, "external_id", facts.external_id or "")
            return found
        found = self._by_configured_key(facts)
        if found is not None:
            return found
        holder = self.session.scalar(select(Person).where(Person.username == facts.username))
        if holder is None:
            return None
        if holder.source == SOURCE and facts.external_id is None and holder.external_id.startswith("scim:"):
            # Neither then nor now was there another id: the name is all there is.
            return holder
        if holder.status == "active":
            self._check_own(holder, "username", facts.username)
            raise _taken("userName", facts.username)
        return None

    def _by_configured_key(self, facts: Facts) -> Person | None:
        value = {"username": facts.username, "email": facts.email}.get(self.config.adopt_by, "")
        if not value or not self.config.adopt:
            return None
        column = Person.username if self.config.adopt_by == "username" else func.lower(Person.email)
        wanted = value if self.config.adopt_by == "username" else value.lower()
        query = select(Person).where(column == wanted, Person.source.in_(self.config.adopt)).limit(2)
        found = self.session.scalars(query).all()
        if len(found) > 1:
            raise UniquenessException(
                detail=_("Several people have the %(key)s “%(value)s”.", key=self.config.adopt_by, value=value[:80])
            )
        return found[0] if found else None

    def _check_own(self, person: Person, key: str, value: str) -> None:
        if person.source == SOURCE:
            live = self.session.scalar(select(ScimUser.uid).where(ScimUser.person_id == person.id))
            if live is not None:
                raise _taken(key, value)
        elif person.source not in self.config.adopt or (key != self.config.adopt_by and key != "external_id"):
            raise UniquenessException(
                detail=_(
                    "Somebody has the %(key)s “%(value)s” already and is kept by “%(source)s”. To take them over, name that "
                    "source in adopt of [scim], with the key by which they are found (adopt_by).",
                    key=key, value=value[:80], source=person.source,
                )
            )  # fmt: skip

    def _add(self, facts: Facts, uid: str) -> Person:
        entity_id = entity_of(self.session, facts.entity, self.config, self.actor)
        return people.add(
            self.session, external_id=facts.external_id or f"scim:{uid}", entity_id=entity_id, source=SOURCE, **facts.plain()
        )

    def _bring_back(self, person: Person, facts: Facts) -> None:
        self._tell(person, facts, source=SOURCE)
        if person.status != "active":
            people.enable(self.session, person.id)
        come_back(self.session, person.id)

    # -- Changing

    def update(self, resource: Resource[Any]) -> ScimUser:
        """Bring a person to a whole new state of their resource.

        :raises NotFoundException: when it does not exist.
        :raises UniquenessException: when the new userName or external id is somebody else's.
        """
        row = self.row(str(resource.id))
        person = people.get(self.session, row.person_id)
        document = document_of(resource, self.config)
        facts = facts_of(document, self.config)
        active = cast("Any", resource).active is not False
        if active is not (person.status == "active"):
            self._switch(person, active=active)
        if document != row.document:
            self._check_user_name(facts.username, row.uid)
            if facts.username != person.username:
                self._release(facts.username, person.id)
            manager_before = row.manager
            changed = self._tell(person, facts)
            row.document, row.keys = document, keys_of(resource, self.config)
            row.user_name_key, row.external_id = fold(facts.username), document.get("externalId")
            row.manager = facts.manager or None
            self.session.flush()
            if row.manager != manager_before or {"username", "external_id"} & changed.keys():
                link(self.session, row)
            before, after = ({name: pair[i] for name, pair in changed.items()} for i in (0, 1))
            record(self.session, self.actor, "scim.person.update", f"person:{person.username}", before=before, after=after)
            self._count("updated")
        row.version, row.changed_at = row.version + 1, utcnow()
        self.session.flush()
        return row

    def _switch(self, person: Person, *, active: bool) -> None:
        if active:
            people.enable(self.session, person.id)
            come_back(self.session, person.id)
        else:
            leave(self.session, person.id, self.config)
            people.disable(self.session, person.id)
        act = "enable" if active else "disable"
        record(self.session, self.actor, f"scim.person.{act}", f"person:{person.username}")
        self._count("updated" if active else "disabled")

    def delete(self, uid: str) -> None:
        """The person has left: disabled, out of the groups of SCIM; what they wrote stays."""
        row = self.row(uid)
        person = people.get(self.session, row.person_id)
        if person.status == "active":
            leave(self.session, person.id, self.config)
            people.disable(self.session, person.id)
            self._count("disabled")
        groups = (
            select(GroupMember.group_id)
            .join(Group, Group.id == GroupMember.group_id)
            .where(GroupMember.person_id == person.id, Group.source == SOURCE)
        )
        for group_id in self.session.scalars(groups).all():
            organisation.leave_group(self.session, group_id, person.id)
        self.session.delete(row)
        record(self.session, self.actor, "scim.person.delete", f"person:{person.username}", before={"id": uid})
        self.session.flush()

    # -- Parts

    def _tell(self, person: Person, facts: Facts, **more: Any) -> dict[str, tuple[Any, Any]]:
        said = {**facts.plain(), **more}
        if facts.external_id is not None:
            # One that is taken away stays: it is how the organisation knows the person.
            said["external_id"] = facts.external_id
        if self.config.entity:
            said["entity_id"] = entity_of(self.session, facts.entity, self.config, self.actor)
        return people.update(self.session, person.id, **said)

    def _check_user_name(self, user_name: str, uid: str | None) -> None:
        if not user_name:
            raise InvalidValueException(detail=_("“%(field)s” is missing.", field="userName"))
        if not storable(user_name) or len(user_name) > people.LIMITS["username"]:
            raise InvalidValueException(detail=_("The userName “%(name)s” cannot be used.", name=user_name[:80]))
        holder = self.session.scalar(select(ScimUser.uid).where(ScimUser.user_name_key == fold(user_name)))
        if holder is not None and holder != uid:
            raise _taken("userName", user_name)

    def _release(self, user_name: str, person_id: int | None) -> None:
        holder = self.session.scalar(select(Person.id).where(Person.username == user_name, Person.status == "disabled"))
        if holder is not None and holder != person_id:
            people.release_username(self.session, user_name)

    def _note(self, person: Person, act: str, facts: Facts) -> None:
        after = {"external_id": person.external_id, "username": facts.username, "display_name": facts.display_name}
        record(self.session, self.actor, f"scim.person.{act}", f"person:{person.username}", after=after)

    def _count(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1


def groups_of(session: Session, person_ids: list[int], base_url: str) -> dict[int, list[dict[str, str]]]:
    """The groups of SCIM that these people are in, as their resources show them: one query."""
    rows = session.execute(
        select(GroupMember.person_id, ScimGroup.uid, Group.name)
        .join(ScimGroup, ScimGroup.group_id == GroupMember.group_id)
        .join(Group, Group.id == ScimGroup.group_id)
        .where(GroupMember.person_id.in_(person_ids))
        .order_by(ScimGroup.number)
    )
    found: dict[int, list[dict[str, str]]] = {}
    for person_id, uid, name in rows:
        entry = {"value": uid, "$ref": f"{base_url}/Groups/{uid}", "display": name, "type": "direct"}
        found.setdefault(person_id, []).append(entry)
    return found


def _taken(key: str, value: str) -> UniquenessException:
    return UniquenessException(detail=_("Somebody has the %(key)s “%(value)s” already.", key=key, value=value[:80]))


__all__ = ["ENTERPRISE", "Users", "groups_of"]
