"""Run by the tests in a process of its own: ``ask`` prints each change of an answer, ``cli`` runs the command ``rse``."""

from __future__ import annotations

import json
import os
import sys
import time

from rse_core import policy
from rse_core.api import Capability, Level, Manifest, Plugin, hookimpl
from rse_core.runtime import Core
from rse_core.testing.databases import kit_settings


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self):
        yield Capability("talk.comment", "Comment", Level.COMMENT)


def make_core(url):
    return Core(kit_settings(database_url=url), plugins=[Talk()])


def tell(**what):
    print(json.dumps({**what, "at": time.monotonic()}), flush=True)


def ask(core, person, watch, seconds):
    """Ask over and over, as a server does, in a reading session of its own for each question."""
    if watch:
        core.policy.start()
    before, until = None, time.monotonic() + seconds
    while time.monotonic() < until:
        with core.db.read() as session:
            allowed = policy.can(session, person, "talk.comment").allowed
        if allowed != before:
            tell(allowed=allowed)
            before = allowed
        time.sleep(0.02)


def ask_after_fork(core, person, seconds):
    """Ask, fork as a preloading server does, and go on asking in the child."""
    core.policy.start()
    with core.db.read() as session:
        policy.can(session, person, "talk.comment")
    core.db.dispose()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    else:
        ask(core, person, True, seconds)
        os._exit(0)


def main():
    mode, url, *rest = sys.argv[1:]
    core = make_core(url)
    if mode == "cli":
        from rse_core.cli import cli
        from rse_core.commands import State

        try:
            cli(rest, prog_name="rse", obj=State(lambda: core))
        finally:
            core.close()
    elif mode == "fork":
        ask_after_fork(core, int(rest[0]), float(rest[1]))
    else:
        ask(core, int(rest[0]), mode == "watch", float(rest[1]))


main()
