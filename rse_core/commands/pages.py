"""Pages of the existing intranet: what is known, what moved, in which section a page stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..audit import Actor
from ..errors import NotFound
from . import cli_actor, echo_json, json_option, pass_core

if TYPE_CHECKING:
    from ..runtime import Core


@click.group()
def pages() -> None:
    """Pages of the intranet that RSE knows."""


@pages.command("list")
@click.option("--under", metavar="PATH", help="Only addresses that begin so.")
@click.option("--after", type=int, default=0, help="Continue after this row.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@pass_core
def list_(core: Core, under: str | None, after: int, limit: int, as_json: bool) -> None:
    """List the known pages."""
    from ..pages import list_pages

    with core.db.read() as session:
        rows = list_pages(session, after=after, limit=limit, prefix=under)
    if as_json:
        echo_json(
            [
                {"row": r.id, "ref": f"page:{r.key}", "address": r.address, "title": r.title, "native": r.native_id,
                 "section": r.section, "locked": r.locked_at is not None}
                for r in rows
            ]
        )  # fmt: skip
        return
    for row in rows:
        moved = f"  (known as page:{row.key})" if row.key != row.address else ""
        click.echo(f"{row.id:>8}  {row.address}  {row.title}{moved}")
    if len(rows) == limit:
        click.echo(f"More: --after {rows[-1].id}", err=True)


@pages.command()
@click.argument("address")
@json_option
@pass_core
def show(core: Core, address: str, as_json: bool) -> None:
    """What RSE understands by an address: its page, and the sections whose caps count."""
    with core.db.read() as session:
        page = core.pages.resolve_ref(session, address.removeprefix("page:"))
    facts = {"ref": str(page.ref), "address": page.address, "title": page.title, "sections": list(page.sections),
             "known": page.known, "locked": page.locked}  # fmt: skip
    if as_json:
        echo_json(facts)
        return
    for key, value in facts.items():
        click.echo(f"{key}: {', '.join(value) if isinstance(value, list) else value}")


@pages.command()
@click.argument("old")
@click.argument("new")
@pass_core
def remap(core: Core, old: str, new: str) -> None:
    """The page known at OLD now stands at NEW; reactions and comments follow."""
    with core.db.write() as session:
        page = core.pages.remap(session, old, new, Actor(cli_actor()))
    click.echo(f"{page.ref} now stands at {page.address}.")


@pages.command()
@click.argument("address")
@click.argument("section")
@pass_core
def section(core: Core, address: str, section: str) -> None:
    """Say in which SECTION (a path) the page at ADDRESS stands, when its address does not show it."""
    from ..pages import set_section

    with core.db.write() as session:
        page = set_section(session, core, address, section, Actor(cli_actor()))
    click.echo(f"{page.ref} stands in {', '.join(page.sections)}.")


@pages.command()
@click.argument("address")
@click.option("--open", "opened", is_flag=True, help="Open it again.")
@pass_core
def lock(core: Core, address: str, opened: bool) -> None:
    """Close writing on one page; what stands there stays."""
    with core.db.write() as session:
        page = core.pages.resolve_ref(session, address.removeprefix("page:"))
        if opened and not page.known:
            raise NotFound(f"No page is known at {address}.", remedy="See rse pages list.")
        core.pages.lock(session, page.ref, not opened, Actor(cli_actor()))
    click.echo(f"{page.ref} is {'open' if opened else 'closed'} for writing.")


COMMANDS: list[click.Command] = [pages]
