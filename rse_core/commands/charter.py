"""``rse charter``: publish a version, show the one in force, note that somebody accepts it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import charter, levelsets, people
from ..audit import Actor
from ..errors import NotFound, RseError
from ..i18n import _
from . import cli_actor, echo_json, json_option, pass_core

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from ..models.governance import Charter
    from ..runtime import Core

_space = click.option("--space", metavar="ID", help="The charter of one space, not the site's.")
_kind = click.option(
    "--kind", type=click.Choice(charter.KINDS), default="use", show_default=True,
    help="use: accepted before writing; editorial: shown beside the forms.",
)  # fmt: skip


@click.group("charter")
def charter_group() -> None:
    """The texts that are accepted before a first contribution."""


@charter_group.command("publish")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--version", help="Its name; the next number when not given.")
@click.option("--title", help="Its title; the first line of the text when not given.")
@_kind
@_space
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_core
def publish(
    core: Core, file: Path, version: str | None, title: str | None, kind: str, space: str | None, as_json: bool
) -> None:
    """Publish FILE (Markdown, UTF-8) as the charter in force from now on."""
    try:
        body = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RseError(_("The file %(file)s cannot be read: %(error)s", file=file, error=error)) from None
    first = next((line.strip() for line in body.splitlines() if line.strip()), "")
    with core.db.write() as session:
        done = charter.publish(
            session, title=title or first.lstrip("# ")[:300], body=body, version=version, kind=kind,
            space_id=_space_id(session, space), actor=Actor(cli_actor()),
        )  # fmt: skip
        values = _values(done)
    if as_json:
        echo_json(values)
    else:
        click.echo(_("Published: %(title)s, version %(version)s.", title=values["title"], version=values["version"]))


@charter_group.command("show")
@_kind
@_space
@json_option
@pass_core
def show(core: Core, kind: str, space: str | None, as_json: bool) -> None:
    """The charter in force, how many people have accepted it, and the earlier versions."""
    with core.db.read() as session:
        space_id = _space_id(session, space)
        found = charter.in_force(session, kind=kind, space_id=space_id)
        accepted, people_asked = charter.acceptance(session, found) if found else (0, 0)
        versions = [_values(v) for v in charter.versions(session, kind=kind, space_id=space_id)]
        answer: dict[str, Any] = {
            "in_force": {**_values(found), "body": found.body} if found else None,
            "accepted": accepted, "people": people_asked, "versions": versions,
        }  # fmt: skip
    if as_json:
        echo_json(answer)
        return
    if found is None:
        click.echo(_("No charter is in force."))
        return
    click.echo(_("%(title)s, version %(version)s, since %(date)s", title=found.title, version=found.version,
                 date=found.published_at.date().isoformat()))  # fmt: skip
    click.echo(_("Accepted by %(accepted)s of %(people)s people.", accepted=accepted, people=people_asked))
    click.echo("")
    click.echo(found.body)


@charter_group.command("accept")
@click.option("--person", required=True, metavar="USERNAME", help="Who accepts.")
@_space
@pass_core
def accept(core: Core, person: str, space: str | None) -> None:
    """Note that a person accepts the charter in force (on paper, for example); goes to the audit log."""
    with core.db.write() as session:
        who = people.by_username(session, person)
        found = charter.in_force(session, space_id=_space_id(session, space))
        if found is None:
            raise NotFound(_("No charter is in force."), remedy=_("Publish one: rse charter publish FILE."))
        charter.accept(session, who.id, found.id, actor=Actor(cli_actor()))
        version = found.version
    click.echo(_("%(person)s has accepted version %(version)s.", person=person, version=version))


def _space_id(session: Session, key: str | None) -> int | None:
    return None if key is None else int(levelsets.locate(session, "space", key).ident)


def _values(row: Charter) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "version": row.version, "title": row.title,
        "published_at": row.published_at.isoformat(), "published_by": row.published_by,
    }  # fmt: skip


COMMANDS: list[click.Command] = [charter_group]
