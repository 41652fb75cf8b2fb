"""Run the suites once more against wheels: the core alone, then the core with each single plugin or adapter.

Suites run in lanes, one for each processor; a lane has an environment made once from the two locks and the core's
wheel, and for each suite at most one other wheel is put in and taken out again. The tests run from a copy that holds no
source package, so that only what a wheel carries can be imported. Each test function runs once: its other cases, the other
database and the browser ran in the tree, and what a wheel holds was compared with the tree when it was built. Arguments
limit the work to distributions by name (``rse-core`` for the core alone).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

from dists import IGNORED, ROOT, Distribution, distributions

UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
LOCKS = ("requirements/run.lock", "requirements/dev.lock")
CORE_TESTS = "tests/core"
#: What is asked of whatever is installed: here, of the one plugin beside the core.
INSTALLED = "tests/contracts/test_installed_plugins.py"
SHARED = ("conftest.py", "pytest.ini")


class Failed(Exception):
    """A command of a suite ended badly."""


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command and print what it said under its own name, as lanes would mix their lines.

    :raises Failed: when it ends with anything but zero.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=surroundings(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(f"+ {' '.join(words)}\n{done.stdout.decode(errors='replace')}", end="", flush=True)
    if done.returncode:
        raise Failed(f"{words[0]} ended with {done.returncode}")


def surroundings() -> dict[str, str]:
    """The environment without what could make a source tree importable; the suites run each test function once."""
    left_out = {"PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}
    kept = {key: value for key, value in os.environ.items() if key not in left_out}
    return {**kept, "RSE_TEST_ONE_OF_EACH": "1"}


class Lane:
    """An environment of the locks and the core's wheel, which one suite after another uses.

    :param place: its folder, not there yet.
    :param core: the core's wheel.
    """

    def __init__(self, place: Path, core: Path) -> None:
        self.python = place / "bin" / "python"
        if UV:
            run(UV, "venv", "--quiet", "--python", sys.executable, place)
            self._pip: list[str | Path] = [UV, "pip"]
            self._here: list[str | Path] = ["--quiet", "--python", self.python]
        else:
            run(sys.executable, "-m", "venv", place)
            self._pip, self._here = [self.python, "-m", "pip"], []
        self._install("--require-hashes", *(word for lock in LOCKS for word in ("-r", ROOT / lock)))
        self._install("--no-deps", core)
        self.check()

    def _install(self, *what: str | Path) -> None:
        run(*self._pip, "install", *(["--compile-bytecode"] if UV else ["--quiet"]), *self._here, *what)

    def check(self) -> None:
        """Refuse an environment that lacks what a wheel asks for."""
        run(*self._pip, "check", *self._here)

    @contextmanager
    def beside(self, name: str, wheel: Path | None) -> Iterator[None]:
        """Put one wheel beside the core's for a while."""
        if wheel is None:
            yield
            return
        self._install("--no-deps", wheel)
        self.check()
        try:
            yield
        finally:
            run(*self._pip, "uninstall", *([] if UV else ["--yes"]), *self._here, name)


def tests_copy(place: Path, dist: Distribution) -> list[str]:
    """Copy the core's tests or the distribution's own, without its package; answers what to run."""
    place.mkdir()
    for name in SHARED:
        shutil.copy(ROOT / name, place / name)
    # Tests of the pages compare them with what is installed.
    shutil.copytree(ROOT / "docs", place / "docs", ignore=shutil.ignore_patterns("images"))
    if dist.is_core:
        shutil.copytree(ROOT / CORE_TESTS, place / CORE_TESTS, ignore=IGNORED)
        return [CORE_TESTS]
    (place / INSTALLED).parent.mkdir(parents=True)
    shutil.copy(ROOT / INSTALLED, place / INSTALLED)
    own = dist.folder.relative_to(ROOT)
    names = shutil.ignore_patterns(dist.package, "setup.cfg", "pyproject.toml", "__pycache__")
    shutil.copytree(dist.folder, place / own, ignore=names)
    return [INSTALLED, f"{own}/tests"]


def origin(python: Path, dist: Distribution, place: Path) -> None:
    """Refuse to go on when a package would come from the tree and not from its wheel."""
    for package in {"rse_core", dist.package}:
        code = f"import {package}; print({package}.__file__)"
        done = subprocess.run([str(python), "-P", "-c", code], cwd=place, env=surroundings(), capture_output=True)
        where = done.stdout.decode().strip()
        if "site-packages" not in where:
            raise Failed(f"{package} does not come from its wheel: {where or done.stderr.decode()[-500:]}")


def suite(dist: Distribution, wheels: dict[str, Path], lane: Lane) -> None:
    """Run one suite in a lane's environment."""
    title = "the core alone" if dist.is_core else f"the core with {dist.name} alone"
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="rse-suite-") as folder,
        lane.beside(dist.name, None if dist.is_core else wheels[dist.name]),
    ):
        place = Path(folder) / "tests"
        paths = tests_copy(place, dist)
        origin(lane.python, dist, place)
        # What takes long, and PostgreSQL, has run in the tree; here the question is what a wheel carries, and the mixture.
        shorter = ["-m", "not slow and not browser and not postgres"]
        # pytest would rewrite every module of an installed plugin, the core among them, and Python before 3.11.8
        # fails when two threads build syntax trees at once.
        options = ["-q", "-n", "0", "-p", "no:cacheprovider", "--assert=plain", *shorter]
        run(lane.python, "-P", "-m", "pytest", *options, *paths, cwd=place)
    print(f"== {title}: {time.monotonic() - started:.0f} s", flush=True)


def in_lanes(chosen: list[Distribution], wheels: dict[str, Path]) -> list[str]:
    """Run the suites, the core's first as it is the longest; answers what failed."""
    waiting: SimpleQueue[Distribution] = SimpleQueue()
    for dist in sorted(chosen, key=lambda one: not one.is_core):
        waiting.put(dist)

    def work(lane: Lane) -> list[str]:
        failed: list[str] = []
        while True:
            try:
                dist = waiting.get_nowait()
            except Empty:
                return failed
            try:
                suite(dist, wheels, lane)
            except Failed as error:
                failed.append(f"{dist.name}: {error}")

    number = min(len(chosen), os.cpu_count() or 1)
    with tempfile.TemporaryDirectory(prefix="rse-lanes-") as folder, ThreadPoolExecutor(number) as pool:
        lanes = [Lane(Path(folder) / f"venv{index}", wheels["rse-core"]) for index in range(number)]
        return [fault for faults in pool.map(work, lanes) for fault in faults]


def main(arguments: list[str]) -> int:
    """Run the script; the answer is the exit code."""
    wheels = {path.name.split("-")[0].replace("_", "-"): path for path in (ROOT / "dist").glob("*.whl")}
    chosen = [dist for dist in distributions() if not dist.is_example and (not arguments or dist.name in arguments)]
    if unknown := set(arguments) - {dist.name for dist in chosen}:
        sys.exit(f"No plugin or adapter is called {', '.join(sorted(unknown))}")
    missing = [dist.name for dist in chosen if dist.name not in wheels]
    if missing or "rse-core" not in wheels:
        sys.exit(f"No wheel in dist/ for {', '.join(missing) or 'rse-core'}: run `make wheels` first")
    try:
        failed = in_lanes(chosen, wheels)
    except Failed as error:
        sys.exit(f"No environment for the suites: {error}")
    if failed:
        sys.exit("Failed: " + "; ".join(failed))
    print(f"{len(chosen)} suites passed against wheels.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
