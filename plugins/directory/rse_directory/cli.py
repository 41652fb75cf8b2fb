"""``rse directory reindex | export | completion``."""

from __future__ import annotations

import json
import sys

import click
from sqlalchemy import delete, func, select

from rse_core.api import Core, translator
from rse_core.models.organisation import Person
from rse_core.organisation import entity_by_key
from rse_core.people import by_username

from . import arrivals, exporting, indexing
from .finding import Asked
from .models import Indexed, Near

_t = translator(__file__, "rse_directory")
_ = _t.gettext


def _core() -> Core:
    core: Core = click.get_current_context().find_root().obj.ready()
    return core


@click.group()
def directory() -> None:
    """The directory of people: its index, lists, and how far profiles are filled in."""


@directory.command()
@click.option("--anew", is_flag=True, help="Everybody, not only those who changed.")
def reindex(anew: bool) -> None:
    """Make the words that people are found by anew; searching goes on meanwhile, and an interruption loses nothing."""
    core = _core()
    with core.db.write() as session:
        if anew:
            session.execute(delete(Indexed))
            session.execute(delete(Near))
        total = session.scalar(select(func.count()).select_from(Person)) or 0
    done = 0
    with click.progressbar(length=total, label=_("People"), file=sys.stderr) as bar:
        while True:
            with core.db.write() as session:
                found = indexing.behind(session)
                if found:
                    indexing.refresh(session, found)
            if not found:
                break
            done += len(found)
            bar.update(len(found))
    click.echo(_t.ngettext("%(num)s person indexed", "%(num)s people indexed", done))


@directory.command("export")
@click.option("--person", "username", required=True, metavar="USERNAME", help="As this person, who must be allowed to.")
@click.option("--entity", default="", metavar="KEY")
def export_(username: str, entity: str) -> None:
    """Print the directory as CSV, by what that person is shown; it is noted in the audit log."""
    core = _core()
    with core.db.write() as session:
        person = by_username(session, username)
        click.echo(exporting.csv_file(session, person.id, Asked(entity=entity)), nl=False)


@directory.command()
@click.argument("entity")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def completion(entity: str, as_json: bool) -> None:
    """How far the profiles of an entity, and of those right below it, are filled in."""
    core = _core()
    with core.db.read() as session:
        found = arrivals.rates(session, entity_by_key(session, entity).id)
    if as_json:
        click.echo(json.dumps([{"entity": one.key, "people": one.people, "rate": one.rate} for one in found]))
        return
    for one in found:
        click.echo(f"{one.name}: {one.rate} % ({one.people})")
