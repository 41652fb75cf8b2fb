"""All the plugins that show people things, together."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

import rse_comments
import rse_communities
import rse_feed
import rse_governance
import rse_kanban
import rse_likes
import rse_notifications
import rse_search
from rse_core.api import Core

# Test files are no package here: what they share is loaded under names of its own, in the order in which it is needed.
for _name in (
    "model", "boards", "boards_making", "organisation", "changing", "boards_comparing", "comparing", "walking",
):  # fmt: skip
    _spec = importlib.util.spec_from_file_location(f"visibility_{_name}", Path(__file__).with_name(f"{_name}.py"))
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules[_spec.name] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[_spec.name])


@pytest.fixture
def rse_plugins() -> Sequence[object]:
    modules = (
        rse_feed, rse_search, rse_notifications, rse_comments, rse_likes, rse_communities, rse_governance, rse_kanban,
    )  # fmt: skip
    return [module.plugin for module in modules]


@pytest.fixture
def core(rse_core: Callable[..., Core], tmp_path: Path) -> Core:
    """A crash of the machine would lose what these tests write, and nothing else: no commit waits for a disk."""
    core = rse_core(data_dir=str(tmp_path))
    said = "PRAGMA synchronous=OFF" if core.db.is_sqlite else "SET synchronous_commit = off"

    @event.listens_for(core.db.engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.execute(said)
        connection.commit()

    core.db.engine.dispose()
    return core


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """People of these tests write faster than people may."""
    monkeypatch.setattr("rse_feed.drafting.PER_MINUTE", 100_000)
    monkeypatch.setattr("rse_comments.service.PER_MINUTE", 100_000)
    monkeypatch.setattr("rse_kanban.cards.PER_MINUTE", 100_000)
    monkeypatch.setattr("rse_kanban.moving.PER_MINUTE", 100_000)
