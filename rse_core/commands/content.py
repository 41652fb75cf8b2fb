"""The intranet's own content at the command line: read it now, see how its sources do, try them out."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from ..errors import NotFound, RseError
from ..i18n import _, ngettext
from . import echo_json, json_option, pass_core, progress

if TYPE_CHECKING:
    from ..contributions import LegacySource, Publication
    from ..legacy import SyncReport
    from ..legacy_state import Counts, SourceStatus
    from ..runtime import Core


#: Runs after which a source that always has more to read is left to the worker.
ROUNDS = 50


@click.group()
def content() -> None:
    """What the intranet itself publishes, as its sources tell it."""


@content.command()
@click.argument("source", required=False)
@click.option("--dry-run", is_flag=True, help="Read and compare, and write nothing.")
@json_option
@pass_core
def sync(core: Core, source: str | None, dry_run: bool, as_json: bool) -> None:
    """Read SOURCE now, or every source; exit code 1 when one of them fails."""
    from .. import legacy

    sources = _sources(core, source)
    reports: list[SyncReport] = []
    with progress(len(sources), _("Reading")) as bar:
        for one in sources:
            bar.label = one.name
            bar.render_progress()

            def show(name: str, items: int) -> None:
                if items % 50 == 0:
                    bar.label = f"{name} ({items})"
                    bar.render_progress()

            for _round in range(ROUNDS):
                report = legacy.sync(core, one, dry_run=dry_run, progress=show)
                reports.append(report)
                if dry_run or report.error or not report.unfinished:
                    break
            bar.update(1)
    if as_json:
        echo_json({"dry_run": dry_run, "sources": [report.as_dict() for report in reports]})
    else:
        for report in reports:
            _print_report(report)
        if dry_run:
            click.echo(_("Nothing was written."))
    if any(report.error or report.busy for report in reports):
        sys.exit(1)


@content.command()
@json_option
@pass_core
def status(core: Core, as_json: bool) -> None:
    """How each source does: when it was read, what was found, what is wrong."""
    from .. import legacy

    with core.db.read() as session:
        found = legacy.statuses(core, session)
    if as_json:
        echo_json({"sources": [one.as_dict() for one in found], "left_out": _left_out(core)})
        return
    if not found:
        click.echo(_("There is no source."))
    for one in found:
        _print_status(one, ZoneInfo(core.settings.timezone))
    for sentence in _left_out(core):
        click.echo(sentence, err=True)


@content.command()
@click.argument("source", required=False)
@json_option
@pass_core
def check(core: Core, source: str | None, as_json: bool) -> None:
    """Ask SOURCE, or every source, for its first page, and show which pages it would give. Nothing is written."""
    from .. import legacy

    sources = _sources(core, source)
    results: list[dict[str, Any]] = []
    with progress(len(sources), _("Asking")) as bar:
        for one in sources:
            bar.label = one.name
            result: dict[str, Any] = {"source": one.name, "error": "", "pages": []}
            try:
                result["pages"] = [_shown(core, said) for said in legacy.look(one)]
            except RseError as error:
                result["error"] = str(error)
            except Exception as error:  # isolation point: a fault of one source is its line in the list
                result["error"] = f"{type(error).__name__}: {error}"
            results.append(result)
            bar.update(1)
    left_out = _left_out(core)
    if as_json:
        echo_json({"sources": results, "left_out": left_out})
    else:
        _print_check(results)
        for sentence in left_out:
            click.echo(sentence, err=True)
    if left_out or any(result["error"] for result in results):
        sys.exit(1)


def _sources(core: Core, name: str | None) -> Sequence[LegacySource]:
    from .. import legacy

    return list(legacy.each(core, name))


def _left_out(core: Core) -> list[str]:
    """Plugins that could not start: their sources are missing, and that is easily overlooked."""
    return [
        f"{state.reason} {state.remedy}".strip() for state in core.plugins.states.values() if state.status == "quarantined"
    ]


def _shown(core: Core, said: Publication) -> dict[str, Any]:
    from ..pages import PageClaim

    try:
        with core.db.read() as session:
            page = core.pages.identify(session, PageClaim(said.address, native=said.native, trusted=True))
        ref, known = str(page.ref), page.known
    except NotFound:
        ref, known = None, False
    return {"address": said.address, "ref": ref, "known": known, "native": said.native, "title": said.title,
            "published_at": said.published_at, "audience": said.audience, "entity": said.entity, "byline": said.byline,
            "gone": said.gone}  # fmt: skip


def _print_check(results: Sequence[dict[str, Any]]) -> None:
    for result in results:
        if result["error"]:
            click.echo(f"{result['source']}: {result['error']}", err=True)
            continue
        number = len(result["pages"])
        click.echo(f"{result['source']}: " + ngettext("%(num)s page to begin with.", "%(num)s pages to begin with.", number))
        for page in result["pages"]:
            where = page["ref"] or _("elsewhere: %(address)s", address=page["address"][:200])
            whom = page["audience"] or _("audience unknown: a link only")
            click.echo(f"  {where}  {page['title'] or _('(no title)')}  [{whom}]")


def _print_report(report: SyncReport) -> None:
    if report.busy:
        click.echo(f"{report.source}: " + _("another worker reads it."), err=True)
        return
    click.echo(f"{report.source}: {_figures(report.counts)}")
    for sentence in report.warnings:
        click.echo(f"  {sentence}", err=True)
    if report.error:
        click.echo(f"  {report.error}", err=True)


def _print_status(one: SourceStatus, zone: ZoneInfo) -> None:
    if one.running:
        word = _("is being read")
    elif one.error:
        word = ngettext("failed once", "failed %(num)s times in a row", one.failures)
    elif one.ok_at is None:
        word = _("not read yet")
    else:
        word = _("in order")
    click.echo(f"{one.name}  {one.label}: {word}")
    if one.ran_at is not None:
        click.echo("  " + _("read %(at)s: %(figures)s", at=_at(one.ran_at, zone), figures=_figures(one.counts)))
    if one.due_at is not None:
        click.echo("  " + _("due %(at)s", at=_at(one.due_at, zone)))
    for sentence in (*one.warnings, one.error):
        if sentence:
            click.echo(f"  {sentence}")


def _at(moment: dt.datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _figures(counts: Counts) -> str:
    parts = [
        _("%(num)s read", num=counts.seen),
        _("%(num)s new", num=counts.new),
        _("%(num)s changed", num=counts.changed),
        _("%(num)s gone", num=counts.gone),
    ]
    if counts.elsewhere:
        parts.append(_("%(num)s left aside: not pages of the intranet", num=counts.elsewhere))
    if counts.unusable:
        parts.append(_("%(num)s left aside: unusable", num=counts.unusable))
    if counts.others:
        parts.append(_("%(num)s kept by another source", num=counts.others))
    return ", ".join(parts)


COMMANDS: list[click.Command] = [content]
