"""What putting RSE into a page costs: the WSGI middleware beside the bare application, python-lolhtml and
nginx.

A page of 100 KB like a stock WordPress's. Microseconds a page, median of interleaved rounds, so that a busy
machine slows all alike; and requests a second through nginx, passing and with the printed configuration.

    python -m benchmarks.injection
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import lolhtml

from rse_host.configs import Site, nginx
from rse_host.middleware import HostMiddleware, script_tag
from rse_host.rewriter import Fragment, default_rewriters

ROUNDS, CALLS = 15, 60
FRAGMENT = "<section><h2>Comments</h2><p>No comment yet.</p></section>"


def make_page(size: int = 100_000) -> bytes:
    """A page with a head of some 18 KB (links, metas, inline styles and scripts) and ``size`` bytes in all."""
    link = '<link rel="stylesheet" id="s{0}-css" href="http://intranet.example/wp-content/{0}.css?ver=6.1" media="all" />\n'
    head = (
        '<!DOCTYPE html>\n<html lang="fr-FR">\n<head>\n<meta charset="UTF-8" />\n<title>Télétravail</title>\n'
        + "".join(link.format(number) for number in range(20))
        + "<style>"
        + "body{--wp--preset--color--black:#000;--wp--preset--gap:1px}\n" * 180
        + "</style>\n<script>\n"
        + 'if (a < b) { document.documentElement.className += " js"; }\n' * 30
        + "</script>\n"
        + '<meta name="generator" content="WordPress 6.1" />\n' * 8
        + '</head>\n<body class="single postid-42">\n<article><h1 class="entry-title">Télétravail</h1>\n'
    )
    paragraph = "<p>Bonjour &agrave; tous, encore un paragraphe d’<em>actualité</em>.</p>\n"
    count = (size - len(head.encode())) // len(paragraph.encode())
    return (head + paragraph * count + "</article></body></html>").encode()


class _Once:
    def __init__(self, where: str, html: str) -> None:
        self.where, self.html, self.done = where, html, False

    def element(self, element: Any) -> None:
        if not self.done:
            self.done = True
            getattr(element, self.where)(self.html, lolhtml.ContentType.HTML)


def bare_lolhtml(page: bytes) -> bytes:
    """What one would write with python-lolhtml alone: the script and one fragment."""
    out = bytearray()
    rewriter = lolhtml.HTMLRewriter(out.extend)
    rewriter.on("head", _Once("append", script_tag()))
    rewriter.on("h1.entry-title", _Once("after", FRAGMENT))
    rewriter.write(page)
    rewriter.end()
    return bytes(out)


def through(app: Any) -> bytes:
    """One request through a WSGI application."""
    environ = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/note", "QUERY_STRING": "",
        "HTTP_ACCEPT": "text/html,*/*;q=0.8", "HTTP_ACCEPT_ENCODING": "gzip, deflate",
    }  # fmt: skip
    return b"".join(app(environ, lambda status, headers, exc_info=None: lambda data: None))


def interleaved(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median microseconds of a call of each, measured in turns."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _round in range(ROUNDS):
        for name, work in works.items():
            for _call in range(CALLS):
                began = time.perf_counter_ns()
                work()
                taken[name].append((time.perf_counter_ns() - began) / 1000)
    return {name: statistics.median(some) for name, some in taken.items()}


def in_process(page: bytes) -> None:
    """Print microseconds a page."""
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page)))]

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [page]

    fragment = Fragment("h1.entry-title", "after", FRAGMENT)
    script = HostMiddleware(app)
    both = HostMiddleware(app, fragments=lambda environ: [fragment])
    if script_tag().encode() not in through(script) or FRAGMENT.encode() not in through(both):
        sys.exit("The middleware did not insert what it should.")
    if through(both).replace(script_tag().encode(), b"") != bare_lolhtml(page).replace(script_tag().encode(), b""):
        sys.exit("The middleware and python-lolhtml alone disagree.")
    works: dict[str, Callable[[], object]] = {
        "the application alone": lambda: through(app),
        "with the script": lambda: through(script),
        "with script and fragment": lambda: through(both),
        "python-lolhtml alone, the same": lambda: bare_lolhtml(page),
    }
    for rewriter in default_rewriters():
        works[f"the fragment by {rewriter.name}"] = lambda rewriter=rewriter: rewriter.place(page, (fragment,))  # type: ignore[misc]
    found = interleaved(works)
    for name, value in found.items():
        print(f"  {name:40}{value:9.1f} µs")
    base, lol = found["the application alone"], found["python-lolhtml alone, the same"]
    print(f"  {'the script adds':40}{found['with the script'] - base:9.1f} µs   (aim: under 60)")
    print(
        f"  {'script and fragment / python-lolhtml':40}{found['with script and fragment'] / lol:9.2f}     (aim: under 1.3)"
    )


def rate(port: int, seconds: float = 3.0, connections: int = 4) -> float:
    """Requests a second over kept connections."""
    counts = [0] * connections
    until = time.perf_counter() + seconds

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.perf_counter() < until:
            connection.request("GET", "/note", headers={"Accept": "text/html"})
            connection.getresponse().read()
            counts[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def free_ports(count: int) -> list[int]:
    """Ports that nobody listened on a moment ago."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def through_nginx(page: bytes) -> None:
    """Print requests a second: a static intranet behind nginx, passed through and with our configuration."""
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    if not os.path.exists(binary):
        print("  nginx is not installed: left out")
        return
    with (
        tempfile.TemporaryDirectory(prefix="rse-bench-") as name,
        socket.socket() as one,
        socket.socket() as two,
        socket.socket() as three,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        ports = []
        for probe in (one, two, three):
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
        for probe in (one, two, three):
            probe.close()
        origin, plain, ours = ports
        (folder / "note").write_bytes(page)
        site = Site(
            server_name="_", listen=f"127.0.0.1:{ours}", upstream=f"http://127.0.0.1:{origin}", rse="http://127.0.0.1:9"
        )
        temporary = " ".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/log; events {{}}\n"
            f"http {{ access_log off; {temporary}\n"
            f"server {{ listen 127.0.0.1:{origin}; default_type text/html; root {folder}; }}\n"
            f"server {{ listen 127.0.0.1:{plain}; location / {{ proxy_pass http://127.0.0.1:{origin}; }} }}\n"
            f"{nginx(site)}\n}}\n"
        )
        process = subprocess.Popen([binary, "-e", f"{folder}/log", "-c", f"{folder}/nginx.conf"], start_new_session=True)
        try:
            time.sleep(1)
            passing, changing = rate(plain), rate(ours)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(10)
    print(f"  {'nginx, passing':40}{passing:9.0f} requests/s")
    print(f"  {'nginx, with rse host nginx':40}{changing:9.0f} requests/s   ({changing / passing:.2f} of it)")


def main() -> None:
    """Run all."""
    page = make_page()
    print(f"A page of {len(page):,} bytes, its head ends at {page.index(b'</head>'):,}; Python {sys.version.split()[0]}")
    in_process(page)
    through_nginx(page)


if __name__ == "__main__":
    main()
