"""``rse ldap check``: what would be read, before anything is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict

import click

from rse_core.api import RseError

from .config import Config
from .i18n import _

SHOWN = 3


def make_group(config: Callable[[], Config]) -> click.Group:
    """The group ``ldap``, on the configuration that the plugin has when a command runs."""

    @click.group()
    def ldap() -> None:
        """The directory: whether it answers, and what it would give."""

    @ldap.command()
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def check(as_json: bool) -> None:
        """Read everything and show the counts, the first people and what cannot be used. Nothing is written."""
        if not config().url:
            raise RseError("No directory is set.", remedy="Set url and people_base in [ldap] of rse.toml.")
        from .reading import read

        found = read(config(), "")
        counts = {
            "people": len(found.people), "entities": len(found.entities or ()), "groups": len(found.groups or ()),
            "faults": len(found.faults),
        }  # fmt: skip
        if as_json:
            first = [asdict(one) for one in found.people[:SHOWN]]
            faults = [asdict(fault) for fault in found.faults]
            click.echo(json.dumps({**counts, "first": first, "faults_found": faults}, ensure_ascii=False, indent=2))
        else:
            click.echo(_("%(people)s people, %(entities)s entities, %(groups)s groups", **counts))
            for one in found.people[:SHOWN]:
                click.echo(f"\n{one.where}")
                for name, value in asdict(one).items():
                    if name != "where" and value not in ("", None):
                        click.echo(f"  {name:<13} {value}")
            for fault in found.faults:
                click.echo(f"{fault.where}: {fault.field}: {fault.message}", err=True)
        if found.faults:
            sys.exit(1)

    return ldap
