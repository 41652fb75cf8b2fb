"""A real mail server on loopback, with TLS, with sign-in, and with whatever answer a test wants."""

from __future__ import annotations

import ssl
import subprocess
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from rse_core.api import OutgoingMessage
from rse_smtp import Smtp
from rse_smtp.config import SmtpSchema, parse
from rse_smtp.sender import Sender


@pytest.fixture
def rse_plugins():
    return [Smtp()]


class Inbox:
    """Keeps what arrives; answers otherwise where a test says so."""

    def __init__(self):
        self.mails = []
        self.envelopes = []
        self.sessions = set()
        #: command → what is answered instead; each once, or for good with ``always``
        self.answers = {}
        self.always = {}

    def _says(self, command):
        return self.always.get(command) or self.answers.pop(command, None)

    async def handle_MAIL(self, server, session, envelope, address, options):
        said = self._says("MAIL")
        if said:
            return said
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        said = self._says("RCPT")
        if said:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        said = self._says("DATA")
        if said:
            return said
        self.sessions.add(session.peer)
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos), session.authenticated, bool(session.ssl)))
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


class Server(Controller):
    """The controller, with the options of the server that a test asks for."""

    def __init__(self, handler, **options):
        self.wanted = options
        over_tls = options.pop("over_tls", None)
        super().__init__(handler, hostname="127.0.0.1", port=0, ssl_context=over_tls)

    def factory(self):
        return SMTP(self.handler, **self.wanted)

    def _trigger_server(self):
        # The port that the system gave, for the controller's own first connection too.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def mail_server(inbox):
    """``mail_server(**options)`` starts one; returns its port."""
    running = []

    def start(**options):
        server = Server(inbox, **options)
        server.start()
        running.append(server)
        return server.port

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate of 127.0.0.1 that it signed itself."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", str(key), "-out", str(cert), "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@pytest.fixture
def server_tls(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*map(str, certificate))
    return context


@pytest.fixture
def sender():
    """``sender(port, **keys)`` makes one; closed at the end."""
    made = []

    def make(port, **keys):
        values = {"host": "127.0.0.1", "port": port, "security": "none", "from": "Intranet <intranet@example.org>", **keys}
        one = Sender(parse(SmtpSchema().load(values)))
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def signed_in():
    """Options of a server that knows one name and password."""

    def check(server, session, envelope, mechanism, data):
        return AuthResult(success=data.login == b"rse" and data.password == b"right", handled=False)

    return {"authenticator": check, "auth_required": True}


@pytest.fixture
def message():
    def make(key="mail:n:1", **values):
        usual = {
            "person_id": 1, "address": "anna@example.org", "name": "Anna Sérès", "subject": "Réponse à « Été »",
            "text": "Bonjour\nligne œuvre\n", "html": "<p>Bonjour <b>œuvre</b></p>", "locale": "fr",
        }  # fmt: skip
        return OutgoingMessage(**{"key": key, **usual, **values})

    return make
