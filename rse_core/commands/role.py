"""Roles of those who run the site, at the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ..audit import Actor
from ..errors import BadInput
from ..i18n import _
from . import audit, cli_actor, echo_json, json_option, pass_core

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from ..runtime import Core


@click.group()
def role() -> None:
    """Roles of those who run the site.

    \b
    site_admin    --site
    entity_admin  --entity ID (with all below it)
    moderator     --site, --entity ID, --group ID or --space ID
    animator      --space ID
    """


def _scope_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, text in (("space", "a space"), ("group", "a group"), ("entity", "an entity and all below it")):
        command = click.option(f"--{name}", metavar="ID", help=f"At the scope of {text}.")(command)
    return click.option("--site", is_flag=True, help="At the scope of the whole site.")(command)


def _scope(session: Session, site: bool, entity: str | None, group: str | None, space: str | None) -> tuple[str, int]:
    from .. import organisation

    given = [bool(site), *(value is not None for value in (entity, group, space))]
    if sum(given) > 1:
        raise BadInput(
            _("More than one scope was given."),
            remedy=_("Use one of: %(choices)s.", choices="--site, --entity, --group, --space"),
        )
    if entity is not None:
        return "entity", organisation.entity_by_key(session, entity).id
    if group is not None:
        return "group", organisation.group_by_key(session, group).id
    if space is not None:
        return "space", organisation.space_by_key(session, space).id
    return "site", 0


@role.command()
@click.argument("person", metavar="PERSON")
@click.argument("role_name", metavar="ROLE")
@_scope_options
@click.option("--why", default="", help="Kept in the audit log.")
@pass_core
def grant(
    core: Core,
    person: str,
    role_name: str,
    site: bool,
    entity: str | None,
    group: str | None,
    space: str | None,
    why: str,
) -> None:
    """Give PERSON (a username) the ROLE."""
    from .. import people, roles

    with core.db.write() as session:
        person_id = people.by_username(session, person).id
        scope, scope_id = _scope(session, site, entity, group, space)
        given = roles.grant(session, person_id, role_name, scope=scope, scope_id=scope_id, actor=Actor(cli_actor()), why=why)
    name = roles.parse_role(role_name)
    if given:
        click.echo(_("%(person)s is now %(role)s.", person=person, role=name))
    else:
        click.echo(_("%(person)s is %(role)s already; nothing was changed.", person=person, role=name))


@role.command()
@click.argument("person", metavar="PERSON")
@click.argument("role_name", metavar="ROLE")
@_scope_options
@click.option("--why", default="", help="Kept in the audit log.")
@click.option("--force", is_flag=True, help="Even from the last site administrator.")
@pass_core
def revoke(
    core: Core,
    person: str,
    role_name: str,
    site: bool,
    entity: str | None,
    group: str | None,
    space: str | None,
    why: str,
    force: bool,
) -> None:
    """Take the ROLE from PERSON (a username)."""
    from .. import people, roles

    with core.db.write() as session:
        person_id = people.by_username(session, person).id
        scope, scope_id = _scope(session, site, entity, group, space)
        taken = roles.revoke(
            session,
            person_id,
            role_name,
            scope=scope,
            scope_id=scope_id,
            actor=Actor(cli_actor()),
            why=why,
            force=force,
        )
    name = roles.parse_role(role_name)
    if taken:
        click.echo(_("%(person)s is %(role)s no longer.", person=person, role=name))
    else:
        click.echo(_("%(person)s was not %(role)s there; nothing was changed.", person=person, role=name))


@role.command("list")
@click.option("--person", metavar="PERSON", help="Only of this username.")
@click.option("--role", "role_name", metavar="ROLE", help="Only this role.")
@json_option
@pass_core
def list_(core: Core, person: str | None, role_name: str | None, as_json: bool) -> None:
    """List who has which role, where, since when and by whom."""
    from .. import people, roles

    with core.db.read() as session:
        person_id = None if person is None else people.by_username(session, person).id
        grants = roles.list_grants(session, person_id=person_id, role=role_name)
    if as_json:
        echo_json(
            [
                {
                    "person": g.username,
                    "role": g.role,
                    "scope": g.scope,
                    "scope_id": g.scope_key,
                    "granted_at": g.granted_at.isoformat(),
                    "granted_by": g.granted_by,
                    "why": g.why,
                }
                for g in grants
            ]
        )
        return
    for g in grants:
        line = f"{g.username:<24} {g.role:<13} {g.where:<24} {g.granted_at:%Y-%m-%d} {g.granted_by}  {g.why}"
        click.echo(line.rstrip())


COMMANDS: list[click.Command] = [role, *audit.COMMANDS]
