"""Which machine is talking to us, and whether it is one of the configured proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
UNIX = "unix"
UNKNOWN = "unknown"

# What servers put in REMOTE_ADDR for a unix socket: gunicorn an empty string, waitress "localhost".
_UNIX_ADDRESSES = frozenset({"", "localhost", "unix", "unix:"})


@dataclass(frozen=True)
class Peers:
    """The proxies that may speak for people: IP networks, and the unix socket when it is listed."""

    networks: tuple[Network, ...] = ()
    unix: bool = False

    @classmethod
    def parse(cls, values: Iterable[str]) -> Peers:
        """Read ``["127.0.0.1", "10.4.0.0/16", "unix"]``.

        :raises ValueError: naming the value that is no address or network, or that means everybody.
        """
        networks: list[Network] = []
        unix = False
        for value in values:
            if value.strip().lower() == UNIX:
                unix = True
                continue
            try:
                network = ipaddress.ip_network(value.strip(), strict=True)
            except ValueError as error:
                raise ValueError(
                    f"{value!r} is no peer: write an address, a network (10.4.0.0/24) or unix; {error}"
                ) from None
            if network.prefixlen == 0:
                raise ValueError(f"{value!r} means every machine there is: name the proxy's own address")
            networks.append(network)
        return cls(tuple(networks), unix)

    def trusts(self, peer: str | None) -> bool:
        """Whether ``peer`` (from :func:`peer_of`) is one of the configured proxies."""
        if peer is None:
            return False
        if peer == UNIX:
            return self.unix
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address.version == network.version and address in network for network in self.networks)


def peer_of(environ: Mapping[str, Any]) -> str | None:
    """The machine at the other end of the connection, in one spelling, or ``None`` when unknown.

    ``X-Forwarded-For`` and its like are never read: a client writes them. Where Werkzeug's ``ProxyFix`` has
    rewritten ``REMOTE_ADDR`` from such a header, the address it replaced is used.
    """
    original = environ.get("werkzeug.proxy_fix.orig")
    source = original if isinstance(original, Mapping) else environ
    raw = source.get("REMOTE_ADDR")
    if not isinstance(raw, str):
        return None
    if raw in _UNIX_ADDRESSES:
        return UNIX
    try:
        address = ipaddress.ip_address(raw.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        # A dual-stack socket shows 10.4.0.7 as ::ffff:10.4.0.7: the same machine.
        address = address.ipv4_mapped
    return str(address)
