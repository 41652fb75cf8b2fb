"""PluginManager: which plugins run, why the others do not, and the calls to those that do.

The start is staged, one plugin at a time: metadata, import, manifest, hooks, contributions, tables,
blueprints. An error
at any step quarantines that plugin and those that require it, with a sentence that names plugin and remedy;
everything
else goes on. With ``strict`` the error is raised instead.
"""

from __future__ import annotations

import dataclasses
import difflib
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy
from sqlalchemy.exc import SQLAlchemyError

from . import discovery, hookspecs, isolation, staging, staging_checks, staging_web, switches
from .catalogue import LEFT_OUT, ON, QUARANTINED, Catalogue, PluginState
from .content import ContentType
from .contributions import NotificationType
from .db import Database, metadata
from .errors import ConfigError, PluginError, RseError
from .i18n import Text, lazy, use_locale
from .plugin import PROJECT, Manifest, Plugin
from .settings import OWN_TABLES, Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from .audit import Actor

log = logging.getLogger("rse.plugins")


class PluginManager(Catalogue):
    """Finds, starts and calls the plugins.

    :param explicit: plugin objects to use instead of those installed.
    :param extra: plugin objects to use beside those, in the place of any of the same name.
    """

    def __init__(
        self,
        settings: Settings,
        db: Database | None = None,
        *,
        explicit: Sequence[object] | None = None,
        extra: Sequence[object] = (),
    ) -> None:
        self.settings, self.db = settings, db
        self._explicit, self._extra = explicit, extra
        self._staged: dict[str, staging.Staging] = {}
        self._states: dict[str, PluginState] = {}
        self._core_types: dict[str, ContentType] = {}
        self._core_notifications: list[NotificationType] = []
        self._cache: dict[str, Any] = {}
        self._loaded = False
        self.breaker = isolation.Breaker()
        self._pluggy = pluggy.PluginManager(PROJECT)
        self._pluggy.add_hookspecs(hookspecs.Start)
        self._pluggy.add_hookspecs(hookspecs.Run)

    # -- start --------------------------------------------------------------------------------------

    def load(self) -> None:
        """Discover and start everything; called once.

        :raises ConfigError: for a table of ``rse.toml`` that belongs to no plugin.
        :raises PluginError: in strict mode, for the first plugin that cannot start.
        """
        if self._loaded:
            return
        self._loaded = True
        found = discovery.discover() if self._explicit is None else discovery.explicit(self._explicit)
        for name, given in discovery.explicit(self._extra).found.items():
            found.refused.pop(name, None)
            found.found[name] = given
        self._check_sections(found.names)
        left_out = set(self.settings.disabled_plugins)
        for name in sorted(left_out - found.names):
            log.warning("disabled_plugins names “%s”, which is not installed", name)
        loaded: dict[str, tuple[discovery.Found, Plugin]] = {}
        tables: dict[str, dict[str, Any]] = {}
        for name in sorted(found.names):
            one = found.found.get(name, discovery.Found(name, lambda: None))
            self._states[name] = PluginState(name, version=one.version, distribution=one.distribution)
            if self.settings.safe_mode or name in left_out:
                why = "safe_mode" if self.settings.safe_mode else "disabled_plugins"
                self._set(name, status=LEFT_OUT, reason=lazy("Left out by the configuration (%(key)s).", key=why))
            elif name in found.refused:
                self._refuse(name, found.refused[name])
            else:
                before = set(metadata.tables)
                plugin = self._import(one)
                tables[name] = {n: t for n, t in metadata.tables.items() if n not in before}
                if plugin is not None:
                    loaded[name] = (one, plugin)
                else:
                    staging.withdraw_tables(tables[name])
        self._start({name: plugin for name, (_found, plugin) in loaded.items()}, tables)
        self._check_migrated()

    def _check_sections(self, names: set[str]) -> None:
        for section in self.settings.sections:
            if section in names or section in OWN_TABLES or self.settings.safe_mode:
                continue
            near = difflib.get_close_matches(section, names, n=1, cutoff=0.5)
            raise ConfigError(
                f"rse.toml: the table [{section}] belongs to no installed plugin.",
                remedy=f"Did you mean [{near[0]}]?" if near else "Remove it, or install the plugin that it configures.",
            )

    def _import(self, found: discovery.Found) -> Plugin | None:
        name = found.name
        try:
            plugin = discovery.as_plugin(found.load(), name=name)
        # A module that calls sys.exit() when imported must not end the server.
        except (Exception, SystemExit) as error:
            self._refuse(
                name,
                self._wrapped(
                    name,
                    lazy("cannot be imported"),
                    error,
                    lazy("Install %(distribution)s again or remove it.", distribution=found.distribution),
                ),
            )
            return None
        manifest = plugin.manifest
        self._set(
            name,
            kind=manifest.kind,
            label=manifest.label,
            description=manifest.description,
            requires=manifest.requires,
        )
        if manifest.name != name:
            self._refuse(
                name,
                PluginError(
                    lazy("The plugin “%(name)s” calls itself “%(other)s” in its manifest.", name=name, other=manifest.name),
                    remedy=lazy("Give its entry point and its manifest the same name."),
                    plugin=name,
                ),
            )
            return None
        return plugin

    def _start(self, plugins: Mapping[str, Plugin], tables: Mapping[str, Mapping[str, Any]]) -> None:
        manifests = {name: plugin.manifest for name, plugin in plugins.items()}
        order, cycles = discovery.start_order(manifests)
        for name, cycle in cycles.items():
            chain = " → ".join([*cycle, cycle[0]])
            self._refuse(
                name,
                PluginError(
                    lazy("The plugin “%(name)s” stands in a circle of requirements: %(chain)s.", name=name, chain=chain),
                    remedy=lazy("Remove one of these requirements from its manifest, or uninstall one of these plugins."),
                    plugin=name,
                ),
            )
            staging.withdraw_tables(tables[name])
        for name in order:
            try:
                self._check_manifest(manifests[name])
                self._stage(plugins[name], tables[name])
            except PluginError as error:
                self._refuse(name, error)
                staging.withdraw_tables(tables[name])

    def _check_manifest(self, manifest: Manifest) -> None:
        name = manifest.name
        for other in manifest.requires:
            state = self._states.get(other)
            if state is None:
                near = difflib.get_close_matches(other, self._states, n=1, cutoff=0.7)
                hint = lazy(" Or did its author mean “%(near)s”?", near=near[0]) if near and near[0] != name else ""
                raise PluginError(
                    lazy(
                        "The plugin “%(name)s” requires the plugin “%(other)s”, which is not installed.",
                        name=name,
                        other=other,
                    ),
                    remedy=lazy("Install “%(other)s”, or uninstall “%(name)s”.%(hint)s", other=other, name=name, hint=hint),
                    plugin=name,
                )
            if state.status != ON or other not in self._staged:
                raise self._needs(name, other)
        for other in sorted(self._staged):
            if other in manifest.conflicts or name in self._staged[other].plugin.manifest.conflicts:
                raise PluginError(
                    lazy("The plugin “%(name)s” cannot run beside “%(other)s”, which has started.", name=name, other=other),
                    remedy=lazy(
                        "Leave one of them out: RSE_DISABLED_PLUGINS=%(other)s or RSE_DISABLED_PLUGINS=%(name)s.",
                        other=other,
                        name=name,
                    ),
                    plugin=name,
                )

    @staticmethod
    def _needs(name: str, other: str) -> PluginError:
        return PluginError(
            lazy("The plugin “%(name)s” requires “%(other)s”, which has not started.", name=name, other=other),
            remedy=lazy("See to “%(other)s” first: rse plugin list says what is wrong with it.", other=other),
            plugin=name,
        )

    def _stage(self, plugin: Plugin, imported: Mapping[str, Any]) -> None:
        stage = staging.Staging(plugin)
        name = stage.name
        before = frozenset(metadata.tables) - set(imported)
        try:
            staging.check_hooks(stage)
            staging.collect(stage, self.settings, before)
            staging_checks.check_contributions(stage, self._staged.values(), _core_commands)
            staging_web.check_web(stage, self._staged.values())
            self._pluggy.register(plugin, name)
        except (Exception, SystemExit) as error:
            new = {n: t for n, t in metadata.tables.items() if n not in before}
            staging.withdraw_tables({**stage.tables, **new})
            # Tables of another plugin that this one mapped by mistake stay where they are.
            staging.restore_tables({n: t for one in self._staged.values() for n, t in one.tables.items()})
            if isinstance(error, PluginError):
                raise
            raise self._wrapped(
                name, lazy("cannot start"), error, lazy("Correct it, or leave it out with RSE_DISABLED_PLUGINS.")
            ) from error
        staging.restore_tables(stage.tables)
        self._staged[name] = stage
        self._cache.clear()

    def _wrapped(self, name: str, what: Text, error: BaseException, remedy: Text) -> PluginError:
        if isinstance(error, PluginError):
            return error
        if isinstance(error, RseError):
            return PluginError(
                lazy("The plugin “%(name)s” %(what)s: %(text)s", name=name, what=what, text=error.message),
                remedy=error.remedy or remedy,
                plugin=name,
            )
        with use_locale("en"):
            log.error("plugin %s %s", name, what, exc_info=error)
        text = str(error).strip().rstrip(".") or "–"
        return PluginError(
            lazy(
                "The plugin “%(name)s” %(what)s: %(kind)s: %(text)s.",
                name=name,
                what=what,
                kind=type(error).__name__,
                text=text,
            ),
            remedy=remedy,
            plugin=name,
        )

    def _refuse(self, name: str, error: PluginError) -> None:
        if self.settings.strict:
            raise error
        self.quarantine(name, error.reason, error.fix)

    # -- state --------------------------------------------------------------------------------------

    @property
    def states(self) -> dict[str, PluginState]:
        """Every installed plugin, in alphabetical order."""
        return dict(sorted(self._states.items()))

    def _set(self, name: str, **values: Any) -> None:
        self._states[name] = dataclasses.replace(self._states[name], **values)
        self._cache.clear()

    def quarantine(self, name: str, reason: Text, remedy: Text, *, pending: bool = False) -> None:
        """Take a plugin out, with those that require it. Its data stays; nothing of it is called any more."""
        if self._states[name].status == QUARANTINED and not self._states[name].pending:
            return
        self._set(name, status=QUARANTINED, reason=reason, remedy=remedy, pending=pending)
        # The log speaks one language, whoever caused the line.
        with use_locale("en"):
            log.error("plugin %s is quarantined: %s %s", name, reason, remedy)
        for other in list(self._staged):
            if name in self._staged[other].plugin.manifest.requires:
                error = self._needs(other, name)
                self.quarantine(other, error.reason, error.fix, pending=pending)

    def release(self, names: Iterable[str]) -> None:
        """Take back the quarantine of plugins that only waited for their migrations."""
        for name in names:
            if self._states[name].pending:
                self._set(name, status=ON, reason="", remedy="", pending=False)

    def _check_migrated(self) -> None:
        if self.db is None or not self._staged:
            return
        from . import migrate

        try:
            behind = migrate.plugins_behind(self.db, self.scripts())
        except SQLAlchemyError:
            # The database is away: readyz says so, and no plugin is to blame.
            log.warning("the plugins' migrations could not be compared with the database", exc_info=True)
            return
        for name, (reason, remedy) in behind.items():
            self.quarantine(name, reason, remedy, pending=True)

    def scripts(self) -> dict[str, Path]:
        """name → folder of migrations, in start order, of every plugin that was staged, pending ones
        included.
        """
        return {n: Path(s.migrations.directory) for n, s in self._staged.items() if s.migrations is not None}

    def staged_names(self) -> list[str]:
        """The plugins that were staged, in start order, pending ones included."""
        return list(self._staged)

    def manifest(self, name: str) -> Manifest:
        """The manifest of a staged plugin."""
        return self._staged[name].plugin.manifest

    def tables(self, name: str) -> dict[str, Any]:
        """The tables of a staged plugin, by name."""
        return dict(self._staged[name].tables) if name in self._staged else {}

    def plugin(self, name: str) -> Plugin | None:
        """The plugin object, if it was staged."""
        return self._staged[name].plugin if name in self._staged else None

    def muted(self, name: str) -> dict[str, float]:
        """Hooks of this plugin that are muted because they kept failing, with the seconds that remain."""
        return self.breaker.muted(name)

    # -- switches -----------------------------------------------------------------------------------

    def enable(self, session: Session, name: str, actor: Actor, scope: str = "site", scope_id: int = 0) -> bool:
        """Switch a plugin on for the site, an entity, a group or a space; False when it already was.

        :raises NotFound: for a plugin that is not installed or a scope that does not exist.
        """
        return switches.switch(self, session, name, True, actor, scope, scope_id)

    def disable(self, session: Session, name: str, actor: Actor, scope: str = "site", scope_id: int = 0) -> bool:
        """Switch it off; what was written with it stays. False when it already was.

        :raises NotFound: for a plugin that is not installed or a scope that does not exist.
        """
        return switches.switch(self, session, name, False, actor, scope, scope_id)


def _core_commands() -> list[str]:
    from .cli import cli

    return list(cli.commands)
