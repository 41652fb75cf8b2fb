"""The web side of a staged plugin: names and addresses of its blueprints, its templates and assets.

Blueprints are registered on an application of no other use, so that one that cannot be registered fails here,
alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .contributions import Asset, NavItem
from .errors import RseError
from .guiding import TourStep
from .i18n import Text, lazy
from .staging import Staging

if TYPE_CHECKING:
    from flask import Blueprint, Flask

#: First path segments below RSE's prefix that are the core's own.
RESERVED = frozenset({"admin", "api", "charter", "embed", "healthz", "live", "me", "metrics", "readyz", "static"})
_VARIABLE = re.compile(r"<[^>]*>")
Rules = dict[tuple[str, str], Text]


def check_web(staging: Staging, others: Iterable[Staging]) -> None:
    """Check blueprints, templates, assets and entries of the navigation.

    :raises PluginError: names the endpoint, the address or the file.
    """
    others = list(others)
    endpoints: set[str] = set()
    names: set[str] = set()
    for kind, mine in (("blueprints", staging.blueprints), ("rest_blueprints", staging.rest_blueprints)):
        taken_names = {b.name: o.name for o in others for b in (*o.blueprints, *o.rest_blueprints)}
        taken: Rules = {}
        for other in others:
            owner = lazy("the plugin “%(name)s”", name=other.name)
            taken.update(dict.fromkeys(other.addresses.get(kind, ()), owner))
        for blueprint in mine:
            _check_name(staging, blueprint, names, taken_names)
            app = _alone(staging, blueprint)
            endpoints |= set(app.view_functions)
            _check_addresses(staging, blueprint, app, taken, pages=kind == "blueprints")
            staging.addresses.setdefault(kind, set()).update(_rules(app))
            _check_templates(staging, blueprint)
    for endpoint in (one for item in staging.contributions.get(NavItem, ()) for one in (item.endpoint, item.count) if one):
        if endpoint not in endpoints:
            raise staging.error(
                lazy(
                    "puts “%(endpoint)s” into the navigation, which is no endpoint of its blueprints.",
                    endpoint=endpoint,
                ),
                lazy("Its endpoints: %(list)s.", list=", ".join(sorted(endpoints)) or "–"),
            )
    for step in staging.contributions.get(TourStep, ()):
        if step.endpoint and step.endpoint not in endpoints:
            raise staging.error(
                lazy(
                    "leads to “%(endpoint)s” in the step “%(key)s”, which is no endpoint of its blueprints.",
                    endpoint=step.endpoint,
                    key=step.key,
                ),
                lazy("Its endpoints: %(list)s.", list=", ".join(sorted(endpoints)) or "–"),
            )
    for asset in staging.contributions.get(Asset, ()):
        _check_asset(staging, asset)


def _check_name(staging: Staging, blueprint: Blueprint, names: set[str], taken: dict[str, str]) -> None:
    prefix = f"rse_{staging.name}"
    if blueprint.name != prefix and not blueprint.name.startswith(f"{prefix}_"):
        raise staging.error(
            lazy("has a blueprint named “%(name)s”.", name=blueprint.name),
            lazy("Name it “%(prefix)s”, or begin its name with “%(prefix)s_”.", prefix=prefix),
        )
    if blueprint.name in names:
        raise staging.error(
            lazy("has two blueprints named “%(name)s”.", name=blueprint.name), lazy("Give each a name of its own.")
        )
    if blueprint.name in taken:
        raise staging.error(
            lazy(
                "has a blueprint named “%(name)s”, which “%(taken)s” has.", name=blueprint.name, taken=taken[blueprint.name]
            ),
            lazy("Choose another name."),
        )
    names.add(blueprint.name)


def _alone(staging: Staging, blueprint: Blueprint) -> Flask:
    """The blueprint on an application of its own.

    :raises PluginError: when it cannot be registered.
    """
    from flask import Flask

    app = Flask("rse_core", static_folder=None)
    try:
        app.register_blueprint(blueprint)
    except RseError:
        raise
    except Exception as error:
        raise staging.error(
            lazy(
                "has a blueprint “%(name)s” that cannot be registered: %(name2)s: %(error)s.",
                name=blueprint.name,
                name2=type(error).__name__,
                error=str(error),
            ),
            lazy("Correct its routes and what it records."),
        ) from error
    return app


def _rules(app: Flask) -> Rules:
    """(address with nameless variables, method) → endpoint."""
    found: Rules = {}
    for rule in app.url_map.iter_rules():
        for method in rule.methods or ():
            if method not in ("HEAD", "OPTIONS"):
                found[(_VARIABLE.sub("<>", rule.rule).rstrip("/"), method)] = rule.endpoint
    return found


def _check_addresses(staging: Staging, blueprint: Blueprint, app: Flask, taken: Rules, *, pages: bool) -> None:
    for (address, method), endpoint in _rules(app).items():
        first = address.lstrip("/").split("/", 1)[0]
        if pages and (first in RESERVED or not first or first == "<>"):
            raise staging.error(
                lazy(
                    "claims the address “%(address)s” (%(endpoint)s), which is the core's.",
                    address=address or "/",
                    endpoint=endpoint,
                ),
                lazy('Give the blueprint a prefix: url_prefix="/%(name)s".', name=staging.name),
            )
        if (address, method) in taken:
            raise staging.error(
                lazy(
                    "claims the address “%(address)s” (%(method)s), which %(taken)s has.",
                    address=address,
                    method=method,
                    taken=taken[address, method],
                ),
                lazy(
                    'Give the blueprint “%(name)s” another prefix, for example url_prefix="/%(name2)s".',
                    name=blueprint.name,
                    name2=staging.name,
                ),
            )
        taken[(address, method)] = lazy("another blueprint of this plugin")


def _check_templates(staging: Staging, blueprint: Blueprint) -> None:
    if blueprint.template_folder is None:
        return
    folder = Path(blueprint.root_path) / blueprint.template_folder
    wanted = f"rse/{staging.name}/"
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(wanted):
            raise staging.error(
                lazy("has the template “%(name)s” outside its namespace, where it could replace another's.", name=name),
                lazy("Move it to “%(wanted)s%(name)s”.", wanted=wanted, name=path.name),
            )


def _check_asset(staging: Staging, asset: Asset) -> None:
    if asset.kind not in ("css", "js"):
        raise staging.error(lazy("has an asset of the kind “%(kind)s”.", kind=asset.kind), lazy("Use css or js."))
    by_endpoint = {f"{b.name}.static": b for b in staging.blueprints}
    blueprint = by_endpoint.get(asset.endpoint)
    if blueprint is None or blueprint.static_folder is None:
        raise staging.error(
            lazy(
                "serves the asset “%(filename)s” from “%(endpoint)s”, which is not the static endpoint of its blueprints.",
                filename=asset.filename,
                endpoint=asset.endpoint,
            ),
            lazy("Use one of: %(list)s.", list=", ".join(sorted(by_endpoint)) or "–"),
        )
    if not (Path(blueprint.static_folder) / asset.filename).is_file():
        raise staging.error(
            lazy(
                "names the asset “%(filename)s”, which is not in %(static_folder)s.",
                filename=asset.filename,
                static_folder=blueprint.static_folder,
            ),
            lazy("Add the file, and include it in the package's data."),
        )
