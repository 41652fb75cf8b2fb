"""The plugin alone on the core."""

from __future__ import annotations

import pytest

from rse_communities import plugin


@pytest.fixture
def rse_plugins():
    return [plugin]
