"""``rse indicators calendar``: the working days of entities, from the shell."""

from __future__ import annotations

import datetime as dt
import getpass
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from rse_core import calendars as kept
from rse_core.api import Actor, Core, RseError, translator
from rse_core.workdays import CALENDARS

from . import calendars, ics

_t = translator(__file__, "rse_indicators")
_, ngettext = _t.gettext, _t.ngettext
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _core(ctx: click.Context) -> Core:
    core: Core = ctx.find_root().obj.ready()
    return core


def _actor() -> Actor:
    return Actor(f"cli:{getpass.getuser()}")


def _print(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _dict(shown: calendars.Shown) -> dict[str, Any]:
    days = {day.isoformat(): name for day, name in sorted(shown.days.items())}
    return {"entity": shown.entity, "name": shown.name, "public": shown.public, "days": days}


@click.group("calendar")
def calendar() -> None:
    """Which days are no working days, by entity; the site's are in rse.toml."""


@calendar.command("list")
@_json
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """Every calendar."""
    core = _core(ctx)
    with core.db.read() as session:
        found = calendars.all_of(session, core)
    if as_json:
        _print([_dict(one) for one in found])
        return
    for one in found:
        number = ngettext("%(num)s day of its own", "%(num)s days of its own", len(one.days))
        click.echo(f"{one.entity or '-':<20} {one.public:<20} {number}")


@calendar.command("set")
@click.argument("entity")
@click.option("--public", type=click.Choice((kept.SITE, *CALENDARS)), default=kept.SITE, show_default=True)
@click.option("--day", "days", multiple=True, metavar="D", help="A day of its own, such as 2027-05-07; can be given again.")
@click.option(
    "--ics", "file", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Days of an iCalendar file."
)
@click.option("--dry-run", is_flag=True, help="Only say what this changes.")
@_json
@click.pass_context
def set_(
    ctx: click.Context, entity: str, public: str, days: tuple[str, ...], file: Path | None, dry_run: bool, as_json: bool
) -> None:
    """Give ENTITY, and those below it, a calendar in place of the one that it has."""
    core = _core(ctx)
    all_days: Mapping[dt.date, str] = _file(file) | calendars.lines("\n".join(days))
    if dry_run:
        with core.db.read() as session:
            found = calendars.preview(session, None, entity, public, all_days)
    else:
        with core.db.write() as session:
            found = calendars.keep(session, None, entity, public, all_days, actor=_actor())
    if as_json:
        told = {"closed": found.closed, "opened": found.opened, "entities": found.entities, "months": found.months}
        _print({"kept": not dry_run, "calendar": _dict(found.shown), "apart": found.apart, **told})
        return
    click.echo(ngettext("It holds for %(num)s entity.", "It holds for %(num)s entities.", found.entities))
    if found.apart:
        click.echo(_("These keep their own: %(names)s.", names=", ".join(found.apart)))
    for day in found.closed:
        click.echo(f"- {day}")
    for day in found.opened:
        click.echo(f"+ {day}")
    if dry_run:
        click.echo(_("Nothing was changed."), err=True)
    else:
        click.echo(_("The calendar is kept. The months before are counted anew in the background."), err=True)


def _file(file: Path | None) -> dict[dt.date, str]:
    if file is None:
        return {}
    try:
        return ics.read(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RseError(_("%(file)s cannot be read: %(error)s.", file=file, error=error)) from None


@calendar.command()
@click.argument("entity")
@click.pass_context
def remove(ctx: click.Context, entity: str) -> None:
    """Take the calendar of ENTITY away: the next one above it holds, or the site's."""
    core = _core(ctx)
    with core.db.write() as session:
        calendars.remove(session, None, entity, actor=_actor())
    click.echo(_("The calendar is taken away."))
