"""Write a distribution's first migration anew from its models. Only before its first release: afterwards,
add revisions.

.venv/bin/python tools/first_migration.py core
.venv/bin/python tools/first_migration.py likes
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rse_core import migrate, models
from rse_core.db import Database
from rse_core.manager import PluginManager
from rse_core.revision import write_revision
from rse_core.settings import Settings

_SEEDS = """
    # Everybody's audience, and the version that every change of what decisions are made from counts up.
    audience = sa.table("rse_core_audience", sa.column("kind"), sa.column("target_id"))
    op.bulk_insert(audience, [{"kind": "everyone", "target_id": 0}])
    version = sa.table("rse_core_policy_version", sa.column("id"), sa.column("value"))
    op.bulk_insert(version, [{"id": 1, "value": 1}])
"""


def main(name: str) -> None:
    assert models is not None
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/empty.db")
        if name == migrate.CORE:
            directory = migrate.CORE_SCRIPTS
        else:
            manager = PluginManager(Settings(), db)
            manager.load()
            directory = manager.scripts()[name]
        old = list((Path(directory) / "versions").glob("0001_*.py"))
        kept = {path: path.read_bytes() for path in old}
        for path in old:
            path.unlink()
        try:
            written = write_revision(db, name, directory, "first tables")
        except BaseException:
            for path, content in kept.items():
                path.write_bytes(content)
            raise
        assert written is not None
        if name == migrate.CORE:
            written.write_text(written.read_text(encoding="utf-8").rstrip("\n") + "\n" + _SEEDS, encoding="utf-8")
        print(written)


if __name__ == "__main__":
    main(sys.argv[1])
