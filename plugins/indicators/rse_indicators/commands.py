"""``rse indicators``: figures on the screen and in files, roll-ups made again, a survey taken over."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rse_core import indicators_roll
from rse_core.api import Actor, Core, RseError, translator
from rse_core.indicators_figures import BY, Asked
from rse_core.indicators_frame import PEOPLE

from . import asking, exporting, survey
from .calendar_commands import calendar

if TYPE_CHECKING:
    from .asking import Table

_t = translator(__file__, "rse_indicators")
_, ngettext = _t.gettext, _t.ngettext
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_from = click.option("--from", "first", default="", metavar="D", help="First day, such as 2027-01-31.")
_to = click.option("--to", "last", default="", metavar="D", help="Last day; without both, the last whole month.")
_by = click.option("--by", type=click.Choice(BY), default="site", show_default=True, help="One figure for each of these.")
_people = click.option("--people", type=click.Choice(PEOPLE), default="all", show_default=True, help="Managers apart.")


def _core(ctx: click.Context) -> Core:
    core: Core = ctx.find_root().obj.ready()
    return core


def _print(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _period(first: str, last: str) -> tuple[dt.date, dt.date]:
    try:
        return asking.period(first, last)
    except RseError as error:
        raise click.BadParameter(str(error)) from None


@click.group("indicators")
def indicators() -> None:
    """Who comes and who takes part, in numbers of at least ten people."""


@indicators.command("list")
@_json
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """Every indicator with its definition."""
    core = _core(ctx)
    found = [
        {
            "name": one.name, "label": str(one.label), "definition": str(one.definition),
            "denominator": asking.denominator(one), "source": asking.source(core, one), "counts": one.counts,
        }
        for one in asking.definitions(core)
    ]  # fmt: skip
    if as_json:
        _print(found)
        return
    for row in found:
        click.echo(f"{row['name']:<24} {row['label']}\n    {row['definition']}\n    / {row['denominator']}")


@indicators.command()
@click.option("--indicator", "name", required=True, metavar="NAME", help="Which; see rse indicators list.")
@_by
@_from
@_to
@_people
@_json
@click.pass_context
def show(ctx: click.Context, name: str, by: str, first: str, last: str, people: str, as_json: bool) -> None:
    """One indicator in a period."""
    core = _core(ctx)
    with core.db.read() as session:
        found = asking.table(session, core, Asked(name, *_period(first, last), by, people))
    if as_json:
        _print([row.as_dict() for row in found.rows])
        return
    asked = found.asked
    click.echo(f"{found.indicator.label}, {asked.first} – {asked.last}")
    for row in found.rows:
        one = row.figure
        if one.suppressed:
            click.echo(f"{row.key:<24} {_('too few people to be shown')}")
        else:
            rate = "" if one.rate is None else f"{one.rate * 100:5.1f} %"
            click.echo(f"{row.key:<24} {rate:>8}  {one.numerator} / {one.denominator}")
    if found.answer.day is None:
        click.echo(_("Nothing is known of that time: counting began later, or the worker has not run yet."), err=True)
    elif not found.rows:
        click.echo(_("There is nothing to show."), err=True)


@indicators.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--indicator", "names", multiple=True, metavar="NAME", help="Only this one; can be given again.")
@_by
@_from
@_to
@_people
@click.pass_context
def export(
    ctx: click.Context, file: Path, names: tuple[str, ...], by: str, first: str, last: str, people: str
) -> None:
    """Write figures to FILE: .xlsx with the definitions, or CSV under any other name; - prints CSV."""
    core = _core(ctx)
    days = _period(first, last)
    tables: list[Table] = []
    with core.db.read() as session:
        for name in names or [one.name for one in asking.definitions(core) if one.counts != "own"]:
            try:
                tables.append(asking.table(session, core, Asked(name, *days, by, people)))
            except RseError:
                # Not every indicator can be divided in every way; one that was asked for by name says so.
                if names:
                    raise
    if file.suffix.lower() == ".xlsx":
        file.write_bytes(exporting.as_xlsx(core, tables))
    elif str(file) == "-":
        click.echo(exporting.as_csv(tables), nl=False)
    else:
        file.write_text(exporting.as_csv(tables), encoding="utf-8", newline="")
    number = sum(len(table.rows) for table in tables)
    click.echo(ngettext("%(num)s figure exported.", "%(num)s figures exported.", number), err=True)


@indicators.command()
@click.option("--anew", is_flag=True, help="Begin at the start, though an earlier one was interrupted.")
@click.pass_context
def rebuild(ctx: click.Context, anew: bool) -> None:
    """Make every roll-up again from the raw record; the site serves meanwhile. Interrupted, it goes on where it stopped."""
    core = _core(ctx)
    with click.progressbar(
        length=1, label=_("Months"), file=sys.stderr, hidden=not sys.stderr.isatty(), show_pos=True
    ) as bar:

        def told(_month: dt.date, done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        number = indicators_roll.rebuild(core, progress=told, anew=anew)
    click.echo(ngettext("%(num)s month was made again.", "%(num)s months were made again.", number))


@indicators.command("survey")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_context
def survey_(ctx: click.Context, file: Path) -> None:
    """Take over the answers of a survey on habit: CSV with date, entity (empty: the site), respondents, daily."""
    core = _core(ctx)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RseError(_("%(file)s cannot be read: %(error)s.", file=file, error=error)) from None
    with core.db.write() as session:
        number = survey.load(session, text, actor=Actor(f"cli:{getpass.getuser()}"))
    click.echo(ngettext("%(num)s line was taken over.", "%(num)s lines were taken over.", number))


indicators.add_command(calendar)
