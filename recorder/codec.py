"""Ogg/Opus of two channels of 16-bit PCM: written by FFmpeg's muxer and libopus (PyAV), read by libsndfile.

PyAV lets the encoder's work be chosen, libsndfile does not: a second of audio takes 2 ms instead of 18 (decision 12).
Both are imported late: by ``warm_up``, on a thread that may wait. Their C calls release the interpreter, so this may
run beside the media clock.
"""

from __future__ import annotations

import io
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


BIT_RATES = {8000: 40_000, 16000: 48_000}
"""Bits a second for both channels. Speech takes 1/6.5 of its PCM at 8 kHz, 1/10 at 16 kHz."""
_ENCODER = {"compression_level": "0", "application": "lowdelay"}
"""The least work, and transform coding alone, which keeps the sides apart: a silent one stays 45 dB under the other."""


def warm_up() -> None:
    """Load the libraries, 0.2 s of which hold the interpreter: best before the first call. Any thread."""
    import av
    import soundfile

    av.codec.Codec("libopus", "w")
    soundfile.available_subtypes("OGG")


class OpusEncoder:
    """Interleaved s16le stereo in, runs of an Ogg/Opus file out to ``sink``, as they come. One thread.

    Nothing is kept but what the encoder itself needs, so length costs no memory. ``rate``: 8000, 12000, 16000, 24000
    or 48000 samples a second. Raises ``CodecError``.
    """

    def __init__(self, sink: Callable[[bytes], None], rate: int) -> None:
        import av

        self._sink = sink
        self._rate = rate
        self._outlet = _Outlet()
        self._samples = 0
        with _codec_errors():
            # No mapping family of its own: players take two channels for stereo only in family 0 (RFC 7845, 5.1.1).
            self._file = av.open(self._outlet, "w", format="ogg")
            self._stream = self._file.add_stream("libopus", rate=rate, layout="stereo", options=_ENCODER)
            self._stream.bit_rate = BIT_RATES.get(rate, BIT_RATES[16000])
            self._file.start_encoding()

    def write(self, stereo: bytes) -> None:
        """Encode a run of samples; keep it to a second or less while a call is up."""
        import av

        if not stereo:
            return
        with _codec_errors():
            frame = av.AudioFrame(format="s16", layout="stereo", samples=len(stereo) // FRAME_BYTES)
            frame.sample_rate = self._rate
            frame.pts = self._samples
            frame.planes[0].update(stereo)
            self._samples += frame.samples
            self._file.mux(self._stream.encode(frame))
        self._drain()

    def close(self) -> None:
        """Write the last page."""
        with _codec_errors():
            if self._samples:
                self._file.mux(self._stream.encode(None))
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
    """A file that only grows: Ogg pages are never written twice. The bytes go on to the sink between two calls."""

    def __init__(self) -> None:
        self._run = bytearray()

    def take(self) -> bytes:
        """The bytes since last time."""
        run = bytes(self._run)
        self._run.clear()
        return run

    def write(self, data: Any) -> int:
        run = bytes(data)
        self._run += run
        return len(run)


class _codec_errors:  # noqa: N801 - used like a function
    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # soundfile's errors are RuntimeErrors, FFmpeg's are OSErrors and ValueErrors.
        if isinstance(error, OSError | RuntimeError | ValueError):
            raise CodecError("the codec refused") from error


def _open(file: Any, mode: str, **how: Any) -> soundfile.SoundFile:
    import soundfile

    with _codec_errors():
        return soundfile.SoundFile(file, mode, **how)
