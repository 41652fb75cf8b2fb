"""A worker that turns an announcement into mails and sends them is killed, again and again, at any moment: everybody gets
theirs, every message is made once, and a second copy of one is told by its key.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from rse_core import audiences, notify
from rse_core.api import ObjectRef
from rse_core.models.organisation import Person
from rse_core.testing.organisation import set_level
from rse_notifications import planning, sending
from rse_notifications.models import Message, Spread

PEOPLE, KILLS, LIFE = 400, 14, 0.5
NOTE = ObjectRef("bulletin.note", "1")

# One process imports everything once and forks those that are killed.
NURSERY = """
import importlib.util, os, sys
from rse_core.runtime import Core
from rse_core.testing.databases import kit_settings
from rse_notifications import plugin, planning, sending

spec = importlib.util.spec_from_file_location("kit", sys.argv[2])
kit = importlib.util.module_from_spec(spec)
spec.loader.exec_module(kit)
planning.CHUNK = 40


class Slot(kit.Post):
    def send(self, message):
        file = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, message.key.encode() + b"\\n")
        os.close(file)


def live():
    bulletin = kit.Bulletin()
    bulletin.notes["1"] = {}
    core = Core(kit_settings(database_url=sys.argv[1], legacy_origins=("https://i.example",)),
                plugins=[plugin, bulletin, Slot()])
    core.policy.snapshot()
    os.write(1, b"working\\n")
    while True:
        planning.forward(core, limit=1)
        sending.send_due(core, seconds=0.05, batch=5)


os.write(1, b"ready\\n")
for line in sys.stdin:
    child = os.fork()
    if not child:
        live()
    os.write(1, f"{child}\\n".encode())
    os.write(1, f"ended {os.waitpid(child, 0)[1]}\\n".encode())
"""


@pytest.fixture
def crowd(site):
    """Many people with addresses, and one announcement and one notification for each of them."""
    with site.db.write() as session:
        session.execute(
            insert(Person),
            [
                {"external_id": f"x{n}", "username": f"u{n}", "display_name": f"U {n}", "folded_name": f"u {n}",
                 "email": f"u{n}@example.org", "locale": "en", "status": "active"}
                for n in range(PEOPLE)
            ],
        )  # fmt: skip
        audiences.refresh(session)
        from rse_core.policy import touch

        touch(session)
    set_level(site, "react")
    with site.db.write() as session:
        ids = list(session.scalars(select(Person.id)))
        notify.broadcast(session, audiences.everyone(session), "bulletin.noted", NOTE, actor_id=None, cause="all")
        notify.notify_many(session, ids, "bulletin.named", NOTE, actor_id=None, cause="each")
    return ids


@pytest.mark.slow
def test_however_often_a_worker_is_killed_none_is_lost_and_none_is_made_twice(site, crowd, tmp_path, post):
    box, moments = tmp_path / "box", random.Random(20_261_125)
    kit = Path(__file__).with_name("bulletin.py")
    midway = 0
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY, site.settings.database_url, str(kit), str(box)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    ) as nursery:  # fmt: skip
        assert nursery.stdout.readline() == "ready\n"
        for _ in range(KILLS):
            nursery.stdin.write("\n")
            nursery.stdin.flush()
            said = {nursery.stdout.readline().strip() for _line in range(2)}
            assert "working" in said, said
            (child,) = (int(word) for word in said - {"working"})
            time.sleep(moments.random() * LIFE)
            os.kill(child, signal.SIGKILL)
            assert nursery.stdout.readline() == f"ended {int(signal.SIGKILL)}\n"
            midway += left(site)
            expire_leases(site)
        nursery.stdin.close()
        assert nursery.wait(30) == 0
    assert midway > 0, "no kill fell while there was work"

    planning.forward(site)
    sending.send_due(site, seconds=120)
    wanted = {f"mail:b:1:{one}" for one in crowd}
    with site.db.read() as session:
        keys = list(session.scalars(select(Message.key)))
        made = list(session.execute(select(Message.kind, func.count()).group_by(Message.kind)))
        states = set(session.scalars(select(Message.state)))
        assert session.scalar(select(func.count()).select_from(Spread).where(Spread.done_at.is_(None))) == 0
    assert sorted(map(tuple, made)) == [("broadcast", PEOPLE), ("notice", PEOPLE)]
    assert len(set(keys)) == len(keys)
    assert wanted <= set(keys)
    assert states == {"sent"}
    handed = Counter([*box.read_text().split(), *(mail.key for mail in post.sent)])
    assert set(handed) == set(keys), "none lost"
    # Between the server's yes and our note of it nothing can be done; a copy has the same key, and so the same Message-ID.
    assert sum(handed.values()) - len(handed) <= KILLS


def left(core):
    with core.db.read() as session:
        made = session.scalar(select(func.count()).select_from(Message).where(Message.state == "sent"))
    return int(0 < made < 2 * PEOPLE)


def expire_leases(core):
    """As if the five minutes of a dead worker were over."""
    from sqlalchemy import update

    from rse_core.api import utcnow

    with core.db.write() as session:
        session.execute(update(Message).where(Message.state == "sending").values(lease_until=utcnow()))
