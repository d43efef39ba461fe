"""PCM in and out of pjsua2's ``MediaFrame``, and its level, without numpy.

``bytes(frame.buf)`` walks the vector through Python, 140 to 420 µs for a 20 ms frame at 16 kHz. Builds of pjsua2 that
have ``copy_to_bytearray`` and ``assign_from_bytes`` do it in C++; for the others the frame is read where it lies, with
ctypes (2 µs), once a self-test has shown that this build lays it out so. SWIG's own access to a frame's fields is
avoided there: each makes an object and costs as much again.
"""

from __future__ import annotations

import ctypes
import math
import warnings
from collections.abc import Callable
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # audioop leaves with 3.13, not allowed yet
    import audioop

SILENCE_DBFS = -100.0
"""Level that stands for digital silence."""

Reader = Callable[[Any], bytes]
"""Takes a ``MediaFrame``, returns its PCM; empty when it carries none. Media clock's thread."""

Writer = Callable[[Any, bytes], None]
"""Puts PCM into a ``MediaFrame`` that asked for some. Media clock's thread."""

_Pointers = ctypes.c_size_t * 3
_Int = ctypes.c_int
_BUF = ctypes.sizeof(ctypes.c_size_t)
_SIZE = _BUF + ctypes.sizeof(_Pointers)
"""Where a frame's vector and its size lie, its type being at 0."""
_AUDIO = 1  # PJMEDIA_FRAME_TYPE_AUDIO
_TEST_SIZES = (640, 320, 1)
_HOT = 32000
_HOT_BYTES = bytes([125, 126, 127, 128, 129, 130])
"""Upper bytes of samples from 32000 up, and below −32000."""


def level_dbfs(pcm: bytes) -> float:
    """RMS of 16-bit native-endian mono PCM in dB below a full-scale square wave (a full-scale sine is −3.01).

    ``SILENCE_DBFS`` for digital silence or no samples. Any thread.
    """
    rms = audioop.rms(pcm, 2)
    return 20.0 * math.log10(rms / 32768.0) if rms else SILENCE_DBFS


def mix(one: bytes, other: bytes) -> bytes:
    """The sum of two pieces of 16-bit mono PCM of equal length, held at full scale. Any thread."""
    return audioop.add(one, other, 2)


def clips(pcm: bytes) -> bool:
    """Whether at least one sample in a hundred lies within 0.2 dB of full scale (above 32000 or below −32000).

    So low because G.711 never gives more: its largest values decode to 32124 (µ-law) and 32256 (A-law). One in a
    hundred because a limiter or a hard consonant touches full scale for single samples; a microphone that is overdriven
    sits there for a tenth of the time. Any thread.
    """
    low, high = audioop.minmax(pcm, 2) if pcm else (0, 0)
    if high <= _HOT and low >= -_HOT:
        return False
    top = audioop.lin2lin(pcm, 2, 1)
    return 100 * (len(top) - len(top.translate(None, _HOT_BYTES))) >= len(top)


def frame_access(new_frame: Callable[[], Any]) -> tuple[Reader, Writer]:
    """The fastest way in and out of frames that this build of pjsua2 allows; ``new_frame`` makes an empty one.

    What is written is audio of so many bytes; a writer is for one thread.
    """
    vector = new_frame().buf
    if hasattr(vector, "copy_to_bytearray") and hasattr(vector, "assign_from_bytes"):
        return _read_native, _write_native
    if _memory_is_known(new_frame):
        return _read_memory, MemoryWriter(new_frame)
    return _read_slowly, _write_slowly


def _read_native(frame: Any) -> bytes:
    vector = frame.buf
    data = bytearray(vector.size())
    vector.copy_to_bytearray(data)
    return bytes(data)


def _write_native(frame: Any, pcm: bytes) -> None:
    frame.type = _AUDIO
    frame.buf.assign_from_bytes(pcm)
    frame.size = len(pcm)


def _read_memory(frame: Any) -> bytes:
    begin, end, _ = _Pointers.from_address(int(frame.this) + _BUF)
    return ctypes.string_at(begin, end - begin) if begin else b""


class MemoryWriter:
    """Copies PCM into a vector that it keeps, and has that assigned to the frame: one call instead of five."""

    def __init__(self, new_frame: Callable[[], Any]) -> None:
        self._owner = new_frame()
        self._vector = self._owner.buf
        self._address = 0
        self._size = 0

    def __call__(self, frame: Any, pcm: bytes) -> None:
        size = len(pcm)
        if size != self._size:
            self._resize(size)
        ctypes.memmove(self._address, pcm, size)
        frame.buf = self._vector
        here = int(frame.this)
        _Int.from_address(here).value = _AUDIO
        _Int.from_address(here + _SIZE).value = size

    def _resize(self, size: int) -> None:
        self._vector.resize(size)
        self._address, self._size = _Pointers.from_address(int(self._vector.this))[0], size


def _read_slowly(frame: Any) -> bytes:
    return bytes(frame.buf)


def _write_slowly(frame: Any, pcm: bytes) -> None:
    frame.type = _AUDIO
    vector = frame.buf
    vector.clear()
    for value in pcm:
        vector.append(value)
    frame.size = len(pcm)


def _memory_is_known(new_frame: Callable[[], Any]) -> bool:
    """Whether a frame is its type, a vector (begin, end, end of capacity) and its size, each where it is looked for.

    Nothing is followed before the sizes agree.
    """
    try:
        frame = new_frame()
        here = int(frame.this)
        if int(frame.buf.this) != here + _BUF:
            return False
        for size in _TEST_SIZES:
            frame.buf.resize(size)
            begin, end, capacity = _Pointers.from_address(here + _BUF)
            if not begin or not end or not capacity or end - begin != size or capacity < end:
                return False
            frame.type, frame.size = size % 3, size + 7
            if (_Int.from_address(here).value, _Int.from_address(here + _SIZE).value) != (size % 3, size + 7):
                return False
            if not _survives(new_frame, bytes((7 * i + size) % 256 for i in range(size))):
                return False
    except (TypeError, ValueError, AttributeError):
        return False
    return True


def _survives(new_frame: Callable[[], Any], pattern: bytes) -> bool:
    frame = new_frame()
    MemoryWriter(new_frame)(frame, pattern)
    described = (frame.type, frame.size) == (_AUDIO, len(pattern))
    return described and bytes(frame.buf) == pattern and _read_memory(frame) == pattern
