"""``rse plugin``: what is installed, whether it is healthy, for whom it is on; and the beginnings of a new one."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import NotFound, RseError
from ..i18n import _, lazy
from . import State, cli_actor, echo_json, json_option, pass_core

if TYPE_CHECKING:
    from ..catalogue import PluginState
    from ..plugin import Plugin
    from ..runtime import Core

STATUS = {"on": lazy("on"), "quarantined": lazy("QUARANTINED"), "left_out": lazy("left out")}


@click.group()
def plugin() -> None:
    """List, check, switch, remove and begin plugins."""


@plugin.command("list")
@json_option
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """Every installed plugin with its state, the reason and what to do."""
    core = ctx.ensure_object(State).core
    rows = [_row(core, state, switches) for state, switches in _with_switches(core)]
    if as_json:
        echo_json(rows)
        return
    if not rows:
        click.echo(_("No plugin is installed."))
    for row in rows:
        click.echo(f"{row['name']:<16} {row['version']:<10} {row['kind']:<8} {STATUS[row['status']]}")
        for text in (row["reason"], row["remedy"]):
            if text:
                click.echo(f"    {text}")
        for hook, seconds in row["muted"].items():
            click.echo("    " + _("%(hook)s keeps failing: muted for %(s)s s.", hook=hook, s=seconds))
        for switch in row["switches"]:
            where = " ".join(filter(None, (switch["scope"], switch["key"])))
            click.echo(f"    {where}: " + (_("switched on") if switch["enabled"] else _("switched off")))


def _with_switches(core: Core) -> list[tuple[PluginState, list[dict[str, Any]]]]:
    from .. import migrate, switches

    found: dict[str, list[dict[str, Any]]] = {}
    # The list must also help on a database that is not prepared yet.
    if (migrate.stamps(core.db, [migrate.CORE])[migrate.CORE] or frozenset()) != frozenset():
        with core.db.read() as session:
            rows = switches.rows(session)
            keys = switches.keys(session, rows)
            for row in rows:
                key = keys.get((row.scope, row.scope_id), str(row.scope_id))
                found.setdefault(row.plugin, []).append({"scope": row.scope, "key": key, "enabled": row.enabled})
    return [(state, found.get(name, [])) for name, state in core.plugins.states.items()]


def _row(core: Core, state: PluginState, switches: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": state.name,
        "version": state.version,
        "kind": state.kind,
        "label": str(state.label),
        "description": str(state.description),
        "status": state.status,
        "reason": str(state.reason),
        "remedy": str(state.remedy),
        "requires": list(state.requires),
        "distribution": state.distribution,
        "muted": {hook: round(seconds) for hook, seconds in core.plugins.muted(state.name).items()},
        "switches": switches,
    }


@plugin.command()
@click.argument("what", required=False, metavar="[NAME|FOLDER]")
@json_option
@click.pass_context
def check(ctx: click.Context, what: str | None, as_json: bool) -> None:
    """Check that plugins keep the contract: all of them, an installed one, or one in a FOLDER that is not installed.

    A plugin is started and migrated on a database of its own, which is thrown away. Exit code 1 when something is wrong.
    """
    core = ctx.ensure_object(State).core
    if what is not None and (Path(what).is_dir() or "/" in what):
        results = {name: _problems(core, found) for name, found in _from_folder(Path(what)).items()}
    else:
        if what is not None:
            from ..switches import check_name

            check_name(core.plugins, what)
        results = {name: _installed_problems(core, name) for name in ([what] if what else core.plugins.states)}
    if as_json:
        echo_json([{"name": n, "ok": not problems, "problems": problems} for n, problems in results.items()])
    else:
        for name, problems in results.items():
            click.echo(f"{name}: " + (_("keeps the contract") if not problems else ""))
            for problem in problems:
                click.echo(f"  - {problem}")
    if any(results.values()):
        ctx.exit(1)


def _installed_problems(core: Core, name: str) -> list[str]:
    state, found = core.plugins.states[name], core.plugins.plugin(name)
    if state.status == "left_out":
        return []
    if found is None or (state.status != "on" and not state.pending):
        return [f"{state.reason} {state.remedy}".strip()]
    return _problems(core, found)


def _problems(core: Core, found: Plugin) -> list[str]:
    from ..contract import contract_problems

    requires: list[Plugin] = []
    waiting = list(found.manifest.requires)
    while waiting:
        name = waiting.pop(0)
        other = core.plugins.plugin(name)
        if other is not None and other not in requires:
            requires.insert(0, other)
            waiting += other.manifest.requires
    return contract_problems(found, requires=requires, settings=core.settings)


def _from_folder(folder: Path) -> dict[str, Plugin]:
    """The plugins that a distribution's folder announces, imported from there."""
    from ..discovery import as_plugin

    points = _entry_points(folder)
    if not points:
        raise NotFound(
            _("%(folder)s announces no plugin.", folder=folder),
            remedy=_("Name the folder whose setup.cfg or pyproject.toml has entry points of the group rse.plugins."),
        )
    sys.path.insert(0, str(folder.resolve()))
    found = {}
    for name, target in points.items():
        module, _sep, attribute = target.partition(":")
        try:
            loaded: Any = importlib.import_module(module)
            for part in filter(None, attribute.split(".")):
                loaded = getattr(loaded, part)
        # Foreign code: whatever it raises is the answer to the question that was asked.
        except Exception as error:
            raise RseError(
                _(
                    "The plugin “%(name)s” cannot be imported: %(error)s.",
                    name=name,
                    error=f"{type(error).__name__}: {error}",
                )
            ) from None
        found[name] = as_plugin(loaded, name=name)
    return found


def _entry_points(folder: Path) -> dict[str, str]:
    import configparser
    import tomllib

    group = "rse.plugins"
    if (folder / "setup.cfg").is_file():
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(folder / "setup.cfg", encoding="utf-8")
        lines = parser.get("options.entry_points", group, fallback="").splitlines()
        pairs = (line.partition("=") for line in lines if "=" in line)
        found = {name.strip(): target.strip() for name, _sep, target in pairs}
        if found:
            return found
    if (folder / "pyproject.toml").is_file():
        data = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        return dict(data.get("project", {}).get("entry-points", {}).get(group, {}))
    return {}


def _scope_options(command: Any) -> Any:
    for scope in ("space", "group", "entity"):
        command = click.option(f"--{scope}", metavar="ID", help=f"Only for this {scope}.")(command)
    return command


@plugin.command()
@click.argument("name")
@_scope_options
@json_option
@pass_core
def enable(core: Core, name: str, as_json: bool, **scopes: str | None) -> None:
    """Switch a plugin on: for everybody, for an entity and below, for a group, or in a space."""
    _switch(core, name, True, scopes, as_json)


@plugin.command()
@click.argument("name")
@_scope_options
@json_option
@pass_core
def disable(core: Core, name: str, as_json: bool, **scopes: str | None) -> None:
    """Switch a plugin off; what was written with it stays."""
    _switch(core, name, False, scopes, as_json)


def _switch(core: Core, name: str, on: bool, scopes: dict[str, str | None], as_json: bool) -> None:
    from .. import organisation
    from ..audit import Actor

    chosen = [(scope, key) for scope, key in scopes.items() if key is not None]
    if len(chosen) > 1:
        raise click.UsageError(_("Name one of --entity, --group and --space."))
    finders: dict[str, Any] = {
        "entity": organisation.entity_by_key,
        "group": organisation.group_by_key,
        "space": organisation.space_by_key,
    }
    actor = Actor(cli_actor())
    with core.db.write() as session:
        scope, key = chosen[0] if chosen else ("site", "")
        scope_id = finders[scope](session, key).id if chosen else 0
        act = core.plugins.enable if on else core.plugins.disable
        changed = act(session, name, actor, scope, scope_id)
    if as_json:
        echo_json({"plugin": name, "scope": scope, "key": key, "enabled": on, "changed": changed})
        return
    where = f"{scope} {key}".strip()
    state = _("switched on") if on else _("switched off")
    click.echo(f"{name}: {state} ({where})" + ("" if changed else " – " + _("as it was before")))


@plugin.command()
@click.argument("name")
@click.option("--export", "target", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A new zip file.")
@click.option("--yes", is_flag=True, help="Do it; without this, only say what would be removed.")
@json_option
@pass_core
def purge(core: Core, name: str, target: Path, yes: bool, as_json: bool) -> None:
    """Export a plugin's data to a file, then remove its tables and everything kept for it."""
    from ..audit import Actor
    from ..purge import plan
    from ..purge import purge as run

    planned = plan(core, name)
    if not yes:
        listed = ", ".join(f"{table} ({rows})" for table, rows in planned.tables.items()) or _("no table")
        raise RseError(
            _("This would remove the data of “%(name)s”: %(tables)s.", name=name, tables=listed),
            remedy=_("Add --yes to do it."),
        )
    done = run(core, name, target, Actor(cli_actor()))
    if as_json:
        echo_json({"plugin": name, "export": str(target), "tables": done.tables, "rows": done.rows})
        return
    click.echo(
        _("%(rows)s rows of “%(name)s” are in %(path)s; its tables are gone.", rows=done.rows, name=name, path=target)
    )
    if name in core.plugins.states:
        distribution = core.plugins.states[name].distribution
        click.echo(_("Uninstall %(dist)s now, or run rse upgrade to begin anew.", dist=distribution))


@plugin.command()
@click.argument("name")
@click.option("--into", default=".", type=click.Path(file_okay=False, path_type=Path), help="Where to put its folder.")
@click.option("--label", help="What people call it.")
@json_option
def new(name: str, into: Path, label: str | None, as_json: bool) -> None:
    """Begin a plugin: a distribution that installs, with a table, a slot, a translation and tests that pass."""
    from ..scaffold import scaffold

    files = scaffold(name, into, label=label)
    folder = files[0].parent
    if as_json:
        echo_json({"plugin": name, "folder": str(folder), "files": [str(f.relative_to(folder)) for f in files]})
        return
    click.echo(_("%(count)s files in %(folder)s.", count=len(files), folder=folder))
    click.echo(_("Next: pip install -e %(folder)s, rse plugin check %(name)s, pytest %(folder)s", folder=folder, name=name))


@plugin.command()
@click.argument("name")
@click.argument("message")
@pass_core
def revision(core: Core, name: str, message: str) -> None:
    """Write a plugin's next migration: what its models say compared with the database. Read it before you keep it."""
    from ..revision import write_revision
    from ..switches import check_name

    check_name(core.plugins, name)
    scripts = core.plugins.scripts()
    if name not in scripts:
        raise RseError(
            _("The plugin “%(name)s” has no migrations, or did not start.", name=name), remedy=_("See: rse plugin list")
        )
    path = write_revision(core.db, name, scripts[name], message)
    click.echo(str(path) if path else _("Nothing differs: no migration is needed."))


COMMANDS: list[click.Command] = [plugin]
