"""Run-time calls, one implementation at a time: an error is logged with the plugin's name and harms nobody
else.

An implementation that fails :data:`LIMIT` times within :data:`WITHIN` seconds is muted for :data:`MUTED`
seconds: it is
not called at all, so that a slow or noisy failure cannot drag every page down.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

log = logging.getLogger("rse.plugins")

LIMIT = 5
WITHIN = 60.0
MUTED = 60.0


class Breaker:
    """Counts failures per (plugin, hook) and mutes those that keep failing. Safe to share between threads.

    :param clock: a monotonic clock in seconds; tests hand in their own.
    """

    def __init__(
        self,
        *,
        limit: int = LIMIT,
        within: float = WITHIN,
        muted: float = MUTED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit, self.within, self.muted_for, self.clock = limit, within, muted, clock
        self._failures: dict[tuple[str, str], deque[float]] = {}
        self._until: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def is_muted(self, plugin: str, hook: str) -> bool:
        """Whether this implementation must not be called now."""
        # No lock on the common path: nothing is muted.
        if not self._until:
            return False
        until = self._until.get((plugin, hook))
        if until is None:
            return False
        if self.clock() < until:
            return True
        with self._lock:
            self._until.pop((plugin, hook), None)
        log.warning("plugin %s: %s is called again", plugin, hook)
        return False

    def failed(self, plugin: str, hook: str) -> None:
        """Note a failure that has just been logged; mute the implementation when there were too many."""
        key, now = (plugin, hook), self.clock()
        with self._lock:
            failures = self._failures.setdefault(key, deque())
            failures.append(now)
            while failures and failures[0] <= now - self.within:
                failures.popleft()
            if len(failures) < self.limit:
                return
            failures.clear()
            self._until[key] = now + self.muted_for
        log.error(
            "plugin %s: %s failed %d times within %.0f s and is muted for %.0f s",
            plugin, hook, self.limit, self.within, self.muted_for,
        )  # fmt: skip

    def muted(self, plugin: str) -> dict[str, float]:
        """Hooks of this plugin that are muted, with the seconds that remain."""
        now = self.clock()
        return {hook: until - now for (name, hook), until in list(self._until.items()) if name == plugin and until > now}


class Implementation:
    """One plugin's implementation of one hook."""

    __slots__ = ("argnames", "function", "hook", "plugin")

    def __init__(self, plugin: str, hook: str, function: Callable[..., Any], argnames: tuple[str, ...]) -> None:
        self.plugin, self.hook, self.function, self.argnames = plugin, hook, function, argnames

    def __call__(self, **values: Any) -> Any:
        return self.function(*[values[name] for name in self.argnames])
