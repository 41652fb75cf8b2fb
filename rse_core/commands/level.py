"""``rse level`` and ``rse capability``: place the cursor, see what stands, what a move would do, what opens when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy.orm import Session

from .. import cursor, levelsets, people
from ..audit import Actor
from ..db import utcnow
from ..errors import BadInput
from ..i18n import _
from ..levels import Level, parse_level
from ..levelsets import Where
from ..preview import Change, describe, preview
from ..refusals import day
from ..snapshot import load_people, load_snapshot
from ..when import parse_moment
from . import cli_actor, echo_json, json_option, pass_core

if TYPE_CHECKING:
    from ..runtime import Core

_WITHDRAW = frozenset({"none", "aucun"})
_HELP = {
    "site": "The whole site.",
    "entity": "An entity and all below it, by its id.",
    "group": "A group, by its id.",
    "space": "A space, by its id.",
    "section": "A section of the intranet and all below it, by its path.",
}


def place_options(*scopes: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """One option for each scope; :func:`chosen` reads which one was given."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for scope in reversed(scopes):
            if scope == "site":
                option = click.option("--site", is_flag=True, help=_HELP["site"])
            else:
                option = click.option(f"--{scope}", metavar="PATH" if scope == "section" else "ID", help=_HELP[scope])
            command = option(command)
        return command

    return decorate


def chosen(session: Session, core: Core, given: dict[str, Any], *, optional: bool = False) -> Where | None:
    """The place that the options name.

    :raises click.UsageError: unless exactly one does.
    """
    named = [(scope, key) for scope, key in given.items() if key not in (None, False)]
    if not named and optional:
        return None
    if len(named) != 1:
        raise click.UsageError(_("Say where, once: %(options)s.", options=" | ".join(f"--{scope}" for scope in given)))
    scope, key = named[0]
    if scope == "section" and "://" in key:
        key = core.pages.book.parse(key).path.partition("?")[0]
    try:
        return levelsets.locate(session, scope, "" if key is True else key)
    except BadInput as error:
        raise click.BadParameter(str(error)) from None


def a_level(text: str) -> Level | None:
    """A level from the command line; None for ``none`` and ``aucun``."""
    if text.strip().lower() in _WITHDRAW:
        return None
    try:
        return parse_level(text)
    except BadInput as error:
        raise click.BadParameter(str(error)) from None


def a_moment(core: Core, text: str | None) -> dt.datetime | None:
    """A moment from the command line."""
    if text is None:
        return None
    try:
        return parse_moment(text, core.settings.timezone)
    except BadInput as error:
        raise click.BadParameter(str(error)) from None


@click.group("level", help="Place the cursor: who may do how much, where, and from when.")
def level_group() -> None:
    """See above."""


def _placing(kind: str, *scopes: str, name: str, text: str) -> click.Command:
    @click.command(name, help=text)
    @place_options(*scopes)
    @click.argument("level")
    @click.option("--from", "start", metavar="DATE", help="From when: 2027-01-12 or 2027-01-12T09:00; now by default.")
    @click.option("--why", default="", metavar="TEXT", help="The reason, kept in the history.")
    @click.option("--dry-run", is_flag=True, help="Only say who would gain and lose what.")
    @json_option
    @pass_core
    def command(
        core: Core, level: str, start: str | None, why: str, dry_run: bool, as_json: bool, **given: Any
    ) -> None:
        wanted, starts_at = a_level(level), a_moment(core, start)
        if dry_run:
            with core.db.read() as session:
                where = chosen(session, core, given) or levelsets.SITE
                effect = preview(session, core, Change(kind, where, wanted, starts_at))
            if as_json:
                echo_json(effect.as_dict())
            else:
                click.echo(describe(effect, core))
            return
        with core.db.write() as session:
            where = chosen(session, core, given) or levelsets.SITE
            row = levelsets.place(
                session, where, wanted, actor=Actor(cli_actor()), kind=kind, starts_at=starts_at, why=why
            )
            done = {
                "id": row.id, "kind": kind, "scope": where.scope, "key": where.key, "level": row.level,
                "starts_at": row.starts_at.isoformat(), "who": row.created_by, "why": row.why,
            }  # fmt: skip
        date = day(row.starts_at, core.settings.timezone)
        if as_json:
            echo_json(done)
        elif wanted is None:
            click.echo(_("%(where)s: withdrawn from %(date)s.", where=where, date=date))
        else:
            click.echo(_("%(where)s: %(level)s from %(date)s.", where=where, level=f"{wanted:d} {wanted.label}", date=date))

    return command


level_group.add_command(
    _placing(
        "level", "site", "entity", "group", "space", name="set",
        text="Give the site, an entity, a group or a space a level (0 to 5 or its name; none withdraws it).",
    )
)  # fmt: skip
level_group.add_command(
    _placing(
        "cap", "space", "section", "entity", "group", name="cap",
        text="Cap what is done on objects of a space, a section of the intranet, an entity or a group.",
    )
)  # fmt: skip
level_group.add_command(
    _placing(
        "ceiling", "site", "entity", name="ceiling",
        text="Limit what the people of the site or of an entity can be granted, whatever their groups say.",
    )
)  # fmt: skip


@level_group.command("show")
@place_options("site", "entity", "group", "space", "section")
@click.option("--person", metavar="USERNAME", help="What one person is granted, and by which rows.")
@click.option("--at", metavar="DATE", help="At another moment than now.")
@json_option
@pass_core
def show(core: Core, person: str | None, at: str | None, as_json: bool, **given: Any) -> None:
    """What stands now and what is still to come: everywhere, in one place, or for one person."""
    moment = a_moment(core, at) or utcnow()
    with core.db.read() as session:
        if person is not None and any(given.values()):
            raise click.UsageError(_("Give --person or a place, not both."))
        snapshot = load_snapshot(session)
        where = chosen(session, core, given, optional=True)
        if person is not None:
            answer = _of_person(session, snapshot, person, moment)
        elif where is None:
            answer = {"rows": levelsets.standing(snapshot, moment)}
        else:
            answer = _of_place(snapshot, where, moment)
    if as_json:
        echo_json({"at": moment.isoformat(), **answer})
        return
    if "level" in answer:
        level, limit = Level(answer["level"]), answer["ceiling"]
        label = person if person is not None else str(where)
        click.echo(_("%(where)s: %(level)s", where=label, level=f"{level:d} {level.label}"))
        if limit < Level.COCREATE:
            click.echo(_("  ceiling: %(level)s", level=f"{limit} {Level(limit).label}"))
    for row in answer["rows"]:
        click.echo("  " + line_of(row, core.settings.timezone))
    if not answer["rows"]:
        click.echo(_("No level, ceiling or cap was placed: everybody is at “inform”."))


def _of_person(session: Session, snapshot: cursor.Snapshot, username: str, at: dt.datetime) -> dict[str, Any]:
    found = people.by_username(session, username)
    facts = load_people(session, [found.id])[found.id]
    path = cursor.path_of(snapshot, facts)
    spots = list(cursor.spots_that_matter(snapshot, facts, cursor.NOWHERE))
    return {
        "scope": "person",
        "key": found.username,
        "level": cursor.granted(snapshot, path, facts.groups, None, at),
        "ceiling": cursor.ceiling(snapshot, path, at),
        "rows": levelsets.standing(snapshot, at, spots),
    }


def _of_place(snapshot: cursor.Snapshot, where: Where, at: dt.datetime) -> dict[str, Any]:
    rows = levelsets.standing(snapshot, at, [where.spot(kind) for kind in ("level", "ceiling", "cap")])
    answer: dict[str, Any] = {"scope": where.scope, "key": where.key, "rows": rows}
    if where.scope in ("site", "entity"):
        path = snapshot.paths.get(int(where.ident), ()) if where.scope == "entity" else ()
        # What somebody of this entity and no group is granted, inherited levels included.
        answer["level"] = cursor.granted(snapshot, path, frozenset(), None, at)
        answer["ceiling"] = cursor.ceiling(snapshot, path, at)
        above = [("level", "entity", entity) for entity in path[1:]] + [("ceiling", "entity", e) for e in path[1:]]
        above += [("level", "site", 0), ("ceiling", "site", 0)] if path else []
        answer["rows"] = rows + levelsets.standing(snapshot, at, above)
    return answer


def line_of(row: dict[str, Any], zone: str) -> str:
    """One row for people to read."""
    place = row["scope"] if row["scope"] == "site" else f"{row['scope']}:{row['key']}"
    level = _("withdrawn") if row["level"] is None else f"{row['level']} {Level(row['level']).label}"
    date = day(dt.datetime.fromisoformat(row["starts_at"]), zone)
    text = _("%(place)s %(kind)s %(level)s, from %(date)s, by %(who)s", place=place, kind=row["kind"], level=level,
             date=date, who=row["who"] or "?")  # fmt: skip
    return f"{text} ({row['why']})" if row["why"] else text


@level_group.command("history")
@place_options("site", "entity", "group", "space", "section")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="At most so many rows.")
@json_option
@pass_core
def history(core: Core, limit: int, as_json: bool, **given: Any) -> None:
    """Every level, ceiling and cap that was placed, the latest first, with who and why."""
    with core.db.read() as session:
        where = chosen(session, core, given, optional=True)
        keys = load_snapshot(session).keys
        rows: list[dict[str, Any]] = [
            {
                "id": row.id, "kind": row.kind, "scope": row.scope,
                "key": keys.get((row.scope, int(row.scope_key)), row.scope_key)
                if row.scope in ("entity", "group", "space") else row.scope_key,
                "level": row.level, "starts_at": row.starts_at.isoformat(), "created_at": row.created_at.isoformat(),
                "who": row.created_by, "why": row.why,
            }
            for row in levelsets.history(session, where=where, limit=limit)
        ]  # fmt: skip
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        click.echo(f"{row['created_at'][:16]}  {line_of(row, core.settings.timezone)}")


@click.group("capability", help="What people may do, and the level from which each thing opens.")
def capability_group() -> None:
    """See above."""


@capability_group.command("list")
@json_option
@pass_core
def list_capabilities(core: Core, as_json: bool) -> None:
    """Every capability with its level, and the plugin's own level where the site has shifted it."""
    with core.db.read() as session:
        shifts = load_snapshot(session).shifts
    rows: list[dict[str, Any]] = [
        {
            "key": key, "label": str(item.label), "plugin": core.plugins.owner(key),
            "level": shifts.get(key, int(item.level)), "default_level": int(item.level), "shifted": key in shifts,
            "writes": item.writes, "reviewed": item.reviewed, "default_who": item.default_who,
        }
        for key, item in sorted(core.plugins.capabilities.items())
    ]  # fmt: skip
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        level = Level(row["level"])
        own = _(" (shifted from %(level)s)", level=str(row["default_level"])) if row["shifted"] else ""
        click.echo(f"{row['key']:<32} {level:d} {level.label}{own}  {row['label']}")


@capability_group.command("shift")
@click.argument("key")
@click.argument("level")
@pass_core
def shift_capability(core: Core, key: str, level: str) -> None:
    """Let the site open capability KEY from another LEVEL; none goes back to the plugin's own."""
    wanted = a_level(level)
    with core.db.write() as session:
        number = levelsets.shift(session, core, key, wanted, actor=Actor(cli_actor()))
    click.echo(_("%(key)s opens from %(level)s.", key=key, level=f"{number} {Level(number).label}"))


COMMANDS: list[click.Command] = [level_group, capability_group]
