"""The audit log at the command line."""

from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..i18n import _, ngettext
from ..when import parse_moment
from . import echo_json, json_option, pass_core

if TYPE_CHECKING:
    from ..runtime import Core

_COLUMNS = ("id", "at", "actor", "act", "subject", "before", "after", "why")


@click.group("audit")
def audit_group() -> None:
    """The log of every act of those who run the site."""


@audit_group.command("list")
@click.option("--since", metavar="DATE", help="A date or time.")
@click.option("--act", metavar="ACT", help="Only this act, or all that begin so: role, level.set …")
@click.option("--actor", metavar="NAME", help="Only of this username or command.")
@click.option("--subject", metavar="SUBJECT", help="Only on this: person:NAME, entity:ID, site …")
@click.option("--before", "before_id", type=int, help="Continue before this line.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
@pass_core
def list_(
    core: Core,
    since: str | None,
    act: str | None,
    actor: str | None,
    subject: str | None,
    before_id: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List acts, the latest first."""
    from ..audit import entries

    with core.db.read() as session:
        rows = entries(
            session,
            since=_since(since, core.settings.timezone),
            act=act,
            actor=actor,
            subject=subject,
            before_id=before_id,
            limit=limit,
        )
    if as_json:
        echo_json([entry.as_dict() for entry in rows])
        return
    for entry in rows:
        line = f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.actor:<20} {entry.act:<20} {entry.subject:<28}"
        click.echo(f"{line} {_change(entry.before, entry.after)}  {entry.why}".rstrip())
    if len(rows) == limit:
        click.echo(_("More: --before %(id)s", id=rows[-1].id), err=True)


@audit_group.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--since", metavar="DATE", help="A date or time.")
@click.option("--act", metavar="ACT", help="Only this act, or all that begin so.")
@pass_core
def export(core: Core, file: Path, since: str | None, act: str | None) -> None:
    """Write acts to FILE, the earliest first: .csv, or JSON lines under any other name; - prints them."""
    from ..audit import stream

    count = 0
    with core.db.read() as session:
        rows = stream(session, since=_since(since, core.settings.timezone), act=act)
        to_screen = str(file) == "-"
        out = sys.stdout if to_screen else file.open("w", encoding="utf-8", newline="")
        try:
            table = csv.writer(out) if file.suffix.lower() == ".csv" else None
            if table is not None:
                table.writerow(_COLUMNS)
            for entry in rows:
                facts = entry.as_dict()
                if table is None:
                    out.write(json.dumps(facts, ensure_ascii=False) + "\n")
                else:
                    table.writerow([_cell(facts[column]) for column in _COLUMNS])
                count += 1
        finally:
            if not to_screen:
                out.close()
    click.echo(ngettext("%(num)s act exported.", "%(num)s acts exported.", count), err=True)


def _since(text: str | None, zone: str) -> dt.datetime | None:
    return None if text is None else parse_moment(text, zone)


def _change(before: Any, after: Any) -> str:
    told = [json.dumps(part, ensure_ascii=False) for part in (before, after) if part is not None]
    return " → ".join(told)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # A spreadsheet would run a cell that begins like a formula.
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t") else text


COMMANDS: list[click.Command] = [audit_group]
