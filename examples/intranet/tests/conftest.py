from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from rse_example_intranet import demo
from rse_example_intranet.demo_guard import Permit

from rse_core.cli import cli
from rse_core.runtime import Core
from rse_core.testing.once import made_once


@contextmanager
def within_rse_demo() -> Iterator[None]:
    """Be where the command ``rse demo`` is."""
    with (
        click.Context(cli, info_name="rse") as above,
        click.Context(click.Command("demo"), info_name="demo", parent=above),
    ):
        yield


@pytest.fixture
def within() -> Iterator[None]:
    """The test runs where the command ``rse demo`` is."""
    with within_rse_demo():
        yield


@pytest.fixture
def permit(tmp_path: Path) -> Iterator[Permit]:
    """A permit over an empty folder."""
    with within_rse_demo():
        made = Permit("127.0.0.1", tmp_path / "demo")
    with made:
        yield made


def _fill(folder: Path) -> None:
    with within_rse_demo(), Permit("127.0.0.1", folder) as made, demo.running_core(made, "127.0.0.1", 8400):
        pass


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that was filled and stopped; copied for each use."""
    return made_once(tmp_path_factory, "rse-demo", _fill)


@pytest.fixture
def seeded_permit(seeded: Path, tmp_path: Path) -> Iterator[Permit]:
    """A permit over a demo of this test alone, filled before."""
    shutil.copytree(seeded, tmp_path / "filled")
    with within_rse_demo():
        made = Permit("127.0.0.1", tmp_path / "filled")
    with made:
        yield made


@pytest.fixture(scope="module")
def demo_permit(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Permit]:
    """The permit of the demo that this module's tests share."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    shutil.copytree(seeded, folder)
    with within_rse_demo():
        made = Permit("127.0.0.1", folder)
    with made:
        yield made


@pytest.fixture(scope="module")
def demo_core(demo_permit: Permit) -> Iterator[Core]:
    """The demo's core, seeded, for an intranet on port 8400."""
    with demo.running_core(demo_permit, "127.0.0.1", 8400) as running:
        yield running
