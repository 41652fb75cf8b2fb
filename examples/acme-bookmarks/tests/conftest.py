"""The plugin is tested from its folder, installed or not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


@pytest.fixture
def rse_plugins():
    """The core with this plugin alone."""
    from rse_bookmarks import plugin

    return [plugin]
