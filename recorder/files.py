"""Files that survive a power cut: private, synced, replaced whole; and locks that die with their process."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":  # pragma: no cover
    import msvcrt
else:
    import fcntl

PART = ".part"
"""Ending of a file that is not yet whole; nobody but its writer looks at it."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
O_BINARY = getattr(os, "O_BINARY", 0)
_LOCK_AT = 1 << 62


class SpoolError(Exception):
    """The spool cannot be used just now; ``code`` is ``disk_full`` or ``spool_unwritable``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


@contextlib.contextmanager
def spool_errors() -> Iterator[None]:
    """Turns an operating system's error into a ``SpoolError``."""
    try:
        yield
    except OSError as error:
        code = "disk_full" if error.errno in _FULL else "spool_unwritable"
        raise SpoolError(code, errno.errorcode.get(error.errno or 0, "unknown")) from error


def create(path: Path) -> int:
    """Descriptor of a new file, mode 0600, open for writing. Raises ``OSError``."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | O_BINARY, 0o600)


def write_all(fd: int, data: bytes) -> None:
    """Write every byte. Raises ``OSError``, with some bytes perhaps written."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_data(fd: int) -> None:
    """Have the file's data on the disk when this returns."""
    getattr(os, "fdatasync", os.fsync)(fd)


def sync_folder(folder: Path) -> None:
    """Have the folder's names on the disk when this returns. Windows needs (and offers) no such thing."""
    if sys.platform == "win32":  # pragma: no cover
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_durably(part: Path, path: Path) -> None:
    """Give a synced file its real name, for good."""
    part.replace(path)
    sync_folder(path.parent)


def write_durably(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``: all of it or what was there before, whatever happens. Raises ``OSError``."""
    part = path.with_name(path.name + PART)
    part.unlink(missing_ok=True)
    fd = create(part)
    try:
        write_all(fd, data)
        os.fsync(fd)
    except OSError:
        os.close(fd)
        part.unlink(missing_ok=True)
        raise
    os.close(fd)
    replace_durably(part, path)


def try_lock(fd: int) -> bool:
    """Take the file's exclusive lock unless another open file has it. The lock ends with the descriptor."""
    try:
        if sys.platform == "win32":  # pragma: no cover
            os.lseek(fd, _LOCK_AT, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            os.lseek(fd, 0, os.SEEK_END)
        else:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``, waiting for it: for steps that take milliseconds. Raises ``OSError``."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | O_BINARY, 0o600)
    try:
        if sys.platform == "win32":  # pragma: no cover
            msvcrt.locking(fd, msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
