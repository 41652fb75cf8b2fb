"""The table ``[sso.cas]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .config import _flag, _known, _table, _text, _wrong
from .oidc_config import own_address, read_limits
from .outgoing import Limits, may_be_asked

KEYS = (
    "server_url", "service_url", "issuer", "identifier", "name", "email", "attributes", "renew", "gateway", "single_logout",
    "end_session", "timeout", "ca_file",
)  # fmt: skip


@dataclass(frozen=True)
class CasConfig:
    """What is known of the server and of ourselves there.

    :param service_url: RSE's address at the server, to the letter; the ticket is asked for with the same.
    :param identifier: the attribute that names the imported person at a first visit; ``None``: the user name itself.
    :param renew: the person gives the password again, though the server knows them.
    :param gateway: whoever is not signed in at the server comes back as nobody, without a form.
    """

    server_url: str
    service_url: str
    issuer: str
    identifier: str | None = None
    name: str | None = None
    email: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    renew: bool = False
    gateway: bool = False
    single_logout: bool = True
    end_session: bool = True
    limits: Limits = field(default_factory=Limits)


def parse_cas(table: Mapping[str, Any]) -> CasConfig:
    """Read the table.

    :raises ConfigError: one sentence that names the key and the remedy.
    """
    where = "sso.cas"
    _known(table, KEYS, where)
    server = (_text(table, "server_url", where, None) or "").rstrip("/")
    if not may_be_asked(server):
        raise _wrong(f"{where}.server_url", "is no https address", 'Write server_url = "https://portal.example/cas".')
    renew, gateway = _flag(table, "renew", where), _flag(table, "gateway", where)
    if renew and gateway:
        raise _wrong(f"{where}.gateway", "is set beside renew", "Choose one: the two contradict each other.")
    return CasConfig(
        server_url=server,
        service_url=own_address(table, "service_url", where, "/rse/cas/callback"),
        issuer=_text(table, "issuer", where, None) or server,
        identifier=_text(table, "identifier", where, None),
        name=_text(table, "name", where, None),
        email=_text(table, "email", where, None),
        attributes={str(key): str(value) for key, value in _table(table, "attributes", where).items()},
        renew=renew,
        gateway=gateway,
        single_logout=_flag(table, "single_logout", where) if "single_logout" in table else True,
        end_session=_flag(table, "end_session", where) if "end_session" in table else True,
        limits=read_limits(table, where),
    )
