"""What takes long to make is made once in a run, whichever of its processes asks first, and copied by whoever needs it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .databases import quick_folder


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name; copy it, do not write into it.

    :param make: fills the folder that it is given, not there yet; called by the first process of the run that asks, while
        the others wait.
    :raises Exception: what ``make`` raises; the next who asks tries again.
    """
    base = factory.getbasetemp()
    # Each worker of pytest-xdist has a folder of its own in the run's.
    place = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, begun = place / f"once-{name}", place / f"once-{name}.begun"
    with (place / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            shutil.rmtree(begun, ignore_errors=True)
            with quick_folder(place) as quick:
                made = quick / f"once-{name}.made"
                shutil.rmtree(made, ignore_errors=True)
                make(made)
                shutil.move(made, begun)
            begun.rename(folder)
    return folder
