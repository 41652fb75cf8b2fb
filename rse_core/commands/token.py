"""Tokens of the REST API."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select

from .. import people
from ..audit import Actor
from ..i18n import _
from ..models.organisation import Person
from ..models.runtime import Token
from ..runtime import Core
from ..tokens import SCOPES, create_token, revoke_token
from . import cli_actor, echo_json, json_option, pass_core


@click.group()
def token() -> None:
    """Tokens with which programs call the API for a person."""


@token.command()
@click.argument("person")
@click.option("--name", required=True, help="What it is for.")
@click.option("--scope", "scopes", multiple=True, default=("read",), show_default=True,
              help=f"{', '.join(SCOPES)}, or for one plugin alone feed:read, feed:write …")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it lasts; until revoked when left out.")
@pass_core
def create(core: Core, person: str, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make a token for PERSON (a username) and print it, once."""
    with core.db.write() as session:
        found = people.by_username(session, person)
        text = create_token(session, found, name, tuple(dict.fromkeys(scopes)), Actor(cli_actor()), days=days)
    click.echo(text)
    click.echo(_("Keep it now: only its fingerprint is stored."), err=True)


@token.command("list")
@click.option("--person", help="Only those of this username.")
@json_option
@pass_core
def list_tokens(core: Core, person: str | None, as_json: bool) -> None:
    """List the tokens, without their text."""
    query = select(Token, Person.username).join(Person, Person.id == Token.person_id).order_by(Token.id)
    if person is not None:
        query = query.where(Person.username == person)
    with core.db.read() as session:
        rows: list[dict[str, Any]] = [
            {
                "id": row.id,
                "person": username,
                "name": row.name,
                "scopes": row.scopes.split(),
                "created_at": row.created_at.isoformat(),
                "expires_at": row.expires_at.isoformat() if row.expires_at else None,
                "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
                "last_used": row.last_used.isoformat() if row.last_used else None,
            }
            for row, username in session.execute(query)
        ]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        state = _("revoked") if row["revoked_at"] else _("in use")
        click.echo(f"{row['id']:>5}  {row['person']}  {row['name']}  {' '.join(row['scopes'])}  {state}")
    if not rows:
        click.echo(_("No token was made yet."))


@token.command()
@click.argument("number", type=int)
@pass_core
def revoke(core: Core, number: int) -> None:
    """Revoke the token of this NUMBER (see the list)."""
    with core.db.write() as session:
        revoke_token(session, number, Actor(cli_actor()))
    click.echo(_("Revoked."))


COMMANDS: list[click.Command] = [token]
