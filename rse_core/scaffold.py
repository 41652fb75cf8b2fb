"""The beginning of a plugin: a distribution of the same shape as the built-in ones, whose tests pass as written."""

from __future__ import annotations

import io
from importlib import resources
from pathlib import Path

from . import __version__
from .errors import BadInput, Conflict
from .i18n import _
from .plugin import Manifest

_FOLDER = "new_plugin"
_SUFFIX = ".tmpl"


def scaffold(name: str, into: Path, *, label: str | None = None) -> list[Path]:
    """Write ``<into>/rse-<name>``; the first path returned is its ``setup.cfg``.

    :param label: what people call it; by default its name.
    :raises PluginError: for a name that cannot be a plugin's.
    :raises Conflict: when the folder exists.
    """
    label = label or name.title()
    Manifest(name, label)
    if any(c in label for c in '"\\{}\n\r') or len(label) > 60:
        raise BadInput(_("The label “%(label)s” cannot be used.", label=label), remedy=_("Use up to 60 plain characters."))
    folder = into / f"rse-{name}"
    if folder.exists():
        raise Conflict(_("%(folder)s exists.", folder=folder), remedy=_("Choose another name or place."))
    values = {"@name@": name, "@Name@": name.title(), "@label@": label, "@core@": _supported(__version__)}
    written = []
    source = Path(str(resources.files("rse_core.testing") / _FOLDER))
    for template in sorted(source.rglob(f"*{_SUFFIX}")):
        target = folder / _target(template.relative_to(source), name)
        text = template.read_text(encoding="utf-8")
        for mark, value in values.items():
            text = text.replace(mark, value)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        written.append(target)
        if target.suffix == ".po":
            written.append(_compiled(target))
    return sorted(written, key=lambda path: (path.name != "setup.cfg", path))


def _target(path: Path, name: str) -> Path:
    parts = [f"rse_{name}" if part == "package" else part for part in path.parts]
    parts[-1] = parts[-1].removesuffix(_SUFFIX)
    if parts[-1] == "slot.html":
        parts[-1:] = ["rse", name, "slot.html"]
    elif parts[-1] == "messages.po":
        parts[-1:] = ["fr", "LC_MESSAGES", f"rse_{name}.po"]
    elif parts[-1] == "test_plugin.py":
        parts[-1] = f"test_{name}.py"
    return Path(*parts)


def _compiled(source: Path) -> Path:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as file:
        catalogue = read_po(file, locale="fr")
    content = io.BytesIO()
    write_mo(content, catalogue)
    target = source.with_suffix(".mo")
    target.write_bytes(content.getvalue())
    return target


def _supported(version: str) -> str:
    """The releases of the core that a plugin made for this one goes with: ``0.1,<0.2``."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return f"{major}.{minor},<{major}.{minor + 1}" if major == 0 else f"{major}.{minor},<{major + 1}"
