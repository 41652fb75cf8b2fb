"""A resource as it is kept: the document, its comparable keys, and what the core is told of the person."""

from __future__ import annotations

import base64
import datetime as dt
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from pydantic import BaseModel
from scim2_models import BaseModel as ScimModel
from scim2_models import CaseExact, InvalidValueException, Resource

from rse_core import people

from .config import Config
from .i18n import _
from .schemas import EnterpriseUser

ENTERPRISE = str(EnterpriseUser.__schema__)
#: The most characters of one text and entries of one list; the core's own limits come beside.
MAX_TEXT, MAX_ENTRIES, MAX_ID = 4_000, 100, 200
#: Kept elsewhere, or never: ``password`` is accepted and forgotten at once.
_ELSEWHERE = ("id", "meta", "groups", "password", "schemas")
_OWN_FIELDS = frozenset({"id", "meta", "groups", "password", "schemas", "external_id", "user_name"})


def fold(text: str, *, exact: bool = False) -> str:
    """How a text is compared: NFC, and in lower case unless the case counts (RFC 7643, ``caseExact``)."""
    normal = unicodedata.normalize("NFC", text)
    return normal if exact else unicodedata.normalize("NFC", normal.lower())


def storable(text: str) -> bool:
    """Whether a database can keep it: no NUL, no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def document_of(resource: Resource[Any], config: Config) -> dict[str, Any]:
    """What is kept of the resource, as it was sent.

    :raises InvalidValueException: for a text that cannot be kept, or is endless.
    """
    document = {
        name: value
        for name, value in resource.model_dump().items()
        if name not in _ELSEWHERE and name not in config.forget
    }
    manager = document.get(ENTERPRISE, {}).get("manager")
    if manager is not None:
        manager.pop("displayName", None)
        # The address names the resource as well as its id does.
        if not manager.get("value") and manager.get("$ref"):
            manager["value"] = manager["$ref"].rstrip("/").rsplit("/", 1)[-1]
    _check(document, "")
    for name, value in (("externalId", document.get("externalId")), ("manager", (manager or {}).get("value"))):
        if value is not None and len(value) > MAX_ID:
            raise InvalidValueException(
                detail=_("“%(field)s” has more than %(count)s characters.", field=name, count=MAX_ID)
            )
    return document


def _check(value: Any, where: str) -> None:
    if isinstance(value, str):
        if not storable(value):
            raise InvalidValueException(detail=_("“%(field)s” holds a character that cannot be kept.", field=where))
        if len(value) > MAX_TEXT:
            raise InvalidValueException(
                detail=_("“%(field)s” has more than %(count)s characters.", field=where, count=MAX_TEXT)
            )
    elif isinstance(value, list):
        if len(value) > MAX_ENTRIES:
            raise InvalidValueException(
                detail=_("“%(field)s” has more than %(count)s values.", field=where, count=MAX_ENTRIES)
            )
        for item in value:
            _check(item, where)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(item, f"{where}.{name}".lstrip("."))


def keys_of(resource: Resource[Any], config: Config) -> dict[str, Any]:
    """The values that are kept as they are compared, by the names that the models give them.

    ``primary`` entries stand first: a list is sorted by its first one (RFC 7644, 3.4.2.3).
    """
    forgotten = {name.lower() for name in config.forget}
    found = {
        name: key
        for name, key in _keys(resource).items()
        if name not in _OWN_FIELDS and name.replace("_", "") not in forgotten
    }
    extension = cast("Any", resource)[EnterpriseUser]
    if extension is not None and (keys := _keys(extension)):
        found["enterprise"] = {name: key for name, key in keys.items() if name != "schemas"}
    found.pop("EnterpriseUser", None)
    return found


def _keys(model: ScimModel) -> dict[str, Any]:
    found = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if value is None or value == []:
            continue
        exact = type(model).get_field_annotation(name, CaseExact) == CaseExact.true
        key = _key(value, exact)
        if key is not None:
            found[name] = key
    return found


def _key(value: Any, exact: bool) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return fold(value, exact=exact)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return _keys(cast("ScimModel", value)) or None
    if isinstance(value, list):
        entries = sorted(value, key=lambda entry: getattr(entry, "primary", None) is not True)
        return [_key(entry, exact) or {} for entry in entries]
    return None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the core is told of a person. ``external_id`` is None when the resource names none."""

    external_id: str | None
    username: str
    display_name: str
    email: str
    job_title: str
    phone: str
    site: str
    locale: str
    external: bool
    entity: str
    manager: str

    def plain(self) -> dict[str, Any]:
        """The facts that are the person's own columns."""
        return {
            "username": self.username, "display_name": self.display_name, "email": self.email,
            "job_title": self.job_title, "phone": self.phone, "site": self.site, "locale": self.locale,
            "external": self.external,
        }  # fmt: skip


def facts_of(document: dict[str, Any], config: Config) -> Facts:
    """What a document says of a person."""
    name, enterprise = document.get("name", {}), document.get(ENTERPRISE, {})
    ids = {
        "externalId": document.get("externalId"), "userName": document.get("userName"),
        "employeeNumber": enterprise.get("employeeNumber"),
    }  # fmt: skip
    spoken = " ".join(filter(None, (name.get("givenName"), name.get("familyName"))))
    shown = (document.get("displayName"), name.get("formatted"), spoken, document.get("userName"))
    kinds = {kind.lower() for kind in config.external_types}
    return Facts(
        external_id=(ids[config.external_id] or "").strip() or None,
        username=(document.get("userName") or "").strip(),
        display_name=people.called(shown) or "?",
        email=_chosen(document.get("emails"), "value").strip(),
        job_title=(document.get("title") or "").strip(),
        phone=_chosen(document.get("phoneNumbers"), "value").removeprefix("tel:").strip(),
        site=_chosen([one for one in document.get("addresses", ()) if one.get("type") != "home"], "locality").strip(),
        locale=document.get("preferredLanguage") or document.get("locale") or "",
        external=(document.get("userType") or "").lower() in kinds,
        entity=(enterprise.get(config.entity) or "").strip() if config.entity else "",
        manager=((enterprise.get("manager") or {}).get("value") or "").strip(),
    )


def _chosen(entries: Iterable[dict[str, Any]] | None, name: str) -> str:
    """The primary entry's value, else that of work, else the first one."""
    found = [entry for entry in entries or () if entry.get(name)]
    found.sort(key=lambda entry: (entry.get("primary") is not True, entry.get("type") != "work"))
    return str(found[0][name]) if found else ""
