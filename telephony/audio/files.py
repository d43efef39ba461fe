"""Headsets without a sound card: audio from and to WAV files, and none at all."""

from __future__ import annotations

import struct
import wave
from pathlib import Path
from typing import BinaryIO

from telephony.interfaces import HeadsetError

RATE = 16000
FRAME_BYTES = 2 * RATE // 50
_WRITE_EVERY = 25
_IDLE_READS = 50
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


class FileHeadset:
    """The microphone is a WAV file, the speaker another; either may be None.

    Both are 16 kHz mono signed 16-bit. The microphone plays from its beginning in each call: the engine
    writes to a headset only while a call is up, so a ``read`` after a second without ``write`` gives None and
    rewinds. With ``loop`` the microphone starts over at its end, without it ``read`` gives None from there.
    The speaker file is a whole WAV every half second: what was heard up to then survives a killed process. The
    ringer file, if there is one, holds what the ringing device would have sounded, rings only.
    """

    def __init__(
        self, microphone: Path | None, speaker: Path | None, loop: bool = True, ringer: Path | None = None
    ) -> None:
        self._microphone_path = microphone
        self._speaker_path = speaker
        self._ringer_path = ringer
        self._loop = loop
        self._voice = b""
        self._position = 0
        self._reads_since_write = _IDLE_READS
        self._speaker: WavWriter | None = None
        self._ringer: WavWriter | None = None

    @property
    def rate(self) -> int:
        return RATE

    @property
    def rings_apart(self) -> bool:
        return self._ringer_path is not None

    def start(self) -> None:
        """Read the microphone's file, create the speaker's. Raises ``HeadsetError('no_such_device')`` saying
        what is wrong.
        """
        if self._microphone_path is not None:
            self._voice = read_wav(self._microphone_path)
        self._position = 0
        try:
            if self._speaker_path is not None and self._speaker is None:
                self._speaker = WavWriter(self._speaker_path)
            if self._ringer_path is not None and self._ringer is None:
                self._ringer = WavWriter(self._ringer_path)
        except OSError as error:
            self.stop()
            raise HeadsetError("no_such_device", f"the sound file cannot be written ({error.strerror})") from error

    def stop(self) -> None:
        """Complete the files; may be called twice."""
        for writer in (self._speaker, self._ringer):
            if writer is not None:
                writer.close()
        self._speaker = self._ringer = None

    def read(self) -> bytes | None:
        if self._reads_since_write >= _IDLE_READS:
            self._position = 0
            return None
        self._reads_since_write += 1
        if self._position >= len(self._voice):
            if not self._loop or not self._voice:
                return None
            self._position = 0
        frame = self._voice[self._position : self._position + FRAME_BYTES]
        self._position += FRAME_BYTES
        return frame.ljust(FRAME_BYTES, b"\0")

    def write(self, pcm: bytes) -> None:
        self._reads_since_write = 0
        if self._speaker is not None:
            self._speaker.write(pcm)

    def ring(self, pcm: bytes) -> None:
        if self._ringer is not None:
            self._ringer.write(pcm)

    def use(self, *, listening: bool, ringing: bool) -> None:
        """Nothing to wake."""

    def describe(self) -> str:
        return "audio files"


class NullHeadset:
    """No microphone and no speaker: silence is sent, what comes is dropped."""

    @property
    def rate(self) -> int:
        return RATE

    def start(self) -> None:
        """Nothing to open."""

    def stop(self) -> None:
        """Nothing to close."""

    @property
    def rings_apart(self) -> bool:
        return False

    def read(self) -> bytes | None:
        return None

    def write(self, pcm: bytes) -> None:
        """Nobody listens."""

    def ring(self, pcm: bytes) -> None:
        """Nor does anybody hear it ring."""

    def use(self, *, listening: bool, ringing: bool) -> None:
        """Nothing to wake."""

    def describe(self) -> str:
        return "no headset"


class WavWriter:
    """Appends PCM to a WAV file whose header says its true length every half second. One thread.

    Half a second at a time goes to the page cache, samples first and then the header, so that the file is
    never longer on paper than it is.
    """

    def __init__(self, path: Path, rate: int = RATE) -> None:
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._rate = rate
        self._length = 0
        self._waiting: list[bytes] = []
        self._write_header()

    def write(self, pcm: bytes) -> None:
        self._waiting.append(pcm)
        if len(self._waiting) >= _WRITE_EVERY:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        pcm = b"".join(self._waiting)
        self._waiting.clear()
        try:
            self._file.write(pcm)
            self._length += len(pcm)
            self._write_header()
        except OSError:
            # A full disk under a convenience file must not end a call; the header still names what is whole.
            return

    def _write_header(self) -> None:
        size = self._length
        header = _HEADER.pack(
            b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, self._rate, 2 * self._rate, 2, 16, b"data", size
        )
        self._file.seek(0)
        self._file.write(header)
        self._file.seek(0, 2)


def read_wav(path: Path) -> bytes:
    """All samples of a 16 kHz mono 16-bit WAV file. Raises ``HeadsetError('no_such_device')`` for anything
    else.
    """
    try:
        with wave.open(str(path), "rb") as file:
            shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            pcm = file.readframes(file.getnframes())
    except (OSError, wave.Error, EOFError) as error:
        raise HeadsetError("no_such_device", f"the audio file cannot be read ({error or 'it is cut short'})") from error
    if shape != (RATE, 1, 2):
        rate, channels, width = shape
        raise HeadsetError(
            "no_such_device",
            f"the audio file has {rate} Hz, {channels} channel(s), {8 * width} bit;"
            f" needed are {RATE} Hz, 1 channel, 16 bit",
        )
    if not pcm:
        raise HeadsetError("no_such_device", "the audio file holds no sound")
    return pcm
