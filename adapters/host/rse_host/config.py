"""The table ``[host]`` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from .profiles import PROFILES


class HostSchema(Schema):
    """Keys of ``[host]``; each may be set as ``RSE_HOST_<KEY>`` in the environment."""

    class Meta:
        unknown = RAISE

    profile = fields.String(load_default="generic", validate=validate.OneOf(tuple(PROFILES)))
    slots = fields.List(fields.String(), load_default=lambda: ["reactions", "comments"])
    #: fill the slots on the server too, for readers without JavaScript (WSGI middleware and proxy)
    fragments = fields.Boolean(load_default=False)
    #: bytes of a page that may be held in memory; a longer one streams
    limit = fields.Integer(load_default=1 << 20, validate=validate.Range(1 << 12, 1 << 26))
    #: beginnings of paths that are never touched
    excluded = fields.List(fields.String(validate=validate.Regexp(r"/")), load_default=list)


@dataclass(frozen=True, slots=True)
class HostConfig:
    """The table in force; attributes as in :class:`HostSchema`."""

    profile: str = "generic"
    slots: tuple[str, ...] = ("reactions", "comments")
    fragments: bool = False
    limit: int = 1 << 20
    excluded: tuple[str, ...] = ()


def read_section(settings: Any) -> HostConfig:
    """Read ``[host]`` from the core's settings.

    :raises ConfigError: names the key, and the nearest known one.
    """
    found: dict[str, Any] = settings.section("host", HostSchema)
    return HostConfig(**{**found, "slots": tuple(found["slots"]), "excluded": tuple(found["excluded"])})
