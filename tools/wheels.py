"""Build the wheel of every distribution into a folder, from tracked files alone, and look inside each.

A copy is built, never the tree itself: setuptools takes what an earlier build left in ``build/``, and a file
that nobody committed would make a wheel that no clone can make. Each wheel must hold every tracked file of
its package, and nothing else.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dists import ROOT, Distribution, distributions, tracked

BESIDE = ("setup.cfg", "pyproject.toml", "README.md", "CHANGES.md", "LICENSE", "MANIFEST.in")


def copy(dist: Distribution, place: Path) -> set[str]:
    """Copy what the distribution is made of; answers its package's files, as the wheel should name them."""
    for name in BESIDE:
        if (dist.folder / name).is_file():
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(dist.folder / name, place / name)
    inside = set()
    for path in tracked(dist.source):
        relative = path.relative_to(dist.folder)
        (place / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place / relative)
        inside.add(relative.as_posix())
    return inside


def build(dist: Distribution, target: Path) -> tuple[Path, list[str]]:
    """Build one wheel; answers its path and sentences on what is wrong with it."""
    with tempfile.TemporaryDirectory(prefix="rse-wheel-") as folder:
        place = Path(folder) / dist.name
        expected = copy(dist, place)
        out = Path(folder) / "out"
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, place]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{dist.name} does not build:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        (built,) = out.glob("*.whl")
        with zipfile.ZipFile(built) as archive:
            actual = {name for name in archive.namelist() if ".dist-info/" not in name}
        wrong = [f"{built.name} lacks {name}" for name in sorted(expected - actual)]
        wrong += [f"{built.name} holds {name}, which git does not" for name in sorted(actual - expected)]
        return Path(shutil.copy(built, target)), wrong


def main(arguments: list[str]) -> int:
    """Run the script; the answer is the exit code."""
    target = (ROOT / (arguments[0] if arguments else "dist")).resolve()
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.whl"):
        old.unlink()
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda dist: build(dist, target), distributions()))
    for wheel, _wrong in results:
        print(f"{wheel.name}  {wheel.stat().st_size // 1024} KiB")
    wrong = [sentence for _wheel, sentences in results for sentence in sentences]
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
