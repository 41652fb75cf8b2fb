"""What the running plugins contribute, seen together: the read half of the plugin manager.

Everything is computed from what was staged and from each plugin's present state, and kept until a state
changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from .calls import PluginCalls
from .content import ContentType
from .contributions import Capability, Cli, DirectorySource, LegacySource, NotificationType, TokenScope, Translations
from .i18n import Text
from .isolation import Implementation
from .staging import Staging

if TYPE_CHECKING:
    import click
    from flask import Blueprint

    from .identity import IdentitySource
    from .search import SearchBackend

T = TypeVar("T")

ON, QUARANTINED, LEFT_OUT = "on", "quarantined", "left_out"


@dataclasses.dataclass(frozen=True, slots=True)
class PluginState:
    """What ``rse plugin list``, the administration page and ``/rse/readyz`` show of one plugin.

    ``status`` is ``on`` (started), ``quarantined`` (broken; ``reason`` and ``remedy`` are sentences) or
    ``left_out``
    (not started because the configuration says so). ``pending`` marks one that only waits for ``rse
    upgrade``.
    """

    name: str
    version: str = ""
    kind: str = "plugin"
    label: Text = ""
    description: Text = ""
    status: str = ON
    reason: Text = ""
    remedy: Text = ""
    requires: tuple[str, ...] = ()
    distribution: str = ""
    pending: bool = False


class Catalogue(PluginCalls):
    """Contributions and implementations of the plugins that are on."""

    _pluggy: pluggy.PluginManager
    _staged: dict[str, Staging]
    _states: dict[str, PluginState]
    _core_types: dict[str, ContentType]
    _core_notifications: list[NotificationType]
    _cache: dict[str, Any]

    def _running(self) -> list[Staging]:
        return [s for n, s in self._staged.items() if self._states[n].status == ON]

    def contributions(self, kind: type[T]) -> list[tuple[str, T]]:
        """What the running plugins contributed of this kind, as (plugin name, contribution), in start
        order.
        """
        found: list[tuple[str, T]] | None = self._cache.get(kind.__name__)
        if found is None:
            own: list[Any] = self._core_notifications if kind is NotificationType else []
            found = [("core", item) for item in own]
            found += [(s.name, item) for s in self._running() for item in s.contributions.get(kind, ())]
            self._cache[kind.__name__] = found
        return list(found)

    @property
    def capabilities(self) -> Mapping[str, Capability]:
        """key → capability."""
        return self._mapping("capabilities", Capability, "key")

    def add_core_type(self, content_type: ContentType) -> None:
        """Register a content type of the core itself (``page``)."""
        self._core_types[content_type.name] = content_type
        self._cache.clear()

    def add_core_notification(self, kind: NotificationType) -> None:
        """Register a kind of notification of the core itself."""
        self._core_notifications.append(kind)
        self._cache.clear()

    @property
    def content_types(self) -> Mapping[str, ContentType]:
        """name → content type, the core's ``page`` first."""
        if "content_types" not in self._cache:
            types = {**self._core_types, **{t.name: t for _name, t in self.contributions(ContentType)}}
            self._cache["content_types"] = MappingProxyType(types)
        types_: Mapping[str, ContentType] = self._cache["content_types"]
        return types_

    def _mapping(self, key: str, kind: type[T], attribute: str) -> Mapping[str, T]:
        if key not in self._cache:
            self._cache[key] = MappingProxyType({getattr(c, attribute): c for _name, c in self.contributions(kind)})
        found: Mapping[str, T] = self._cache[key]
        return found

    def owner(self, capability: str) -> str | None:
        """The plugin that registered this capability, None when no running one did."""
        if "owners" not in self._cache:
            self._cache["owners"] = {c.key: name for name, c in self.contributions(Capability)}
        found: str | None = self._cache["owners"].get(capability)
        return found

    @property
    def blueprints(self) -> list[tuple[str, Blueprint]]:
        """(plugin, blueprint) to mount below RSE's prefix."""
        return [(s.name, b) for s in self._running() for b in s.blueprints]

    @property
    def rest_blueprints(self) -> list[tuple[str, Any]]:
        """(plugin, flask-smorest blueprint) to mount below ``api/v1``."""
        return [(s.name, b) for s in self._running() for b in s.rest_blueprints]

    def commands(self) -> Mapping[str, click.Command]:
        """Commands that plugins add under ``rse``."""
        return {str(c.command.name): c.command for _name, c in self.contributions(Cli)}

    def translations(self) -> list[tuple[str, Translations]]:
        """The plugins' catalogues."""
        return self.contributions(Translations)

    def identity_source(self) -> IdentitySource | None:
        """Who is asking: the first running plugin that answered."""
        source: IdentitySource | None = self._first("rse_identity_source", "identity_source")
        return source

    def host_injector(self) -> Any | None:
        """How slots reach the intranet's pages: the first running plugin that answered."""
        return self._first("rse_host_injector", "host_injector")

    def search_backend(self) -> SearchBackend | None:
        """What keeps the search index: the first running plugin that answered."""
        backend: SearchBackend | None = self._first("rse_search_backend", "search_backend")
        return backend

    def directory_sources(self) -> dict[str, DirectorySource]:
        """The directories of people, by name."""
        return {source.name: source for _plugin, source in self.contributions(DirectorySource)}

    def token_scopes(self) -> list[str]:
        """The scopes that plugins ask for by themselves, as tokens carry them."""
        return sorted(found.scope for _plugin, found in self.contributions(TokenScope))

    def legacy_sources(self) -> dict[str, LegacySource]:
        """The sources of the intranet's own content, by name."""
        return {source.name: source for _plugin, source in self.contributions(LegacySource)}

    def _first(self, hook: str, attribute: str) -> Any | None:
        staged = [self._staged[name] for name in self._in_order(hook)]
        return next((getattr(s, attribute) for s in staged if getattr(s, attribute) is not None), None)

    def _in_order(self, hook: str) -> list[str]:
        return [i.plugin for i in self.implementations(hook)]

    def implementations(self, hook: str) -> list[Implementation]:
        """The running plugins' implementations of a hook: tryfirst, then in start order, then trylast."""
        found: list[Implementation] | None = self._cache.get(f"hook {hook}")
        if found is None:
            caller: pluggy.HookCaller = getattr(self._pluggy.hook, hook)
            place = {name: index for index, name in enumerate(self._staged)}
            impls = [i for i in caller.get_hookimpls() if self._states[i.plugin_name].status == ON]
            impls.sort(key=lambda i: (not i.tryfirst, i.trylast, place[i.plugin_name]))
            found = [Implementation(i.plugin_name, hook, i.function, tuple(i.argnames)) for i in impls]
            self._cache[f"hook {hook}"] = found
        return found
