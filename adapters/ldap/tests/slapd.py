"""Running OpenLDAP for tests and measurements, and a way to it that breaks."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

BASE, PASSWORD = "dc=intranet,dc=example", "for a test only"
ADMIN = f"cn=admin,{BASE}"
_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload refint
pidfile {folder}/pid
argsfile {folder}/args
sizelimit size.soft=500 size.hard=500 size.prtotal=unlimited
{tls}
database mdb
maxsize 4294967296
suffix "{base}"
rootdn "{admin}"
rootpw "{password}"
directory {folder}/db
index objectClass,uid,entryUUID,modifyTimestamp,manager eq
overlay refint
refint_attributes member manager
"""
_SEED = """dn: {base}
objectClass: dcObject
objectClass: organization
dc: intranet
o: Intranet

"""


def program(name: str = "slapd") -> str | None:
    """Where a program of the server is; Debian keeps them where only root's PATH looks."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def prepare(folder: Path, ldif: str = "", *, tls: str = "") -> None:
    """Configure a server in this folder and load its first entries."""
    (folder / "db").mkdir(parents=True)
    config = _CONFIG.format(folder=folder, base=BASE, admin=ADMIN, password=PASSWORD, tls=tls)
    (folder / "slapd.conf").write_text(config, "utf-8")
    (folder / "seed.ldif").write_text(_SEED.format(base=BASE) + ldif, "utf-8")
    subprocess.run(
        [str(program("slapadd")), "-q", "-f", str(folder / "slapd.conf"), "-l", str(folder / "seed.ldif")],
        check=True, capture_output=True,
    )  # fmt: skip


@contextlib.contextmanager
def running(folder: Path, ldif: str = "", *, tls: str = "", scheme: str = "ldap"):
    """The server, until the block ends; ended by its own process id."""
    prepare(folder, ldif, tls=tls)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"{scheme}://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(program()), "-f", str(folder / "slapd.conf"), "-h", f"{url}/", "-d", "0"], stdout=log, stderr=log
        )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None:
                raise RuntimeError((folder / "log").read_text("utf-8", "replace"))
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(15)


class Cutting:
    """Passes bytes on to a port, and breaks the first connections after so many bytes of answers."""

    def __init__(self, port: int, *, after: int, times: int) -> None:
        self._target, self._after, self._times = port, after, times
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        #: connections so far
        self.seen = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self.seen += 1
            budget = self._after if self.seen <= self._times else None
            server = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._both, args=(client, server, budget), daemon=True).start()

    def _both(self, client: socket.socket, server: socket.socket, budget: int | None) -> None:
        asking = threading.Thread(target=self._pass, args=(client, server, None), daemon=True)
        asking.start()
        self._pass(server, client, budget)
        asking.join(10)
        client.close()
        server.close()

    def _pass(self, source: socket.socket, target: socket.socket, budget: int | None) -> None:
        left = budget
        with contextlib.suppress(OSError):
            while True:
                some = source.recv(4096)
                if left is not None:
                    some = some[:left]
                    left -= len(some)
                if not some:
                    break
                target.sendall(some)
                if left == 0:
                    break
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let nobody in any more."""
        self._listener.close()
