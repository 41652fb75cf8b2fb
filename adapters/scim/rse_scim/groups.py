"""Groups by SCIM: groups of the core of source ``scim.main``, whose members are people that SCIM knows.

Groups inside groups are refused: send the people. A deleted group stays in the core without its members, with the levels
that were placed for it; one of the same name is the same group again.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, cast

from scim2_models import InvalidValueException, NotFoundException, Resource, UniquenessException
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rse_core import organisation, people
from rse_core.api import Actor, record, utcnow
from rse_core.freshness import touch
from rse_core.memberships import change_group_members
from rse_core.models.organisation import Group, GroupMember

from .config import SOURCE, Config
from .documents import fold, storable
from .i18n import _
from .models import ScimGroup, ScimUser
from .steps import Step

PIECE = 500


class Groups:
    """The groups of one session.

    :ivar done: what was done: created, updated → how many.
    """

    def __init__(self, session: Session, config: Config, actor: Actor) -> None:
        self.session, self.config, self.actor = session, config, actor
        self.done: dict[str, int] = {}

    def row(self, uid: str) -> ScimGroup:
        """:raises NotFoundException: for an id that no group has."""
        found = self.session.scalar(select(ScimGroup).where(ScimGroup.uid == uid)) if storable(uid) else None
        if found is None:
            raise NotFoundException(detail=_("There is no group with the id “%(id)s”.", id=uid[:80]))
        return found

    def create(self, resource: Resource[Any]) -> ScimGroup:
        """Make a group, or take up one of this name that SCIM had, or that a source in ``adopt`` keeps."""
        given = cast("Any", resource)
        name = self._name(given.display_name, None)
        members = self._people(_ids(given.members))
        external_id = _external_id(given.external_id)
        group = self._known(name)
        if group is None:
            group = organisation.add_group(self.session, self._free_key(name), name, source=SOURCE, actor=self.actor)
        else:
            group.source, group.name = SOURCE, name
        row = ScimGroup(
            uid=str(uuid.uuid4()), group_id=group.id, display_key=fold(name), external_id=external_id
        )
        self.session.add(row)
        self.session.flush()
        change_group_members(self.session, group.id, joining=members, leaving=set(self._members(group.id)) - set(members))
        record(
            self.session, self.actor, "scim.group.create", f"group:{group.key}",
            after={"name": name, "members": len(members)},
        )  # fmt: skip
        self._count("created")
        return row

    def update(self, resource: Resource[Any]) -> ScimGroup:
        """Bring a group to a whole new state of its resource."""
        given = cast("Any", resource)
        members = _ids(given.members)
        steps = (
            Step("name", text=given.display_name), Step("external_id", text=given.external_id), Step("set", ids=members),
        )  # fmt: skip
        return self.change(self.row(str(resource.id)), steps)

    def change(self, row: ScimGroup, steps: Sequence[Step]) -> ScimGroup:
        """Apply changes in their order, without reading who else is in the group."""
        before: dict[str, Any] = {}
        after: dict[str, Any] = {}
        for step in steps:
            for name, pair in self._apply(row, step).items():
                before.setdefault(name, pair[0])
                after[name] = after.get(name, 0) + pair[1] if isinstance(pair[1], int) else pair[1]
        if after:
            row.version, row.changed_at = row.version + 1, utcnow()
            key = self.session.scalar(select(Group.key).where(Group.id == row.group_id))
            record(self.session, self.actor, "scim.group.update", f"group:{key}", before=before, after=after)
            self._count("updated")
        self.session.flush()
        return row

    def _apply(self, row: ScimGroup, step: Step) -> dict[str, tuple[Any, Any]]:
        group = self.session.get_one(Group, row.group_id)
        if step.what == "name":
            name = self._name(step.text, row.uid)
            if name == group.name:
                return {}
            before, group.name, row.display_key = group.name, name, fold(name)
            touch(self.session)
            return {"name": (before, name)}
        if step.what == "external_id":
            given = _external_id(step.text)
            before_id, row.external_id = row.external_id, given
            return {} if before_id == given else {"externalId": (before_id, given)}
        joining = self._people(step.ids) if step.what in ("add", "set") else []
        leaving = self._known_people(step.ids) if step.what == "remove" else []
        if step.what == "set":
            leaving = list(set(self._members(group.id)) - set(joining))
        came, went = change_group_members(self.session, group.id, joining=joining, leaving=leaving)
        return {name: (0, count) for name, count in (("joined", came), ("left", went)) if count}

    def delete(self, uid: str) -> None:
        """Its members leave it; the core keeps the group itself, and the levels that were placed for it."""
        row = self.row(uid)
        group = self.session.get_one(Group, row.group_id)
        _came, went = change_group_members(self.session, group.id, leaving=self._members(group.id))
        self.session.delete(row)
        before = {"name": group.name, "members": went}
        record(self.session, self.actor, "scim.group.delete", f"group:{group.key}", before=before)
        self._count("updated")
        self.session.flush()

    # -- Parts

    def _known(self, name: str) -> Group | None:
        sources = (SOURCE, *self.config.adopt)
        free = ~select(ScimGroup.number).where(ScimGroup.group_id == Group.id).exists()
        query = select(Group).where(Group.name == name, Group.source.in_(sources), free).order_by(Group.id).limit(1)
        return self.session.scalar(query)

    def _name(self, given: str | None, uid: str | None) -> str:
        name = (given or "").strip()
        if not name:
            raise InvalidValueException(detail=_("“%(field)s” is missing.", field="displayName"))
        if len(name) > organisation.MAX_NAME or not storable(name):
            raise InvalidValueException(
                detail=_("A group's name has at most %(count)s characters.", count=organisation.MAX_NAME)
            )
        holder = self.session.scalar(select(ScimGroup.uid).where(ScimGroup.display_key == fold(name)))
        if holder is not None and holder != uid:
            raise UniquenessException(detail=_("There is a group called “%(name)s” already.", name=name[:80]))
        return name

    def _free_key(self, name: str) -> str:
        """The name as a key that administrators can type; it stays when the name changes."""
        word = re.sub(r"[^a-z0-9]+", "-", people.folded(name)).strip("-")[:100] or "group"
        taken = set(self.session.scalars(select(Group.key).where(Group.key.startswith(word, autoescape=True))))
        return next(key for key in (word, *(f"{word}-{n}" for n in range(2, len(taken) + 3))) if key not in taken)

    def _members(self, group_id: int) -> list[int]:
        query = select(GroupMember.person_id).join(ScimUser, ScimUser.person_id == GroupMember.person_id)
        return list(self.session.scalars(query.where(GroupMember.group_id == group_id)))

    def _known_people(self, uids: Iterable[str]) -> list[int]:
        return list(self._by_uid(uids).values())

    def _people(self, uids: Sequence[str]) -> list[int]:
        """:raises InvalidValueException: for a member that is a group, or nobody."""
        found = self._by_uid(uids)
        missing = next((uid for uid in uids if uid not in found), None)
        if missing is None:
            return list(found.values())
        if storable(missing) and self.session.scalar(select(ScimGroup.number).where(ScimGroup.uid == missing)):
            raise InvalidValueException(
                detail=_("“%(id)s” is a group. Groups inside groups are not kept: send the people in it.", id=missing[:80])
            )
        raise InvalidValueException(detail=_("There is no user with the id “%(id)s”.", id=missing[:80]))

    def _by_uid(self, uids: Iterable[str]) -> dict[str, int]:
        wanted = [uid for uid in dict.fromkeys(uids) if storable(uid)]
        found: dict[str, int] = {}
        for start in range(0, len(wanted), PIECE):
            rows = select(ScimUser.uid, ScimUser.person_id).where(ScimUser.uid.in_(wanted[start : start + PIECE]))
            found.update({uid: person_id for uid, person_id in self.session.execute(rows)})
        return found

    def _count(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1


def members_of(session: Session, group_ids: list[int], base_url: str) -> dict[int, list[dict[str, str]]]:
    """The members as resources show them: one query for any number of groups."""
    rows = session.execute(
        select(GroupMember.group_id, ScimUser.uid)
        .join(ScimUser, ScimUser.person_id == GroupMember.person_id)
        .where(GroupMember.group_id.in_(group_ids))
        .order_by(ScimUser.number)
    )
    found: dict[int, list[dict[str, str]]] = {}
    for group_id, uid in rows:
        found.setdefault(group_id, []).append({"value": uid, "$ref": f"{base_url}/Users/{uid}", "type": "User"})
    return found


def sizes_of(session: Session, group_ids: list[int]) -> dict[int, int]:
    """How many members each group has, whoever keeps them: one query, of the key alone."""
    rows = session.execute(
        select(GroupMember.group_id, func.count())
        .where(GroupMember.group_id.in_(group_ids))
        .group_by(GroupMember.group_id)
    )
    return {group_id: count for group_id, count in rows}


def _ids(members: Iterable[Any] | None) -> list[str]:
    found = []
    for member in members or ():
        value = member.value or (str(member.ref).rstrip("/").rsplit("/", 1)[-1] if member.ref else "")
        if not value:
            raise InvalidValueException(detail=_("A member has no “value”."))
        found.append(value)
    return found


def _external_id(given: str | None) -> str | None:
    if given is not None and (len(given) > people.LIMITS["external_id"] or not storable(given)):
        raise InvalidValueException(detail=_("“%(field)s” cannot be kept.", field="externalId"))
    return given
