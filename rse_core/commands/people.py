"""People at the command line: import, list, show, suspend, and the links to their sign-ins."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..audit import Actor
from ..i18n import _, ngettext
from ..when import parse_moment
from . import cli_actor, echo_json, json_option, pass_core, progress
from .handover import handover
from .places import assist, beside

if TYPE_CHECKING:
    from ..importer import Report
    from ..runtime import Core

_FILE = click.Path(path_type=Path)


@click.group()
def people() -> None:
    """People of the organisation."""


class _Bars:
    """A progress bar for each stage of an import."""

    def __init__(self) -> None:
        self._stage = ""
        self._done = 0
        self._bar: Any = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self.close()
            self._stage, self._done, self._bar = stage, 0, progress(total, stage)
            self._bar.__enter__()
        self._bar.update(max(0, done - self._done))
        self._done = max(done, self._done)

    def close(self) -> None:
        """Finish the bar that stands."""
        if self._bar is not None:
            self._bar.update(max(0, self._bar.length - self._done))
            self._bar.__exit__(None, None, None)
            self._bar = None


@people.command("import")
@click.argument("people_file", type=_FILE, metavar="PEOPLE.CSV")
@click.option("--entities", "entities_file", type=_FILE, help="CSV file of the entities.")
@click.option("--groups", "groups_file", type=_FILE, help="CSV file of the groups, a line for each member.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option("--keep-going", is_flag=True, help="Take the good lines even when others are bad.")
@click.option("--allow-mass-disable", is_flag=True, help="Disable more than 10 % of the people if need be.")
@json_option
@pass_core
def import_(
    core: Core,
    people_file: Path,
    entities_file: Path | None,
    groups_file: Path | None,
    dry_run: bool,
    keep_going: bool,
    allow_mass_disable: bool,
    as_json: bool,
) -> None:
    """Bring people, entities and groups to what CSV files say.

    \b
    PEOPLE.CSV  external_id,username,display_name,email,entity_id,job_title,
                manager_external_id,is_manager,locale,phone,site
                and, where wanted, external,other_entity_ids,assistant_external_ids
    --entities  entity_id,name,parent_id
    --groups    group_id,name,external_id

    UTF-8; comma, semicolon or tab; columns in any order. All or nothing, unless --keep-going. Somebody who is
    missing from the file is disabled and keeps what they wrote. Exit code 1 when any line is bad.
    """
    from .. import importer

    bars = _Bars()
    try:
        parsed = importer.read(people_file, entities_file, groups_file, progress=bars)
        with core.db.read() if dry_run else core.db.write() as session:
            report = importer.run(
                session,
                parsed,
                actor=Actor(cli_actor()),
                dry_run=dry_run,
                keep_going=keep_going,
                allow_mass_disable=allow_mass_disable,
                progress=bars,
            )
    except importer.FileRefused as refused:
        report = importer.Report(errors=[refused.error], dry_run=dry_run)
    finally:
        bars.close()
    if as_json:
        echo_json(report.as_dict())
    else:
        _print_report(report)
    if report.errors:
        sys.exit(1)


def _print_report(report: Report) -> None:
    for error in report.errors:
        click.echo(str(error), err=True)
    for note in report.notes:
        click.echo(note, err=True)
    if report.written or report.dry_run:
        for label, counts in (
            (_("people"), report.people),
            (_("entities"), report.entities),
            (_("groups"), report.groups),
        ):
            line = _(
                "%(label)s: %(created)s created, %(updated)s updated, %(disabled)s disabled, %(unchanged)s unchanged",
                label=label,
                **{k: v for k, v in counts.as_dict().items() if k != "kept"},
            )
            if counts.kept:
                line += ", " + _("%(kept)s kept that the file does not name", kept=counts.kept)
            click.echo(line)
    if report.photos:
        click.echo(ngettext("%(num)s photo is another now", "%(num)s photos are others now", report.photos))
    if report.errors:
        bad = ngettext("%(num)s error", "%(num)s errors", len(report.errors))
        end = _("the good lines were written") if report.written else _("nothing was written")
        click.echo(_("%(bad)s; %(end)s.", bad=bad, end=end), err=True)
    elif report.dry_run:
        click.echo(_("Trial run: nothing was written."))


@people.command("list")
@click.option("--entity", metavar="ID", help="Only of this entity and what is below it.")
@click.option("--group", metavar="ID", help="Only members of this group.")
@click.option("--status", type=click.Choice(["active", "disabled", "all"]), default="active", show_default=True)
@click.option("--find", metavar="TEXT", help="Only names that begin so; accents do not matter.")
@click.option("--after", metavar="USERNAME", default="", help="Continue after this one.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@json_option
@pass_core
def list_(
    core: Core,
    entity: str | None,
    group: str | None,
    status: str,
    find: str | None,
    after: str,
    limit: int,
    as_json: bool,
) -> None:
    """List people by username."""
    from .. import organisation
    from ..roster import list_people

    with core.db.read() as session:
        rows = list_people(
            session,
            entity_id=None if entity is None else organisation.entity_by_key(session, entity).id,
            group_id=None if group is None else organisation.group_by_key(session, group).id,
            status=None if status == "all" else status,
            find=find,
            after=after,
            limit=limit,
        )
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        click.echo(f"{row['username']:<24} {row['display_name']:<32} {row['entity_id'] or '-':<16} {row['status']}")
    if len(rows) == limit:
        click.echo(_("More: --after %(name)s", name=rows[-1]["username"]), err=True)


@people.command()
@click.argument("username")
@json_option
@pass_core
def show(core: Core, username: str, as_json: bool) -> None:
    """Show a person: where they stand, their groups, spaces, roles and sign-ins."""
    from ..people import by_username
    from ..roster import describe

    with core.db.read() as session:
        facts = describe(session, by_username(session, username))
    if as_json:
        echo_json(facts)
        return
    for name, value in facts.items():
        text = ", ".join(str(v) for v in value) if isinstance(value, list) else value
        click.echo(f"{name:<20} {'-' if text in (None, '') else text}")


@people.command()
@click.argument("username")
@click.option("--until", metavar="DATE", help="A date or time; without it, until lifted.")
@click.option("--why", default="", help="Kept in the history.")
@pass_core
def suspend(core: Core, username: str, until: str | None, why: str) -> None:
    """Suspend a person's writing; they go on reading."""
    from .. import suspensions
    from ..people import by_username

    with core.db.write() as session:
        person = by_username(session, username)
        ends_at = None if until is None else parse_moment(until, core.settings.timezone)
        suspensions.suspend(session, person.id, actor=Actor(cli_actor()), ends_at=ends_at, reason=why)
    click.echo(_("%(name)s reads and no longer writes.", name=username))


@people.command()
@click.argument("username")
@click.option("--why", default="", help="Kept in the history.")
@pass_core
def unsuspend(core: Core, username: str, why: str) -> None:
    """Let a person write again."""
    from .. import suspensions
    from ..people import by_username

    with core.db.write() as session:
        person = by_username(session, username)
        suspensions.lift(session, person.id, actor=Actor(cli_actor()), why=why)
    click.echo(_("%(name)s may write again.", name=username))


@people.command()
@click.argument("username")
@click.option("--why", default="", help="Kept in the audit log.")
@pass_core
def unlink(core: Core, username: str, why: str) -> None:
    """Forget by which sign-ins a person is known; the next visit links them anew."""
    from ..people import by_username
    from ..signins import unlink_identities

    with core.db.write() as session:
        person = by_username(session, username)
        count = unlink_identities(session, person.id, actor=Actor(cli_actor()), why=why)
    click.echo(ngettext("%(num)s sign-in forgotten.", "%(num)s sign-ins forgotten.", count))


@people.command()
@click.argument("username")
@click.option("--end", is_flag=True, help="End all of them.")
@json_option
@pass_core
def sessions(core: Core, username: str, end: bool, as_json: bool) -> None:
    """The browsers in which a person is signed in by RSE's own sessions."""
    from .. import sessions as kept
    from ..people import by_username

    with core.db.write() if end else core.db.read() as session:
        person = by_username(session, username)
        found = kept.list_for(session, person.id)
        count = kept.end_all(session, person.id, actor=Actor(cli_actor()), why="administrator") if end else 0
    if as_json:
        echo_json([{"id": one.id, "label": one.label, "began_at": one.began_at, "seen_at": one.seen_at} for one in found])
        return
    for one in found:
        click.echo(f"{one.id:>8} {one.label:<24} {one.began_at:%Y-%m-%d %H:%M} {one.seen_at:%Y-%m-%d %H:%M}")
    if end:
        click.echo(ngettext("%(num)s session was ended.", "%(num)s sessions were ended.", count))
    elif not found:
        click.echo(_("Nobody is signed in there."))


@people.command("sync")
@click.argument("source")
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option("--complete", is_flag=True, help="Read everything, not only what changed since the last time.")
@click.option("--strict", is_flag=True, help="Write nothing when any entry is bad, instead of leaving it out.")
@click.option("--allow-mass-disable", is_flag=True, help="Disable more than 10 % of the people if need be.")
@click.option("--adopt", multiple=True, metavar="SOURCE", help="Take over the people of another source, for example csv.")
@click.option("--verbose", is_flag=True, help="List each change of a trial run.")
@json_option
@pass_core
def sync_(
    core: Core,
    source: str,
    dry_run: bool,
    complete: bool,
    strict: bool,
    allow_mass_disable: bool,
    adopt: tuple[str, ...],
    verbose: bool,
    as_json: bool,
) -> None:
    """Bring people, entities and groups to what the directory SOURCE says.

    Whoever is missing from it is disabled and keeps what they wrote. A reading that breaks off changes nothing; an entry
    that cannot be used is left out and reported. Exit code 1 when nothing was written, or an entry was left out.
    """
    from .. import directory

    bars = _Bars()
    try:
        result = directory.sync(
            core, directory.source_named(core, source), actor=Actor(cli_actor()), dry_run=dry_run, complete=complete,
            strict=strict, allow_mass_disable=allow_mass_disable, adopts=frozenset(adopt), progress=bars,
        )  # fmt: skip
    finally:
        bars.close()
    if as_json:
        echo_json(result.as_dict())
    else:
        if verbose:
            for change in result.changes:
                what = ", ".join(f"{name}: {before!s} → {after!s}" for name, (before, after) in change.what.items())
                click.echo(f"{change.kind:<7} {change.act:<8} {change.key:<20} {change.name}  {what}".rstrip())
        if result.error:
            click.echo(result.error, err=True)
        elif not result.complete:
            click.echo(_("Only what changed since the last time was read."))
        _print_report(result.report)
    if result.error or result.report.errors:
        sys.exit(1)


@people.command("syncs")
@click.argument("source", required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@json_option
@pass_core
def syncs(core: Core, source: str | None, limit: int, as_json: bool) -> None:
    """The latest synchronisations with directories, the newest first."""
    from .. import directory

    with core.db.read() as session:
        found = directory.runs(session, source, most=limit)
    if as_json:
        echo_json(
            [
                {"id": run.id, "source": run.source, "state": run.state, "complete": run.complete, "began_at": run.began_at,
                 "ended_at": run.ended_at, "actor": run.actor, "report": run.report}
                for run in found
            ]
        )  # fmt: skip
        return
    if not found:
        click.echo(_("Nothing was synchronised yet."))
    for run in found:
        people_ = run.report.get("people", {})
        numbers = " ".join(f"{name}={people_[name]}" for name in ("created", "updated", "disabled") if people_.get(name))
        mode = "complete" if run.complete else "changes"
        wrong = run.report.get("error") or (f"errors={len(run.report['errors'])}" if run.report.get("errors") else "")
        click.echo(f"{run.began_at:%Y-%m-%d %H:%M} {run.source:<16} {run.state:<8} {mode:<9} {numbers} {wrong}".rstrip())


people.add_command(beside)
people.add_command(assist)
people.add_command(handover)
COMMANDS: list[click.Command] = [people]
