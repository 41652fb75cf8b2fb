"""The command ``rse``: exit code 0 done, 1 refused or failed with one clear sentence, 2 misuse."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

from . import __version__
from .commands import State
from .errors import RseError
from .i18n import normalise_locale, use_locale

#: Modules of :mod:`rse_core.commands`; each lists its commands in ``COMMANDS``.
TOPICS = (
    "site", "people", "role", "level", "rollout", "explain", "plugin", "charter", "moderation", "pages", "content",
    "privacy", "work", "live", "token",
)  # fmt: skip


class RseGroup(click.Group):
    """Adds the plugins' own commands, found only when a command is not one of the core's."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = set(super().list_commands(ctx))
        return sorted(names | set(self._from_plugins(ctx)))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return super().get_command(ctx, name) or self._from_plugins(ctx).get(name)

    def _from_plugins(self, ctx: click.Context) -> dict[str, click.Command]:
        try:
            return dict(ctx.ensure_object(State).core.plugins.commands())
        except RseError as error:
            click.echo(f"rse: plugins are left out: {error}", err=True)
            return {}

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RseError as error:
            click.echo(f"rse: {error}", err=True)
            ctx.exit(1)


@click.group(cls=RseGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rse")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """RSE: social features for the intranet you already have, one level at a time."""
    ctx.ensure_object(State)
    # As the terminal says; a server's bare "C" means English, whatever the site's readers speak.
    wanted = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    ctx.with_resource(use_locale(normalise_locale(wanted) or "en"))


for _topic in TOPICS:
    for _command in importlib.import_module(f"rse_core.commands.{_topic}").COMMANDS:
        cli.add_command(_command)


def main() -> None:
    """Entry point of the console script."""
    cli(prog_name="rse", windows_expand_args=False)


if __name__ == "__main__":
    main()
