"""The command line's topics, one module each; a module lists its click commands in ``COMMANDS``.

Shared here: how a command gets the running core, prints JSON, and names who acted.
"""

from __future__ import annotations

import functools
import getpass
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import RseError

if TYPE_CHECKING:
    from ..runtime import Core

F = TypeVar("F", bound=Callable[..., Any])


class State:
    """What the commands share: the core, made when first asked for. ``factory`` lets tests hand in their own."""

    def __init__(self, factory: Callable[[], Core] | None = None) -> None:
        self._factory = factory
        self._core: Core | None = None

    @property
    def core(self) -> Core:
        if self._core is None:
            if self._factory is None:
                from ..runtime import Core

                self._core = Core.from_environment()
            else:
                self._core = self._factory()
        return self._core

    def ready(self) -> Core:
        """The core, on a database that is up to date.

        :raises RseError: says to run ``rse init`` or ``rse upgrade``.
        """
        self.core.check_database()
        return self.core


def pass_core(f: F) -> F:
    """The command's first argument is the core, on a migrated database."""

    @click.pass_context
    @functools.wraps(f)
    def wrapper(ctx: click.Context, *args: Any, **kwargs: Any) -> Any:
        return f(ctx.ensure_object(State).ready(), *args, **kwargs)

    return wrapper  # type: ignore[return-value]


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def echo_json(value: Any) -> None:
    """Print JSON: UTF-8, no escapes, indented."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def cli_actor() -> str:
    """Who acts at the command line, for histories and the audit log: ``cli:<system user>``."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def refuse(message: str) -> None:
    """End with exit code 1 and one sentence on standard error."""
    raise RseError(message)


def progress(length: int, label: str) -> Any:
    """A progress bar on standard error; silent when that is not a terminal."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
