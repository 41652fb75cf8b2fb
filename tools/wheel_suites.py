"""Run the suites once more against wheels: the core alone, then the core with each single plugin or adapter.

Each suite gets an environment of its own, made from the two locks, the core's wheel and at most one other;
the tests run from a copy that holds no source package, so that only what a wheel carries can be imported.
Arguments limit the work to distributions by name (``rse-core`` for the core alone).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dists import IGNORED, ROOT, Distribution, distributions

UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
LOCKS = ("requirements/run.lock", "requirements/dev.lock")
CORE_TESTS = "tests/core"
#: Of the core's tests, those that a single plugin beside it could upset.
MIXED = ("test_plugin_running.py", "test_policy.py", "test_pages.py", "test_web_shell.py", "test_site_commands.py")
SHARED = ("conftest.py", "pytest.ini")


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command, printed first; a failure ends the script with the command's own code."""
    words = [str(word) for word in command]
    print("+", " ".join(words), flush=True)
    code = subprocess.run(words, cwd=cwd, env=surroundings()).returncode
    if code:
        sys.exit(code)


def surroundings() -> dict[str, str]:
    """The environment without what could make a source tree importable."""
    left_out = {"PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}
    return {key: value for key, value in os.environ.items() if key not in left_out}


def environment(place: Path, wheels: list[Path]) -> Path:
    """Make an environment of the locks and these wheels; answers its Python."""
    python = place / "bin" / "python"
    if UV:
        run(UV, "venv", "--quiet", "--python", sys.executable, place)
        install = [UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
        check = [UV, "pip", "check", "--quiet", "--python", python]
    else:
        run(sys.executable, "-m", "venv", place)
        install = [python, "-m", "pip", "install", "--quiet"]
        check = [python, "-m", "pip", "check"]
    run(*install, "--require-hashes", *(word for lock in LOCKS for word in ("-r", ROOT / lock)))
    run(*install, "--no-deps", *wheels)
    run(*check)
    return python


def tests_copy(place: Path, dist: Distribution) -> list[str]:
    """Copy the core's tests and the distribution's own, without its package; answers what to run."""
    place.mkdir()
    for name in SHARED:
        shutil.copy(ROOT / name, place / name)
    shutil.copytree(ROOT / CORE_TESTS, place / CORE_TESTS, ignore=IGNORED)
    # Tests of the pages compare them with what is installed.
    shutil.copytree(ROOT / "docs", place / "docs", ignore=shutil.ignore_patterns("images"))
    if dist.is_core:
        return [CORE_TESTS]
    own = dist.folder.relative_to(ROOT)
    names = shutil.ignore_patterns(dist.package, "setup.cfg", "pyproject.toml", "__pycache__")
    shutil.copytree(dist.folder, place / own, ignore=names)
    return [*(f"{CORE_TESTS}/{name}" for name in MIXED), f"{own}/tests"]


def origin(python: Path, dist: Distribution, place: Path) -> None:
    """Refuse to go on when a package would come from the tree and not from its wheel."""
    for package in {"rse_core", dist.package}:
        code = f"import {package}; print({package}.__file__)"
        done = subprocess.run(
            [str(python), "-P", "-c", code], cwd=place, env=surroundings(), capture_output=True
        )
        where = done.stdout.decode().strip()
        if "site-packages" not in where:
            sys.exit(f"{package} does not come from its wheel: {where or done.stderr.decode()[-500:]}")


def suite(dist: Distribution, wheels: dict[str, Path]) -> None:
    """Run one suite in an environment of its own."""
    title = "the core alone" if dist.is_core else f"the core with {dist.name} alone"
    print(f"== {title}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rse-suite-") as folder:
        place = Path(folder) / "tests"
        chosen = [wheels["rse-core"]] if dist.is_core else [wheels["rse-core"], wheels[dist.name]]
        python = environment(Path(folder) / "venv", chosen)
        paths = tests_copy(place, dist)
        origin(python, dist, place)
        # What takes long, and PostgreSQL, has run in the tree; here the question is what a wheel carries, and the mixture.
        shorter = ["-m", "not slow and not browser and not postgres"]
        # pytest would rewrite every module of an installed plugin, the core among them, and Python before 3.11.8
        # fails when two threads build syntax trees at once.
        options = ["-q", "-n", "2", "-p", "no:cacheprovider", "--assert=plain", *shorter]
        run(python, "-P", "-m", "pytest", *options, *paths, cwd=place)
    print(f"== {title}: {time.monotonic() - started:.0f} s", flush=True)


def main(arguments: list[str]) -> int:
    """Run the script; the answer is the exit code."""
    wheels = {path.name.split("-")[0].replace("_", "-"): path for path in (ROOT / "dist").glob("*.whl")}
    chosen = [
        dist for dist in distributions() if not dist.is_example and (not arguments or dist.name in arguments)
    ]
    if unknown := set(arguments) - {dist.name for dist in chosen}:
        sys.exit(f"No plugin or adapter is called {', '.join(sorted(unknown))}")
    missing = [dist.name for dist in chosen if dist.name not in wheels]
    if missing or "rse-core" not in wheels:
        sys.exit(f"No wheel in dist/ for {', '.join(missing) or 'rse-core'}: run `make wheels` first")
    for dist in chosen:
        suite(dist, wheels)
    print(f"{len(chosen)} suites passed against wheels.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
