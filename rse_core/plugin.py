"""Plugin and Manifest: what a distribution under the entry-point group ``rse.plugins`` must offer.

.. code-block:: python

    from rse_core.api import Capability, Level, Manifest, Plugin, hookimpl

    class Bookmarks(Plugin):
        manifest = Manifest(name="bookmarks", label=lazy("Bookmarks"))

        @hookimpl
        def rse_capabilities(self):
            return [Capability("bookmarks.keep", lazy("Keep a page"), Level.REACT)]

    plugin = Bookmarks()
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pluggy

from .errors import PluginError
from .i18n import Text

PROJECT = "rse"
ENTRY_POINT_GROUP = "rse.plugins"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

_NAME = re.compile(r"[a-z][a-z0-9]{1,30}\Z")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Who a plugin is. The supported core versions are *not* here: they are the distribution's ``Requires-Dist: rse-core``,
    so that they can be read before anything is imported.

    :param name: lower-case letters and digits; namespaces tables (``rse_<name>_``), capabilities (``<name>.``),
        templates (``rse/<name>/``), CSS (``rse-<name>``) and settings (``[<name>]``).
    :param requires: plugins that must be healthy for this one to start.
    :param after: plugins that, when present, start before this one.
    :param conflicts: plugins that cannot run beside this one.
    :param kind: ``plugin`` or ``adapter``.
    :raises PluginError: for a name that cannot be a namespace.
    """

    name: str
    label: Text
    description: Text = ""
    kind: str = "plugin"
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.match(self.name) or self.name in ("core", "rse"):
            raise PluginError(
                f"The plugin name “{self.name}” cannot be used.",
                remedy="Use 2 to 31 lower-case letters and digits, beginning with a letter, and neither core nor rse.",
                plugin=self.name,
            )
        if self.kind not in ("plugin", "adapter"):
            raise PluginError(f"The plugin “{self.name}” has the kind “{self.kind}”.", remedy="Use plugin or adapter.")

    @property
    def table_prefix(self) -> str:
        """Every table of the plugin begins with this."""
        return f"rse_{self.name}_"


class Plugin:
    """Base of every plugin; hooks are methods marked with ``@hookimpl``."""

    manifest: Manifest
