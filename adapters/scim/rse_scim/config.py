"""The section ``[scim]`` of ``rse.toml``; each key also as ``RSE_SCIM_<KEY>``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, fields, validate

from rse_core.api import ConfigError

#: What people and groups keep as their source.
SOURCE = "scim.main"
#: What a token must carry.
SCOPE = "scim:provision"

#: Attributes that may be left out of what is kept: RSE needs neither of them.
FORGETTABLE = (
    "addresses", "emails", "entitlements", "ims", "nickName", "phoneNumbers", "photos", "profileUrl", "roles", "timezone",
    "x509Certificates",
)  # fmt: skip


class ScimSchema(Schema):
    """The keys of ``[scim]``."""

    class Meta:
        unknown = RAISE

    #: where the identity provider sees the SCIM root, when it is not what the request says
    base_url = fields.String(load_default="")
    #: the attribute that is the organisation's own id of a person
    external_id = fields.String(
        load_default="externalId", validate=validate.OneOf(("externalId", "employeeNumber", "userName"))
    )
    #: sources whose people and groups are taken over, and how a person is found again
    adopt = fields.List(fields.String(), load_default=list)
    adopt_by = fields.String(load_default="external_id", validate=validate.OneOf(("external_id", "username", "email")))
    #: the attribute of the enterprise extension that names the entity; "" leaves entities alone
    entity = fields.String(
        load_default="department", validate=validate.OneOf(("department", "division", "organization", "costCenter", ""))
    )
    missing_entity = fields.String(load_default="create", validate=validate.OneOf(("create", "refuse")))
    #: the key of the entity below which new ones are made; "" makes them at the top
    entity_parent = fields.String(load_default="")
    #: values of userType that say: from outside the organisation
    external_types = fields.List(fields.String(), load_default=lambda: ["Guest", "External"])
    #: attributes that are accepted but not kept
    forget = fields.List(fields.String(validate=validate.OneOf(FORGETTABLE)), load_default=list)
    #: seconds within which those who leave are counted together, and how many may always leave
    leaving_window = fields.Integer(load_default=86_400, validate=validate.Range(60, 31 * 86_400))
    leaving_free = fields.Integer(load_default=10, validate=validate.Range(0, 100_000))
    #: requests of one token in a minute
    rate = fields.Integer(load_default=1_500, validate=validate.Range(1, 1_000_000))
    #: bytes of one request, operations of one bulk request, resources of one page
    max_body = fields.Integer(load_default=1_048_576, validate=validate.Range(1_024, 64 * 1_048_576))
    max_operations = fields.Integer(load_default=200, validate=validate.Range(1, 10_000))
    max_results = fields.Integer(load_default=200, validate=validate.Range(1, 1_000))


@dataclass(frozen=True, slots=True)
class Config:
    """What is set; as in :class:`ScimSchema`."""

    base_url: str = ""
    external_id: str = "externalId"
    adopt: tuple[str, ...] = ()
    adopt_by: str = "external_id"
    entity: str = "department"
    missing_entity: str = "create"
    entity_parent: str = ""
    external_types: tuple[str, ...] = ("Guest", "External")
    forget: tuple[str, ...] = ()
    leaving_window: int = 86_400
    leaving_free: int = 10
    rate: int = 1_500
    max_body: int = 1_048_576
    max_operations: int = 200
    max_results: int = 200


def parse(found: dict[str, Any]) -> Config:
    """Check what belongs together.

    :raises ConfigError: names the key and says what to write.
    """
    if found["base_url"]:
        parts = urlsplit(found["base_url"])
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ConfigError(
                f"[scim] base_url: “{found['base_url']}” is no address.",
                remedy="Write https://intranet.example.org/rse/scim/v2.",
            )
    if SOURCE in found["adopt"]:
        raise ConfigError("[scim] adopt: people of SCIM are SCIM's already.", remedy=f"Take {SOURCE} out.")
    lists = {key: tuple(found[key]) for key in ("adopt", "external_types", "forget")}
    return Config(**{**found, **lists, "base_url": found["base_url"].rstrip("/")})
