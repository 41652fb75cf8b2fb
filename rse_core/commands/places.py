"""Entities beside the main one, and assistants, at the command line; :mod:`rse_core.commands.people` takes them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..audit import Actor
from ..i18n import _
from . import cli_actor, pass_core

if TYPE_CHECKING:
    from ..runtime import Core


@click.command()
@click.argument("username")
@click.option("--in", "keys", multiple=True, metavar="ENTITY", help="An entity beside the main one; may be repeated.")
@click.option("--only-main", is_flag=True, help="In no entity but the main one.")
@click.option("--why", default="", help="Kept in the audit log.")
@pass_core
def beside(core: Core, username: str, keys: tuple[str, ...], only_main: bool, why: str) -> None:
    """Say in which entities a person is beside their main one: exactly these.

    A file with the column other_entity_ids, or a directory that says so, brings them back to what it says.
    """
    from .. import places
    from ..audit import record
    from ..organisation import entity_by_key
    from ..people import by_username

    if bool(keys) == only_main:
        raise click.UsageError("Give --in ENTITY, or --only-main.")
    with core.db.write() as session:
        person = by_username(session, username)
        before = [one.key for one in places.others(session, [person.id]).get(person.id, ())]
        places.set_others(session, person.id, [entity_by_key(session, key).id for key in keys])
        record(
            session, Actor(cli_actor()), "people.entities", f"person:{username}", before=before, after=sorted(keys), why=why
        )
    click.echo(_("%(name)s is in: %(names)s.", name=username, names=", ".join(keys)) if keys else _("Only the main entity."))


@click.command()
@click.argument("username")
@click.option("--by", "usernames", multiple=True, metavar="USERNAME", help="Who assists them; may be repeated.")
@click.option("--nobody", is_flag=True, help="Nobody assists them.")
@click.option("--why", default="", help="Kept in the audit log.")
@pass_core
def assist(core: Core, username: str, usernames: tuple[str, ...], nobody: bool, why: str) -> None:
    """Say who assists a person: exactly these.

    A file with the column assistant_external_ids, or a directory that says so, brings them back to what it says.
    """
    from .. import places
    from ..audit import record
    from ..people import by_username, names

    if bool(usernames) == nobody:
        raise click.UsageError("Give --by USERNAME, or --nobody.")
    with core.db.write() as session:
        person = by_username(session, username)
        known = places.assistants(session, [person.id]).get(person.id, ())
        before = [card.username for card in names(session, known).values()]
        places.set_assistants(session, person.id, [by_username(session, one).id for one in usernames])
        record(
            session, Actor(cli_actor()), "people.assistants", f"person:{username}", before=before, after=sorted(usernames),
            why=why,
        )  # fmt: skip
    said = _("%(name)s is assisted by: %(names)s.", name=username, names=", ".join(usernames))
    click.echo(said if usernames else _("Nobody assists %(name)s.", name=username))
