from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from rse_example_intranet.demo_guard import Permit

from rse_core.cli import cli


@contextmanager
def within_rse_demo() -> Iterator[None]:
    """Be where the command ``rse demo`` is."""
    with (
        click.Context(cli, info_name="rse") as above,
        click.Context(click.Command("demo"), info_name="demo", parent=above),
    ):
        yield


@pytest.fixture
def permit(tmp_path: Path) -> Iterator[Permit]:
    with within_rse_demo():
        made = Permit("127.0.0.1", tmp_path / "demo")
    with made:
        yield made
