"""A small plugin whose capabilities stand at every level, for the tests of the cursor and the policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from rse_core.api import Capability, Level, Manifest, Plugin, hookimpl


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self) -> Iterable[Capability]:
        yield Capability("talk.read", "Read", Level.INFORM, writes=False)
        yield Capability("talk.count", "See counts", Level.REACT, writes=False, default_who="members")
        yield Capability("talk.react", "React", Level.REACT)
        yield Capability("talk.comment", "Comment", Level.COMMENT, reviewed=True)
        yield Capability("talk.post", "Post", Level.CONTRIBUTE, reviewed=True, default_who="members")
        yield Capability("talk.plan", "Plan", Level.COLLABORATE, default_who="managers")
        yield Capability("talk.found", "Found", Level.COCREATE, default_who="nobody")


@pytest.fixture
def rse_plugins() -> Sequence[object]:
    return [Talk()]
