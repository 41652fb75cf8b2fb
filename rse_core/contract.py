"""The contract of a plugin: it starts alone, its tables match its migrations, its texts are translated, its data is owned.

Used by ``rse plugin check`` and by the test kit's ``assert_plugin_contract``.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import migrate
from .contributions import PersonalData, Translations
from .discovery import as_plugin
from .errors import RseError
from .i18n import LOCALES, _
from .plugin import Plugin
from .runtime import Core
from .settings import Settings


def contract_problems(
    plugin: Plugin,
    *,
    requires: Sequence[Plugin] = (),
    database_url: str | None = None,
    settings: Settings | None = None,
) -> list[str]:
    """What is wrong with a plugin, as sentences; empty when it keeps the contract.

    :param requires: the plugins that it requires.
    :param database_url: an empty database; by default an SQLite file that is deleted again.
    :param settings: a configuration to start it with; only its tables (``[name]``) and origins are used.
    """
    with tempfile.TemporaryDirectory(prefix="rse-contract-") as folder:
        url = database_url or f"sqlite:///{Path(folder) / 'contract.db'}"
        given = settings or Settings()
        plugins = [*requires, plugin]
        try:
            names = [as_plugin(p, name=type(p).__name__).manifest.name for p in plugins]
            trial = Settings(
                database_url=url,
                secret_key=secrets.token_urlsafe(24),
                worker=False,
                jobs="embedded",
                legacy_origins=given.legacy_origins,
                sections={n: v for n, v in given.sections.items() if n in names},
            )
            core = Core(trial, plugins=plugins)
        except RseError as error:
            return [str(error)]
        try:
            return _problems(core, names[-1])
        finally:
            core.close()


def _problems(core: Core, name: str) -> list[str]:
    from .revision import differences

    if core.plugins.states[name].status == "on":
        migrate.upgrade(core)
    state = core.plugins.states[name]
    if state.status != "on":
        return [f"{state.reason} {state.remedy}".strip()]
    problems = [
        _(
            "The models and the migrations of “%(name)s” differ: %(step)s. Write another migration.",
            name=name,
            step=repr(difference),
        )
        for difference in differences(core.db, name)
    ]
    repeated = [o for o in migrate.upgrade(core) if o.state != "current"]
    problems += [_("A second upgrade of “%(name)s” is not without effect.", name=o.name) for o in repeated]
    if not str(state.label).strip():
        problems.append(_("The plugin “%(name)s” has no label. Set label in its manifest.", name=name))
    if _keeps_people(core, name) and not [d for owner, d in core.plugins.contributions(PersonalData) if owner == name]:
        problems.append(
            _(
                "“%(name)s” keeps rows about people but implements no rse_personal_data. "
                "Say how they are exported and erased.",
                name=name,
            )
        )
    for owner, catalogue in core.plugins.contributions(Translations):
        if owner == name:
            problems += _untranslated(catalogue)
    return problems + _undescribed(core)


def _undescribed(core: Core) -> list[str]:
    from .extension import create_app

    if not core.plugins.rest_blueprints:
        return []
    app = create_app(core)
    api = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    try:
        with app.app_context():
            api.describe(strict=True)
    except Exception as error:  # isolation point: whatever its schemas do is a fault of the plugin
        return [_("Its REST resources cannot be described: %(error)s.", error=f"{type(error).__name__}: {error}")]
    return []


def _keeps_people(core: Core, name: str) -> bool:
    tables = core.plugins.tables(name).values()
    return any(key.target_fullname.startswith("rse_core_person.") for table in tables for key in table.foreign_keys)


def _untranslated(catalogue: Translations) -> list[str]:
    problems = []
    for locale in LOCALES:
        path = Path(catalogue.directory) / locale / "LC_MESSAGES" / f"{catalogue.domain}.mo"
        # Messages are written in English, so that language needs no catalogue.
        if locale != "en" and not path.is_file():
            problems.append(
                _(
                    "The compiled catalogue %(path)s is missing. Compile it and include it in the package's data.",
                    path=str(path),
                )
            )
    return problems
