"""The distributions of this tree, found by their folders."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "*.pyc", ".*", "node_modules")


@dataclass(frozen=True, slots=True)
class Distribution:
    """One ``setup.cfg`` with the package that it installs."""

    name: str
    folder: Path
    package: str

    @property
    def source(self) -> Path:
        """Folder of the package."""
        return self.folder / self.package

    @property
    def domain(self) -> str:
        """Name of its message catalogue."""
        return "rse" if self.package == "rse_core" else self.package

    @property
    def is_core(self) -> bool:
        """Whether it is the core itself."""
        return self.folder == ROOT

    @property
    def is_example(self) -> bool:
        """Whether it serves only to show something."""
        return self.folder.parent.name == "examples"


def read(setup: Path) -> Distribution:
    """The distribution of one ``setup.cfg``."""
    config = configparser.ConfigParser()
    config.read(setup, encoding="utf-8")
    packages = config["options.packages.find"]["include"].split()
    return Distribution(config["metadata"]["name"], setup.parent, packages[0])


def distributions() -> list[Distribution]:
    """The core first, then plugins, adapters and examples by name."""
    setups = [ROOT / "setup.cfg"]
    for kind in ("plugins", "adapters", "examples"):
        setups += sorted((ROOT / kind).glob("*/setup.cfg"))
    return [read(setup) for setup in setups]


def tracked(*under: Path) -> list[Path]:
    """Files that git knows under these paths; outside a repository, all that is no by-product."""
    arguments = ["git", "-C", str(ROOT), "ls-files", "-z", "--", *map(str, under or (ROOT,))]
    try:
        listed = subprocess.run(arguments, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        found = (path for place in under or (ROOT,) for path in place.rglob("*") if path.is_file())
        return sorted(path for path in found if not IGNORED("", path.relative_to(ROOT).parts))
    return sorted(ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file())
