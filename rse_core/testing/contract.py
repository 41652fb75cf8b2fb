"""The contract of a plugin, as a test of one line."""

from __future__ import annotations

from collections.abc import Sequence

from ..contract import contract_problems
from ..plugin import Plugin
from .databases import kit_settings

__all__ = ["assert_plugin_contract", "contract_problems"]


def assert_plugin_contract(
    plugin: Plugin,
    *,
    requires: Sequence[Plugin] = (),
    database_url: str | None = None,
    **settings: object,
) -> None:
    """Fail with every sentence of :func:`~rse_core.contract.contract_problems`.

    :param requires: the plugins that it requires.
    :param database_url: an empty database to use instead of a temporary one.
    :param settings: of the core, for a plugin that must be configured: ``sections={"name": {…}}``.
    """
    problems = contract_problems(plugin, requires=requires, database_url=database_url, settings=kit_settings(**settings))
    if problems:
        raise AssertionError("The plugin does not keep the contract:\n" + "\n".join(f"- {p}" for p in problems))
