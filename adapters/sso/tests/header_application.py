"""A WSGI application that says who it believes is asking, for tests on real servers."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from rse_sso.headers import HeaderRules, TrustedHeader
from rse_sso.peers import Peers
from rse_sso.reasons import SsoRefused

Application = Callable[[dict[str, Any], Any], list[bytes]]


def application_for(secret: str) -> Application:
    """The application that believes the loopback peer which sends ``secret``."""
    source = TrustedHeader(HeaderRules(name="X-RSE-Name", secrets=(secret,), peers=Peers.parse(["127.0.0.1"])))

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        try:
            found = source.identify(environ)
            answer = "nobody" if found is None else f"{found.subject} {found.name or ''}"
        except SsoRefused as refused:
            answer = f"refused {refused.reason.value}"
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [answer.encode("utf-8")]

    return application


if "HEADER_APPLICATION_SECRET" in os.environ:
    application = application_for(os.environ["HEADER_APPLICATION_SECRET"])
