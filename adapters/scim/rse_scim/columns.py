"""Where the attributes of people and groups stand in the database: for filters and for sorting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scim2_models import CaseExact
from scim2_models.path import AttributeBinding
from sqlalchemy import ColumnElement, and_, case, column, exists, func, literal, null, select, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import JSON, String

from rse_core.models.organisation import Group, GroupMember, Person

from .documents import ENTERPRISE, fold
from .filters import Attribute, Columns, Condition, Entries, Fixed, Moment, Text
from .models import ScimGroup, ScimUser, ScimValue
from .schemas import EnterpriseUser

#: The single texts that stand apart as well on SQLite, as the migration's triggers have them.
LISTED = frozenset({("display_name",), ("name", "family_name"), ("enterprise", "employee_number")})
#: Texts that stand in the keys by the name of the field.
_NEVER = frozenset({"password", "meta"})


class UserColumns(Columns):
    """People: columns for what is asked for all the time, the keys for everything else."""

    def __init__(self, *, postgres: bool) -> None:
        self.postgres = postgres

    def find(self, binding: AttributeBinding) -> Attribute | None:
        name, sub = binding.field_name, binding.sub_field_name
        if binding.model is EnterpriseUser:
            return self._key(binding, ("enterprise", name, *([sub] if sub else ())), whole=name == "manager" and not sub)
        own: dict[str, Attribute] = {
            "id": Text(ScimUser.uid, exact=True),
            "external_id": Text(ScimUser.external_id, exact=True),
            "user_name": Text(ScimUser.user_name_key),
            # The person's own state counts; only the attribute itself can be missing.
            "active": Text(
                case((Person.status != "active", "false"), (ScimUser.keys["active"].as_string().is_not(None), "true"))
            ),
        }
        if name in own:
            return own[name]
        if name == "schemas":
            extended = ScimUser.keys["enterprise"].as_string().is_not(None)
            return Fixed(((str(binding.model.__schema__), true()), (ENTERPRISE, extended)))  # type: ignore[attr-defined]
        if name == "meta":
            return _meta(ScimUser, binding, "User")
        if name == "groups":
            return Entries(_user_groups) if sub != "ref" else None
        if name in _NEVER:
            return None
        if binding.is_multivalued:
            return Entries(lambda made: self._entries(binding, made))
        return self._key(binding, (name, *([sub] if sub else ())), whole=sub is None and _is_complex(binding))

    def contained(self, binding: AttributeBinding, entry: dict[str, str]) -> Condition | None:
        name = binding.field_name
        if name in ("groups", "meta") or not _is_plain(binding, entry):
            return None
        if not self.postgres:
            if "value" not in entry:
                return None
            some = _having(name, ScimValue.value == entry["value"])
            if len(entry) == 1:
                return some
            return and_(some, self._entries(binding, lambda of: and_(*(of(sub).column == entry[sub] for sub in entry))))
        wanted: Condition = ScimUser.keys.op("@>", is_comparison=True)(literal({name: [entry]}, JSONB))
        return wanted

    def listed(self, binding: AttributeBinding) -> Callable[[Callable[[Text], Condition]], Condition] | None:
        if self.postgres or binding.field_name in ("groups", "meta"):
            return None
        name, sub = binding.field_name, binding.sub_field_name
        path, exact = (name, sub) if sub else (name,), binding.case_exact
        if binding.model is EnterpriseUser:
            path = ("enterprise", *path)
        elif binding.is_multivalued and _is_complex(binding) and sub in (None, "value"):
            path, exact = (name,), _exact(binding, "value")
        if not (binding.is_multivalued and len(path) == 1) and path not in LISTED:
            return None
        return lambda holds: _having(".".join(path), holds(Text(ScimValue.value, exact=exact)))

    def _key(self, binding: AttributeBinding, path: tuple[str, ...], *, whole: bool) -> Attribute | None:
        if whole:
            # A complex attribute as a whole is only asked whether it is there; what is there is no text to compare.
            return Text(ScimUser.keys[path].as_string(), exact=True)
        return Text(ScimUser.keys[path].as_string(), exact=binding.case_exact)

    def _entries(
        self, binding: AttributeBinding, made: Callable[[Callable[[str], Text]], Condition] | None
    ) -> Condition:
        name = binding.field_name
        if self.postgres:
            entry = func.jsonb_array_elements(ScimUser.keys[name]).table_valued(column("value", JSONB), name=f"entry_{name}")
        else:
            entry = func.json_each(ScimUser.keys, f"$.{name}").table_valued(column("value", JSON), name=f"entry_{name}")

        def value(sub: str) -> Text:
            exact = _exact(binding, sub)
            if self.postgres:
                return Text(entry.c.value.op("->>", return_type=String())(sub), exact=exact)
            return Text(func.json_extract(entry.c.value, f"$.{sub}"), exact=exact)

        found = select(literal(1)).select_from(entry)
        if made is not None:
            found = found.where(made(value))
        return exists(found.correlate(ScimUser.__table__, Person.__table__))


class GroupColumns(Columns):
    """Groups."""

    def __init__(self, *, postgres: bool) -> None:
        self.postgres = postgres

    def find(self, binding: AttributeBinding) -> Attribute | None:
        name, sub = binding.field_name, binding.sub_field_name
        own: dict[str, Attribute] = {
            "id": Text(ScimGroup.uid, exact=True),
            "external_id": Text(ScimGroup.external_id, exact=True),
            "display_name": Text(ScimGroup.display_key),
            "schemas": Fixed(((str(getattr(binding.model, "__schema__", "")), true()),)),
        }
        if name in own:
            return own[name]
        if name == "meta":
            return _meta(ScimGroup, binding, "Group")
        return Entries(_members) if name == "members" and sub != "ref" else None


def sort_column(
    columns: Columns, binding: AttributeBinding
) -> ColumnElement[Any] | InstrumentedAttribute[Any] | None:
    """What resources are ordered by; None for what is not sorted here."""
    if binding.is_multivalued:
        if not isinstance(columns, UserColumns) or binding.field_name in ("groups", "schemas"):
            return None
        sub = binding.sub_field_name or "value"
        found: ColumnElement[Any] = ScimUser.keys[(binding.field_name, 0, sub)].as_string()
        return found.collate("C") if columns.postgres else found
    attribute = columns.find(binding)
    if isinstance(attribute, Moment):
        return attribute.column
    if not isinstance(attribute, Text):
        return None
    return attribute.column.collate("C") if columns.postgres else attribute.column


def _user_groups(made: Callable[[Callable[[str], Text]], Condition] | None) -> Condition:
    found = (
        select(literal(1))
        .select_from(GroupMember)
        .join(ScimGroup, ScimGroup.group_id == GroupMember.group_id)
        .where(GroupMember.person_id == ScimUser.person_id)
    )
    if made is not None:
        texts = {
            "value": Text(ScimGroup.uid, exact=True), "display": Text(ScimGroup.display_key),
            "type": Text(literal("direct")),
        }  # fmt: skip
        found = found.where(made(lambda sub: texts.get(sub, Text(null()))))
    return exists(found.correlate(ScimUser.__table__, Person.__table__))


def _members(made: Callable[[Callable[[str], Text]], Condition] | None) -> Condition:
    found = (
        select(literal(1))
        .select_from(GroupMember)
        .join(ScimUser, ScimUser.person_id == GroupMember.person_id)
        .where(GroupMember.group_id == ScimGroup.group_id)
    )
    if made is not None:
        texts = {"value": Text(ScimUser.uid, exact=True), "type": Text(literal("user"))}
        found = found.where(made(lambda sub: texts.get(sub, Text(null()))))
    return exists(found.correlate(ScimGroup.__table__, Group.__table__))


def _meta(table: type[ScimUser] | type[ScimGroup], binding: AttributeBinding, kind: str) -> Attribute | None:
    exact = binding.case_exact
    found: dict[str | None, Attribute] = {
        None: Moment(table.created_at), "created": Moment(table.created_at), "last_modified": Moment(table.changed_at),
        "resource_type": Text(literal(fold(kind, exact=exact)), exact=exact),
    }  # fmt: skip
    return found.get(binding.sub_field_name)


def _having(path: str, condition: Condition) -> Condition:
    """People who have a value of this path for which the condition holds; never NULL."""
    found: Condition = ScimUser.number.in_(select(ScimValue.number).where(ScimValue.path == path, condition))
    return found


def _is_complex(binding: AttributeBinding) -> bool:
    return hasattr(binding.field_type, "model_fields")


def _is_plain(binding: AttributeBinding, entry: dict[str, str]) -> bool:
    return binding.is_multivalued and "ref" not in entry and binding.model is not EnterpriseUser


def _exact(binding: AttributeBinding, sub: str) -> bool:
    model: Any = binding.field_type
    return bool(model.get_field_annotation(sub, CaseExact) == CaseExact.true)

