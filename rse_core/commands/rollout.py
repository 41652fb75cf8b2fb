"""``rse rollout``: check a plan, see what it would do, carry it out, hold, resume and roll back its waves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import rollout, rollout_check, rollout_preview, rollout_status
from ..audit import Actor
from ..errors import RseError
from ..i18n import _, ngettext
from ..levels import Level
from ..models.rollout import RolloutPlan
from ..refusals import day
from . import cli_actor, echo_json, json_option, pass_core

if TYPE_CHECKING:
    from ..rollout import Outcome
    from ..runtime import Core

why_option = click.option("--why", default="", metavar="TEXT", help="The reason, kept in the history and the audit log.")
subject = click.argument("subject", metavar="FILE-or-PLAN")


@click.group("rollout")
def rollout_group() -> None:
    """Open the site wave by wave, by a plan: a file, or one that is saved."""


def _text(session: Session, name: str) -> str:
    """The plan in a file, else the saved plan of that name or with a wave of that name."""
    path = Path(name)
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RseError(_("%(file)s cannot be read: %(error)s.", file=name, error=error)) from None
    if path.suffix == ".toml" or len(path.parts) > 1:
        raise RseError(_("There is no file %(file)s.", file=name))
    return rollout.plan_of(session, name).text


@rollout_group.command()
@subject
@json_option
@pass_core
def check(core: Core, subject: str, as_json: bool) -> None:
    """Name every fault of a plan, with its line; nothing is written."""
    with core.db.read() as session:
        faults = rollout_check.faults_of(session, _text(session, subject))
    if as_json:
        echo_json({"ok": not faults, "faults": [{"line": one.line, "message": one.message} for one in faults]})
    else:
        for fault in faults:
            click.echo(str(fault))
    if faults:
        raise RseError(ngettext("The plan has %(num)s fault.", "The plan has %(num)s faults.", len(faults)))
    if not as_json:
        click.echo(_("The plan has no fault."))


@rollout_group.command()
@subject
@json_option
@pass_core
def plan(core: Core, subject: str, as_json: bool) -> None:
    """Say who would gain and lose what, wave by wave and entity by entity; nothing is written."""
    with core.db.read() as session:
        effects = rollout_preview.preview(session, core, _text(session, subject))
    if as_json:
        echo_json([effect.as_dict() for effect in effects])
        return
    labels = {key: str(one.label) for key, one in core.plugins.capabilities.items()}
    for effect in effects:
        date = day(effect.at, core.settings.timezone)
        note = _(", if its conditions are met") if effect.gated else ""
        click.echo(f"{effect.wave}: {Level(effect.level).label}, {date}{note}")
        if effect.state:
            click.echo("  " + rollout.label(effect.state))
        if not effect.entities:
            click.echo("  " + _("Nobody gains or loses anything."))
        for one in effect.entities:
            changed = ngettext("%(num)s person", "%(num)s people", one.people)
            click.echo(f"  {one.key or _('in no entity')}: {changed}")
            for sign, found in (("+", one.gains), ("-", one.loses)):
                for key, number in sorted(found.items()):
                    click.echo(f"    {sign} {number} {labels.get(key, key)}")
        if effect.held_back:
            click.echo("  " + ngettext(
                "A ceiling keeps %(num)s person below this level.", "A ceiling keeps %(num)s people below this level.",
                effect.held_back,
            ))  # fmt: skip


@rollout_group.command()
@subject
@why_option
@json_option
@pass_core
def apply(core: Core, subject: str, why: str, as_json: bool) -> None:
    """Carry out a plan; a second time changes nothing."""
    with core.db.write() as session:
        text = _text(session, subject)
        outcomes = rollout.apply(session, core, text, actor=Actor(cli_actor()), why=why)
    if as_json:
        echo_json([outcome.as_dict() for outcome in outcomes])
        return
    for outcome in outcomes:
        _tell(outcome)
    if not any(outcome.changed for outcome in outcomes):
        click.echo(_("Nothing had to be changed."))


def _tell(outcome: Outcome) -> None:
    parts = [f"{outcome.wave}: {rollout.label(outcome.state)}"]
    if outcome.placed:
        parts.append(ngettext("%(num)s level placed", "%(num)s levels placed", outcome.placed))
    if outcome.taken_back:
        parts.append(ngettext("%(num)s level taken back", "%(num)s levels taken back", outcome.taken_back))
    click.echo(", ".join(parts))
    for finding in outcome.findings:
        click.echo(f"  {'✓' if finding.holds else '✗'} {finding.sentence()}")


@rollout_group.command()
@click.argument("subject", required=False, metavar="[PLAN-or-WAVE]")
@json_option
@pass_core
def status(core: Core, subject: str | None, as_json: bool) -> None:
    """Where the waves stand, all of them or those of one plan, or one wave."""
    with core.db.read() as session:
        plans = [rollout.plan_of(session, subject)] if subject else list(session.scalars(select(RolloutPlan)))
        rows = [wave for one in plans for wave in rollout_status.status(session, one)]
        if subject and any(wave.name == subject for wave in rows):
            rows = [wave for wave in rows if wave.name == subject]
    if as_json:
        echo_json([wave.as_dict() for wave in rows])
        return
    for wave in rows:
        number = ngettext("%(num)s person", "%(num)s people", wave.people)
        click.echo(f"{wave.name:<20} {wave.starts_on}  {wave.level.label}  {number}  {wave.label}")
        for finding in wave.findings:
            click.echo(f"  {'✓' if finding.holds else '✗'} {finding.sentence()}")
        if wave.early:
            click.echo("  " + wave.early)
    if not rows:
        click.echo(_("No plan was applied yet."))


def _acting(name: str, text: str, act: Callable[..., Outcome]) -> None:
    @rollout_group.command(name, help=text)
    @click.argument("wave")
    @why_option
    @json_option
    @pass_core
    def command(core: Core, wave: str, why: str, as_json: bool) -> None:
        with core.db.write() as session:
            outcome = act(session, core, wave, actor=Actor(cli_actor()), why=why)
        if as_json:
            echo_json(outcome.as_dict())
        else:
            _tell(outcome)


_acting("hold", "Keep a wave that has not opened from opening.", rollout.hold)
_acting("resume", "Let a wave go on that was held or rolled back.", rollout.resume)
_acting("rollback", "Return to the levels of before a wave; what was written stays.", rollout.rollback)

COMMANDS: list[click.Command] = [rollout_group]
