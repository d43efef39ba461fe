"""Log files of the seat's processes: rotated, private, without personal data."""

from __future__ import annotations

import faulthandler
import logging
import logging.handlers
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
MAX_BYTES = 2_000_000
KEPT = 5


def log_to_file(path: Path, level: int = logging.INFO) -> None:
    """Send the root logger to a rotated file of mode 0600; to standard error when the folder cannot be written.

    A crash of the interpreter leaves its stacks beside it, in ``NAME.crash``.
    """
    handler: logging.Handler
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")
        faulthandler.enable(path.with_suffix(".crash").open("a", encoding="utf-8"))
    except OSError:
        handler = logging.StreamHandler()
        faulthandler.enable()
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
