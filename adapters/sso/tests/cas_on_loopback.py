"""A CAS server on loopback: tickets for one service, used once, and answers that a test can replace."""

from __future__ import annotations

import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.sax.saxutils import escape


class CasOnLoopback:
    """``start()`` serves it."""

    def __init__(self) -> None:
        self.user, self.attributes = "hdupont", {"cn": "Hélène Dupont", "departmentNumber": "CPAM du Finistère"}
        self.raw: tuple[int, dict[str, str], bytes] | None = None
        self.tickets: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/cas"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def visit(self, url: str) -> str:
        """What the browser does there: the address that it is sent back to."""
        service = dict(parse_qsl(urlsplit(url).query))["service"]
        ticket = "ST-" + secrets.token_urlsafe(24)
        self.tickets[ticket] = service
        return f"{service}{'&' if '?' in service else '?'}{urlencode({'ticket': ticket})}"

    def _validate(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(query)
        if self.raw is not None:
            return self.raw
        service = self.tickets.pop(query.get("ticket", ""), None)
        if service is None:
            return 200, {}, failure("INVALID_TICKET")
        if service != query.get("service"):
            return 200, {}, failure("INVALID_SERVICE")
        return 200, {}, success(self.user, self.attributes)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cas = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                found: tuple[int, dict[str, str], bytes] = (404, {}, b"")
                if parts.path == "/cas/p3/serviceValidate":
                    found = cas._validate(dict(parse_qsl(parts.query)))
                elif parts.path == "/cas/login":
                    found = (302, {"Location": cas.visit(self.path)}, b"")
                self.send_response(found[0])
                for name, value in found[1].items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(found[2])))
                self.end_headers()
                self.wfile.write(found[2])

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler


def wrapped(inner: str) -> bytes:
    return f'<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">{inner}</cas:serviceResponse>'.encode()


def success(user: str, attributes: dict[str, Any]) -> bytes:
    told = "".join(f"<cas:{name}>{escape(value)}</cas:{name}>" for name, value in attributes.items())
    inner = f"<cas:user>{escape(user)}</cas:user><cas:attributes>{told}</cas:attributes>"
    return wrapped(f"<cas:authenticationSuccess>{inner}</cas:authenticationSuccess>")


def failure(code: str) -> bytes:
    return wrapped(f'<cas:authenticationFailure code="{code}">No.</cas:authenticationFailure>')


def logout_request(ticket: str) -> str:
    return (
        '<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="LR-1" Version="2.0" '
        'IssueInstant="2026-11-27T10:00:00Z"><saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">x</saml:NameID>'
        f"<samlp:SessionIndex>{escape(ticket)}</samlp:SessionIndex></samlp:LogoutRequest>"
    )
