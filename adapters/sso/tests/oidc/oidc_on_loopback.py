"""An OpenID Connect provider on loopback, with keys of its own, that does each thing right until it is told not to."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry

HELENE = {
    "sub": "f3b9c2", "preferred_username": "hdupont", "name": "Hélène Dupont", "email": "h.dupont@intranet.test",
    "entity": "CPAM du Finistère",
}  # fmt: skip


def half(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


class Provider:
    """``start()`` serves it; everything public can be changed by a test."""

    def __init__(self) -> None:
        self.keys = {"k1": RSAKey.generate_key(2048, parameters={"kid": "k1", "use": "sig"})}
        self.signs_with, self.alg = "k1", "RS256"
        self.person: dict[str, Any] | None = dict(HELENE)
        self.client = ("social", "a+secret/ with %signs")
        self.client_alg = "RS256"
        self.change: Callable[[dict[str, Any]], None] = lambda claims: None
        self.sign: Callable[[dict[str, Any]], str] = self._sign
        self.document: dict[str, Any] = {}
        self.status: dict[str, int] = {}
        self.raw: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.userinfo: dict[str, Any] | None = None
        self.sid = "sid-1"
        self.access_token = "at-" + secrets.token_urlsafe(16)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add_key(self, kid: str, *, ec: bool = False) -> None:
        parameters = {"kid": kid, "use": "sig"}
        made = ECKey.generate_key("P-256", parameters=parameters) if ec else RSAKey.generate_key(2048, parameters=parameters)
        self.keys[kid] = made  # type: ignore[assignment]

    def visit(self, url: str) -> str:
        """What the browser does there: the address that it is sent back to."""
        query = dict(parse_qsl(urlsplit(url).query))
        back = query["redirect_uri"]
        if self.person is None:
            return f"{back}?{urlencode({'error': 'access_denied', 'state': query['state']})}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{back}?{urlencode({'code': code, 'state': query['state']})}"

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": self.client[0], "exp": now + 300, "iat": now, "nonce": nonce, "sid": self.sid,
            "at_hash": half(self.access_token), **(self.person or {}),
        }  # fmt: skip
        self.change(claims)
        return self.sign(claims)

    def logout_token(self, **changes: Any) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": self.client[0], "iat": now, "exp": now + 120, "jti": secrets.token_urlsafe(12),
            "sub": HELENE["sub"], "sid": self.sid, "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }  # fmt: skip
        claims |= changes
        return self.sign({key: value for key, value in claims.items() if value is not None})

    def _sign(self, claims: dict[str, Any]) -> str:
        header = {"alg": self.alg, "kid": self.signs_with}
        return jwt.encode(header, claims, self.keys[self.signs_with], algorithms=[self.alg])

    def unsigned(self, claims: dict[str, Any]) -> str:
        def part(value: object) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

        return f"{part({'alg': 'none'})}.{part(claims)}."

    def with_public_key_as_secret(self, claims: dict[str, Any]) -> str:
        key = OctKey.import_key(self.keys["k1"].as_pem(private=False).hex())
        registry = JWSRegistry(algorithms=["HS256"])
        return jwt.encode({"alg": "HS256", "kid": "k1"}, claims, key, algorithms=["HS256"], registry=registry)

    def _answer(self, method: str, path: str, body: dict[str, str], headers: Any) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(path)
        self.asked.append(parts.path)
        if parts.path in self.raw:
            return self.raw[parts.path]
        if parts.path == "/authorize":
            return 302, {"Location": self.visit(path)}, b""
        if parts.path == "/logout":
            back = parse_qs(parts.query).get("post_logout_redirect_uri", [""])[0]
            return 200, {"Content-Type": "text/html"}, f"<h1>Signed out</h1><a href='{back}'>back</a>".encode()
        status = self.status.get(parts.path, 200)
        found: Any = {"error": "server_error"}
        if parts.path == "/.well-known/openid-configuration":
            found = {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                "jwks_uri": f"{self.issuer}/jwks", "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "end_session_endpoint": f"{self.issuer}/logout", **self.document,
            }  # fmt: skip
        elif parts.path == "/jwks":
            found = {"keys": [key.as_dict(private=False) for key in self.keys.values()]}
        elif parts.path == "/userinfo":
            status, found = self._userinfo(status, headers)
        elif parts.path == "/token" and status == 200:
            self.forms.append(body)
            status, found = self._token(body, headers)
        return status, {"Content-Type": "application/json"}, json.dumps(found).encode()

    def _userinfo(self, status: int, headers: Any) -> tuple[int, Any]:
        if headers.get("Authorization") != f"Bearer {self.access_token}":
            return 401, {}
        return status, self.userinfo or {}

    def _token(self, body: dict[str, str], headers: Any) -> tuple[int, Any]:
        if not self._is_client(body, headers):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(body.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(body.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if asked is None or asked["code_challenge"] != challenge.decode() or asked["redirect_uri"] != body["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": self.access_token, "token_type": "Bearer", "expires_in": 300,
            "id_token": self.id_token(asked["nonce"]),
        }  # fmt: skip

    def _is_client(self, body: dict[str, str], headers: Any) -> bool:
        from urllib.parse import unquote

        if "client_assertion" in body:
            found = jwt.decode(body["client_assertion"], self.keys["client"], algorithms=[self.client_alg]).claims
            return bool(found["iss"] == found["sub"] == self.client[0] and found["aud"] == f"{self.issuer}/token")
        kind, _, value = headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return (body.get("client_id"), body.get("client_secret")) == self.client
        name, _, secret = base64.b64decode(value).decode().partition(":")
        return (unquote(name), unquote(secret)) == self.client

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = dict(parse_qsl(self.rfile.read(length).decode()))
                status, headers, content = provider._answer(self.command, self.path, body, self.headers)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _serve

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler
