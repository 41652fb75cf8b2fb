"""How long the import of a large organisation takes: the first time, again with nothing changed, and with a hundred moves.

``python -m benchmarks.people_import [PEOPLE] [sqlite|postgres]`` (75,000 on SQLite unless said otherwise; PostgreSQL where
``RSE_BENCH_POSTGRES_URL`` points, else the local one). Prints seconds of the clock and of the processor.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rse_example_intranet.organisation import OrganisationFiles, generate_organisation
from sqlalchemy import create_engine, make_url, text

from rse_core import importer
from rse_core.audit import Actor
from rse_core.db import Database
from rse_core.migrate import upgrade
from rse_core.runtime import Core
from rse_core.settings import Settings

PEOPLE, ENTITIES = 75_000, 156
SERVER = os.environ.get("RSE_BENCH_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The address of a database of its own."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.db'}"
        return
    name = f"rse_bench_{secrets.token_hex(4)}"
    server = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        server.dispose()


def run(db: Database, files: OrganisationFiles, label: str) -> None:
    """Import once and print what it took."""
    clock, processor = time.perf_counter(), time.process_time()
    parsed = importer.read(files.people, files.entities, files.groups)
    reading = time.perf_counter() - clock
    with db.write() as session:
        report = importer.run(session, parsed, actor=Actor("benchmark"))
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    counts = ", ".join(f"{count} {name}" for name, count in report.people.as_dict().items() if count)
    print(f"{label:<24} {clock:7.1f} s  (reading {reading:.1f}, processor {processor:.1f})  {counts}")
    if report.errors:
        sys.exit(f"{len(report.errors)} errors, first: {report.errors[0]}")


def move_some(files: OrganisationFiles, count: int) -> None:
    """Give the first ``count`` people after the root another telephone number."""
    lines = files.people.read_text(encoding="utf-8").splitlines(keepends=True)
    place = lines[0].rstrip().split(",").index("phone")
    for number in range(2, 2 + count):
        cells = lines[number].rstrip("\r\n").split(",")
        cells[place] = f"01 00 {number:06}"
        lines[number] = ",".join(cells) + "\n"
    files.people.write_text("".join(lines), encoding="utf-8")


def main() -> None:
    """Run the three imports."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    kind = sys.argv[2] if len(sys.argv) > 2 else "sqlite"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = generate_organisation(folder, people=people, entities=min(ENTITIES, people))
        with database(kind, folder) as url:
            core = Core(Settings.load({}, database_url=url), plugins=[])
            try:
                upgrade(core)
                print(f"{people} people, {kind}, load of the machine {os.getloadavg()[0]:.1f}")
                run(core.db, files, "first import")
                run(core.db, files, "nothing changed")
                move_some(files, 100)
                run(core.db, files, "a hundred changes")
            finally:
                core.close()


if __name__ == "__main__":
    main()
