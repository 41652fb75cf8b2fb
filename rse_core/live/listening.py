"""Hearing what other processes say: one connection that listens, made again whenever it is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

from . import CHANNEL

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger("rse.live")
#: By this name the database lists the processes that listen; ``rse doctor`` looks for it.
NAME = "rse-live"
#: Seconds of silence after which the server is asked whether it is still there, and longest wait before another try.
SILENCE, PATIENCE = 10.0, 15.0
OPTIONS: dict[str, Any] = {
    "application_name": NAME, "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}  # fmt: skip


class Listener:
    """A thread that listens to PostgreSQL.

    :param heard: called with the topics that were said.
    :param state: called with True once it listens (what was said before may have been missed), False when it no longer does.
    """

    def __init__(self, url: str, heard: Callable[[Iterable[str]], None], state: Callable[[bool], None]) -> None:
        self._url = make_url(url)
        self._heard, self._state = heard, state
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rse-listen", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, within a second."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        tries = 0
        while not self._stop.is_set():
            try:
                connection = self._connect()
                try:
                    tries = 0
                    self._state(True)
                    log.info("listening to the database")
                    self._listen(connection)
                finally:
                    connection.close()
            except Exception as error:  # isolation point: whatever happened to the connection, another is made
                log.warning("not listening: %s", str(error).splitlines()[0] if str(error) else type(error).__name__)
            self._state(False)
            tries += 1
            self._stop.wait(min(0.25 * 2**tries, PATIENCE))

    def _connect(self) -> psycopg.Connection[Any]:
        import psycopg

        # As SQLAlchemy reads the address, without its pool: this connection is kept for good.
        given, named = self._url.get_dialect()().create_connect_args(self._url)
        connection: psycopg.Connection[Any] = psycopg.connect(*given, **{**named, **OPTIONS}, autocommit=True)
        connection.execute(f"LISTEN {CHANNEL}")
        return connection

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        silent = time.monotonic()
        while not self._stop.is_set():
            said: dict[str, None] = {}
            for notice in connection.notifies(timeout=1.0, stop_after=1):
                said.update(dict.fromkeys(notice.payload.split("\n")))
            if said:
                self._heard(said)
                silent = time.monotonic()
            elif time.monotonic() - silent > SILENCE:
                connection.execute("SELECT 1")
                silent = time.monotonic()
