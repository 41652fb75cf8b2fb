"""The section [smtp], the commands, the health check."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from rse_core.api import ConfigError, NotificationTransport
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.health import examine
from rse_smtp import Smtp
from rse_smtp.config import SmtpSchema, parse

GOOD = {"host": "mail.example", "from": "Intranet <intranet@example.org>"}


def section(**values):
    return parse(SmtpSchema().load({**GOOD, **values}))


@pytest.fixture
def with_server(rse_core, mail_server, inbox):
    """A core whose mails go to the server of the test."""
    plugins = []

    def make(**values):
        plugin = Smtp()
        plugins.append(plugin)
        server = {"host": "127.0.0.1", "port": mail_server(), "security": "none", "from": "intranet@example.org", **values}
        return rse_core([plugin], sections={"smtp": server})

    yield make
    for plugin in plugins:
        if plugin.sender is not None:
            plugin.sender.close()


def run(core, *words):
    return CliRunner().invoke(cli, list(words), obj=State(factory=lambda: core))


@pytest.mark.parametrize(("security", "port"), [("none", 25), ("starttls", 587), ("tls", 465)])
def test_the_port_is_the_usual_one_of_the_security(security, port):
    assert section(security=security).port == port
    assert section(security=security, port=2525).port == 2525


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"from": ""}, "from"),
        ({"from": "Intranet"}, "from"),
        ({"from": "a@example.org\nBcc: b@example.org"}, "from"),
        ({"envelope_from": "nobody"}, "envelope_from"),
        ({"user": "rse"}, "password"),
        ({"security": "none", "user": "rse", "password": "x"}, "in clear"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file"),
    ],
)
def test_what_cannot_work_is_said_at_start(values, said):
    with pytest.raises(ConfigError, match=said):
        section(**values)


def test_a_password_may_cross_this_machine_in_clear():
    assert section(host="127.0.0.1", security="none", user="rse", password="x").user == "rse"


def test_without_a_server_no_mail_is_offered(rse_core):
    core = rse_core([Smtp()])
    assert core.plugins.contributions(NotificationTransport) == []
    (line,) = [line for line in examine(core) if line.name == "smtp.server"]
    assert line.result.ok
    answer = run(core, "mail", "test", "anna@example.org")
    assert answer.exit_code == 1
    assert "[smtp]" in answer.output


def test_with_a_server_mail_is_offered_and_a_test_mail_arrives(with_server, inbox):
    core = with_server()
    assert [one.name for _plugin, one in core.plugins.contributions(NotificationTransport)] == ["mail"]
    answer = run(core, "mail", "test", "anna@example.org")
    assert answer.exit_code == 0, answer.output
    assert [mail["To"].addresses[0].addr_spec for mail in inbox.mails] == ["anna@example.org"]
    assert run(core, "mail", "status").exit_code == 0
    (line,) = [line for line in examine(core) if line.name == "smtp.server"]
    assert line.result.ok


def test_a_server_that_refuses_is_seen_by_the_doctor(with_server):
    core = with_server(security="starttls")
    (line,) = [line for line in examine(core) if line.name == "smtp.server"]
    assert not line.result.ok
    assert "STARTTLS" in str(line.result.detail)
    assert run(core, "mail", "status").exit_code == 1


def test_a_test_mail_to_no_address_says_so(with_server, inbox):
    answer = run(with_server(), "mail", "test", "anna")
    assert answer.exit_code == 1
    assert inbox.mails == []
