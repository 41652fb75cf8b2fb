"""Two spaces, one of them secret, and somebody who leaves posts, cards and roles in them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

rse_communities = pytest.importorskip("rse_communities")
rse_feed = pytest.importorskip("rse_feed")
rse_kanban = pytest.importorskip("rse_kanban")

from rse_core.i18n import use_locale  # noqa: E402
from rse_core.testing import browsers  # noqa: E402

# Test files are no package here: what they share is loaded under a name of its own.
_spec = importlib.util.spec_from_file_location("handover_people", Path(__file__).with_name("people.py"))
assert _spec is not None
assert _spec.loader is not None
sys.modules[_spec.name] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules[_spec.name])
PLUGINS = [rse_communities.plugin, rse_feed.plugin, rse_kanban.plugin]


@pytest.fixture
def rse_plugins():
    return PLUGINS


@pytest.fixture(autouse=True)
def _in_english():
    with use_locale("en"):
        yield


@pytest.fixture
def there(core):
    """See ``handover_people.leave_all``."""
    made = sys.modules["handover_people"]
    return made.leave_all(made.furnish(core))


@pytest.fixture
def client(core):
    """``client(person)``: a browser in English."""
    return browsers(core)
