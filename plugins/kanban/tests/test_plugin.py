"""The plugin keeps the contract of plugins."""

from __future__ import annotations

from rse_core.testing import assert_plugin_contract
from rse_kanban import plugin


def test_the_plugin_keeps_the_contract():
    assert_plugin_contract(plugin)
