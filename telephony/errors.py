"""Errors that cross the line protocol. Imports nothing, so that clients stay light."""

from __future__ import annotations


class CommandError(Exception):
    """A command was refused; ``code`` and ``message`` as in ``messages.Error``, without personal data."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class LineError(Exception):
    """What a client of the line process sees of a command that failed.

    ``code`` is one of ``messages.Error``'s codes, or ``away``: no connection, or no reply in time.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
