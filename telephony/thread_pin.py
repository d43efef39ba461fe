"""Python's state of the media clock's thread."""

from __future__ import annotations

import ctypes
import threading

_LOCKED = 0  # PyGILState_LOCKED: the callback had the interpreter when it asked for it
_TICKS_S = 0.1


class ThreadPin:
    """Keeps Python's state of the media clock's thread between its callbacks, a tenth of the line process's CPU.

    One ``PyGILState_Ensure`` more than there are releases. Each start of the clock makes a thread, so the state is
    given back before the clock stops.
    """

    def __init__(self) -> None:
        self.settled = False
        """``follow`` has nothing to do."""
        self._wanted = True
        self._pinned = False
        self._let_go = threading.Event()

    def follow(self) -> None:
        """Hold or give back, as is wanted. Media clock's thread, inside a callback."""
        if self._wanted and not self._pinned:
            ctypes.pythonapi.PyGILState_Ensure()
            self._pinned = True
        elif not self._wanted and self._pinned:
            ctypes.pythonapi.PyGILState_Release(_LOCKED)
            self._pinned = False
            self._let_go.set()
        self.settled = True

    def release(self) -> None:
        """Have the state given back; waits for the clock's next tick, which may never come. Engine thread."""
        self._let_go.clear()
        self._wanted = self.settled = False
        self._let_go.wait(_TICKS_S)

    def renew(self) -> None:
        """The clock is about to start, with another thread. Engine thread, while no clock runs."""
        self._pinned = self.settled = False
        self._wanted = True
