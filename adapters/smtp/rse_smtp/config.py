"""The section ``[smtp]`` of ``rse.toml``; each key also as ``RSE_SMTP_<KEY>``."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, fields, validate

from rse_core.api import ConfigError

from .addresses import BadAddress, check

SECURITY = ("none", "starttls", "tls")
_PORTS = {"none": 25, "starttls": 587, "tls": 465}


class SmtpSchema(Schema):
    """The keys of ``[smtp]``."""

    class Meta:
        unknown = RAISE
        # A word of the language cannot be an attribute. As in ``Intranet <intranet@example.org>``.
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": fields.String(load_default="")}

    host = fields.String(load_default="")
    port = fields.Integer(load_default=0, validate=validate.Range(0, 65535))
    security = fields.String(load_default="starttls", validate=validate.OneOf(SECURITY))
    user = fields.String(load_default="")
    password = fields.String(load_default="")
    #: where failures to deliver go, when not to ``from``
    envelope_from = fields.String(load_default="")
    ca_file = fields.String(load_default="")
    timeout = fields.Float(load_default=20.0, validate=validate.Range(1, 120))
    #: messages in a minute from each worker; 0 sets no limit
    rate = fields.Integer(load_default=0, validate=validate.Range(0, 100_000))


@dataclass(frozen=True, slots=True)
class Config:
    """The mail server, and in whose name mails leave. Without ``host`` no mail leaves."""

    host: str = ""
    port: int = 25
    security: str = "starttls"
    user: str = ""
    password: str = ""
    sender: Address = field(default_factory=Address)
    envelope: str = ""
    ca_file: str | None = None
    timeout: float = 20.0
    rate: int = 0

    def __repr__(self) -> str:
        # The password stays out of logs and of error pages.
        return f"Config({self.host}:{self.port}, {self.security}, user={self.user!r}, from={self.sender})"

    @property
    def domain(self) -> str:
        """The domain that mails leave from."""
        return self.sender.domain


def parse(found: dict[str, Any]) -> Config:
    """Check what belongs together.

    :raises ConfigError: names the key and says what to write.
    """
    if not found["host"]:
        return Config()
    name, address = parseaddr(found["from"]) if found["from"].isprintable() else ("", "")
    try:
        sender = check(name, address)
        envelope = check("", found["envelope_from"]).addr_spec if found["envelope_from"] else sender.addr_spec
    except BadAddress as error:
        raise ConfigError(
            f"[smtp]: from or envelope_from cannot be used: {error}", remedy="Write Intranet <intranet@example.org>."
        ) from None
    if bool(found["user"]) != bool(found["password"]):
        raise ConfigError("[smtp]: user and password belong together.", remedy="Set both, or neither.")
    if found["user"] and found["security"] == "none" and not _is_loopback(found["host"]):
        raise ConfigError(
            "[smtp]: the password would be sent in clear.", remedy="Set security to starttls or tls, or leave user out."
        )
    if found["ca_file"] and not Path(found["ca_file"]).is_file():
        raise ConfigError(f"[smtp]: there is no file {found['ca_file']}.", remedy="Check ca_file.")
    return Config(
        found["host"], found["port"] or _PORTS[found["security"]], found["security"], found["user"], found["password"],
        sender, envelope, found["ca_file"] or None, found["timeout"], found["rate"],
    )  # fmt: skip


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
