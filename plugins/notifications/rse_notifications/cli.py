"""``rse notifications digest | queue``."""

from __future__ import annotations

import json

import click
from sqlalchemy import func, select

from rse_core.api import Core, NotFound, translator, use_locale
from rse_core.people import by_username

from . import clock, contents, letters, service
from .models import Message

_ = translator(__file__, "rse_notifications").gettext


def _core() -> Core:
    core: Core = click.get_current_context().find_root().obj.ready()
    return core


@click.group()
def notifications() -> None:
    """What leaves: the queue of messages, and what a digest would say."""


@notifications.command()
@click.option("--person", "username", required=True, metavar="USERNAME")
@click.option("--rhythm", type=click.Choice(clock.RHYTHMS), default="daily", show_default=True)
@click.option("--dry-run", is_flag=True, help="Print it; nothing is sent. Without it the command refuses.")
def digest(username: str, rhythm: str, dry_run: bool) -> None:
    """Print what the person's next digest would say."""
    if not dry_run:
        raise click.UsageError("Digests leave by themselves at their hour; add --dry-run to read one.")
    core = _core()
    with core.db.read() as session:
        person = by_username(session, username)
        who = contents.recipient(session, person.id)
        carriers = service.channels(session)[1:]
        if who is None:
            raise NotFound(_("“%(name)s” has left and gets no digest.", name=username))
        channel = carriers[0].name if carriers else "mail"
        with use_locale(who.locale):
            found = contents.digest(session, who, rhythm, channel, contents.looks_back(session, who, channel, rhythm))
        if not found:
            click.echo("Nothing to tell: no digest would leave.")
            return
        message = letters.of_digest(session, who, found, f"preview:{person.id}", channel)
    click.echo(f"{message.subject}\n\n{message.text}")


@notifications.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def queue(as_json: bool) -> None:
    """How many messages wait, left, failed or were dropped, by channel."""
    core = _core()
    with core.db.read() as session:
        query = select(Message.channel, Message.state, func.count()).group_by(Message.channel, Message.state)
        rows = [
            {"channel": channel, "state": state, "messages": count}
            for channel, state, count in session.execute(query.order_by(Message.channel, Message.state))
        ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['channel']}: {row['messages']} {row['state']}")
    if not rows:
        click.echo("No messages.")
