"""Reading a CSV file line by line: its encoding, delimiter and header; cells trimmed, lines numbered.

UTF-8 with or without a byte order mark; comma, semicolon or tab; columns in any order. What makes the file
as a whole
unreadable raises :class:`FileRefused`; what is wrong with one line is noted and the line left out.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from ..i18n import _
from .report import FileRefused, LineError

DELIMITERS = (",", ";", "\t")
#: The most characters that a header is looked for in.
MAX_HEADER = 20_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff]")
#: Byte order marks of encodings that are not read; beginnings of files that are no text at all.
_FOREIGN = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK\x03\x04": "XLSX", b"\xd0\xcf\x11\xe0": "XLS"}


class Table:
    """One file of the import.

    :param columns: every column that it must have.
    :param optional: columns that may be missing; their cells come last.
    :param errors: where errors of single lines are noted.
    :param advance: told the bytes read so far.
    """

    def __init__(
        self,
        path: Path,
        columns: tuple[str, ...],
        errors: list[LineError],
        advance: Callable[[int], None] | None = None,
        optional: tuple[str, ...] = (),
    ) -> None:
        self.path, self.columns, self.errors, self.advance = path, columns, errors, advance
        self.optional = optional
        self.name = path.name
        #: the cells of each line that was left out; None where no cell can be trusted
        self.refused: list[list[str] | None] = []
        #: which of the optional columns the file has, once its rows are read
        self.extra: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line, cells in the order of ``columns``), trimmed and in Unicode's composed form.

        :raises FileRefused: when the file cannot be read on.
        """
        try:
            with self.path.open("rb") as raw:
                for mark, kind in _FOREIGN.items():
                    if raw.peek(4).startswith(mark):
                        raise FileRefused(self._foreign(kind))
                with io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
                    yield from self._rows(text, raw)
        except UnicodeDecodeError:
            raise FileRefused(self._bad_encoding()) from None
        except OSError as error:
            raise FileRefused(
                self.error(0, "", _("The file cannot be read: %(why)s.", why=error.strerror or error), "")
            ) from None

    def error(self, line: int, column: str, message: str, remedy: str) -> LineError:
        """An error in this file."""
        return LineError(self.name, line, column, message, remedy)

    def note(self, line: int, column: str, message: str, remedy: str) -> None:
        """Note an error of one line."""
        self.errors.append(self.error(line, column, message, remedy))

    def _rows(self, text: io.TextIOWrapper, raw: io.BufferedReader) -> Iterator[tuple[int, list[str]]]:
        head = text.readline(MAX_HEADER)
        if not head.strip():
            raise FileRefused(self.error(1, "", _("The file is empty."), self._header_remedy(",")))
        delimiter = self._delimiter(head)
        places = self._header(head, delimiter)
        width = len(places)
        self.extra = tuple(self._extra(head, delimiter))
        self.columns = (*self.columns, *self.extra)
        # Reading on from the text itself: the header has been taken already.
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        line = 2
        try:
            for cells in reader:
                if len(cells) == width:
                    row = self._clean(line, [cells[place].strip() for place in places])
                    if row is not None:
                        yield line, row
                elif any(cell.strip() for cell in cells):
                    self._bad_width(line, len(cells), delimiter)
                if self.advance is not None and line % 500 == 0:
                    self.advance(raw.tell())
                line = reader.line_num + 2
        except csv.Error as error:
            raise FileRefused(self._bad_quoting(line, str(error))) from None

    def _clean(self, line: int, row: list[str]) -> list[str] | None:
        joined = "".join(row)
        if _CONTROL.search(joined):
            for column, cell in zip(self.columns, row, strict=True):
                found = _CONTROL.search(cell)
                if found:
                    name = "NUL" if found[0] == "\x00" else f"U+{ord(found[0]):04X}"
                    message = _("The cell holds the control character %(name)s.", name=name)
                    self.note(line, column, message, _("Remove it."))
            self.refused.append(row)
            return None
        if not joined:
            return None
        if not joined.isascii() and not unicodedata.is_normalized("NFC", joined):
            row = [unicodedata.normalize("NFC", cell) for cell in row]
        return row

    def _delimiter(self, head: str) -> str:
        def known(delimiter: str) -> int:
            return len(set(self.columns).intersection(_names(head, delimiter)))

        return max(DELIMITERS, key=known)

    def _header(self, head: str, delimiter: str) -> list[int]:
        names = _names(head, delimiter)
        remedy = self._header_remedy(delimiter)
        missing = [column for column in self.columns if column not in names]
        extra = self._extra(head, delimiter)
        for name in names:
            if name not in (*self.columns, *extra):
                near = difflib.get_close_matches(name, missing, n=1, cutoff=0.5)
                message = _("The column “%(name)s” is unknown.", name=name[:80])
                hint = _("Did you mean “%(near)s”?", near=near[0]) if near else remedy
                raise FileRefused(self.error(1, name[:80], message, hint))
            if names.count(name) > 1:
                message = _("The column “%(name)s” stands twice in the header.", name=name)
                raise FileRefused(self.error(1, name, message, remedy))
        if missing:
            message = _("The column “%(name)s” is missing from the header.", name=missing[0])
            raise FileRefused(self.error(1, missing[0], message, remedy))
        return [names.index(column) for column in (*self.columns, *extra)]

    def _extra(self, head: str, delimiter: str) -> list[str]:
        names = _names(head, delimiter)
        return [column for column in self.optional if column in names]

    def _header_remedy(self, delimiter: str) -> str:
        return _("The first line must be: %(header)s", header=delimiter.join(self.columns))

    def _bad_width(self, line: int, count: int, delimiter: str) -> None:
        message = _("The line has %(count)s cells instead of %(width)s.", count=count, width=len(self.columns))
        remedy = _("Write one cell for each column; put a text that holds “%(sign)s” in double quotes.")
        self.note(line, "", message, remedy % {"sign": "tab" if delimiter == "\t" else delimiter})
        self.refused.append(None)

    def _bad_quoting(self, line: int, why: str) -> LineError:
        if "field larger" in why:
            message = _("A cell of this line is longer than %(count)s characters.", count=csv.field_size_limit())
            return self.error(line, "", message, _("Check that every double quote is closed."))
        if "unexpected end" in why:
            message = _("A double quote that is opened on this line is never closed.")
            return self.error(line, "", message, _("Close it, or write it twice inside a quoted text."))
        message = _("The line is not well-formed CSV (%(why)s).", why=why)
        return self.error(line, "", message, _("Write a double quote inside a quoted text twice."))

    def _foreign(self, kind: str) -> LineError:
        if kind.startswith("XLS"):
            message = _("The file is a workbook (%(kind)s), not a CSV file.", kind=kind)
        else:
            message = _("The file is written in %(kind)s, not in UTF-8.", kind=kind)
        return self.error(1, "", message, _("Save it as “CSV UTF-8”."))

    def _bad_encoding(self) -> LineError:
        with self.path.open("rb") as raw:
            for line, content in enumerate(raw, start=1):
                try:
                    content.decode("utf-8")
                except UnicodeDecodeError as error:
                    near = content[max(0, error.start - 20) : error.end + 20].decode("latin-1").strip()
                    message = _("The line is not UTF-8 (near “%(near)s”).", near=near)
                    remedy = _(
                        "Save it as “CSV UTF-8”, or convert it: iconv -f ISO-8859-15 -t UTF-8 %(name)s > new.csv",
                        name=self.name,
                    )
                    return self.error(line, "", message, remedy)
        return self.error(0, "", _("The file is not UTF-8."), _("Save it as “CSV UTF-8”."))


def _names(head: str, delimiter: str) -> list[str]:
    try:
        cells = next(csv.reader([head], delimiter=delimiter))
    except (csv.Error, StopIteration):
        return []
    return [cell.strip().lower() for cell in cells]
