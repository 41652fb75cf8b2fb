"""The section ``[ldap]`` of ``rse.toml``; each key also as ``RSE_LDAP_<KEY>``."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, fields, validate

from rse_core.api import ConfigError

KINDS = ("openldap", "ad")
#: What each fact is read from, the first attribute that has a value; the first of ``id`` decides how it is written.
DEFAULTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "openldap": {
        "id": ("entryUUID",), "username": ("uid",), "display_name": ("displayName", "cn"), "email": ("mail",),
        "job_title": ("title",), "manager": ("manager",), "locale": ("preferredLanguage",), "phone": ("telephoneNumber",),
        "site": ("l",), "entity_id": ("ou",), "entity_name": ("description", "ou"), "group_id": ("cn",),
        "group_name": ("description", "cn"), "assistants": ("secretary",), "other_entities": (),
        "photo": ("jpegPhoto",),
    },
    "ad": {
        "id": ("objectGUID",), "username": ("sAMAccountName",), "display_name": ("displayName", "cn"), "email": ("mail",),
        "job_title": ("title",), "manager": ("manager",), "locale": ("preferredLanguage",), "phone": ("telephoneNumber",),
        "site": ("physicalDeliveryOfficeName", "l"), "entity_id": ("ou",), "entity_name": ("description", "ou"),
        "group_id": ("cn",), "group_name": ("description", "cn"), "assistants": ("assistant",), "other_entities": (),
        "photo": ("thumbnailPhoto", "jpegPhoto"),
    },
}  # fmt: skip
_PEOPLE = {
    "openldap": "(objectClass=inetOrgPerson)",
    # Accounts that are switched off are people who have left.
    "ad": "(&(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))",
}
_GROUPS = {"openldap": "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))", "ad": "(objectClass=group)"}


class LdapSchema(Schema):
    """The keys of ``[ldap]``."""

    class Meta:
        unknown = RAISE

    url = fields.String(load_default="")
    kind = fields.String(load_default="openldap", validate=validate.OneOf(KINDS))
    start_tls = fields.Boolean(load_default=False)
    ca_file = fields.String(load_default="")
    bind_dn = fields.String(load_default="")
    password = fields.String(load_default="")
    password_file = fields.String(load_default="")
    timeout = fields.Integer(load_default=30, validate=validate.Range(1, 600))
    page_size = fields.Integer(load_default=500, validate=validate.Range(1, 5000))
    people_base = fields.String(load_default="")
    people_filter = fields.String(load_default="")
    #: people below it are from outside the organisation
    external_base = fields.String(load_default="")
    groups_base = fields.String(load_default="")
    groups_filter = fields.String(load_default="")
    #: where the tree of entities stands; people belong to the nearest above them
    entities_base = fields.String(load_default="")
    entities_filter = fields.String(load_default="(objectClass=organizationalUnit)")
    #: else: the attribute of a person that names their entity
    entity_attribute = fields.String(load_default="")
    attributes = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)
    #: whether photos are read too, and how large one may be, in kilobytes
    photos = fields.Boolean(load_default=False)
    photo_limit = fields.Integer(load_default=1_024, validate=validate.Range(1, 10_240))
    #: seconds between two runs of the worker, 0: by the command only; and after how many everything is read again
    every = fields.Integer(load_default=0, validate=validate.Range(0, 31 * 86_400))
    complete_every = fields.Integer(load_default=86_400, validate=validate.Range(0, 31 * 86_400))


@dataclass(frozen=True, slots=True)
class Config:
    """One directory. Without ``url`` there is none."""

    url: str = ""
    kind: str = "openldap"
    start_tls: bool = False
    ca_file: str = ""
    bind_dn: str = ""
    password: str = ""
    timeout: int = 30
    page_size: int = 500
    people_base: str = ""
    people_filter: str = ""
    external_base: str = ""
    groups_base: str = ""
    groups_filter: str = ""
    entities_base: str = ""
    entities_filter: str = ""
    entity_attribute: str = ""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    photos: bool = False
    photo_limit: int = 1_024
    every: int = 0
    complete_every: int = 86_400

    def __repr__(self) -> str:
        # The password stays out of logs and of error pages.
        return f"Config({self.url}, {self.kind}, bind_dn={self.bind_dn!r}, people_base={self.people_base!r})"

    @property
    def tls(self) -> bool:
        """Whether what is sent cannot be read on the way."""
        return self.start_tls or self.url.startswith("ldaps:")


def parse(found: dict[str, Any]) -> Config:
    """Check what belongs together.

    :raises ConfigError: names the key and says what to write.
    """
    if not found["url"]:
        return Config()
    parts = urlsplit(found["url"])
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname:
        raise _refused("url", f"“{found['url']}” is no address of a directory.", "Write ldaps://ldap.example.org.")
    if not found["people_base"]:
        raise _refused(
            "people_base", "it does not say where people stand.", "Write for example ou=people,dc=example,dc=org."
        )
    if found["start_tls"] and parts.scheme == "ldaps":
        raise _refused("start_tls", "an ldaps address is encrypted already.", "Take start_tls out, or write ldap://.")
    if found["entities_base"] and found["entity_attribute"]:
        raise _refused("entity_attribute", "entities come from a tree or from an attribute, not from both.", "Keep one.")
    if found["ca_file"] and not Path(found["ca_file"]).is_file():
        raise _refused("ca_file", f"there is no file {found['ca_file']}.", "Check it.")
    password = _password(found)
    if bool(found["bind_dn"]) != bool(password):
        raise _refused("bind_dn", "bind_dn and its password belong together.", "Set both, or neither.")
    safe = found["start_tls"] or parts.scheme == "ldaps" or _is_loopback(parts.hostname)
    if password and not safe:
        raise _refused("url", "the password would be sent in clear.", "Write ldaps://, or set start_tls = true.")
    kind = found["kind"]
    kept = {key: found[key] for key in LdapSchema().fields if key not in ("password_file", "attributes")}
    kept.update(
        password=password, people_filter=found["people_filter"] or _PEOPLE[kind],
        groups_filter=found["groups_filter"] or _GROUPS[kind], attributes=_attributes(kind, found["attributes"]),
    )  # fmt: skip
    for key in ("people_filter", "groups_filter", "entities_filter"):
        if not (kept[key].startswith("(") and kept[key].count("(") == kept[key].count(")")):
            raise _refused(key, f"“{kept[key]}” is no filter.", "Write for example (objectClass=inetOrgPerson).")
    return Config(**kept)


def _password(found: Mapping[str, Any]) -> str:
    if found["password"] and found["password_file"]:
        raise _refused("password", "it stands in password and in password_file.", "Keep one.")
    if not found["password_file"]:
        return str(found["password"])
    try:
        return Path(found["password_file"]).read_text("utf-8").strip("\r\n")
    except OSError as error:
        raise _refused("password_file", f"it cannot be read: {error.strerror}.", "Check its path and its rights.") from None


def _attributes(kind: str, given: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    known = DEFAULTS[kind]
    for name in given:
        if name not in known:
            raise _refused("attributes", f"there is no “{name}”.", f"Use one of: {', '.join(known)}.")
    return {
        **known,
        **{name: tuple(part.strip() for part in text.split(",") if part.strip()) for name, text in given.items()},
    }


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(key: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(f"[ldap] {key}: {what}", remedy=remedy)
