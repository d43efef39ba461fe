"""Two channels of 16-bit PCM as Ogg/Opus or FLAC: written by FFmpeg (PyAV), read by libsndfile.

PyAV lets the Opus encoder's work be chosen, libsndfile does not: a second of audio takes 2 ms instead of 18 (decision
12). Both are imported late: by ``warm_up``, on a thread that may wait. Their C calls release the interpreter, so this
may run beside the media clock.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from recorder import pcm
from recorder.rules import RecordingRules

if TYPE_CHECKING:
    import soundfile

OPUS, FLAC = "opus", "flac"
CHANNELS = 2
FRAME_BYTES = 2 * CHANNELS


class CodecError(Exception):
    """Audio that cannot be encoded or decoded."""


_OPUS = {"compression_level": "0", "application": "lowdelay"}
"""The least work, and transform coding alone, which keeps the sides apart: a silent one stays 45 dB under the other."""
_STREAMINFO = slice(18, 26)
"""Bytes of a FLAC file that end with the number of samples, 36 bits (RFC 9639, 8.2)."""
_MAX_FLAC_SAMPLES = (1 << 36) - 1


def warm_up() -> None:
    """Load the libraries, 0.2 s of which hold the interpreter: best before the first call. Any thread."""
    import av
    import soundfile

    av.codec.Codec("libopus", "w")
    soundfile.available_subtypes("OGG")


class Encoder:
    """Interleaved s16le stereo in, runs of an audio file out to ``sink``, as they come. One thread.

    Nothing is kept but what the encoder itself needs, so length costs no memory. Raises ``CodecError``.
    """

    def __init__(self, sink: Callable[[bytes], None], rate: int, container: str, codec: str, **how: Any) -> None:
        import av

        self._sink = sink
        self._rate = rate
        self._outlet = _Outlet()
        self._samples = 0
        with _codec_errors():
            # No mapping family of its own: players take two channels for stereo only in family 0 (RFC 7845, 5.1.1).
            self._file = av.open(self._outlet, "w", format=container)
            self._stream: Any = self._file.add_stream(codec, rate=rate, layout="stereo", **how)

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


class OpusEncoder(Encoder):
    """Ogg/Opus at ``bit_rate`` (both channels, bit/s); ``rate``: 8000, 12000, 16000, 24000 or 48000."""

    def __init__(self, sink: Callable[[bytes], None], rate: int, bit_rate: int) -> None:
        super().__init__(sink, rate, "ogg", "libopus", options=_OPUS)
        with _codec_errors():
            self._stream.bit_rate = bit_rate
            self._file.start_encoding()


class FlacEncoder(Encoder):
    """FLAC, lossless, of exactly ``samples`` a channel: that is written at the file's start, which goes out first."""

    def __init__(self, sink: Callable[[bytes], None], rate: int, samples: int) -> None:
        super().__init__(sink, rate, "flac", "flac")
        if samples > _MAX_FLAC_SAMPLES:
            raise CodecError("too long for FLAC")
        with _codec_errors():
            self._stream.format = "s16"
            self._file.start_encoding()
        start = bytearray(self._outlet.take())
        if start[:4] != b"fLaC" or len(start) < _STREAMINFO.stop:
            raise CodecError("the FLAC file begins unlike one")
        known = int.from_bytes(start[_STREAMINFO], "big") & ~_MAX_FLAC_SAMPLES
        start[_STREAMINFO] = (known | samples).to_bytes(8, "big")
        sink(bytes(start))


def encoder(sink: Callable[[bytes], None], rate: int, samples: int, rules: RecordingRules) -> Encoder:
    """The encoder that ``rules`` name, for ``samples`` a channel. Raises ``CodecError``."""
    if rules.codec == FLAC:
        return FlacEncoder(sink, rate, samples)
    return OpusEncoder(sink, rate, rules.bit_rate(rate))


def decode(source: BinaryIO, *, step_seconds: int = 1) -> Iterator[bytes]:
    """Interleaved s16le stereo of an audio file, a step at a time. Raises ``CodecError``."""
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
    """Samples a channel, and samples a second, that an audio file says it holds. Raises ``CodecError``."""
    with _open(source, "r") as file:
        return file.frames, file.samplerate


def levels(content: bytes) -> tuple[float, float]:
    """Root mean square of the left and the right channel of an audio file, dBFS. Raises ``CodecError``."""
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
