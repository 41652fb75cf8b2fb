"""What an import found and did: counts of each kind, and an error for each bad line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: Told of progress: the stage's name, and how much of it is done of how much (bytes or rows).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class LineError:
    """One thing wrong: the file, its line (1: the header, 0: the whole file), the column, what to do."""

    file: str
    line: int
    column: str
    message: str
    remedy: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "remedy": self.remedy,
        }

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line or "", self.column) if part != "")
        return f"{where}: {self.message} {self.remedy}".rstrip()


class FileRefused(Exception):
    """A file that cannot be read as a whole; nothing of the import is written, whatever the options."""

    def __init__(self, error: LineError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True)
class Counts:
    """How many of one kind. ``kept``: in the database, not in the file, and left as they are."""

    created: int = 0
    updated: int = 0
    disabled: int = 0
    unchanged: int = 0
    kept: int = 0

    def as_dict(self) -> dict[str, int]:
        """JSON-ready."""
        return {
            "created": self.created,
            "updated": self.updated,
            "disabled": self.disabled,
            "unchanged": self.unchanged,
            "kept": self.kept,
        }


@dataclass(slots=True)
class Report:
    """The outcome. ``written`` is False for a trial run and for an import that was refused."""

    people: Counts = field(default_factory=Counts)
    entities: Counts = field(default_factory=Counts)
    groups: Counts = field(default_factory=Counts)
    #: people whose photo is another now
    photos: int = 0
    errors: list[LineError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dry_run: bool = False
    written: bool = False
    #: refused as a whole, although single lines may be good
    refused: bool = False

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; the people's counts stand at the top too."""
        people = self.people.as_dict()
        return {
            "created": people["created"],
            "updated": people["updated"],
            "disabled": people["disabled"],
            "unchanged": people["unchanged"],
            "people": people,
            "entities": self.entities.as_dict(),
            "groups": self.groups.as_dict(),
            "photos": self.photos,
            "errors": [error.as_dict() for error in self.errors],
            "notes": list(self.notes),
            "dry_run": self.dry_run,
            "written": self.written,
        }
