"""One uploader at a time for a spool: a lock file that ends with its process."""

from __future__ import annotations

import os
from pathlib import Path

from recorder.files import O_BINARY, try_lock

NAME = "uploader.lock"


class UploaderLock:
    """Held while recordings are sent. One thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._fd: int | None = None

    def take(self) -> bool:
        """True when this one has it now, false when another uploader does. Raises ``OSError``."""
        if self._fd is not None:
            return True
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | O_BINARY, 0o600)
        if not try_lock(fd):
            os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        """Let others have it. Idempotent."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
