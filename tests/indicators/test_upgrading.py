"""A site that has counted before: its months know their days after the upgrade, and what was finished stays shown."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

from sqlalchemy import select, text

from rse_core import migrate
from rse_core.db import Database
from rse_core.models.indicators import IndicatorMonth, PresenceMonth

SCRIPTS = Path(migrate.__file__).parent / "migrations"


def test_days_of_months_are_filled_in_and_finished_months_stay_finished(rse_database, tmp_path):
    before = tmp_path / "before"
    shutil.copytree(SCRIPTS, before)
    for script in (before / "versions").glob("*.py"):
        if script.name[:4].isdecimal() and int(script.name[:4]) > 11:
            script.unlink()
    db = Database(rse_database.empty())
    try:
        migrate.run_scripts(db, "core", before)
        seen = [("2026-01-01", 7, 1), ("2026-01-31", 7, 3), ("2026-01-12", 7, 2), ("2026-02-28", 7, 1), ("2026-01-05", 8, 2)]
        with db.write() as session:
            for day, who, bits in seen:
                session.execute(text(f"INSERT INTO rse_core_presence VALUES ('{day}', {who}, {bits}, 1)"))
            for month, who in (("2026-01-01", 7), ("2026-02-01", 7), ("2026-01-01", 8)):
                session.execute(text(f"INSERT INTO rse_core_presence_month VALUES ('{month}', {who}, 3, 1)"))
            cell = "'2026-01-01', 'site', 'habit', 'all', '', 1, 2, 10, true, '{}'"
            session.execute(text(f"INSERT INTO rse_core_indicator_cell VALUES ({cell})"))
        migrate.run_scripts(db, "core", SCRIPTS)
        with db.read() as session:
            rows = {(row.month, row.who): row.days for row in session.scalars(select(PresenceMonth))}
            finished = [(row.month, row.indicator, row.waves) for row in session.scalars(select(IndicatorMonth))]
    finally:
        db.dispose()
    january, february = dt.date(2026, 1, 1), dt.date(2026, 2, 1)
    assert rows == {(january, 7): 1 | 1 << 30, (february, 7): 1 << 27, (january, 8): 0}
    assert finished == [(january, "habit", "")]
