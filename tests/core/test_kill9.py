"""A process that writes comments and delivers their events is killed, again and again, at any moment: every comment that
was committed has its event delivered, and none twice.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import func, select, text

from rse_core.models.runtime import Outbox
from rse_core.testing.organisation import make_person, set_level

comments = pytest.importorskip("rse_comments")
KILLS = 25
#: Seconds that a process lives after its first comment.
LIFE = 0.35

# One process imports everything once and forks those that are killed: a start costs less than the life that follows.
# The consumer counts without a key of its own, so that a second delivery would show.
NURSERY = """
import os, sys, time
from sqlalchemy import text
from rse_comments import plugin, service
from rse_core.api import Consumer, Manifest, ObjectRef, Plugin, hookimpl
from rse_core.runtime import Core
from rse_core.testing.databases import kit_settings

service.PER_MINUTE = 10**9


class Tally(Plugin):
    manifest = Manifest("tally", "Tally")

    @hookimpl
    def rse_consumers(self):
        def count(session, event):
            row = {"e": event.id, "c": event.ref.id}
            session.execute(text("INSERT INTO kill9_tally (event, comment) VALUES (:e, :c)"), row)
            time.sleep(0.002)

        return [Consumer("tally.count", ("comments.published",), count)]


def live(url, person):
    core = Core(kit_settings(database_url=url), plugins=[plugin, Tally()])
    core.jobs.start()
    number = 0
    while True:
        with core.db.write() as session:
            page, body = ObjectRef("page", f"/news/{number % 3}"), f"{os.getpid()}-{number}"
            service.write(session, person, page, body, key=body)
        if not number:
            os.write(1, b"writing\\n")
        number += 1


url, person = sys.argv[1], int(sys.argv[2])
os.write(1, b"ready\\n")
for line in sys.stdin:
    child = os.fork()
    if not child:
        live(url, person)
    os.write(1, f"{child}\\n".encode())
    os.write(1, f"ended {os.waitpid(child, 0)[1]}\\n".encode())
"""


class Tallied(list):
    """The rows of the consumer's table."""

    def __init__(self, core):
        with core.db.read() as session:
            super().__init__(session.execute(text("SELECT event, comment FROM kill9_tally")).all())


@pytest.mark.slow
def test_no_event_is_lost_or_delivered_twice_however_often_the_process_is_killed(rse_core):
    from rse_comments import health
    from rse_comments.models import Comment

    core = rse_core([comments.plugin])
    set_level(core, "comment")
    person = make_person(core)
    with core.db.write() as session:
        session.execute(text("CREATE TABLE kill9_tally (event TEXT NOT NULL, comment TEXT NOT NULL)"))
    url, moments = core.settings.database_url, random.Random(20_261_123)
    left = 0
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY, url, str(person.id)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as nursery:
        assert nursery.stdout.readline() == "ready\n"
        for _ in range(KILLS):
            nursery.stdin.write("\n")
            nursery.stdin.flush()
            said = {nursery.stdout.readline().strip() for _line in range(2)}
            assert "writing" in said, said
            (child,) = (int(word) for word in said - {"writing"})
            time.sleep(moments.random() * LIFE)
            os.kill(child, signal.SIGKILL)
            # It died of this and of nothing else.
            assert nursery.stdout.readline() == f"ended {int(signal.SIGKILL)}\n"
            left += waiting(core)
        nursery.stdin.close()
        assert nursery.wait(30) == 0
    assert left > 0, "no kill fell between a commit and its consumers"
    core.close()

    survivor = rse_core([comments.plugin, tally()], database_url=url)
    survivor.jobs.run_due()
    with survivor.db.read() as session:
        written = {str(ident) for ident in session.scalars(select(Comment.id))}
        emitted = list(session.scalars(select(Outbox.ref_id).where(Outbox.name == "comments.published")))
        assert health.wrong(session) == 0
    assert len(written) >= KILLS
    assert sorted(emitted) == sorted(written)
    tallied = Tallied(survivor)
    assert sorted(comment for _event, comment in tallied) == sorted(written)
    assert len({event for event, _comment in tallied}) == len(tallied)
    assert waiting(survivor) == 0
    survivor.jobs.run_due()
    assert len(Tallied(survivor)) == len(tallied)


def waiting(core):
    """Events that are committed and not yet delivered to all."""
    with core.db.read() as session:
        return session.scalar(select(func.count()).select_from(Outbox).where(Outbox.done_at.is_(None)))


def tally():
    """The consumer of the processes above, for the one that comes after them."""
    from rse_core.api import Consumer, Manifest, Plugin, hookimpl

    class Tally(Plugin):
        manifest = Manifest("tally", "Tally")

        @hookimpl
        def rse_consumers(self):
            def count(session, event):
                row = {"e": event.id, "c": event.ref.id}
                session.execute(text("INSERT INTO kill9_tally (event, comment) VALUES (:e, :c)"), row)

            return [Consumer("tally.count", ("comments.published",), count)]

    return Tally()
