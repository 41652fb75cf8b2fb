"""Where the bytes of files are kept: a port, and a folder of this machine (or one that all servers share).

A file is written under another name, made durable, and renamed; then its row is committed. A crash leaves at worst bytes
without a row, which the job ``core.files_sweep`` removes.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from sqlalchemy import make_url

from .errors import ConfigError, NotFound
from .i18n import _
from .settings import Settings

#: ``<key>`` or ``<key>.<size>``; the key is 40 hexadecimal digits.
NAME = re.compile(r"[0-9a-f]{40}(\.[a-z]{1,10})?\Z")
PARTS = 256
#: Pictures are kept by size: longest side in pixels, by the name of the size.
SIZES = {"small": 320, "medium": 960, "large": 1920}


class FileStore(Protocol):
    """Keeps bytes by name. Names are :data:`NAME`; bytes never change under a name."""

    def put(self, name: str, data: bytes) -> None:
        """Keep these bytes durably; the name holds nothing yet, or the same."""

    def path(self, name: str) -> Path:
        """A file of this machine with these bytes.

        :raises NotFound: when there are none.
        """
        ...

    def remove(self, name: str) -> None:
        """Forget them; nothing when there are none."""

    def kept(self, part: int) -> Iterator[tuple[str, dt.datetime]]:
        """The names in one of :data:`PARTS` equal parts of the store, with the time they were written."""
        ...


class LocalFiles:
    """A :class:`FileStore` in a folder: ``ab/cd/<name>``.

    :param folder: made when it does not exist, and kept from other users of the machine.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, data: bytes) -> None:
        place = self._place(name)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        written = place.with_name(f".{name}.{secrets.token_hex(4)}")
        try:
            with open(written, "xb") as stream:
                os.chmod(written, 0o600)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(written, place)
            _sync_folder(place.parent)
        finally:
            written.unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        place = self._place(name)
        if not place.is_file():
            raise NotFound(_("Nothing stands at this address, or nothing that you may see."))
        return place

    def remove(self, name: str) -> None:
        self._place(name).unlink(missing_ok=True)

    def kept(self, part: int) -> Iterator[tuple[str, dt.datetime]]:
        top = self.folder / f"{part:02x}"
        for folder in sorted(top.iterdir()) if top.is_dir() else ():
            for entry in os.scandir(folder):
                # Also what a crash left half written: ".<name>.1a2b3c4d".
                at = dt.datetime.fromtimestamp(entry.stat().st_mtime, dt.UTC)
                if NAME.match(entry.name):
                    yield entry.name, at
                elif entry.name.startswith(".") and dt.datetime.now(dt.UTC) - at > dt.timedelta(days=1):
                    os.unlink(entry.path)

    def _place(self, name: str) -> Path:
        if not NAME.match(name):
            raise NotFound(_("Nothing stands at this address, or nothing that you may see."))
        return self.folder / name[:2] / name[2:4] / name


def folder_of(settings: Settings) -> Path:
    """The folder that files are kept in.

    :raises ConfigError: when none is configured and the database is no file that one could stand beside.
    """
    if settings.data_dir:
        return Path(settings.data_dir) / "files"
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        database = Path(url.database)
        return database.parent / f"{database.stem}-files"
    raise ConfigError(
        "Files cannot be kept: no folder is configured for them.",
        remedy="Set RSE_DATA_DIR to a folder that every server shares and that backups include.",
    )


def store_of(settings: Settings) -> FileStore:
    """The store of this site; see :func:`folder_of`."""
    return LocalFiles(folder_of(settings))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
