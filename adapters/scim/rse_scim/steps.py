"""A PATCH of a group as steps that need not know who is in it: adding one person to a group of 75,000 reads one person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from scim2_models import PatchOp, PatchOperation
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator

_MEMBER = frozenset({"value", "type", "$ref", "display"})


@dataclass(frozen=True, slots=True)
class Step:
    """``what``: ``add``, ``remove`` or ``set`` members (``ids``); ``name`` or ``external_id`` (``text``)."""

    what: str
    ids: tuple[str, ...] | list[str] = ()
    text: str | None = None


def steps_of(patch: PatchOp[Any], uid: str) -> list[Step] | None:
    """The steps, consecutive ones of a kind as one; None when one of them needs the whole resource."""
    steps: list[Step] = []
    for operation in patch.operations or ():
        found = _steps(operation, uid)
        if found is None:
            return None
        for step in found:
            if steps and steps[-1].what == step.what and step.what in ("add", "remove"):
                step = Step(step.what, ids=[*steps.pop().ids, *step.ids])
            steps.append(step)
    return steps


def _steps(operation: PatchOperation[Any], uid: str) -> list[Step] | None:
    op, value = str(operation.op.value), operation.value
    if not operation.path:
        return None if op == "remove" else _of_object(value, uid)
    binding = operation.path.resolve()
    if binding is None or binding.sub_field_name is not None:
        return None
    selected = operation.path.value_filter
    if binding.field_name == "members":
        return _of_members(op, value, selected)
    return _of_text(op, binding.field_name, value) if selected is None else None


def _of_members(op: str, value: Any, selected: FilterNode | None) -> list[Step] | None:
    if op == "remove":
        if selected is not None:
            ids = _selected(selected) if value is None else None
        else:
            ids = _given(value)
            if value is None:
                return [Step("set")]
        return None if ids is None else [Step("remove", ids=ids)]
    if selected is not None:
        return None
    ids = _given(value)
    return None if ids is None else [Step("add" if op == "add" else "set", ids=ids)]


def _of_text(op: str, name: str, value: Any) -> list[Step] | None:
    what = {"display_name": "name", "external_id": "external_id"}.get(name)
    if what is None or op == "remove" or not isinstance(value, str):
        return None
    return [Step(what, text=value)]


def _of_object(value: Any, uid: str) -> list[Step] | None:
    """Okta renames a group by an object without a path, with the id beside the name."""
    if not isinstance(value, dict):
        return None
    steps = []
    for name, given in value.items():
        known = name.lower()
        if known == "schemas" or (known == "id" and given == uid):
            continue
        what = {"displayname": "name", "externalid": "external_id"}.get(known)
        if what is None or not isinstance(given, str):
            return None
        steps.append(Step(what, text=given))
    return steps


def _given(value: Any) -> list[str] | None:
    """The ids of members given as objects; None for anything else."""
    entries = value if isinstance(value, list) else [value]
    ids = []
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("value"), str) or entry.keys() - _MEMBER:
            return None
        if str(entry.get("type") or "user").lower() != "user":
            return None
        ids.append(entry["value"])
    return ids


def _selected(node: FilterNode) -> list[str] | None:
    """The ids of ``value eq "…"``, alone or joined by ``or``."""
    terms: Iterable[FilterNode] = (
        node.terms if isinstance(node, LogicalExpr) and node.op == LogicalOperator.or_ else (node,)
    )
    ids = []
    for term in terms:
        if not isinstance(term, Comparison) or term.op != CompareOperator.eq or not isinstance(term.value, str):
            return None
        if str(term.attr_path).lower() != "value":
            return None
        ids.append(term.value)
    return ids
