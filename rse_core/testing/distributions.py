"""Distributions made on the spot, so that discovery is exercised as it is with installed ones."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from .. import db


def plugin_source(name: str, hooks: str = "", *, before: str = "", manifest: str = "") -> str:
    """The source of a plugin.

    :param hooks: the body of its class: methods with ``@hookimpl``.
    :param before: what stands above the class.
    :param manifest: further arguments of its manifest, ``requires=("likes",)``.
    """
    lines = [textwrap.dedent(before), "class It(Plugin):"]
    lines.append(f'    manifest = Manifest("{name}", "{name.title()}"{", " if manifest else ""}{manifest})')
    lines.append(textwrap.indent(textwrap.dedent(hooks).strip("\n"), "    "))
    return "\n".join([*lines, "", "plugin = It()", ""])


def migration_source(body: str, *, revision: str = "0001", down: str | None = None) -> str:
    """The source of a migration whose ``upgrade`` is ``body``, with ``op`` and ``sa`` at hand."""
    head = f"import sqlalchemy as sa\nfrom alembic import op\n\nrevision = {revision!r}\ndown_revision = {down!r}\n\n"
    return head + "def upgrade():\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"


class Distributions:
    """Writes packages with their ``dist-info`` into a folder on ``sys.path``; forgets them all at the end.

    :param folder: an empty folder.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._modules: set[str] = set()
        self._tables = set(db.metadata.tables)
        monkeypatch.syspath_prepend(folder)

    def add(
        self,
        name: str,
        source: str = "",
        *,
        module: str | None = None,
        distribution: str | None = None,
        version: str = "1.0",
        requires: Iterable[str] = ("rse-core>=0.1,<0.2",),
        files: Mapping[str, str] | None = None,
        entry_point: str | None = None,
    ) -> Path:
        """Write one distribution that brings one plugin.

        :param name: the entry point's name.
        :param source: the package's ``__init__.py``; it sees the names of ``rse_core.api``.
        :param files: further files of the package, by relative path.
        :param entry_point: ``module:object``; by default ``<module>:plugin``.
        :returns: the package's folder.
        """
        module = module or f"kit_{name}"
        distribution = distribution or f"kit-{name}"
        package = self.folder / module
        package.mkdir()
        header = "from __future__ import annotations\nfrom rse_core.api import *\n"
        (package / "__init__.py").write_text(header + textwrap.dedent(source), encoding="utf-8")
        for path, text in (files or {}).items():
            target = package / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(textwrap.dedent(text), encoding="utf-8")
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {distribution}", f"Version: {version}"]
        lines += [f"Requires-Dist: {line}" for line in requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
        point = entry_point or f"{module}:plugin"
        (info / "entry_points.txt").write_text(f"[rse.plugins]\n{name} = {point}\n", encoding="utf-8")
        self._modules.add(module)
        importlib.invalidate_caches()
        return package

    def add_plugin(self, name: str, hooks: str = "", *, before: str = "", manifest: str = "", **options: Any) -> Path:
        """Write a distribution whose plugin has these hooks; see :func:`plugin_source` and :meth:`add`."""
        return self.add(name, plugin_source(name, hooks, before=before, manifest=manifest), **options)

    def add_with_table(self, name: str, table: str, migration: str, **options: Any) -> Path:
        """Write a distribution whose plugin has one table with an ``id``, and one migration."""
        before = f"""
            from pathlib import Path
            from sqlalchemy.orm import Mapped, mapped_column

            Base = plugin_base("{name}")

            class Thing(Base):
                __tablename__ = "{table}"
                id: Mapped[int] = mapped_column(Key, primary_key=True)
        """
        hooks = """
            @hookimpl
            def rse_models(self):
                return [Base]

            @hookimpl
            def rse_migrations(self):
                return Migrations(Path(__file__).parent / "migrations")
        """
        files = {"migrations/versions/0001_first.py": migration_source(migration)}
        source = plugin_source(name, hooks, before=textwrap.dedent(before) + options.pop("after", ""))
        return self.add(name, source, files=files, **options)

    def imported(self, module: str) -> bool:
        """Whether a package has been imported."""
        return module in sys.modules

    def forget(self) -> None:
        """Take the packages out of the process, with the tables that they defined."""
        for name in list(sys.modules):
            if name.partition(".")[0] in self._modules:
                del sys.modules[name]
        for table in [t for n, t in db.metadata.tables.items() if n not in self._tables]:
            db.metadata.remove(table)
        importlib.invalidate_caches()
