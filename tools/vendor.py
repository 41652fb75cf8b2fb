"""Copy the front-end files of npm packages into the tree, with their licences and a manifest of hashes.

``tools/vendor.py`` writes; ``--check`` compares what it would write with what stands there and fails on any
difference; ``--manifest-only`` needs no ``node_modules`` and compares the files with the manifest alone.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"
SERVED = ROOT / "rse_core" / "static" / "vendor"
TESTS = ROOT / "tests" / "browser" / "vendor"
KANBAN = ROOT / "plugins" / "kanban" / "rse_kanban" / "static" / "vendor"
MANIFEST = "manifest.json"
SVG = "http://www.w3.org/2000/svg"
INHERITED = ("fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin")

COPIES: Mapping[Path, Mapping[str, str]] = {
    SERVED: {
        "htmx.min.js": "htmx.org/dist/htmx.min.js",
        "LICENSE.htmx.txt": "htmx.org/LICENSE",
        "LICENSE.lucide.txt": "lucide-static/LICENSE",
    },
    KANBAN: {
        "Sortable.min.js": "sortablejs/Sortable.min.js",
        "LICENSE.sortablejs.txt": "sortablejs/LICENSE",
    },
    TESTS: {
        "axe.min.js": "axe-core/axe.min.js",
        "LICENSE.axe-core.txt": "axe-core/LICENSE",
        "LICENSE-3RD-PARTY.axe-core.txt": "axe-core/LICENSE-3RD-PARTY.txt",
    },
}


def icon_names() -> list[str]:
    """Names of the icons wanted, sorted, from ``tools/icons.txt``."""
    lines = (ROOT / "tools" / "icons.txt").read_text(encoding="utf-8").splitlines()
    return sorted({line.strip() for line in lines if line.strip() and not line.startswith("#")})


def symbol(name: str) -> str:
    """One icon as a ``<symbol>`` that takes its colour from the text around it.

    Raises :class:`SystemExit` when lucide-static has no icon of that name.
    """
    path = PACKAGES / "lucide-static" / "icons" / f"{name}.svg"
    if not path.is_file():
        sys.exit(f"tools/icons.txt names the icon {name!r}, unknown to lucide-static: correct its name")
    svg = ElementTree.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - a file pinned by its hash
    kept = " ".join(f'{key}="{svg.attrib[key]}"' for key in INHERITED)
    shapes = []
    for shape in svg:
        attributes = " ".join(f'{key}="{value}"' for key, value in shape.attrib.items())
        shapes.append(f"<{shape.tag.removeprefix(f'{{{SVG}}}')} {attributes}/>")
    return f'<symbol id="{name}" viewBox="{svg.attrib["viewBox"]}" {kept}>{"".join(shapes)}</symbol>'


def sprite() -> bytes:
    """The whole sprite, one symbol a line so that a difference reads well."""
    lines = [f'<svg xmlns="{SVG}">', *map(symbol, icon_names()), "</svg>", ""]
    return "\n".join(lines).encode()


def versions() -> dict[str, str]:
    """Version of each npm package, as ``package.json`` pins them."""
    pinned: dict[str, str] = json.loads((ROOT / "package.json").read_bytes())["devDependencies"]
    return pinned


def without_map(content: bytes) -> bytes:
    """Drop the pointer to a source map that is not shipped: browsers would ask for it in vain."""
    return re.sub(rb"\n?//# sourceMappingURL=\S+\s*\Z", b"\n", content)


def wanted(folder: Path) -> dict[str, bytes]:
    """Every file that ``folder`` must hold, its manifest included."""
    files = {}
    for name, source in COPIES[folder].items():
        content = (PACKAGES / source).read_bytes()
        files[name] = without_map(content) if name.endswith(".js") else content
    if folder == SERVED:
        files["icons.svg"] = sprite()
    used = {source.split("/")[0] for source in COPIES[folder].values()}
    manifest = {
        "packages": {name: version for name, version in sorted(versions().items()) if name in used},
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    return files | {MANIFEST: (json.dumps(manifest, indent=2) + "\n").encode()}


def present(folder: Path) -> dict[str, bytes]:
    """What stands in ``folder`` now."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*")) if path.is_file()}


def write() -> None:
    """Make every folder hold exactly what is wanted."""
    for folder in COPIES:
        folder.mkdir(parents=True, exist_ok=True)
        files = wanted(folder)
        for name in present(folder).keys() - files.keys():
            (folder / name).unlink()
        for name, content in files.items():
            (folder / name).write_bytes(content)
            print(f"{(folder / name).relative_to(ROOT)}  {len(content)} bytes")


def differences(*, manifest_only: bool) -> list[str]:
    """Sentences, one for each file that is missing, unknown or not as it should be."""
    found = []
    for folder in COPIES:
        here = present(folder)
        if manifest_only:
            sums = json.loads(here.get(MANIFEST, b'{"sha256": {}}'))["sha256"]
            should = dict(sums)
            actual = {n: hashlib.sha256(c).hexdigest() for n, c in here.items() if n != MANIFEST}
        else:
            should = {n: hashlib.sha256(c).hexdigest() for n, c in wanted(folder).items()}
            actual = {n: hashlib.sha256(c).hexdigest() for n, c in here.items()}
        where = folder.relative_to(ROOT)
        if not should:
            found.append(f"{where}/{MANIFEST} is missing or empty")
        found += [f"{where}/{name} is missing" for name in sorted(should.keys() - actual.keys())]
        found += [f"{where}/{name} comes from no package" for name in sorted(actual.keys() - should.keys())]
        found += [
            f"{where}/{name} differs from its package"
            for name in sorted(should.keys() & actual.keys())
            if should[name] != actual[name]
        ]
    return found


def main(arguments: list[str]) -> int:
    """Run the script; the answer is the exit code."""
    manifest_only = "--manifest-only" in arguments
    if not manifest_only and not PACKAGES.is_dir():
        sys.exit("node_modules is missing: run `npm ci --ignore-scripts` first (or `make vendor`)")
    if manifest_only or "--check" in arguments:
        found = differences(manifest_only=manifest_only)
        for sentence in found:
            print(sentence, file=sys.stderr)
        if found:
            print("Run `make vendor` and commit what it wrote.", file=sys.stderr)
        else:
            print("Vendored files are as their packages have them.")
        return 1 if found else 0
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
