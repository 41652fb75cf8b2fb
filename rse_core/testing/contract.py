"""The contract of a plugin, as a test: it starts alone, its tables match its migrations, its texts are
translated.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from .. import migrate
from ..contributions import PersonalData, Translations
from ..discovery import as_plugin
from ..errors import RseError
from ..i18n import LOCALES
from ..plugin import Plugin
from ..runtime import Core
from .databases import kit_settings


def contract_problems(plugin: Plugin, *, requires: Sequence[Plugin] = (), database_url: str | None = None) -> list[str]:
    """What is wrong with a plugin, as sentences; empty when it keeps the contract.

    :param requires: the plugins that it requires.
    :param database_url: an empty database; by default an SQLite file that is deleted again.
    """
    with tempfile.TemporaryDirectory(prefix="rse-contract-") as folder:
        url = database_url or f"sqlite:///{Path(folder) / 'contract.db'}"
        try:
            plugin = as_plugin(plugin, name=type(plugin).__name__)
            core = Core(kit_settings(database_url=url, strict=False), plugins=[*requires, plugin])
        except RseError as error:
            return [str(error)]
        try:
            return _problems(core, plugin)
        finally:
            core.close()


def _problems(core: Core, plugin: Plugin) -> list[str]:
    from ..revision import differences

    name = plugin.manifest.name
    state = core.plugins.states[name]
    if state.status != "on":
        return [f"{state.reason} {state.remedy}".strip()]
    migrate.upgrade(core)
    state = core.plugins.states[name]
    if state.status != "on":
        return [f"{state.reason} {state.remedy}".strip()]
    problems = [
        f"The models and the migrations of “{name}” differ: {difference!r}. Write another migration."
        for difference in differences(core.db, name)
    ]
    repeated = [o for o in migrate.upgrade(core) if o.state != "current"]
    problems += [f"A second upgrade of “{o.name}” is not without effect: {o.state}." for o in repeated]
    if not str(plugin.manifest.label).strip():
        problems.append(f"The plugin “{name}” has no label. Set label in its manifest.")
    if _keeps_people(core, name) and not [d for owner, d in core.plugins.contributions(PersonalData) if owner == name]:
        problems.append(
            f"“{name}” keeps rows about people but implements no rse_personal_data. Say how they are exported and erased."
        )
    for owner, catalogue in core.plugins.contributions(Translations):
        if owner == name:
            problems += _untranslated(catalogue)
    return problems


def _keeps_people(core: Core, name: str) -> bool:
    tables = core.plugins.tables(name).values()
    return any(key.target_fullname.startswith("rse_core_person.") for table in tables for key in table.foreign_keys)


def _untranslated(catalogue: Translations) -> list[str]:
    problems = []
    for locale in LOCALES:
        path = Path(catalogue.directory) / locale / "LC_MESSAGES" / f"{catalogue.domain}.mo"
        # The source language needs no catalogue.
        if locale != "en" and not path.is_file():
            problems.append(f"The compiled catalogue {path} is missing. Compile it and include it in the package's data.")
    return problems


def assert_plugin_contract(plugin: Plugin, *, requires: Sequence[Plugin] = (), database_url: str | None = None) -> None:
    """Fail with every sentence of :func:`contract_problems`."""
    problems = contract_problems(plugin, requires=requires, database_url=database_url)
    if problems:
        raise AssertionError("The plugin does not keep the contract:\n" + "\n".join(f"- {p}" for p in problems))
