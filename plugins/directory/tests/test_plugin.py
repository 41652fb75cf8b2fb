"""The plugin keeps the contract of plugins."""

from __future__ import annotations

from rse_core.testing import assert_plugin_contract
from rse_directory import plugin


def test_the_plugin_keeps_the_contract():
    assert_plugin_contract(plugin)


def test_the_plugin_keeps_the_contract_on_the_other_database(rse_database):
    assert_plugin_contract(plugin, database_url=rse_database.empty())
