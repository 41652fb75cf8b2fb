"""Whose word is taken for an identity header, and which words are refused."""

from __future__ import annotations

import logging
import os
import runpy
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from rse_sso.headers import HeaderRules, OncePerPeer, TrustedHeader
from rse_sso.keys import new_secret
from rse_sso.peers import Peers
from rse_sso.reasons import Reason, SsoRefused

HERE = Path(__file__).parent
SECRET, OLD = new_secret(), new_secret()
NAME = "Hélène Dupont, CPAM du Finistère"
RULES = HeaderRules(
    name="X-RSE-Name",
    email="X-RSE-Email",
    secrets=(SECRET, OLD),
    peers=Peers.parse(["127.0.0.1", "unix"]),
    attributes={"entity": "X-RSE-Entity"},
)


def request(*, peer: str | None = "127.0.0.1", secret: str | None = SECRET, **headers: str) -> dict[str, Any]:
    environ: dict[str, Any] = {} if peer is None else {"REMOTE_ADDR": peer}
    if secret is not None:
        environ["HTTP_X_RSE_PROXY_SECRET"] = secret
    for name, value in headers.items():
        environ[f"HTTP_X_RSE_{name.upper()}"] = value.encode("utf-8").decode("latin-1")
    return environ


def refusal(environ: dict[str, Any], rules: HeaderRules = RULES) -> Reason:
    with pytest.raises(SsoRefused) as caught:
        TrustedHeader(rules).identify(environ)
    return caught.value.reason


def test_the_proxy_with_its_secret_says_who_is_asking() -> None:
    found = TrustedHeader(RULES).identify(request(user="u1042", name=NAME, email="helene.dupont@cpam.test", entity="cpam29"))
    assert found is not None
    assert (found.subject, found.name, found.email) == ("u1042", NAME, "helene.dupont@cpam.test")
    assert found.attributes == {"entity": "cpam29"}


def test_both_secrets_hold_while_one_replaces_the_other() -> None:
    source = TrustedHeader(RULES)
    assert source.identify(request(user="u1", secret=OLD)) is not None
    assert source.identify(request(user="u1", secret=SECRET)) is not None


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        (request(user="u1", peer="203.0.113.9"), Reason.PEER_UNTRUSTED),
        (request(user="u1", peer=None), Reason.PEER_UNTRUSTED),
        (request(user="u1", secret=None), Reason.SECRET_MISSING),
        (request(user="u1", secret=""), Reason.SECRET_MISSING),
        (request(user="u1", secret=SECRET[:-1]), Reason.SECRET_WRONG),
        (request(user="u1", secret=f"{SECRET},{SECRET}"), Reason.SECRET_WRONG),
        (request(user="u1", secret=f"guess,{SECRET}"), Reason.SECRET_WRONG),
        (request(user="u1", secret="é"), Reason.SECRET_WRONG),
    ],
)
def test_without_the_right_peer_and_the_right_secret_headers_are_ignored_and_logged(
    environ: dict[str, Any], reason: Reason, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "rse_sso"):
        assert TrustedHeader(RULES).identify(environ) is None
    (record,) = caplog.records
    assert f"reason={reason.value}" in record.getMessage()
    assert SECRET not in caplog.text


def test_a_client_that_claims_to_be_forwarded_by_the_proxy_is_ignored() -> None:
    environ = request(user="u1", peer="203.0.113.9") | {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}
    assert TrustedHeader(RULES).identify(environ) is None


def test_each_peer_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    source = TrustedHeader(RULES)
    with caplog.at_level(logging.WARNING, "rse_sso"):
        for _ in range(5):
            source.identify(request(user="u1", peer="203.0.113.9"))
            source.identify(request(user="u1", peer="203.0.113.10"))
    assert sorted("113.10" in record.getMessage() for record in caplog.records) == [False, True]


def test_a_plain_visitor_is_not_logged_at_all(caplog: pytest.LogCaptureFixture) -> None:
    assert TrustedHeader(RULES).identify({"REMOTE_ADDR": "203.0.113.9"}) is None
    assert not caplog.records


def test_the_memory_of_peers_stays_bounded() -> None:
    once = OncePerPeer(size=2)
    assert [once.first(peer, Reason.SECRET_WRONG) for peer in ("a", "b", "c", "a", "a")] == [True] * 4 + [False]


@pytest.mark.parametrize("nobody", ["-", "(null)"])
def test_the_proxys_word_for_nobody_means_nobody(nobody: str) -> None:
    assert TrustedHeader(RULES).identify(request(user=nobody)) is None
    assert TrustedHeader(RULES).identify(request()) is None


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("", Reason.HEADER_EMPTY),
        ("   ", Reason.HEADER_EMPTY),
        ("alice,bob", Reason.HEADER_LIST),
        ("alice,alice", Reason.HEADER_LIST),
        ("-,alice", Reason.HEADER_LIST),
        ("ali\nce", Reason.HEADER_CONTROL),
        ("alice\r\n", Reason.HEADER_CONTROL),
        ("alice\x00", Reason.HEADER_CONTROL),
        ("alice\u200b", Reason.HEADER_CONTROL),
        ("a" * 256, Reason.HEADER_TOO_LONG),
        ("a" * 100_000, Reason.HEADER_TOO_LONG),
    ],
)
def test_a_word_of_the_proxy_that_cannot_be_a_person_is_refused(user: str, reason: Reason) -> None:
    assert refusal(request(user=user)) is reason


def test_a_name_with_a_line_feed_is_refused_and_a_name_with_a_comma_is_not() -> None:
    assert refusal(request(user="u1", name="Hélène\nDupont")) is Reason.HEADER_CONTROL
    found = TrustedHeader(RULES).identify(request(user="u1", name=NAME))
    assert found is not None
    assert found.name == NAME


def test_a_header_that_is_not_configured_is_not_read() -> None:
    rules = HeaderRules(secrets=(SECRET,), peers=Peers.parse(["127.0.0.1"]))
    found = TrustedHeader(rules).identify(request(user="u1", name="The Director", email="d@x.test"))
    assert found is not None
    assert (found.subject, found.name, found.email) == ("u1", None, None)


def test_two_email_addresses_are_refused() -> None:
    assert refusal(request(user="u1", email="a@x.test,b@x.test")) is Reason.HEADER_LIST


def test_in_process_only_the_servers_own_variable_is_read() -> None:
    rules = HeaderRules(user="REMOTE_USER", name=None, email=None, in_process=True)
    source = TrustedHeader(rules)
    spoof = {"REMOTE_ADDR": "203.0.113.9", "HTTP_REMOTE_USER": "admin", "HTTP_X_RSE_USER": "admin"}
    assert source.identify(spoof) is None
    found = source.identify(spoof | {"REMOTE_USER": "u1"})
    assert found is not None
    assert found.subject == "u1"


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def _raw(port: int, *lines: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        text = "\r\n".join(("GET / HTTP/1.0", *lines, "", ""))
        connection.sendall(text.encode("utf-8"))
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer.partition(b"\r\n\r\n")[2]


def test_a_server_that_takes_underscores_for_hyphens_is_never_believed() -> None:
    module = runpy.run_path(str(HERE / "header_application.py"))
    server = make_server("127.0.0.1", 0, module["application_for"](SECRET), handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        port = server.server_address[1]
        good = f"X-RSE-Proxy-Secret: {SECRET}"
        assert _raw(port, good, "X_RSE_User: admin") == b"nobody"
        assert _raw(port, good, "X-RSE-User: u1") == b"nobody"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.slow
def test_under_gunicorn_spoofs_and_doubles_are_ignored_or_refused(gunicorn_port: int) -> None:
    good = f"X-RSE-Proxy-Secret: {SECRET}"
    assert _raw(gunicorn_port, good, "X-RSE-User: u1", f"X-RSE-Name: {NAME}").decode() == f"u1 {NAME}"
    assert _raw(gunicorn_port, "X-RSE-User: u1") == b"nobody"
    assert _raw(gunicorn_port, good, "X_RSE_User: admin") == b"nobody"
    assert _raw(gunicorn_port, good, "X-RSE-User: u1", "X_RSE_User: admin") == b"u1 "
    assert _raw(gunicorn_port, good, "X-RSE-User: u1", "X-RSE-User: admin") == b"refused header_list"
    assert _raw(gunicorn_port, good, "X-RSE-Proxy-Secret: guess", "X-RSE-User: u1") == b"nobody"
    assert _raw(gunicorn_port, good, "X-RSE-User: -") == b"nobody"


@pytest.fixture
def gunicorn_port() -> Iterator[int]:
    """The same application under a gunicorn of this test's own, one thread, on a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        # Listening before gunicorn starts: a connection made too early waits instead of failing.
        listener.listen()
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"]
        command += ["--no-control-socket", "--log-level", "critical"]
        command += ["--pythonpath", str(HERE), "header_application:application"]
        server = subprocess.Popen(
            command, pass_fds=[listener.fileno()], env={**os.environ, "HEADER_APPLICATION_SECRET": SECRET}
        )
        try:
            yield listener.getsockname()[1]
        finally:
            server.terminate()
            server.wait(timeout=20)
