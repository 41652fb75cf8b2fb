"""A real Active Directory domain controller for tests: Samba, in a folder of its own, on an address of this machine alone.

Its ports are fixed (389 and 636 among them), so that it takes an address of the loopback network that nothing else uses, and
is started by root only.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

DOMAIN, BASE = "INTRANET", "DC=intranet,DC=test"
ADMIN, PASSWORD = f"CN=Administrator,CN=Users,{BASE}", "Xk3-marguerite-92"
_SETTINGS = (
    "ldap server require strong auth = no", "pid directory = {folder}/run", "ncalrpc dir = {folder}/ncalrpc",
    "winbindd socket directory = {folder}/winbindd", "log file = {folder}/log",
)  # fmt: skip


def _program() -> str | None:
    """Debian keeps it where only root's PATH looks."""
    return shutil.which("samba", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def missing() -> str:
    """What keeps it from running here; "" when nothing does."""
    if shutil.which("samba-tool") is None or _program() is None:
        return "samba is not installed"
    if not Path("/usr/share/samba/setup/ad-schema").is_dir():
        return "samba-ad-provision is not installed"
    return "" if os.geteuid() == 0 else "samba takes the ports of a directory, which root alone may"


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """A new domain, until the block ends; gives the address. It is ended by its own process id."""
    address = f"127.{random.randrange(64, 128)}.{random.randrange(256)}.{random.randrange(1, 255)}"
    _provision(folder, address)
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [str(_program()), "-i", "-M", "single", "-s", f"{folder}/etc/smb.conf"],
            stdout=out, stderr=out, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection((address, 389), 1):
                break
            if process.poll() is not None:
                raise RuntimeError((folder / "out").read_text("utf-8", "replace"))
            time.sleep(0.1)
        yield f"ldap://{address}"
    finally:
        process.terminate()
        process.wait(30)


def _provision(folder: Path, address: str) -> None:
    done = subprocess.run(
        [
            "samba-tool", "domain", "provision", "--realm=INTRANET.TEST", f"--domain={DOMAIN}", "--server-role=dc",
            "--dns-backend=NONE", f"--adminpass={PASSWORD}", f"--targetdir={folder}", "--host-name=dc1",
            f"--host-ip={address}", f"--option=interfaces={address}/8", "--option=bind interfaces only=yes",
            "--option=server services=ldap,kdc,drepl", "--option=vfs objects=",
        ],
        capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    for name in ("run", "ncalrpc", "winbindd"):
        (folder / name).mkdir(exist_ok=True)
    conf = folder / "etc/smb.conf"
    lines = "\n".join(_SETTINGS).format(folder=folder)
    conf.write_text(conf.read_text("utf-8").replace("[global]\n", f"[global]\n{lines}\n", 1), "utf-8")
