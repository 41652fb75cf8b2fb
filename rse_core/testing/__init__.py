"""The test kit: what the core's own tests use, and a vendor's too.

Installing rse-core registers it as a pytest plugin, so its fixtures need no import: ``core``, ``rse_core``,
``use_plugin``,
``rse_app``, ``rse_client``, ``rse_database``, ``make_person`` … (see :mod:`rse_core.testing.plugin`). The
functions below are
for use without fixtures.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contract import assert_plugin_contract, contract_problems
    from .databases import Databases, kit_settings, require_part
    from .identity import KitIdentity, as_person, browsers
    from .organisation import make_entity, make_group, make_person, make_space, set_level
    from .queries import QueryCount, count_queries

__all__ = [
    "Databases", "KitIdentity", "QueryCount", "as_person", "assert_plugin_contract", "browsers", "contract_problems",
    "count_queries", "kit_settings", "make_entity", "make_group", "make_person", "make_space", "require_part",
    "set_level",
]  # fmt: skip

_HOMES = {
    "assert_plugin_contract": "contract", "contract_problems": "contract",
    "Databases": "databases", "kit_settings": "databases", "require_part": "databases",
    "KitIdentity": "identity", "as_person": "identity", "browsers": "identity",
    "make_entity": "organisation", "make_group": "organisation", "make_person": "organisation",
    "make_space": "organisation", "set_level": "organisation",
    "QueryCount": "queries", "count_queries": "queries",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # pytest imports this package in every run, also where nothing of RSE is tested: load only what is asked
    # for.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
