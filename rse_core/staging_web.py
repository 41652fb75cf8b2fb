"""The web side of a staged plugin: names and addresses of its blueprints, its templates and assets.

Blueprints are registered on an application of no other use, so that one that cannot be registered fails
here, alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .contributions import Asset, NavItem
from .errors import RseError
from .staging import Staging

if TYPE_CHECKING:
    from flask import Blueprint, Flask

#: First path segments below RSE's prefix that are the core's own.
RESERVED = frozenset({"admin", "api", "charter", "embed", "healthz", "live", "me", "metrics", "readyz", "static"})
    for (address, method), endpoint in _rules(app).items():
        first = address.lstrip("/").split("/", 1)[0]
        if pages and (first in RESERVED or not first or first == "<>"):
            raise staging.error(
                f"claims the address “{address or '/'}” ({endpoint}), which is the core's.",
                f'Give the blueprint a prefix: url_prefix="/{staging.name}".',
            )
        if (address, method) in taken:
            raise staging.error(
                f"claims the address “{address}” ({method}), which {taken[(address, method)]} has.",
                f"Give the blueprint “{blueprint.name}” another prefix, for example "
                f'url_prefix="/{staging.name}".',
            )
        taken[(address, method)] = "another blueprint of this plugin"


def _check_templates(staging: Staging, blueprint: Blueprint) -> None:
    if blueprint.template_folder is None:
        return
    folder = Path(blueprint.root_path) / blueprint.template_folder
    wanted = f"rse/{staging.name}/"
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(wanted):
            raise staging.error(
                f"has the template “{name}” outside its namespace, where it could replace another's.",
                f"Move it to “{wanted}{path.name}”.",
            )


def _check_asset(staging: Staging, asset: Asset) -> None:
    if asset.kind not in ("css", "js"):
        raise staging.error(f"has an asset of the kind “{asset.kind}”.", "Use css or js.")
    by_endpoint = {f"{b.name}.static": b for b in staging.blueprints}
    blueprint = by_endpoint.get(asset.endpoint)
    if blueprint is None or blueprint.static_folder is None:
        raise staging.error(
            f"serves the asset “{asset.filename}” from “{asset.endpoint}”, which is not the static "
            "endpoint of its blueprints.",
            f"Use one of: {', '.join(sorted(by_endpoint)) or 'none: add a blueprint with a static_folder'}.",
        )
    if not (Path(blueprint.static_folder) / asset.filename).is_file():
        raise staging.error(
            f"names the asset “{asset.filename}”, which is not in {blueprint.static_folder}.",
            "Add the file, and include it in the package's data.",
        )
