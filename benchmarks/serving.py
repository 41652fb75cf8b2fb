"""Servers on this machine for a measurement, and clients that cost little: raw sockets, kept connections."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

WORKERS, THREADS = 2, 4
ROOT = Path(__file__).parents[1]


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Server:
    """A running server: its port, and the group of its processes."""

    port: int
    group: int

    def processor(self) -> float:
        """Seconds that its processes have spent on a processor so far, by the kernel's count."""
        ticks = 0
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
                    if int(fields[2]) == self.group:
                        ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(app: str, url: str, *, python: str = sys.executable, environ: Mapping[str, str] | None = None,
            cwd: Path = ROOT) -> Iterator[Server]:  # fmt: skip
    """gunicorn on a loopback port, with two processes of four threads; ended by its own process id.

    :param app: ``module:factory()``.
    """
    port = free_port()
    command = [
        python, "-m", "gunicorn", app, "--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), "--threads", str(THREADS),
        "--worker-class", "gthread", "--keep-alive", "60", "--log-level", "warning", "--timeout", "120",
    ]  # fmt: skip
    settings = {**os.environ, "RSE_BENCH_URL": url, **(environ or {})}
    process = subprocess.Popen(command, cwd=cwd, env=settings, start_new_session=True)
    try:
        _wait(port, process)
        yield Server(port, process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(15)


def _wait(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"gunicorn ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit("gunicorn did not answer")


@dataclass(frozen=True)
class Ask:
    """One request."""

    path: str
    person: str = ""

    def raw(self) -> bytes:
        """As it goes over the wire."""
        who = f"X-Bench-Person: {self.person}\r\n" if self.person else ""
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\nAccept-Language: fr\r\n{who}\r\n"
        ).encode()


class Client:
    """A kept connection; a new one when the server has closed it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket | None = None

    def get(self, ask: Ask) -> bytes:
        """The body of the answer.

        :raises SystemExit: for anything but 200.
        """
        raw = ask.raw()
        for _attempt in range(2):
            try:
                return self._get(raw, ask)
            except (ConnectionError, TimeoutError):
                self.close()
        raise SystemExit(f"{ask.path}: the server closed the connection")

    def _get(self, raw: bytes, ask: Ask) -> bytes:
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), 120)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(raw)
        answer = b""
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more()
        head = answer[:end].lower()
        at = head.find(b"content-length:")
        if not head.startswith(b"http/1.1 200") or at < 0:
            raise SystemExit(f"{ask.person} {ask.path}: {answer[:600].decode(errors='replace')}")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        parts, have = [answer[end + 4 :]], len(answer) - end - 4
        while have < length:
            parts.append(self._more())
            have += len(parts[-1])
        if b"\r\nconnection: close" in head:
            self.close()
        return b"".join(parts)

    def _more(self) -> bytes:
        if self.socket is None:
            raise ConnectionError
        found = self.socket.recv(262_144)
        if not found:
            raise ConnectionResetError
        return found

    def close(self) -> None:
        """Let the connection go."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None


@dataclass(frozen=True)
class Figures:
    """Milliseconds, requests a second (median of the rounds), and milliseconds of the server's processors a request.

    The last says what other programs on the machine hardly change; the database's own processes are not in it.
    """

    p50: float
    p99: float
    rate: float
    cpu: float


@dataclass
class Case:
    """One kind of request, and what was measured of it, by the number of clients."""

    name: str
    server: Server
    asks: Sequence[Ask]
    times: dict[int, list[float]] = field(default_factory=dict)
    rates: dict[int, list[float]] = field(default_factory=dict)
    spent: dict[int, float] = field(default_factory=dict)
    #: asks used so far: a case of first times never asks the same twice
    used: int = 0
    once: bool = False

    def run(self, clients: int, count: int) -> None:
        """Ask ``count`` times in all, by so many clients at once."""
        asks = [self._next() for _ in range(count)]
        found: list[list[float]] = [[] for _ in range(clients)]
        ready = threading.Barrier(clients + 1)

        def work(number: int) -> None:
            client, own = Client(self.server.port), asks[number::clients]
            ready.wait()
            for ask in own:
                began = time.perf_counter()
                client.get(ask)
                found[number].append((time.perf_counter() - began) * 1e3)
            client.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        processor = self.server.processor()
        ready.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        spent = time.perf_counter() - began
        self.spent[clients] = self.spent.get(clients, 0.0) + self.server.processor() - processor
        done = [time for some in found for time in some]
        if len(done) != count:
            raise SystemExit(f"{self.name}: {count - len(done)} requests failed")
        self.times.setdefault(clients, []).extend(done)
        self.rates.setdefault(clients, []).append(count / spent)

    def _next(self) -> Ask:
        if self.once and self.used >= len(self.asks):
            raise SystemExit(f"{self.name}: nobody is left who has not asked yet")
        ask = self.asks[self.used % len(self.asks)]
        self.used += 1
        return ask

    def forget(self) -> None:
        """Drop what was measured: it was for warming up."""
        self.times, self.rates, self.spent = {}, {}, {}

    def figures(self, clients: int) -> Figures:
        """See :class:`Figures`."""
        times = sorted(self.times[clients])
        return Figures(
            times[len(times) // 2], times[int(len(times) * 0.99)], statistics.median(self.rates[clients]),
            self.spent[clients] / len(times) * 1e3,
        )  # fmt: skip


def interleaved(cases: Sequence[Case], *, rounds: int, plan: Mapping[int, int], seed: int = 1) -> None:
    """Run every case in every round, in a different order each time, so that noise hits all alike.

    :param plan: number of clients → requests in one round.
    """
    rng = random.Random(seed)
    for _ in range(rounds):
        for clients, count in plan.items():
            for case in rng.sample(list(cases), len(cases)):
                case.run(clients, count)
