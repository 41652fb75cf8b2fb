"""The answer of ``can()``: a Decision with its reason and its trail."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from .i18n import Text


class Reason(enum.StrEnum):
    """Stable reason codes; part of the public surface."""

    OK = "ok"
    LEVEL = "level"
    ROLE = "role"
    ARCHIVED = "archived"
    CHARTER = "charter"
    SUSPENDED = "suspended"
    PLUGIN_OFF = "plugin_off"
    DENIED = "denied"
    UNKNOWN_PERSON = "unknown_person"
    UNKNOWN_CAPABILITY = "unknown_capability"
    UNKNOWN_OBJECT = "unknown_object"


class Mode(enum.StrEnum):
    """What becomes of a thing written: shown at once, or held until a moderator approves."""

    OPEN = "open"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was looked at: its name, what it found, and whether it lets the act pass."""

    rule: str
    passed: bool
    detail: Mapping[str, Any] = field(default_factory=dict)


class Trail(Sequence[Step]):
    """A trail that is made when it is first looked at: most decisions are acted on and never explained."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], Sequence[Step]]) -> None:
        self._make = make

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | Sequence[Step]:
        return self._make()[index]

    def __iter__(self) -> Iterator[Step]:
        return iter(self._make())

    def __len__(self) -> int:
        return len(self._make())

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, (tuple, Trail)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Decision:
    """May this person do this, here, now?

    ``allowed`` and ``mode`` are what code acts on; ``reason`` is stable; ``message`` is a sentence for the person, in
    their language; ``opens_at`` is when a dated level will allow it; ``trail`` lists every rule looked at.
    """

    allowed: bool
    mode: Mode
    reason: Reason
    message: Text
    effective_level: int | None = None
    required_level: int | None = None
    opens_at: dt.datetime | None = None
    trail: Sequence[Step] = ()

    def __bool__(self) -> bool:
        return self.allowed

    def as_dict(self) -> dict[str, Any]:
        """As printed by ``rse explain --json`` and answered by the REST resource ``decisions``."""
        return {
            "allowed": self.allowed,
            "mode": str(self.mode),
            "reason": str(self.reason),
            "message": str(self.message),
            "effective_level": self.effective_level,
            "required_level": self.required_level,
            "opens_at": self.opens_at.isoformat() if self.opens_at else None,
            "trail": [{"rule": s.rule, "passed": s.passed, **s.detail} for s in self.trail],
        }
