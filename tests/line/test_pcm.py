"""PCM in and out of real pjsua2 frames, by each way a build may allow, and levels."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from pjsua2 import pjsua2 as pj

from telephony import pcm
from telephony.pcm import SILENCE_DBFS, frame_access, level_dbfs

FRAME = bytes((3 * i) % 256 for i in range(640))


class _VectorWithCopies:
    """What newer builds of pjsua2 offer beside the vector's own methods."""

    def __init__(self) -> None:
        self._data = b""

    def size(self) -> int:
        return len(self._data)

    def copy_to_bytearray(self, target: bytearray) -> None:
        target[:] = self._data

    def assign_from_bytes(self, data: bytes) -> None:
        self._data = data


class _FrameWithCopies:
    def __init__(self) -> None:
        self.buf = _VectorWithCopies()
        self.size = 0


class _StrangeFrame:
    """A build whose vector is laid out in another way: its address leads to something else."""

    def __init__(self) -> None:
        self._frame = pj.MediaFrame()
        self._elsewhere = (pcm._Pointers)(1, 2, 3)
        self.size = self.type = 0
        self.this = self._frame.this

    @property
    def buf(self) -> Any:
        outer = self

        class Vector:
            import ctypes

            this = ctypes.addressof(outer._elsewhere)
            resize = outer._frame.buf.resize
            clear = outer._frame.buf.clear
            append = outer._frame.buf.append

            def __iter__(self) -> Any:
                return iter(outer._frame.buf)

        return Vector()


@pytest.mark.parametrize("new_frame", [pj.MediaFrame, _FrameWithCopies, _StrangeFrame])
@pytest.mark.parametrize("data", [FRAME, FRAME[:320], b"\x01"])
def test_what_goes_in_comes_out(new_frame: Callable[[], Any], data: bytes) -> None:
    read, write = frame_access(new_frame)
    frame = new_frame()
    write(frame, FRAME)
    write(frame, data)
    assert (frame.size, frame.type) == (len(data), pj.PJMEDIA_FRAME_TYPE_AUDIO)
    assert read(frame) == data


def test_the_fast_way_is_used_here_and_the_slow_one_where_the_layout_differs() -> None:
    read, write = frame_access(pj.MediaFrame)
    assert read is pcm._read_memory
    assert isinstance(write, pcm.MemoryWriter)
    assert frame_access(_StrangeFrame) == (pcm._read_slowly, pcm._write_slowly)
    assert frame_access(_FrameWithCopies) == (pcm._read_native, pcm._write_native)


def test_an_empty_frame_reads_as_nothing() -> None:
    read, write = frame_access(pj.MediaFrame)
    frame = pj.MediaFrame()
    assert read(frame) == b""
    write(frame, FRAME)
    frame.buf.clear()
    assert read(frame) == b""


def test_a_frame_takes_microseconds() -> None:
    read, write = frame_access(pj.MediaFrame)
    frame = pj.MediaFrame()
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(500):
            write(frame, FRAME)
            read(frame)
        best = min(best, (time.perf_counter() - start) / 500)
    assert best < 60e-6  # 6 µs here; by bytes(frame.buf) alone it is 140 to 420


def _sine(amplitude: float) -> bytes:
    values = [round(amplitude * math.sin(2 * math.pi * 10 * i / 800)) for i in range(800)]
    return struct.pack("<800h", *values)


@pytest.mark.parametrize(
    ("data", "level"),
    [
        (b"", SILENCE_DBFS),
        (bytes(640), SILENCE_DBFS),
        (struct.pack("<4h", -32768, -32768, -32768, -32768), 0.0),
        (_sine(32767), -3.01),
        (_sine(8000), -15.26),
        (_sine(327.67), -43.0),
    ],
)
def test_levels(data: bytes, level: float) -> None:
    assert level_dbfs(data) == pytest.approx(level, abs=0.05)
