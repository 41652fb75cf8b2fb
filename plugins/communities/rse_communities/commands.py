"""``rse space``: list spaces, their members, and add or remove people from a list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from rse_core.api import Core, RseError, translator

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from rse_core.models.organisation import Space

_t = translator(__file__, "rse_communities")
_ = _t.gettext


def _core(ctx: click.Context) -> Core:
    core: Core = ctx.find_root().obj.ready()
    return core


def _print(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@click.group()
def space() -> None:
    """Spaces: communities, teams, projects."""


@space.command("list")
@click.option("--kind", default="", help="Only of this kind.")
@click.option("--archived", is_flag=True, help="Archived ones too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_spaces(ctx: click.Context, kind: str, archived: bool, as_json: bool) -> None:
    """List every space, secret ones too: whoever runs this runs the site."""
    from sqlalchemy import select

    from rse_core.models.organisation import Space

    from .models import Profile

    query = (
        select(Space.key, Space.name, Space.visibility, Space.archived_at, Profile.kind, Profile.state, Profile.members)
        .outerjoin(Profile, Profile.space_id == Space.id)
        .where(Space.merged_into.is_(None))
        .order_by(Space.key)
    )
    if kind:
        query = query.where(Profile.kind == kind)
    if not archived:
        query = query.where(Space.archived_at.is_(None))
    with _core(ctx).db.read() as session:
        rows = session.execute(query).all()
    found = [
        {
            "key": row.key, "name": row.name, "kind": row.kind or "team", "visibility": row.visibility,
            "state": "archived" if row.archived_at else row.state or "open", "members": row.members,
        }
        for row in rows
    ]  # fmt: skip
    if as_json:
        _print(found)
        return
    for one in found:
        click.echo(f"{one['key']}\t{one['name']}\t{one['kind']}\t{one['visibility']}\t{one['state']}\t{one['members'] or 0}")


@space.command()
@click.argument("key")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def members(ctx: click.Context, key: str, as_json: bool) -> None:
    """List the members of the space KEY with their roles."""
    from sqlalchemy import select

    from rse_core.models.organisation import Person, SpaceMember

    with _core(ctx).db.read() as session:
        found = _space(session, key)
        rows = session.execute(
            select(Person.username, Person.display_name, SpaceMember.role, Person.status, Person.external)
            .join(SpaceMember, SpaceMember.person_id == Person.id)
            .where(SpaceMember.space_id == found.id)
            .order_by(Person.folded_name, Person.id)
        ).all()
    if as_json:
        _print([dict(row._mapping) for row in rows])
        return
    for row in rows:
        click.echo(f"{row.username}\t{row.display_name}\t{row.role}" + ("" if row.status == "active" else f"\t{row.status}"))


@space.command()
@click.argument("key")
@click.option("--csv", "path", type=click.Path(exists=True, dir_okay=False), required=True, help="The list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def add(ctx: click.Context, key: str, path: str, as_json: bool) -> None:
    """Add the people of a list to the space KEY: username, id or mail address, and a role if you like.

    Exit code 1 when a line could not be done.
    """
    _list(ctx, key, path, "add", as_json)


@space.command()
@click.argument("key")
@click.option("--csv", "path", type=click.Path(exists=True, dir_okay=False), required=True, help="The list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def remove(ctx: click.Context, key: str, path: str, as_json: bool) -> None:
    """Take the people of a list out of the space KEY.

    Exit code 1 when a line could not be done.
    """
    _list(ctx, key, path, "remove", as_json)


#: What a second run of the same list says is no failure.
_FINE = frozenset({"added", "removed", "already", "no_member"})


def _list(ctx: click.Context, key: str, path: str, act: str, as_json: bool) -> None:
    import getpass
    import sys

    from rse_core.api import Actor, record

    from . import bulk
    from .models import Batch

    with open(path, "rb") as file:
        rows = bulk.parse(file.read(bulk.MOST_BYTES + 1))
    core = _core(ctx)
    with core.db.write() as session:
        found = _space(session, key)
        record(
            session, Actor(f"cli:{getpass.getuser()}"), f"communities.list_{act}", f"space:{found.key}",
            after={"lines": len(rows)},
        )  # fmt: skip
        batch = bulk.start(session, found, act, rows, person_id=None, now=False)
        ident = batch.id
    report: list[Any] = []
    with click.progressbar(length=len(rows), label=key, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        while len(report) < len(rows):
            with core.db.write() as session:
                batch = session.get_one(Batch, ident)
                bulk.portion(session, batch)
                bar.update(len(batch.report) - len(report))
                report = list(batch.report)
    if as_json:
        _print([{"line": line, "person": name, "outcome": outcome} for line, name, outcome in report])
    else:
        for line, name, outcome in report:
            click.echo(f"{line}\t{name}\t{bulk.OUTCOMES[outcome]}")
    wrong = sum(1 for _line, _name, outcome in report if outcome not in _FINE)
    if wrong:
        raise RseError(_t.ngettext("%(num)s line could not be done.", "%(num)s lines could not be done.", wrong))


def _space(session: Session, key: str) -> Space:
    from rse_core import organisation, spaces

    return spaces.by_key(session, key) or organisation.space_by_key(session, key)
