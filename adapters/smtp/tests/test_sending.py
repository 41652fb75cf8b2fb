"""Mails over a real connection: what arrives, by which ways, and what each answer of a server means."""

from __future__ import annotations

import contextlib
import socket

import pytest

from rse_core.api import RseError, TooMany, Undeliverable
from rse_smtp.sender import Sender


@pytest.fixture
def plain(mail_server, sender):
    return sender(mail_server())


def test_both_texts_arrive_in_one_mail_with_the_headers_of_automatic_mail(plain, inbox, message):
    stop = "<https://intranet.example/rse/notifications/unsubscribe/" + "a1B2-_." * 40 + ">"
    plain.send(message(headers={"List-Unsubscribe": stop, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}))
    (mail,) = inbox.mails
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().replace("\r\n", "\n") == "Bonjour\nligne œuvre\n"
    assert "<b>œuvre</b>" in html.get_content()
    assert mail["Subject"] == "Réponse à « Été »"
    assert mail["To"].addresses[0].display_name == "Anna Sérès"
    assert mail["From"].addresses[0].addr_spec == "intranet@example.org"
    assert mail["List-Unsubscribe"] == stop, "whole, however long"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (mail["Auto-Submitted"], mail["Precedence"], mail["Content-Language"]) == ("auto-generated", "bulk", "fr")
    assert inbox.envelopes == [("intranet@example.org", ["anna@example.org"], None, False)]


def test_the_same_message_has_the_same_identity_and_another_one_another(plain, inbox, message):
    for key in ("mail:n:1", "mail:n:1", "mail:n:2"):
        plain.send(message(key))
    first, again, other = (mail["Message-ID"] for mail in inbox.mails)
    assert first == again != other
    assert first.endswith("@example.org>")


def test_failures_come_back_to_the_envelopes_own_address(mail_server, sender, inbox, message):
    sender(mail_server(), envelope_from="bounces@example.org").send(message())
    assert inbox.envelopes[0][0] == "bounces@example.org"


def test_one_connection_carries_many_mails(plain, inbox, message):
    for number in range(5):
        plain.send(message(f"mail:n:{number}"))
    assert len(inbox.mails) == 5
    assert len(inbox.sessions) == 1


def test_a_connection_that_the_server_ended_is_made_anew(plain, inbox, message, monkeypatch):
    monkeypatch.setattr("rse_smtp.sender.IDLE", -1.0)
    plain.send(message())
    plain._server.sock.shutdown(socket.SHUT_RDWR)
    plain.send(message("mail:n:2"))
    assert len(inbox.mails) == len(inbox.sessions) == 2


@pytest.mark.parametrize("over", ["starttls", "tls"])
def test_mails_go_by_tls_with_a_name_and_a_password(
    mail_server, sender, inbox, message, certificate, server_tls, signed_in, over
):
    if over == "starttls":
        port = mail_server(tls_context=server_tls, require_starttls=True, **signed_in)
    else:
        # The server sees TLS below the protocol, and so must be told that it need not ask for it.
        port = mail_server(over_tls=server_tls, auth_require_tls=False, **{**signed_in, "auth_required": False})
    made = sender(port, security=over, user="rse", password="right", ca_file=str(certificate[0]))
    made.send(message())
    made.check()
    ((_from, to, authenticated, _tls),) = inbox.envelopes
    assert (to, authenticated) == (["anna@example.org"], True)


def test_a_certificate_that_nobody_vouches_for_is_refused(mail_server, sender, inbox, message, server_tls):
    made = sender(mail_server(tls_context=server_tls), security="starttls")
    with pytest.raises(TooMany, match="CERTIFICATE_VERIFY_FAILED"):
        made.send(message())
    assert inbox.mails == []


def test_a_server_without_tls_gets_nothing_when_tls_is_wanted(mail_server, sender, inbox, message):
    with pytest.raises(TooMany, match="STARTTLS"):
        sender(mail_server(), security="starttls").send(message())
    assert inbox.mails == []


def test_a_wrong_password_lets_every_mail_wait(mail_server, sender, inbox, message, certificate, server_tls, signed_in):
    port = mail_server(tls_context=server_tls, **signed_in)
    made = sender(port, security="starttls", user="rse", password="wrong", ca_file=str(certificate[0]))
    with pytest.raises(TooMany) as told:
        made.send(message())
    assert told.value.retry_after == 300
    assert "wrong" not in str(told.value)


def test_a_server_that_is_away_lets_mails_wait(sender, message):
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = sender(port, timeout=2)
    with pytest.raises(TooMany):
        made.send(message())
    with pytest.raises(RseError):
        made.check()


@pytest.mark.parametrize(
    ("command", "answer", "raised", "address"),
    [
        ("RCPT", "550 No such person", Undeliverable, True),
        ("RCPT", "450 Mailbox busy", RseError, None),
        ("DATA", "554 Looks like spam", Undeliverable, False),
        ("DATA", "451 Try later", RseError, None),
        ("MAIL", "553 Not you", TooMany, None),
    ],
)
def test_what_a_server_answers_tells_what_becomes_of_the_mail(plain, inbox, message, command, answer, raised, address):
    inbox.answers[command] = answer
    with pytest.raises(RseError, match=answer[:3]) as told:
        plain.send(message())
    assert type(told.value) is raised
    if address is not None:
        assert told.value.address is address
    plain.send(message("mail:n:2"))
    assert len(inbox.mails) == 1, "the next one leaves"


@pytest.mark.parametrize(
    "values",
    [
        {"address": "anna@example.org\r\nBcc: all@example.org"},
        {"address": "anna@example.org, ben@example.org"},
        {"address": "anna@example.org> SIZE=1"},
        {"address": "anna"},
        {"address": ""},
        {"address": "anna@-example.org"},
        {"subject": "Hello\r\nBcc: all@example.org"},
        {"subject": "Hello\nX: y"},
        {"locale": "fr\nX: y"},
        {"headers": {"X-Thing": "a\r\nBcc: all@example.org"}},
        {"headers": {"X-Thing\r\nBcc": "all@example.org"}},
        {"headers": {"Bcc": "all@example.org"}},
        {"headers": {"From": "boss@example.org"}},
        {"headers": {"List-Unsubscribe": "<https://intranet.example/é>"}},
    ],
)
def test_nothing_that_is_passed_becomes_a_header_or_a_command(plain, inbox, message, values):
    with pytest.raises(Undeliverable):
        plain.send(message(**values))
    assert inbox.mails == []


def test_a_name_with_odd_characters_is_only_a_name(plain, inbox, message):
    plain.send(message(name='Anna "\r\nBcc: <all@example.org>, \x07Sérès'))
    (mail,) = inbox.mails
    assert mail["Bcc"] is None
    assert [one.addr_spec for one in mail["To"].addresses] == ["anna@example.org"]


def test_a_domain_with_accents_is_written_as_the_net_knows_it(plain, inbox, message):
    plain.send(message(address="anna@société.example"))
    assert inbox.envelopes[0][1] == ["anna@xn--socit-esab.example"]


def test_a_rate_is_kept(mail_server, sender, inbox, message, monkeypatch):
    waits = []
    monkeypatch.setattr("rse_smtp.sender.time.sleep", waits.append)
    quick = sender(mail_server(), rate=60)
    for number in range(2):
        quick.send(message(f"mail:n:{number}"))
    assert len(waits) == 1
    assert 0.5 < waits[0] <= 1.0
    slow = sender(mail_server(), rate=2)
    slow.send(message("mail:n:8"))
    with pytest.raises(TooMany) as told:
        slow.send(message("mail:n:9"))
    assert 25 <= told.value.retry_after <= 30
    assert len(inbox.mails) == 3


def test_the_sender_does_not_tell_its_password(sender):
    made = sender(1, user="rse", password="a secret of ours")
    assert isinstance(made, Sender)
    assert "a secret of ours" not in repr(made.config)
