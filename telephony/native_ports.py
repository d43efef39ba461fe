"""Ports on the bridge that are PJMEDIA's own structures, with callbacks of ctypes. Engine thread unless said."""

from __future__ import annotations

import ctypes
from typing import Any

from telephony.pjmedia import AUDIO, Pjmedia
from telephony.ports import Give, Port, Take

_Words = ctypes.c_size_t * 3
"""The beginning of a ``MediaFrame``: type (in the lower half), buffer, size."""
_BUFFER, _SIZE = 1, 2


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


class _Sink:
    """Reads frames where they lie. They lie in the same place tick after tick, so what ctypes makes to look there is
    kept until they move. Code that runs once in 20 ms finds cold caches, so all of it is one function.
    """

    def __init__(self, take: Take) -> None:
        self._take = take
        self._frame_at = self._buffer_at = self._size = 0
        self._words: Any = None
        self._pcm: Any = None

    def put(self, port: int, frame: int) -> int:
        if frame != self._frame_at:
            self._words, self._frame_at = _Words.from_address(frame), frame
        words = self._words
        size = words[_SIZE]
        if not size:
            self._take(b"")
            return 0
        if words[_BUFFER] != self._buffer_at or size != self._size:
            self._buffer_at, self._size = words[_BUFFER], size
            self._pcm = (ctypes.c_char * size).from_address(self._buffer_at)
        self._take(self._pcm.raw)
        return 0


class _Source:
    """Writes frames where they are wanted; as above."""

    def __init__(self, give: Give) -> None:
        self._give = give
        self._frame_at = self._buffer_at = self._size = 0
        self._words: Any = None
        self._type: Any = None
        self._pcm: Any = None

    def get(self, port: int, frame: int) -> int:
        pcm = self._give()
        if frame != self._frame_at:
            self._words, self._frame_at = _Words.from_address(frame), frame
            self._type = ctypes.c_int.from_address(frame)
        words = self._words
        size = words[_SIZE]
        if words[_BUFFER] != self._buffer_at or size != self._size:
            self._buffer_at, self._size = words[_BUFFER], size
            self._pcm = (ctypes.c_char * size).from_address(self._buffer_at)
        self._pcm.raw = pcm if len(pcm) == size else pcm[:size].ljust(size, b"\0")
        self._type.value = AUDIO
        return 0
