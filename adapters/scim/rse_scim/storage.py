"""Where the server of the protocol reads and writes: people and groups of the core, one transaction for each operation."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from scim2_models import (
    InvalidPathException,
    NotImplementedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    ScimProvider,
    SearchRequest,
    UniquenessException,
)
from scim2_models.path import Path
from scim2_server.storage import ScimStorage, SearchPage
from sqlalchemy import Select, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rse_core.api import Actor, Core, RseError
from rse_core.directory_pushes import note
from rse_core.models.organisation import Group, Person

from .columns import GroupColumns, UserColumns, sort_column
from .config import SOURCE, Config
from .documents import ENTERPRISE
from .errors import as_scim
from .filters import Columns, condition_of
from .groups import Groups, members_of, sizes_of
from .i18n import _
from .models import ScimGroup, ScimUser
from .schemas import model_of
from .steps import Step
from .users import Users, groups_of

logger = logging.getLogger("rse.scim")

#: One writer at a time: two who create the same person, or who fill up the threshold, wait for one another.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('rse_scim'))")


#: The greatest number of rows to pass over.
FURTHEST = 2**63 - 1


class RseStorage(ScimStorage):
    """The storage of one request.

    :param base_url: the SCIM root, for references.
    :param writing: whether it changes anything.
    """

    def __init__(
        self, core: Core, provider: ScimProvider, config: Config, actor: Actor, *, base_url: str = "", writing: bool
    ) -> None:
        self.core, self.config, self.actor, self.writing = core, config, actor, writing
        self.base_url = base_url
        self.user, self.group = model_of(provider, "User"), model_of(provider, "Group")
        postgres = not core.db.is_sqlite
        self.user_columns, self.group_columns = UserColumns(postgres=postgres), GroupColumns(postgres=postgres)
        self._session: Session | None = None

    @contextmanager
    def operation(self) -> Iterator[None]:
        """One transaction; what the core refuses becomes an error of the protocol."""
        try:
            with self.core.db.write() if self.writing else self.core.db.read() as session:
                if self.writing and not self.core.db.is_sqlite:
                    session.execute(_LOCK)
                self._session = session
                self.users = Users(session, self.config, self.actor)
                self.groups = Groups(session, self.config, self.actor)
                yield
                if self.users.done or self.groups.done:
                    note(session, SOURCE, actor=self.actor, people=self.users.done, groups=self.groups.done)
        except RseError as error:
            raise as_scim(error) from error
        except IntegrityError as error:
            # Another source was quicker.
            raise UniquenessException(detail=_("Somebody else has just taken one of these values.")) from error
        except SCIMException:
            raise
        except Exception:  # logged here: inside a bulk request the protocol's own code only answers 500 for it
            logger.exception("an operation of SCIM failed")
            raise
        finally:
            self._session = None

    @property
    def session(self) -> Session:
        """The session of the operation that runs."""
        if self._session is None:
            raise RuntimeError("storage used outside an operation")
        return self._session

    # -- The protocol's calls. The lock is held from before the resource was read: versions cannot differ in between.

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        if resource_type.name == "User":
            return self._shown_users([self.users.row(resource_id)])[0]
        return self._shown_groups([self.groups.row(resource_id)], members=_wants_members(response_parameters))[0]

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        if resource_type.name == "User":
            return self._shown_users([self.users.create(resource)])[0]
        return self._shown_groups([self.groups.create(resource)])[0]

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        if resource_type.name == "User":
            return self._shown_users([self.users.update(resource)])[0]
        return self._shown_groups([self.groups.update(resource)])[0]

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        if resource_type.name == "User":
            self.users.delete(resource_id)
        else:
            self.groups.delete(resource_id)

    def group_without_members(self, resource_id: str) -> Resource[Any]:
        """A group as far as it is shown without reading its members."""
        return self._shown_groups([self.groups.row(resource_id)], members=False)[0]

    def change_group(self, resource_id: str, steps: Sequence[Step]) -> Resource[Any]:
        """Apply the steps; the group comes back without its members."""
        return self._shown_groups([self.groups.change(self.groups.row(resource_id), steps)], members=False)[0]

    # -- Searching

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        if search_request.sort_by is not None and len(resource_types) > 1:
            raise NotImplementedException(detail=_("Users and groups are sorted one by one, not together."))
        start = max(1, search_request.start_index or 1)
        count = self.config.max_results if search_request.count is None else search_request.count
        total, found = 0, list[Resource[Any]]()
        for resource_type in resource_types:
            matching = self._matching(resource_type, search_request)
            # No database counts further than that; an index that goes beyond is beyond all pages.
            skip, room = min(max(0, start - 1 - total), FURTHEST), count - len(found)
            # An index is what the standard pages by; the order is that of a column that only grows.
            page = self._page(resource_type, matching.offset(skip).limit(room), search_request) if room > 0 else []
            found += page
            if len(page) < room and (page or skip == 0):
                # The last page says how many there are: what few have is looked for once, not twice.
                total += skip + len(page)
            else:
                counted = matching.order_by(None).with_only_columns(func.count(), maintain_column_froms=True)
                total += self.session.scalar(counted) or 0
        return SearchPage(total=total, resources=found)

    def _matching(self, resource_type: ResourceType, request: SearchRequest[Any]) -> Select[Any]:
        is_user = resource_type.name == "User"
        query: Select[Any] = select(ScimUser) if is_user else select(ScimGroup)
        if is_user and "active" in f"{request.filter} {request.sort_by}".lower():
            # Whether somebody is active is the one thing that stands with the person.
            query = query.join(Person, Person.id == ScimUser.person_id)
        columns: Columns = self.user_columns if is_user else self.group_columns
        model = self.user if is_user else self.group
        if request.filter is not None:
            query = query.where(condition_of(model, str(request.filter), columns))
        number = ScimUser.number if is_user else ScimGroup.number
        if request.sort_by is None:
            return query.order_by(number)
        order = self._order(model, columns, request)
        down = request.sort_order == SearchRequest.SortOrder.descending
        # Without a value they stand last, or first when the order is turned round (RFC 7644, 3.4.2.3).
        return query.order_by(order.desc().nulls_first() if down else order.asc().nulls_last(), number)

    def _order(self, model: type[Resource[Any]], columns: Columns, request: SearchRequest[Any]) -> Any:
        binding = Path[model](str(request.sort_by)).resolve()  # type: ignore[valid-type]
        order = None if binding is None else sort_column(columns, binding)
        if order is None:
            raise InvalidPathException(detail=_("“%(name)s” cannot be sorted by.", name=str(request.sort_by)[:80]))
        return order

    def _page(self, resource_type: ResourceType, query: Select[Any], request: SearchRequest[Any]) -> list[Resource[Any]]:
        rows = list(self.session.scalars(query))
        if resource_type.name == "User":
            return self._shown_users(rows)
        return self._shown_groups(rows, members=_wants_members(request))

    # -- Resources from rows: a fixed number of queries for any number of rows

    def _shown_users(self, rows: Sequence[ScimUser]) -> list[Resource[Any]]:
        ids = [row.person_id for row in rows]
        active = set(self.session.scalars(select(Person.id).where(Person.id.in_(ids), Person.status == "active")))
        groups = groups_of(self.session, ids, self.base_url)
        return [self._user(row, row.person_id in active, groups.get(row.person_id, [])) for row in rows]

    def _user(self, row: ScimUser, active: bool, groups: list[dict[str, str]]) -> Resource[Any]:
        shown = {**row.document, "id": row.uid, "schemas": [str(self.user.__schema__)]}
        if "active" in shown or not active:
            shown["active"] = active
        if ENTERPRISE in shown:
            shown["schemas"].append(ENTERPRISE)
            manager = shown[ENTERPRISE].get("manager")
            if manager and "$ref" not in manager:
                reference = f"{self.base_url}/Users/{manager['value']}"
                shown[ENTERPRISE] = {**shown[ENTERPRISE], "manager": {**manager, "$ref": reference}}
        if groups:
            shown["groups"] = groups
        stamp = hashlib.sha256(repr((row.version, active, groups)).encode()).hexdigest()[:12]
        shown["meta"] = _meta("User", row, f'W/"{row.version}-{stamp}"')
        return self.user.model_validate(shown)

    def _shown_groups(self, rows: Sequence[ScimGroup], *, members: bool = True) -> list[Resource[Any]]:
        ids = [row.group_id for row in rows]
        names = dict(cast("Any", self.session.execute(select(Group.id, Group.name).where(Group.id.in_(ids)))).all())
        # The number of members is part of the version: what somebody else changes is seen as well.
        sizes, found = sizes_of(self.session, ids), members_of(self.session, ids, self.base_url) if members else {}
        return [
            self.group.model_validate(
                {
                    "id": row.uid, "schemas": [str(self.group.__schema__)], "displayName": names[row.group_id],
                    "externalId": row.external_id, "members": found.get(row.group_id) or None,
                    "meta": _meta("Group", row, f'W/"{row.version}-{sizes.get(row.group_id, 0)}"'),
                }
            )
            for row in rows
        ]  # fmt: skip


def _meta(kind: str, row: ScimUser | ScimGroup, version: str) -> dict[str, Any]:
    return {"resourceType": kind, "created": row.created_at, "lastModified": row.changed_at, "version": version}


def _wants_members(parameters: ResponseParameters[Any] | None) -> bool:
    if parameters is None:
        return True
    if parameters.attributes:
        return any(_is_members(path) for path in parameters.attributes)
    return not any(str(path).rpartition(":")[2].lower() == "members" for path in parameters.excluded_attributes or ())


def _is_members(path: Any) -> bool:
    return bool(str(path).rpartition(":")[2].partition(".")[0].lower() == "members")
