"""How RSE reaches the pages of an intranet that exists.

The WSGI middleware and the proxy need nothing of the core, so a host's own process may use them alone::

    from rse_host.middleware import HostMiddleware

    application = HostMiddleware(application, profile="wordpress")
"""

from __future__ import annotations

from typing import Any

__all__ = ["HostMiddleware", "plugin"]


def __getattr__(name: str) -> Any:
    # Asked for by name only: the middleware must not cost its process the whole core, nor the core the
    # middleware.
    # (The module is not called plugin: once imported it would stand here in the object's place.)
    if name == "plugin":
        from .contribution import plugin

        return plugin
    if name == "HostMiddleware":
        from .middleware import HostMiddleware

        return HostMiddleware
    raise AttributeError(name)
