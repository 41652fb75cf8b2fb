"""``rse search rebuild | query | status``."""

from __future__ import annotations

import json
import re
import sys
from html import unescape
from typing import Any

import click

from rse_core.api import Core, translator
from rse_core.people import by_username

from . import asking, health, rebuild, service, store
from .finding import DATES

_t = translator(__file__, "rse_search")
_ = _t.gettext
_MARKS = re.compile(r"</?mark>")


def _core() -> Core:
    core: Core = click.get_current_context().find_root().obj.ready()
    return core


def _print(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@click.group()
def search() -> None:
    """The search index, and searching as somebody."""


@search.command("rebuild")
@click.option("--kind", "kinds", multiple=True, metavar="TYPE", help="Only objects of this type; may be repeated.")
@click.option("--anew", is_flag=True, help="From the beginning, even where an interrupted rebuilding could go on.")
@click.option("--batch", type=click.IntRange(1, 2_000), default=rebuild.BATCH, show_default=True, help="Objects at a time.")
def rebuild_(kinds: tuple[str, ...], anew: bool, batch: int) -> None:
    """Look at every object again. Searching goes on meanwhile; interrupted, it goes on where it was."""
    core = _core()
    with core.db.read() as session:
        wanted = rebuild.types(session, kinds)
        sizes = {name: rebuild.size(session, name) for name in wanted}
    for name in wanted:
        with core.db.write() as session:
            stand = rebuild.begin(session, name, anew=anew)
        # How many there are is known at the end only; until then, as many as are indexed now.
        bar = click.progressbar(
            length=max(sizes[name], stand.done, 1), label=name, file=sys.stderr, hidden=not sys.stderr.isatty()
        )
        with bar:
            bar.update(stand.done)
            while stand.ended_at is None:
                before = stand.done
                with core.db.write() as session:
                    stand = rebuild.step(session, name, batch=batch)
                bar.length = max(bar.length or 1, stand.done)
                bar.update(stand.done - before)
            bar.update(max(0, (bar.length or 0) - bar.pos))
        with core.db.read() as session:
            kept = rebuild.size(session, name)
        click.echo(_("%(name)s: %(seen)s looked at, %(kept)s in the index", name=name, seen=stand.done, kept=kept))
    if not kinds:
        with core.db.write() as session:
            rebuild.drop_unknown(session)


@search.command("query")
@click.argument("text")
@click.option("--person", "username", required=True, metavar="USERNAME", help="Who searches: nothing else is found.")
@click.option("--kind", default="", help="Only this kind: post, comment, page, space, person …")
@click.option("--entity", default="", metavar="ID", help="Only of this entity and what is below it.")
@click.option("--space", default="", metavar="ID", help="Only in this community.")
@click.option("--author", default="", metavar="USERNAME", help="Only by this person.")
@click.option("--date", default="", type=click.Choice(["", *DATES]), help="Only so recent.")
@click.option("--sort", default="relevance", type=click.Choice(list(asking.SORTS)), show_default=True)
@click.option("--limit", default=20, type=click.IntRange(1, 100), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def query(
    text: str,
    username: str,
    kind: str,
    entity: str,
    space: str,
    author: str,
    date: str,
    sort: str,
    limit: int,
    as_json: bool,
) -> None:
    """Search as somebody, as the page does."""
    core = _core()
    with core.db.read() as session:
        person = by_username(session, username)
        asked = asking.Asked(text, kind, entity, space, author, date, sort)
        results = service.search(session, person.id, asked, limit=limit)
    if as_json:
        _print(
            {
                "count": results.count,
                "fuzzy": results.fuzzy,
                "better": results.better,
                "items": [
                    {
                        "ref": str(one.ref),
                        "kind": one.kind,
                        "title": one.plain_title,
                        "snippet": unescape(_MARKS.sub("", one.snippet)),
                        "url": one.url,
                        "at": one.at.isoformat() if one.at else None,
                        "author": one.author.username if one.author else None,
                        "space": one.space,
                        "entity": one.entity,
                    }
                    for one in results.hits
                ],
                "facets": {
                    facet.name: [{"key": value.key, "label": value.label, "count": value.count} for value in facet.values]
                    for facet in results.facets
                },
            }
        )
        return
    if results.better:
        said = _("Nothing as typed; found for: %(text)s") if results.fuzzy else _("Did you mean: %(text)s")
        click.echo(said % {"text": results.better})
    for one in results.hits:
        click.echo(f"{one.kind_label}: {one.plain_title}  {one.url}")
        if one.snippet:
            click.echo("    " + unescape(_MARKS.sub("", one.snippet)))
    number = results.count or 0
    click.echo(_t.ngettext("%(num)s result", "%(num)s results", number))


@search.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """What the index holds, and whether it is behind. Exit code 1 when it is."""
    core = _core()
    with core.db.read() as session:
        counts = store.count(session)
        found = health.check(session)
        stands = rebuild.stands(session)
    if as_json:
        rebuilt = {
            name: {"done": one.done, "started_at": one.started_at, "ended_at": one.ended_at} for name, one in stands.items()
        }
        _print(
            {
                "ok": found.ok,
                "detail": str(found.detail),
                "remedy": str(found.remedy),
                "documents": counts,
                "rebuilt": rebuilt,
            }
        )
    else:
        for kind, number in counts.items():
            click.echo(f"{kind}: {number}")
        for name, one in stands.items():
            if one.ended_at is None:
                click.echo(_("%(name)s: being rebuilt, %(done)s looked at", name=name, done=one.done))
        click.echo(f"{found.detail}. {found.remedy}".strip() if not found.ok else str(found.detail))
    if not found.ok:
        sys.exit(1)
