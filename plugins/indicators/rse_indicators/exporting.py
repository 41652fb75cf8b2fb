"""Figures as files: CSV and XLSX, with the definition beside the numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rse_core.api import translator

from .asking import denominator, source

if TYPE_CHECKING:
    from rse_core.api import Core

    from .asking import Table

_ = translator(__file__, "rse_indicators").gettext
COLUMNS = ("indicator", "by", "from", "to", "people", "key", "name", "numerator", "denominator", "rate", "suppressed")


def rows(table: Table) -> list[list[Any]]:
    """The figures in the order of :data:`COLUMNS`; None for a number that is not shown."""
    asked = table.asked
    return [
        [
            asked.indicator, asked.by, asked.first.isoformat(), asked.last.isoformat(), asked.people, row.key, row.name,
            row.figure.numerator, row.figure.denominator,
            None if row.figure.rate is None else round(row.figure.rate, 6), row.figure.suppressed,
        ]
        for row in table.rows
    ]  # fmt: skip


def as_csv(tables: Sequence[Table]) -> str:
    """Comma-separated, one line a figure."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for table in tables:
        for row in rows(table):
            writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    # A spreadsheet would run a cell that begins like a formula.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return "" if value is None else value


def as_xlsx(core: Core, tables: Sequence[Table]) -> bytes:
    """A workbook: one sheet of figures for each question, one of definitions."""
    import xlsxwriter

    out = io.BytesIO()
    # No text is ever taken for a formula, a number or an address.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        head, share = book.add_format({"bold": True}), book.add_format({"num_format": "0.0 %"})
        for number, table in enumerate(tables, 1):
            sheet = book.add_worksheet(f"{number} {table.asked.indicator}"[:31].translate(_FORBIDDEN))
            sheet.write_row(0, 0, COLUMNS, head)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(COLUMNS) - 1, 16)
            for line, row in enumerate(rows(table), 1):
                for column, value in enumerate(row):
                    if value is not None:
                        sheet.write(line, column, value, share if COLUMNS[column] == "rate" else None)
        words = book.add_worksheet(_("Definitions")[:31])
        words.write_row(0, 0, (_("Indicator"), _("Definition"), _("Of how many"), _("Source")), head)
        words.set_column(0, 3, 50)
        for line, name in enumerate(dict.fromkeys(table.asked.indicator for table in tables), 1):
            one = next(table.indicator for table in tables if table.asked.indicator == name)
            words.write_row(line, 0, (str(one.label), str(one.definition), denominator(one), source(core, one)))
    return out.getvalue()


_FORBIDDEN = {ord(sign): "_" for sign in "[]:*?/\\"}
