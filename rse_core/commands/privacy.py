"""What is kept about a person: export and erasure at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..audit import Actor
from ..errors import RseError
from ..i18n import _
from . import cli_actor, echo_json, json_option, pass_core

if TYPE_CHECKING:
    from ..runtime import Core


@click.group()
def privacy() -> None:
    """What is kept about a person."""


@privacy.command()
@click.argument("person", metavar="PERSON")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--json", "_as_json", is_flag=True, help="Print JSON (it always does).")
@pass_core
def export(core: Core, person: str, output: Path | None, _as_json: bool) -> None:
    """Export everything kept about PERSON (a username), the plugins' data too, as JSON."""
    from .. import people
    from ..privacy import export as export_person

    with core.db.read() as session:
        found = export_person(session, people.by_username(session, person).id)
    if output is None:
        echo_json(found)
        return
    output.touch(mode=0o600)
    output.write_text(json.dumps(found, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8")
    click.echo(_("Exported to %(file)s.", file=output), err=True)


@privacy.command()
@click.argument("person", metavar="PERSON")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--why", default="", help="Kept in the audit log.")
@json_option
@pass_core
def erase(core: Core, person: str, yes: bool, why: str, as_json: bool) -> None:
    """Make PERSON (a username) anonymous, for good, and erase what the plugins keep about them."""
    from .. import people
    from ..privacy import erase as erase_person

    with core.db.read() as session:
        found = people.by_username(session, person)
    question = _("Erase %(name)s (%(username)s) for good?", name=found.display_name, username=person)
    if not yes and not click.confirm(question, err=True):
        raise RseError(_("Nothing was erased."))
    with core.db.write() as session:
        counts = erase_person(session, found.id, actor=Actor(cli_actor()), why=why)
    if as_json:
        echo_json({"person": f"erased-{found.id}", "erased": counts})
        return
    for name, count in counts.items():
        click.echo(f"{name:<32} {count}")
    click.echo(_("The account is now erased-%(id)s; nothing leads back to who it was.", id=found.id))


COMMANDS: list[click.Command] = [privacy]
