"""Finding plugins and putting them in order, without importing one that cannot run here.

What is read before any import: the entry points of the group ``rse.plugins`` and each distribution's
``Requires-Dist: rse-core``. A plugin that asks for another core is never imported.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from types import ModuleType

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from . import __version__
from .errors import PluginError
from .i18n import lazy
from .plugin import ENTRY_POINT_GROUP, Manifest, Plugin

log = logging.getLogger("rse.plugins")
CORE_DISTRIBUTION = "rse-core"


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin that may be started: its name, where it comes from, and how to get the object."""

    name: str
    load: Callable[[], object]
    distribution: str = ""
    version: str = ""


@dataclass(slots=True)
class Discovery:
    """What was found, and what was refused on its metadata alone (name → error)."""

    found: dict[str, Found] = field(default_factory=dict)
    refused: dict[str, PluginError] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """Every name that stands for an installed plugin, healthy or not."""
        return set(self.found) | set(self.refused)


def installed() -> Iterable[metadata.Distribution]:
    """Every distribution on ``sys.path``, in its order."""
    return metadata.distributions()


def discover(core_version: str = __version__) -> Discovery:
    """Read the entry points of every installed distribution.

    A distribution whose metadata cannot be read is logged and skipped; if it names the group, it is refused.
    """
    result = Discovery()
    seen: set[str] = set()
    for dist in installed():
        try:
            # Most distributions are none of ours, and parsing the metadata of each would take most of the start.
            if ENTRY_POINT_GROUP not in (dist.read_text("entry_points.txt") or ""):
                continue
            name = canonicalize_name(dist.metadata["Name"] or "")
        except Exception:
            log.warning("a distribution with unreadable metadata was skipped: %r", dist, exc_info=True)
            continue
        # The first on the path is the one that would be imported.
        if not name or name in seen:
            continue
        seen.add(name)
        try:
            points = [p for p in dist.entry_points if p.group == ENTRY_POINT_GROUP]
        except Exception as error:
            result.refused[name] = PluginError(
                lazy(
                    "The entry points of the distribution %(name)s cannot be read: %(error)s.",
                    name=name,
                    error=str(error),
                ),
                remedy=lazy("Install it again: pip install --force-reinstall %(name)s.", name=name),
                plugin=name,
            )
            continue
        for point in points:
            _add(result, point, dist, core_version)
    return result


def _add(result: Discovery, point: metadata.EntryPoint, dist: metadata.Distribution, core_version: str) -> None:
    name, distribution = point.name, dist.metadata["Name"]
    if name in result.found or name in result.refused:
        other = result.found[name].distribution if name in result.found else "?"
        result.found.pop(name, None)
        result.refused[name] = PluginError(
            lazy(
                "Two distributions bring the plugin “%(name)s”: %(other)s and %(distribution)s.",
                name=name,
                other=other,
                distribution=distribution,
            ),
            remedy=lazy("Uninstall one of them: pip uninstall %(distribution)s.", distribution=distribution),
            plugin=name,
        )
        return
    error = incompatible(name, distribution, dist.requires or (), core_version)
    if error is not None:
        result.refused[name] = error
        return
    result.found[name] = Found(name, point.load, distribution, dist.version)


def incompatible(name: str, distribution: str, requires: Iterable[str], core_version: str) -> PluginError | None:
    """The reason why this distribution does not go with this core, read from its requirements alone."""
    for line in requires:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if canonicalize_name(requirement.name) != CORE_DISTRIBUTION:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        if not requirement.specifier.contains(core_version, prereleases=True):
            return PluginError(
                lazy(
                    "The plugin “%(name)s” (%(distribution)s) needs rse-core %(specifier)s; this is "
                    "rse-core %(core_version)s.",
                    name=name,
                    distribution=distribution,
                    specifier=str(requirement.specifier),
                    core_version=core_version,
                ),
                remedy=lazy(
                    "Install a release of %(distribution)s made for rse-core %(core_version)s, or the core it asks for.",
                    distribution=distribution,
                    core_version=core_version,
                ),
                plugin=name,
            )
    return None


def explicit(plugins: Sequence[object]) -> Discovery:
    """Plugins handed in as objects, instead of those installed.

    :raises PluginError: for something that is not a plugin, or two of one name.
    """
    result = Discovery()
    for given in plugins:
        plugin = as_plugin(given, name=getattr(given, "__name__", type(given).__name__))
        name = plugin.manifest.name
        if name in result.found:
            raise PluginError(
                lazy("Two plugins named “%(name)s” were given.", name=name),
                remedy=lazy("Give each plugin a name of its own."),
                plugin=name,
            )
        result.found[name] = Found(name, _constant(plugin), type(plugin).__module__, __version__)
    return result


def _constant(plugin: Plugin) -> Callable[[], object]:
    return lambda: plugin


def as_plugin(loaded: object, *, name: str) -> Plugin:
    """The plugin object behind what an entry point gave: an instance, a class that is called, or a module that has it.

    :raises PluginError: when it is none of these, or has no manifest.
    """
    if isinstance(loaded, ModuleType):
        # ``package:plugin`` leads to the module ``package.plugin`` once that has been imported, if the package gives
        # its attribute lazily.
        loaded = getattr(loaded, "plugin", loaded)
    if isinstance(loaded, type) and issubclass(loaded, Plugin):
        loaded = loaded()
    if not isinstance(loaded, Plugin):
        raise PluginError(
            lazy(
                "The entry point of “%(name)s” leads to a %(kind)s, which is not a plugin.",
                name=name,
                kind=type(loaded).__name__,
            ),
            remedy=lazy("Point it at an instance of a class derived from rse_core.api.Plugin."),
            plugin=name,
        )
    if not isinstance(getattr(loaded, "manifest", None), Manifest):
        raise PluginError(
            lazy("The plugin “%(name)s” has no manifest.", name=name),
            remedy=lazy('Set manifest = Manifest(name="%(name)s", label=…) in its class.', name=name),
            plugin=name,
        )
    return loaded


def start_order(manifests: Mapping[str, Manifest]) -> tuple[list[str], dict[str, list[str]]]:
    """The order in which plugins start, and the cycles of ``requires`` (name → the cycle it stands in).

    Alphabetical where nothing else decides. ``after`` is a wish: where wishes contradict each other or a
    requirement, they are dropped with a warning. Requirements that are missing are not looked at here.
    """
    hard = {n: {r for r in m.requires if r in manifests} for n, m in manifests.items()}
    soft = {n: {a for a in m.after if a in manifests and a != n} for n, m in manifests.items()}
    order: list[str] = []
    cycles: dict[str, list[str]] = {}
    waiting = sorted(manifests)
    while waiting:
        done = set(order) | set(cycles)
        free = next((n for n in waiting if (hard[n] | soft[n]) <= done), None)
        if free is None:
            free = next((n for n in waiting if hard[n] <= done), None)
            if free is not None:
                log.warning("the plugin %s starts before %s: their wishes contradict", free, sorted(soft[free] - done))
        if free is not None:
            order.append(free)
            waiting.remove(free)
            continue
        cycle = _cycle(waiting[0], hard, done)
        cycles.update(dict.fromkeys(cycle, cycle))
        waiting = [name for name in waiting if name not in cycle]
    return order, cycles


def _cycle(start: str, hard: Mapping[str, set[str]], done: set[str]) -> list[str]:
    """Follow unmet requirements until a name comes again: everything from its first coming is the cycle."""
    path: list[str] = []
    name = start
    while name not in path:
        path.append(name)
        name = min(hard[name] - done)
    return path[path.index(name) :]
