"""``rse moderation``: where publishing waits for a moderator, and what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .. import moderation, people
from ..audit import Actor
from ..i18n import _
from . import cli_actor, echo_json, json_option, pass_core
from .level import chosen, place_options

if TYPE_CHECKING:
    from ..runtime import Core


@click.group("moderation")
def moderation_group() -> None:
    """Moderation before publishing."""


@moderation_group.command("review")
@click.argument("state", type=click.Choice(("on", "off")))
@place_options("site", "entity", "space")
@click.option("--person", metavar="USERNAME", help="What this person writes.")
@click.option("--why", default="", metavar="TEXT", help="The reason, kept in the audit log.")
@pass_core
def review(core: Core, state: str, person: str | None, why: str, **given: Any) -> None:
    """Hold what is written for a moderator, or stop holding it."""
    on, actor = state == "on", Actor(cli_actor())
    with core.db.write() as session:
        if person is not None:
            if any(given.values()):
                raise click.UsageError(_("Give --person or a place, not both."))
            who = people.by_username(session, person)
            subject = f"person:{who.username}"
            changed = moderation.review(session, "person", who.id, on, actor=actor, subject=subject, why=why)
        else:
            where = chosen(session, core, given)
            assert where is not None  # noqa: S101  chosen() refuses when nothing is named
            subject = str(where)
            changed = moderation.review_of(session, where, on, actor=actor, why=why)
    if not changed:
        click.echo(_("%(where)s: it was so already.", where=subject))
    elif on:
        click.echo(_("%(where)s: what is written waits for a moderator.", where=subject))
    else:
        click.echo(_("%(where)s: what is written is shown at once.", where=subject))


@moderation_group.command("list")
@click.option("--person", metavar="USERNAME", help="Only what this moderator decides on.")
@click.option("--after", default=0, metavar="NUMBER", help="Continue behind this number.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@pass_core
def list_held(core: Core, person: str | None, after: int, limit: int, as_json: bool) -> None:
    """What waits for a moderator, the eldest first."""
    with core.db.read() as session:
        moderator = None if person is None else people.by_username(session, person).id
        held = moderation.queue(session, moderator, after=after, limit=limit)
        cards = people.names(session, [row.author_id for row in held])
        names = {ident: card.username for ident, card in cards.items()}
        rows: list[dict[str, Any]] = [
            {
                "id": row.id, "ref": f"{row.ref_type}:{row.ref_id}", "capability": row.capability,
                "author": names.get(row.author_id or 0),
                "held_at": row.held_at.isoformat(),
            }
            for row in held
        ]  # fmt: skip
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        click.echo(f"{row['id']:>6}  {row['held_at'][:16]}  {row['ref']}  {row['author'] or '?'}")
    if not rows:
        click.echo(_("Nothing waits for a moderator."))


def _decide(core: Core, number: int, approve: bool, why: str) -> None:
    with core.db.write() as session:
        held = moderation.decide(session, number, approve, Actor(cli_actor()), why)
        ref = f"{held.ref_type}:{held.ref_id}"
    click.echo(_("%(ref)s is approved.", ref=ref) if approve else _("%(ref)s is refused.", ref=ref))


@moderation_group.command("approve")
@click.argument("number", type=int)
@click.option("--why", default="", metavar="TEXT")
@pass_core
def approve(core: Core, number: int, why: str) -> None:
    """Publish what waits under this NUMBER (see rse moderation list)."""
    _decide(core, number, True, why)


@moderation_group.command("refuse")
@click.argument("number", type=int)
@click.option("--why", required=True, metavar="TEXT", help="The reason; the author reads it.")
@pass_core
def refuse(core: Core, number: int, why: str) -> None:
    """Refuse what waits under this NUMBER, with the reason."""
    _decide(core, number, False, why)


COMMANDS: list[click.Command] = [moderation_group]
