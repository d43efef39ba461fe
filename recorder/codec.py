"""Ogg/Opus by libsndfile, two channels of 16-bit PCM.

soundfile (and with it numpy) is imported at the first use: at the end of a call, never during the first one. Its C
calls release the interpreter; measured, a second of audio takes 12 ms (8 kHz) or 18 ms (16 kHz) and other threads are
late by at most 8 ms, so this may run beside the media clock.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from recorder import pcm

if TYPE_CHECKING:
    import soundfile

CODEC = "opus"
CHANNELS = 2
FRAME_BYTES = 2 * CHANNELS


class CodecError(Exception):
    """Audio that cannot be encoded or decoded."""


class OpusEncoder:
    """Interleaved s16le stereo in, runs of an Ogg/Opus file out to ``sink``, as they come. One thread.

    Nothing is kept but what the encoder itself needs, so length costs no memory. ``rate``: 8000, 12000, 16000, 24000
    or 48000 samples a second. Raises ``CodecError``.
    """

    def __init__(self, sink: Callable[[bytes], None], rate: int) -> None:
        self._sink = sink
        self._outlet = _Outlet()
        self._file: soundfile.SoundFile = _open(
            self._outlet, "w", samplerate=rate, channels=CHANNELS, format="OGG", subtype="OPUS"
        )

    def write(self, stereo: bytes) -> None:
        """Encode a run of samples; keep it to a second or less while a call is up."""
        with _codec_errors():
            self._file.buffer_write(stereo, "int16")
        self._drain()

    def close(self) -> None:
        """Write the last page."""
        with _codec_errors():
            self._file.close()
        self._drain()

    def _drain(self) -> None:
        if run := self._outlet.take():
            self._sink(run)


def decode(source: BinaryIO, *, step_seconds: int = 1) -> Iterator[bytes]:
    """Interleaved s16le stereo of an Ogg/Opus file, a step at a time. Raises ``CodecError``."""
    with _open(source, "r") as file:
        if file.channels != CHANNELS:
            raise CodecError("not two channels")
        while True:
            with _codec_errors():
                run = bytes(file.buffer_read(step_seconds * file.samplerate, dtype="int16"))
            if not run:
                return
            yield run


def content_samples(source: BinaryIO) -> tuple[int, int]:
    """Samples a channel, and samples a second, that an Ogg/Opus file says it holds. Raises ``CodecError``."""
    with _open(source, "r") as file:
        return file.frames, file.samplerate


def levels(content: bytes) -> tuple[float, float]:
    """Root mean square of the left and the right channel of an Ogg/Opus file, dBFS. Raises ``CodecError``."""
    left, right = pcm.Level(), pcm.Level()
    for run in decode(io.BytesIO(content)):
        for level, track in zip((left, right), pcm.split(run), strict=True):
            level.add(pcm.rms(track), len(track) // 2)
    return left.dbfs, right.dbfs


class _Outlet:
    """What libsndfile takes for a file that only grows: Ogg pages are never written twice.

    libsndfile calls it from C, where an exception is printed and lost: so nothing here raises, and the bytes go on to
    the sink once the call is over.
    """

    def __init__(self) -> None:
        self._run = bytearray()
        self._end = 0
        self._torn = False

    def take(self) -> bytes:
        """The bytes since last time. Raises ``CodecError`` when the encoder went back."""
        if self._torn:
            raise CodecError("the encoder went back in its file")
        run = bytes(self._run)
        self._run.clear()
        return run

    def write(self, data: Any) -> int:
        run = bytes(data)
        self._run += run
        self._end += len(run)
        return len(run)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        target = offset if whence == os.SEEK_SET else self._end + offset
        self._torn |= target != self._end
        return self._end

    def tell(self) -> int:
        return self._end

    def read(self, _size: int = -1) -> bytes:
        return b""


class _codec_errors:  # noqa: N801 - used like a function
    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import soundfile

        if isinstance(error, soundfile.SoundFileError | OSError | RuntimeError | ValueError):
            raise CodecError("libsndfile refused") from error


def _open(file: Any, mode: str, **how: Any) -> soundfile.SoundFile:
    import soundfile

    with _codec_errors():
        return soundfile.SoundFile(file, mode, **how)
