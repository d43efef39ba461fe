"""Asking the line process: what every service that commands it shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.line_errors import as_desk_error
from telephony.client import LineError
from telephony.messages import Command

if TYPE_CHECKING:
    from agent_desktop.services.line_port import LinePort


class LineCommands:
    """The seat's line process, once there is one. Thread-safe."""

    def __init__(self) -> None:
        self._line: LinePort | None = None

    @property
    def there(self) -> bool:
        """A line process has been started; it may be away for a moment."""
        return self._line is not None

    def use(self, line: LinePort) -> None:
        """Command this line process from now on."""
        self._line = line

    def request(self, command: Callable[..., Command], timeout: float = 2.0, **values: object) -> dict[str, Any]:
        """Send ``command(id=…, **values)`` and wait for its reply's result, ``timeout`` seconds at most.

        Raises ``DeskError``: ``LINE_AWAY`` without a line process, else what it was refused with.
        """
        if self._line is None:
            raise DeskError(Problem.LINE_AWAY, "no line process")
        try:
            return self._line.request(lambda command_id: command(id=command_id, **values), timeout)
        except LineError as error:
            raise as_desk_error(error) from error
