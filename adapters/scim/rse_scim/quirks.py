"""What Microsoft Entra ID sends beside the standard, brought to the standard before anything else reads it.

* the manager as a plain text, or as a list of one: ``{"path": "urn:…:User:manager", "value": "2819…"}``;
* attribute paths with a filter as keys of an object without a path: ``{"emails[type eq \\"work\\"].value": "…"}``;
* a filter by ``manager`` without its schema and without ``.value``: ``id eq "…" and manager eq "…"``.

Its capitalised names of operations, its ``"True"`` and ``"False"``, and its ``remove`` with a ``value`` are read by the
library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic_core import from_json
from scim2_models import SCIMException, ScimFilter
from scim2_models.path import AttrPath, Comparison, FilterNode, LogicalExpr, Not, Present

from .documents import ENTERPRISE
from .filters import check_length

MANAGER = f"{ENTERPRISE}:manager".lower()


def mended(method: str, path: str, body: bytes) -> bytes:
    """The body with these forms put right; one that is no JSON object is left to be refused."""
    if method not in ("POST", "PUT", "PATCH") or not body:
        return body
    try:
        found = from_json(body)
    except ValueError:
        return body
    if not isinstance(found, dict):
        return body
    if path.strip("/").lower() == "bulk":
        for operation in _dicts(found.get("Operations")):
            if isinstance(operation.get("data"), dict):
                _mend(str(operation.get("method", "")).upper(), operation["data"])
    elif path.endswith(".search") and isinstance(found.get("filter"), str):
        found["filter"] = mended_query({"filter": found["filter"]})["filter"]
    else:
        _mend(method, found)
    try:
        return json.dumps(found, ensure_ascii=True).encode()
    except ValueError:
        # A number of thousands of digits: Python writes none.
        return body


def mended_query(query: Mapping[str, str]) -> dict[str, str]:
    """The parameters with the filter put right; one that cannot be read is left to be refused.

    :raises InvalidFilterException: for one that is too long, before anything reads it.
    """
    found = dict(query)
    check_length(found.get("filter", ""))
    if "manager" in found.get("filter", "").lower():
        try:
            found["filter"] = str(_renamed(ScimFilter[Any](found["filter"]).ast))
        except SCIMException:
            pass
    return found


def _renamed(node: FilterNode) -> FilterNode:
    if isinstance(node, LogicalExpr):
        return replace(node, terms=tuple(_renamed(term) for term in node.terms))
    if isinstance(node, Not):
        return replace(node, expr=_renamed(node.expr))
    if isinstance(node, Comparison | Present):
        path = node.attr_path
        own = path.uri is None or path.uri.lower() == ENTERPRISE.lower()
        if own and path.attr.lower() == "manager" and path.sub_attr in (None, "value"):
            sub = "value" if isinstance(node, Comparison) else path.sub_attr
            return replace(node, attr_path=AttrPath(attr="manager", sub_attr=sub, uri=ENTERPRISE))
    return node


def _mend(method: str, data: dict[str, Any]) -> None:
    if method == "PATCH":
        for name in ("Operations", "operations"):
            if isinstance(data.get(name), list):
                data[name] = [mended for operation in data[name] for mended in _operations(operation)]
        return
    extension = data.get(ENTERPRISE)
    if isinstance(extension, dict) and "manager" in extension:
        extension["manager"] = _manager(extension["manager"])


def _operations(operation: Any) -> list[Any]:
    if not isinstance(operation, dict):
        return [operation]
    path, value = operation.get("path"), operation.get("value")
    if isinstance(path, str) and path.strip().lower() == MANAGER and "value" in operation:
        value = _manager(value)
        if str(operation.get("op", "")).lower() == "remove" or value is None:
            return [{"op": "remove", "path": path}]
        return [{**operation, "value": value}]
    if path or not isinstance(value, dict):
        return [operation]
    parts: list[Any] = []
    plain: dict[str, Any] = {}
    for name, given in value.items():
        if name.lower() == MANAGER:
            parts += _operations({**operation, "path": name, "value": given})
        elif "[" in name:
            parts.append({**operation, "path": name, "value": given})
        elif name.lower() == ENTERPRISE.lower() and isinstance(given, dict) and "manager" in given:
            plain[name] = {**given, "manager": _manager(given["manager"])}
        else:
            plain[name] = given
    # An object of nothing else is an operation too: it changes nothing, or is refused.
    return [{**operation, "value": plain}, *parts] if plain or not parts else parts


def _manager(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value in ("", [], {}):
        return None
    return {"value": value} if isinstance(value, str) else value


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
