"""``rse notifications``: what a digest would say, and the queue."""

from __future__ import annotations

import json

from click.testing import CliRunner

from rse_core.cli import cli
from rse_core.commands import State


def run(core, *words):
    return CliRunner().invoke(cli, ["notifications", *words], obj=State(factory=lambda: core), env={"LANG": "en_GB.UTF-8"})


def test_the_digest_is_printed_and_nothing_is_sent(site, anna, ben, tell, post):
    tell(anna, "bulletin.liked", actor=ben)
    answer = run(site, "digest", "--person", "anna", "--dry-run")
    assert answer.exit_code == 0, answer.output
    assert "Benoît Œuvrard and 1 on Note 1" in answer.output
    assert post.sent == []
    assert "no digest would leave" in run(site, "digest", "--person", "ben", "--dry-run").output
    assert run(site, "digest", "--person", "anna").exit_code == 2
    assert run(site, "digest", "--person", "nobody", "--dry-run").exit_code == 1


def test_the_queue_is_counted(site, anna, tell):
    from rse_notifications import planning, sending

    assert "No messages." in run(site, "queue").output
    tell(anna)
    planning.forward(site)
    assert json.loads(run(site, "queue", "--json").output) == [{"channel": "mail", "state": "queued", "messages": 1}]
    sending.send_due(site)
    assert "mail: 1 sent" in run(site, "queue").output
