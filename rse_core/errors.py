"""Errors that name the thing and the remedy.

Every error that RSE raises on purpose derives from :class:`RseError`; its text is one or two whole sentences
that can be shown to the person who caused it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .decision import Decision
    from .i18n import Text


class RseError(Exception):
    """Something was refused or failed, with a sentence that says what and what to do.

    :param message: what happened, naming the thing.
    :param remedy: what to do about it; appended to the text.
    :param plugin: name of the plugin concerned, if one is.
    """

    status = 400
    code = "error"

    def __init__(self, message: str, *, remedy: str | None = None, plugin: str | None = None) -> None:
        self.message = str(message)
        self.remedy = None if remedy is None else str(remedy)
        self.plugin = plugin
        super().__init__(self.message if self.remedy is None else f"{self.message} {self.remedy}")


class ConfigError(RseError):
    """The configuration is wrong; names the key and the nearest known one."""

    status = 500
    code = "config"


class PluginError(RseError):
    """A plugin cannot be used; names the plugin and the remedy.

    ``reason`` and ``fix`` are the same two sentences, in the language of whoever reads them.
    """

    status = 500
    code = "plugin"

    def __init__(self, message: Text, *, remedy: Text | None = None, plugin: str | None = None) -> None:
        super().__init__(str(message), remedy=None if remedy is None else str(remedy), plugin=plugin)
        self.reason: Text = message
        self.fix: Text = remedy or ""


class BadInput(RseError):
    """What was sent cannot be taken. ``fields`` maps a field's name to its message."""

    status = 422
    code = "bad_input"

    def __init__(self, message: str, *, remedy: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.fields: dict[str, str] = dict(fields or {})


class NotFound(RseError):
    """No such thing, or none that this person may know of."""

    status = 404
    code = "not_found"


class SignInNeeded(RseError):
    """Nobody is signed in and the act needs a person."""

    status = 401
    code = "sign_in"


class Forbidden(RseError):
    """The act is refused; carries the :class:`~rse_core.decision.Decision` when there is one."""

    status = 403
    code = "forbidden"

    def __init__(self, message: str, *, decision: Decision | None = None, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.decision = decision


class Conflict(RseError):
    """The thing has changed since it was read (stale version), or is not in a state that allows the act.

    :param current: the state as it is now, JSON-ready; programs get it as ``current``, so that nothing need be asked again.
    """

    status = 409
    code = "conflict"

    def __init__(self, message: str, *, remedy: str | None = None, current: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.current = current


class TooMany(RseError):
    """A rate limit was reached; ``retry_after`` in seconds."""

    status = 429
    code = "too_many"

    def __init__(self, message: str, *, retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Undeliverable(RseError):
    """A message that left cannot reach this address, now or later; raised by a transport.

    :ivar address: the address itself is refused, not only this message.
    """

    status = 502
    code = "undeliverable"

    def __init__(self, message: str, *, address: bool = True) -> None:
        super().__init__(message)
        self.address = address
