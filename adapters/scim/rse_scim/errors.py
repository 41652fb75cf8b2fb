"""What the core refuses, as the errors of RFC 7644 (3.12)."""

from __future__ import annotations

from scim2_models import InvalidValueException, SCIMException, UniquenessException

from rse_core.api import Conflict, RseError, TooMany


class TooManyRequests(SCIMException):
    """429: a limit was reached; try again in ``retry_after`` seconds."""

    status = 429
    _default_detail = "Too many requests"

    def __init__(self, detail: str, *, retry_after: int = 60) -> None:
        super().__init__(detail=detail)
        self.retry_after = retry_after


class TooLarge(SCIMException):
    """413 for any request, not only a bulk one."""

    status = 413
    _default_detail = "The request is too large"


def as_scim(error: RseError) -> SCIMException:
    """The error of the protocol for one of the core; the sentence stays."""
    if isinstance(error, TooMany):
        return TooManyRequests(str(error), retry_after=error.retry_after)
    if isinstance(error, Conflict):
        return UniquenessException(detail=str(error))
    return InvalidValueException(detail=str(error))
