"""Every installed plugin keeps the contract, alone with those it requires; and the core runs with any one of them."""

from __future__ import annotations

import pytest

from rse_core import discovery
from rse_core.discovery import as_plugin
from rse_core.extension import create_app
from rse_core.testing import assert_plugin_contract

NAMES = sorted(discovery.discover().names)


def load(name):
    """The installed plugin of that name."""
    found = discovery.discover()
    if name in found.refused:
        raise found.refused[name]
    return as_plugin(found.found[name].load(), name=name)


def with_required(name):
    """The plugin, after those it requires."""
    plugin = load(name)
    required = [p for other in plugin.manifest.requires for p in with_required(other)]
    return [*dict.fromkeys(required), plugin]


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_contract(name, rse_database):
    url = rse_database.empty()
    *required, plugin = with_required(name)
    try:
        assert_plugin_contract(plugin, requires=required, database_url=url)
    finally:
        rse_database.drop(url)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
def test_the_core_serves_with_it_alone(name, rse_core):
    core = rse_core(with_required(name))
    client = create_app(core).test_client()
    assert client.get("/rse/healthz").status_code == 200
    assert client.get("/rse/readyz").status_code == 200


@pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
def test_the_core_serves_alone(rse_core):
    core = rse_core([], identity=False)
    client = create_app(core).test_client()
    assert client.get("/rse/healthz").status_code == 200
    assert client.get("/rse/readyz").status_code == 200
    assert core.plugins.states == {}


@pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
def test_all_that_is_installed_runs_together(rse_core):
    plugins = list(dict.fromkeys(p for name in NAMES for p in with_required(name)))
    core = rse_core(plugins)
    assert {name for name, state in core.plugins.states.items() if state.status != "on"} == set()
    assert create_app(core).test_client().get("/rse/healthz").status_code == 200
