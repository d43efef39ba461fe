"""PCM in and out of pjsua2's ``MediaFrame``, and its level, without numpy.

``bytes(frame.buf)`` walks the vector through Python, 140 to 420 µs for a 20 ms frame at 16 kHz. Builds of pjsua2 that
have ``copy_to_bytearray`` and ``assign_from_bytes`` do it in C++; for the others the vector's three pointers are read
with ctypes (2 to 3 µs), once a self-test has shown that this build lays the vector out so.
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
    """Whether at least one sample in a hundred lies within 0.2 dB of full scale (above 32000 or below −32000). Any thread.

    So low because G.711 never gives more: its largest values decode to 32124 (µ-law) and 32256 (A-law). One in a hundred
    because a limiter or a hard consonant touches full scale for single samples; a microphone that is overdriven sits
    there for a tenth of the time.
    """
    low, high = audioop.minmax(pcm, 2) if pcm else (0, 0)
    if high <= _HOT and low >= -_HOT:
        return False
    top = audioop.lin2lin(pcm, 2, 1)
    return 100 * (len(top) - len(top.translate(None, _HOT_BYTES))) >= len(top)


def frame_access(new_frame: Callable[[], Any]) -> tuple[Reader, Writer]:
    """The fastest way in and out of frames that this build of pjsua2 allows; ``new_frame`` makes an empty one."""
    vector = new_frame().buf
    if hasattr(vector, "copy_to_bytearray") and hasattr(vector, "assign_from_bytes"):
        return _read_native, _write_native
    if _pointers_work(new_frame):
        return _read_pointers, _write_pointers
    return _read_slowly, _write_slowly


def _read_native(frame: Any) -> bytes:
    vector = frame.buf
    data = bytearray(vector.size())
    vector.copy_to_bytearray(data)
    return bytes(data)


def _write_native(frame: Any, pcm: bytes) -> None:
    frame.buf.assign_from_bytes(pcm)
    frame.size = len(pcm)


def _read_pointers(frame: Any) -> bytes:
    pointers = _Pointers.from_address(int(frame.buf.this))
    begin = pointers[0]
    return ctypes.string_at(begin, pointers[1] - begin) if begin else b""


def _write_pointers(frame: Any, pcm: bytes) -> None:
    vector = frame.buf
    size = len(pcm)
    vector.resize(size)
    ctypes.memmove(_Pointers.from_address(int(vector.this))[0], pcm, size)
    frame.size = size


def _read_slowly(frame: Any) -> bytes:
    return bytes(frame.buf)


def _write_slowly(frame: Any, pcm: bytes) -> None:
    vector = frame.buf
    vector.clear()
    for value in pcm:
        vector.append(value)
    frame.size = len(pcm)


def _pointers_work(new_frame: Callable[[], Any]) -> bool:
    """Whether a vector is begin, end and end of capacity, in that order; nothing is followed before the sizes agree."""
    try:
        frame = new_frame()
        for size in _TEST_SIZES:
            frame.buf.resize(size)
            begin, end, capacity = _Pointers.from_address(int(frame.buf.this))
            if not begin or not end or not capacity or end - begin != size or capacity < end:
                return False
            pattern = bytes((7 * i + size) % 256 for i in range(size))
            _write_pointers(frame, pattern)
            if bytes(frame.buf) != pattern or _read_pointers(frame) != pattern:
                return False
    except (TypeError, ValueError, AttributeError):
        return False
    return True
