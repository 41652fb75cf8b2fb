"""Backup and restore of what people brought: one archive beside the copy of the database.

The bytes of a file never change and are kept before its row, so an archive made after the copy has all that the copy names.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from .errors import NotFound, RseError
from .files_store import NAME, PARTS, FileStore
from .i18n import _


def archive_of(file: Path) -> Path:
    """Where the files stand that belong to the database's copy ``file``."""
    return file.with_name(file.name + ".files.tar")


def write_files(store: FileStore, archive: Path) -> int:
    """Copy every file to ``archive``; written beside it first. Without any, none is left there.

    :returns: how many.
    :raises RseError: when it cannot be written.
    """
    part, count = archive.with_name(archive.name + ".part"), 0
    try:
        # Not packed again: pictures and documents are packed already.
        with (
            open(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as stream,
            tarfile.open(fileobj=stream, mode="w") as tar,
        ):
            for number in range(PARTS):
                for name, _at in store.kept(number):
                    count += _add(tar, store, name)
        if count:
            os.replace(part, archive)
        else:
            archive.unlink(missing_ok=True)
    except OSError as error:
        raise RseError(_("The backup could not be written to %(file)s: %(error)s.", file=archive, error=error)) from None
    finally:
        part.unlink(missing_ok=True)
    return count


def _add(tar: tarfile.TarFile, store: FileStore, name: str) -> int:
    try:
        stream = store.path(name).open("rb")
    except (NotFound, FileNotFoundError):
        return 0  # removed since the list was read
    with stream:
        info = tar.gettarinfo(arcname=name, fileobj=stream)
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        tar.addfile(info, stream)
    return 1


def check_files(archive: Path) -> None:
    """:raises RseError: for a file that is no archive of this kind."""
    try:
        with tarfile.open(archive, mode="r:") as tar:
            # Names without folders alone: nothing of it can be put elsewhere.
            strange = next((one.name for one in tar if not one.isfile() or not NAME.match(one.name)), None)
    except (tarfile.TarError, OSError) as error:
        strange = str(error)
    if strange is not None:
        raise RseError(_("%(file)s is damaged or is no backup of RSE: %(what)s.", file=archive, what=strange[:200]))


def read_files(store: FileStore, archive: Path) -> int:
    """Bring back what the store has not.

    :returns: how many were brought back.
    :raises RseError: as :func:`check_files`.
    """
    check_files(archive)
    count = 0
    with tarfile.open(archive, mode="r:") as tar:
        for member in tar:
            stream = tar.extractfile(member)
            if stream is None or _has(store, member.name, member.size):
                continue
            store.put(member.name, stream.read())
            count += 1
    return count


def _has(store: FileStore, name: str, size: int) -> bool:
    try:
        return store.path(name).stat().st_size == size
    except (NotFound, OSError):
        return False
