"""What leavers leave, at the command line; :mod:`rse_core.commands.people` takes it in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..audit import Actor
from ..i18n import _, ngettext
from . import cli_actor, echo_json, json_option, pass_core

if TYPE_CHECKING:
    from ..handover import Leaving, Place, Portion
    from ..handover_acts import Planned
    from ..runtime import Core


@click.command()
@click.argument("person")
@click.option("--to", metavar="PERSON", help="Who takes over; without it, what there is is listed.")
@click.option("--space", metavar="ID", help="Only in this space; otherwise wherever they are.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and write nothing.")
@click.option("--back", type=int, metavar="NUMBER", help="Take this handover back.")
@click.option("--why", default="", help="Kept in the audit log.")
@json_option
@pass_core
def handover(
    core: Core, person: str, to: str | None, space: str | None, dry_run: bool, back: int | None, why: str, as_json: bool
) -> None:
    """Hand over what PERSON, who has left, answers for: posts, roles in spaces, cards. Who wrote it stays its author."""
    from .. import handover as service
    from .. import handover_acts as acts

    if back is not None and (to is not None or dry_run or space is not None):
        raise click.UsageError("--back stands alone, or with --why.")
    actor = Actor(cli_actor())
    if back is not None:
        with core.db.write() as session:
            count = acts.take_back(session, back, actor=actor, why=why)
        _say(as_json, {"taken_back": count}, _counted_back(count))
        return
    if to is None:
        with core.db.read() as session:
            found = service.leaving(session, person, actor)
        _list(found, as_json)
        return
    rest: list[Place] = []
    with core.db.read() if dry_run else core.db.write() as session:
        choices = {f"space:{space}": to}
        if space is None:
            choices, rest = acts.for_all(session, person, to, actor=actor)
        done = (
            acts.plan(session, person, choices, actor=actor)
            if dry_run else acts.give(session, person, choices, actor=actor, why=why)
        )  # fmt: skip
    left = [{"place": one.spot.key, "count": one.count} for one in rest]
    rows = [_row(one) for one in done]
    _say(as_json, {"dry_run": dry_run, "handed_over": rows, "left": left}, "")
    if as_json:
        return
    for one in done:
        click.echo(f"{one.spot.key:<24} {_words(one.portions) or '-'}  {_number(one)}".rstrip())
    for place in rest:
        click.echo(_("%(place)s stays: %(name)s is not there.", place=place.spot.key, name=to), err=True)
    if dry_run:
        click.echo(_("Trial run: nothing was written."))


def _list(found: Leaving, as_json: bool) -> None:
    if as_json:
        echo_json({
            "person": found.person.username, "here": found.here, "left_at": found.left_at,
            "places": [
                {"place": one.spot.key, "name": one.spot.name, "counts": {part.kind: part.count for part in one.portions},
                 "proposed": [card.username for card in one.proposed]}
                for one in found.places
            ],
            "kept": [
                {"id": one.id, "to": one.taker.username, "place": one.spot.key, "counts": one.counts, "at": one.at,
                 "taken_back_at": one.undone_at}
                for one in found.kept
            ],
        })  # fmt: skip
        return
    if found.here:
        click.echo(_("%(name)s has not left, or is back.", name=found.person.username))
    for one in found.places:
        names = ", ".join(card.username for card in one.proposed) or "-"
        click.echo(f"{one.spot.key:<24} {_words(one.portions)}  → {names}")
    if not found.places and not found.here:
        click.echo(_("Nothing is left to hand over."))
    for kept in found.kept:
        state = _("taken back") if kept.undone_at else ""
        click.echo(f"{kept.id:>6} {kept.at:%Y-%m-%d} {kept.spot.key:<24} → {kept.taker.username} {state}".rstrip())


def _words(portions: Sequence[Portion]) -> str:
    return ", ".join(f"{one.label}: {one.count}" for one in portions)


def _number(one: Planned) -> str:
    return "" if one.id is None else f"({one.id})"


def _row(one: Planned) -> dict[str, Any]:
    counts = {part.kind: part.count for part in one.portions}
    return {"id": one.id, "place": one.spot.key, "to": one.taker.username, "counts": counts}


def _counted_back(count: int) -> str:
    return ngettext("%(num)s thing was taken back.", "%(num)s things were taken back.", count)


def _say(as_json: bool, value: Any, text: str) -> None:
    if as_json:
        echo_json(value)
    elif text:
        click.echo(text)
