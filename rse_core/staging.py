"""The staged start of one plugin: everything it hands in is checked here before any of it counts.

A :class:`Staging` collects what the start hooks answer. Only when the whole plugin is right does the
manager commit it;
otherwise nothing of it remains, and the tables it defined leave the shared metadata again.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pluggy
from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError

from . import hookspecs
from .content import ContentType
from .contributions import (
    Activity,
    Asset,
    Capability,
    Cli,
    Consumer,
    DirectorySource,
    HealthCheck,
    Indicator,
    Job,
    LegacySource,
    LiveTopic,
    Migrations,
    NavItem,
    NotificationTransport,
    NotificationType,
    PersonalData,
    Setting,
    TokenScope,
    Translations,
)
from .db import metadata
from .errors import PluginError
from .guiding import Participation, TourStep, Tutorial
from .i18n import Text, lazy
from .plugin import PROJECT, Plugin
from .responsibilities import Responsibility
from .settings import Settings

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase

#: Start hooks whose answers are a collection of one kind of contribution.
MANY: Mapping[str, type] = {
    "rse_capabilities": Capability,
    "rse_content_types": ContentType,
    "rse_nav_items": NavItem,
    "rse_assets": Asset,
    "rse_settings_forms": Setting,
    "rse_cli": Cli,
    "rse_jobs": Job,
    "rse_consumers": Consumer,
    "rse_notification_types": NotificationType,
    "rse_notification_transports": NotificationTransport,
    "rse_activities": Activity,
    "rse_legacy_sources": LegacySource,
    "rse_directory_sources": DirectorySource,
    "rse_token_scopes": TokenScope,
    "rse_live_topics": LiveTopic,
    "rse_indicators": Indicator,
    "rse_tour_steps": TourStep,
    "rse_tutorials": Tutorial,
    "rse_participation": Participation,
    "rse_health_checks": HealthCheck,
    "rse_personal_data": PersonalData,
    "rse_responsibilities": Responsibility,
}
#: Start hooks that answer with a single contribution.
ONE: Mapping[str, type] = {"rse_migrations": Migrations, "rse_translations": Translations}


def _names_of(holder: type) -> tuple[str, ...]:
    return tuple(name for name in vars(holder) if name.startswith("rse_"))


START_HOOKS = _names_of(hookspecs.Start)
RUN_HOOKS = _names_of(hookspecs.Run)
ALL_HOOKS = (*START_HOOKS, *RUN_HOOKS)


@dataclass(slots=True)
class Staging:
    """What one plugin contributes, before it is committed."""

    plugin: Plugin
    hooks: dict[str, Callable[..., Any]] = field(default_factory=dict)
    contributions: dict[type, list[Any]] = field(default_factory=dict)
    blueprints: list[Blueprint] = field(default_factory=list)
    rest_blueprints: list[Blueprint] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    #: (address, method) of its pages and of its REST resources, once checked
    addresses: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    identity_source: Any = None
    host_injector: Any = None
    search_backend: Any = None

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.plugin.manifest.name

    @property
    def migrations(self) -> Migrations | None:
        """Its scripts, if it has any."""
        found = self.contributions.get(Migrations, [])
        return found[0] if found else None

    def error(self, message: Text, remedy: Text) -> PluginError:
        """An error that names the plugin; ``message`` continues “The plugin “x” …”."""
        text = lazy("The plugin “%(name)s” %(what)s", name=self.name, what=message)
        return PluginError(text, remedy=remedy, plugin=self.name)


def check_hooks(staging: Staging) -> None:
    """Fill ``hooks``; refuse misspelt, unmarked and wrapping ones, and arguments that the hook does not have.

    pluggy itself accepts a hook that nobody calls, which is how a misspelt name goes unnoticed for years.

    :raises PluginError: names the method and the nearest hook.
    """
    kind = type(staging.plugin)
    for attribute in dir(kind):
        if attribute.startswith("__"):
            continue
        method = inspect.getattr_static(kind, attribute)
        options = getattr(method, f"{PROJECT}_impl", None)
        if options is None and not attribute.startswith(f"{PROJECT}_"):
            continue
        hook = (options or {}).get("specname") or attribute
        if hook not in ALL_HOOKS:
            near = difflib.get_close_matches(hook, ALL_HOOKS, n=1, cutoff=0.5)
            raise staging.error(
                lazy("has a method “%(attribute)s”, and there is no hook “%(hook)s”.", attribute=attribute, hook=hook),
                lazy("Did you mean “%(near)s”?", near=near[0])
                if near
                else lazy("The page “Plugins” of the documentation lists every hook."),
            )
        if options is None:
            raise staging.error(
                lazy(
                    "has a method “%(attribute)s” that is not marked, so that it would never be called.", attribute=attribute
                ),
                lazy("Write @hookimpl above it (from rse_core.api import hookimpl)."),
            )
        if options.get("wrapper") or options.get("hookwrapper"):
            raise staging.error(
                lazy(
                    "wraps the hook “%(hook)s”: implementations are called one by one, so there is nothing to wrap.",
                    hook=hook,
                ),
                lazy("Remove wrapper=True."),
            )
        _check_arguments(staging, hook, attribute)
        staging.hooks[hook] = getattr(staging.plugin, attribute)


def _check_arguments(staging: Staging, hook: str, attribute: str) -> None:
    holder = hookspecs.Start if hook in START_HOOKS else hookspecs.Run
    known = pluggy._hooks.varnames(getattr(holder, hook))[0]
    bound = getattr(staging.plugin, attribute)
    if inspect.iscoroutinefunction(bound):
        raise staging.error(
            lazy("has an asynchronous “%(attribute)s”.", attribute=attribute), lazy("Write def, not async def.")
        )
    for parameter in inspect.signature(bound).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            raise staging.error(
                lazy(
                    "takes “%(argument)s” in “%(attribute)s”: arguments are given by name.",
                    argument=str(parameter),
                    attribute=attribute,
                ),
                lazy("Arguments of %(hook)s: %(list)s.", hook=hook, list=", ".join(known) or "–"),
            )
        if parameter.name not in known and parameter.default is parameter.empty:
            near = difflib.get_close_matches(parameter.name, known, n=1, cutoff=0.5)
            raise staging.error(
                lazy(
                    "asks for “%(name)s” in “%(attribute)s”, which the hook does not give.",
                    name=parameter.name,
                    attribute=attribute,
                ),
                lazy("Did you mean “%(near)s”?", near=near[0])
                if near
                else lazy("Arguments of %(hook)s: %(list)s.", hook=hook, list=", ".join(known) or "–"),
            )


def collect(staging: Staging, settings: Settings, before: frozenset[str]) -> None:
    """Call every start hook and keep the answers, checked for their type.

    :param before: names of the tables that stood in the shared metadata before the plugin was imported.
    :raises PluginError: for an answer of the wrong type or a table outside the plugin's prefix.
    """
    hooks = staging.hooks
    if "rse_configure" in hooks:
        _call(staging, "rse_configure", settings=settings)
    for hook, kind in MANY.items():
        if hook in hooks:
            staging.contributions[kind] = _many(staging, hook, kind)
    for hook, kind in ONE.items():
        if hook in hooks:
            answer = _call(staging, hook)
            _check_type(staging, hook, answer, kind, lazy("Return one %(name)s.", name=kind.__name__))
            staging.contributions[kind] = [answer]
    _collect_tables(staging, before)
    if "rse_blueprints" in hooks or "rse_rest_blueprints" in hooks:
        from flask import Blueprint

        for hook, kept in (
            ("rse_blueprints", staging.blueprints),
            ("rse_rest_blueprints", staging.rest_blueprints),
        ):
            kept.extend(_many(staging, hook, Blueprint) if hook in hooks else ())
    if "rse_identity_source" in hooks:
        staging.identity_source = _port(staging, "rse_identity_source", ("identify", "login_url", "logout_url"))
    if "rse_search_backend" in hooks:
        staging.search_backend = _port(staging, "rse_search_backend", ("index", "find", "clear"))
    if "rse_host_injector" in hooks:
        staging.host_injector = _port(staging, "rse_host_injector", ("wrap",))


def _call(staging: Staging, hook: str, **values: Any) -> Any:
    function = staging.hooks[hook]
    names = pluggy._hooks.varnames(function)[0]
    return function(*[values[name] for name in names])


def _many(staging: Staging, hook: str, kind: type) -> list[Any]:
    answer = _call(staging, hook)
    if isinstance(answer, (str, bytes, Mapping)) or not isinstance(answer, Iterable):
        shown = type(answer).__name__ if answer is not None else "None"
        raise staging.error(
            lazy("answers %(hook)s with %(shown)s, not with a list.", hook=hook, shown=shown),
            lazy("Return a list of %(name)s; it may be empty.", name=kind.__name__),
        )
    found = list(answer)
    for item in found:
        _check_type(staging, hook, item, kind, lazy("Return a list of %(name)s.", name=kind.__name__))
    return found


def _check_type(staging: Staging, hook: str, item: object, kind: type, wanted: Text) -> None:
    if not isinstance(item, kind):
        shown = item.__name__ if isinstance(item, type) else type(item).__name__
        raise staging.error(lazy("answers %(hook)s with a %(shown)s.", hook=hook, shown=shown), wanted)


def _port(staging: Staging, hook: str, methods: tuple[str, ...]) -> Any:
    answer = _call(staging, hook)
    if answer is None:
        return None
    missing = [name for name in methods if not callable(getattr(answer, name, None))]
    if missing:
        raise staging.error(
            lazy(
                "answers %(hook)s with a %(name)s that lacks %(list)s.",
                hook=hook,
                name=type(answer).__name__,
                list=", ".join(missing),
            ),
            lazy("Give it these methods; see the hook's description."),
        )
    return answer


def _collect_tables(staging: Staging, before: frozenset[str]) -> None:
    bases: list[type[DeclarativeBase]] = []
    if "rse_models" in staging.hooks:
        bases = _many(staging, "rse_models", type)
    # A second start in the same process imports nothing, so new names in the metadata are not the only
    # source.
    tables = {name: table for name, table in metadata.tables.items() if name not in before}
    for base in bases:
        registry = getattr(base, "registry", None)
        if registry is None or base.metadata is not metadata:
            raise staging.error(
                lazy("answers rse_models with %(name)s, which has a metadata of its own.", name=base.__name__),
                lazy('Derive it from plugin_base("%(name)s").', name=staging.name),
            )
        for mapper in registry.mappers:
            tables.update({t.name: t for t in mapper.tables if isinstance(t, Table)})
    prefix = staging.plugin.manifest.table_prefix
    if "rse_models" in staging.hooks or "rse_migrations" in staging.hooks:
        # Not those of another plugin of the same name that this process has imported too, as tests do with stand-ins.
        tables.update({n: t for n, t in metadata.tables.items() if n.startswith(prefix)})
    # Kept before the checks, so that whatever was defined is taken back when one fails.
    staging.tables = tables
    for name in sorted(tables):
        if not name.startswith(prefix):
            raise staging.error(
                lazy("defines the table “%(name)s”, which is outside its prefix.", name=name),
                lazy("Begin its name with “%(prefix)s”.", prefix=prefix),
            )
    if tables and "rse_migrations" not in staging.hooks:
        raise staging.error(
            lazy("defines tables (%(list)s) but brings no migrations.", list=", ".join(sorted(tables))),
            lazy("Implement rse_migrations with the folder that holds its versions/."),
        )
    for base in bases:
        try:
            base.registry.configure()
        except SQLAlchemyError as error:
            raise staging.error(
                lazy("has models that do not fit together: %(error)s.", error=str(error)), lazy("Correct its relationships.")
            ) from error


def withdraw_tables(tables: Mapping[str, Table]) -> None:
    """Take a failed plugin's tables out of the shared metadata."""
    for table in tables.values():
        if metadata.tables.get(table.key) is table:
            metadata.remove(table)


def restore_tables(tables: Mapping[str, Table]) -> None:
    """Put a plugin's tables back when it starts again in the process in which it failed before."""
    for table in tables.values():
        if table.key not in metadata.tables:
            metadata._add_table(table.name, table.schema, table)
