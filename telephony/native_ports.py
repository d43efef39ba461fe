"""Ports on the bridge that are PJMEDIA's own structures, with callbacks of ctypes. Engine thread unless said."""

from __future__ import annotations

import ctypes
from typing import Any

from telephony.pjmedia import AUDIO, Pjmedia
from telephony.ports import Give, Port, Take

_Words = ctypes.c_size_t * 3
"""The beginning of a ``MediaFrame``: type (in the lower half), buffer, size."""


class NativePorts:
    """``BridgePorts`` by way of PJMEDIA itself."""

    def __init__(self, pjmedia: Pjmedia) -> None:
        self._pjmedia = pjmedia

    def duplex(self, name: str, rate: int, give: Give, take: Take) -> Port:
        return _NativePort(self._pjmedia.add_port(name, rate, _Source(give).get, _Sink(take).put))

    def sink(self, name: str, rate: int, take: Take) -> Port:
        return _NativePort(self._pjmedia.add_port(name, rate, None, _Sink(take).put))

    def route(self, source: Port, sink: Port, on: bool) -> str:
        change = self._pjmedia.connect if on else self._pjmedia.disconnect
        status = change(source.getPortId(), sink.getPortId())
        return f"status {status}" if status else ""

    def close(self) -> None:
        """They go with the library: PJMEDIA destroys its bridge after this."""


class _NativePort:
    def __init__(self, slot: int) -> None:
        self._slot = slot

    def getPortId(self) -> int:
        return self._slot


class _Window:
    """Sees frames where they lie. Media clock's thread.

    They lie in the same place tick after tick, so what ctypes makes to look there is kept until they move.
    """

    def __init__(self) -> None:
        self._frame_at = self._buffer_at = self._size = 0
        self._words: Any = None
        self.type: Any = None
        self._pcm: Any = None

    def look(self, frame: int) -> Any:
        """The frame's samples as a ctypes array of char; None when it has none. Good only inside the callback."""
        if frame != self._frame_at:
            self._frame_at = frame
            self._words = _Words.from_address(frame)
            self.type = ctypes.c_int.from_address(frame)
        _, buffer, size = self._words
        if size != self._size or buffer != self._buffer_at:
            self._size, self._buffer_at = size, buffer
            self._pcm = (ctypes.c_char * size).from_address(buffer) if size and buffer else None
        return self._pcm


class _Sink:
    def __init__(self, take: Take) -> None:
        self._take = take
        self._look = _Window().look

    def put(self, port: int, frame: int) -> int:
        pcm = self._look(frame)
        self._take(b"" if pcm is None else pcm.raw)
        return 0


class _Source:
    def __init__(self, give: Give) -> None:
        self._give = give
        self._window = _Window()

    def get(self, port: int, frame: int) -> int:
        pcm, there = self._give(), self._window.look(frame)
        if there is None:
            return 0
        size = len(there)
        there.raw = pcm if len(pcm) == size else pcm[:size].ljust(size, b"\0")
        self._window.type.value = AUDIO
        return 0
