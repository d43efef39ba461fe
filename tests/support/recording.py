"""Recorders, tones and opened recordings for the tests of the recorder and of its upload."""

from __future__ import annotations

import io
import json
import math
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nacl.public import PrivateKey

from recorder import codec, pcm
from recorder.container import CLOSING, CONTENT, EVENT, ContainerReader, Piece
from recorder.evidence import Manifest, SeatIdentity
from recorder.rules import RecordingRules
from recorder.session import Recorder, RecordingFacts, RecordingSession, RecordingStatus
from recorder.spool import Spool

RATE = 8000
FRAME = RATE // 50
SOUNDS = Path(__file__).parents[2] / "resources" / "sounds"
CALL_ID = "6f1c9a52-0d5e-4f0b-9a53-5f0f4c1d2e3a"


def tone(hertz: float, seconds: float, *, rate: int = RATE, level: int = 8000, begin: float = 0.0) -> bytes:
    """A sine, s16le mono, silent before ``begin`` seconds."""
    count, quiet = round(seconds * rate), round(begin * rate)
    return array(
        "h", (0 if i < quiet else round(level * math.sin(math.tau * hertz * i / rate)) for i in range(count))
    ).tobytes()


def frames(track: bytes, rate: int = RATE) -> list[bytes]:
    """A track in frames of 20 ms; a last, shorter run is left out."""
    size = 2 * (rate // 50)
    return [track[i : i + size] for i in range(0, len(track) - size + 1, size)]


def facts(rate: int = RATE, call_id: str = CALL_ID) -> RecordingFacts:
    return RecordingFacts(call_id, "line-1", "outbound", "2026-03-02T01:02:03.000Z", rate)


@dataclass
class Seat:
    """A recorder with everything that a test may want to look at."""

    folder: Path
    store: PrivateKey = field(default_factory=PrivateKey.generate)
    identity: SeatIdentity = field(default_factory=lambda: SeatIdentity.generate("seat-7"))
    states: list[RecordingStatus] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.spool = Spool(self.folder)
        self.store_public = bytes(self.store.public_key)
        self._changed = threading.Condition()
        self.recorder = self.new_recorder()

    def new_recorder(self) -> Recorder:
        """As another process would make it on the same spool."""
        return Recorder(self.spool, self.store_public, self.identity, self._on_state)

    def record(
        self,
        agent: bytes,
        far: bytes,
        rate: int = RATE,
        cause: str = "hung_up",
        rules: RecordingRules | None = None,
    ) -> str:
        """A whole recording, fed as fast as it goes; its id, once it is sealed."""
        session = self.recorder.start(facts(rate), rules)
        feed(session, agent, far, rate)
        session.close(cause)
        self.wait_for(lambda s: s.recording_id == session.recording_id and s.state == "sealed")
        return session.recording_id

    def wait_for(self, wanted: Callable[[RecordingStatus], bool], timeout: float = 15.0) -> RecordingStatus:
        """The first reported state that is ``wanted``, past ones included."""
        deadline = time.monotonic() + timeout
        seen = 0
        with self._changed:
            while True:
                for status in self.states[seen:]:
                    if wanted(status):
                        return status
                seen = len(self.states)
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise AssertionError(f"not reported in {timeout} s; the last were {self.states[-3:]}")

    def open(self, manifest: Manifest) -> Opened:
        return open_recording(self.spool.payload(manifest.recording_id, manifest.kind), self.store)

    def names(self) -> set[str]:
        """Files of the spool's folder, without the ledger and locks."""
        if not self.folder.exists():
            return set()
        return {p.name for p in self.folder.iterdir() if p.is_file() and not p.name.startswith(("numbers", "uploader"))}

    def _on_state(self, status: RecordingStatus) -> None:
        with self._changed:
            self.states.append(status)
            self._changed.notify_all()


@dataclass(frozen=True)
class Opened:
    """A sealed file, decrypted with the store's key."""

    pieces: list[Piece]

    def bodies(self, kind: str) -> list[Any]:
        return [json.loads(piece.body) for piece in self.pieces if piece.kind == kind]

    @property
    def closing(self) -> dict[str, Any]:
        (closing,) = self.bodies(CLOSING)
        return dict(closing)

    @property
    def events(self) -> list[dict[str, Any]]:
        """All but the call's facts."""
        return [event for event in self.bodies(EVENT) if event["kind"] != "facts"]

    @property
    def facts(self) -> dict[str, Any]:
        """The call's facts as they are sealed into the file, the last ones."""
        return dict([event["facts"] for event in self.bodies(EVENT) if event["kind"] == "facts"][-1])

    @property
    def content(self) -> bytes:
        return b"".join(piece.body for piece in self.pieces if piece.kind == CONTENT)

    def channels(self) -> tuple[array[int], array[int]]:
        """Left and right of a finalised file, decoded."""
        left, right = pcm.split(b"".join(codec.decode(io.BytesIO(self.content))))
        return array("h", left), array("h", right)


def open_recording(path: Path, store: PrivateKey) -> Opened:
    """Every piece of a whole file. Raises ``ContainerError``."""
    with path.open("rb") as stream:
        reader = ContainerReader(stream)
        reader.unlock(bytes(store))
        return Opened(list(reader.pieces()))


def feed(session: RecordingSession, agent: bytes, far: bytes, rate: int = RATE, start: int = 0) -> int:
    """Hand over two tracks of equal length; waits when the writer does not keep up. The next sample number."""
    for a, f in zip(frames(agent, rate), frames(far, rate), strict=True):
        while len(session._queue) > 1000:
            time.sleep(0.01)
        session.frames(start, a, f)
        start += rate // 50
    return start


def speech(name: str, rate: int = RATE) -> bytes:
    """A sentence of the product's own sounds, s16le mono, from its first to its last loud sample."""
    import numpy as np
    import soundfile

    samples, own = soundfile.read(SOUNDS / f"{name}.wav", dtype="int16")
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 1000)
    heard = samples[loud[0] : loud[-1] + 1]
    at = np.arange(int(len(heard) * rate / own)) * own / rate
    return np.interp(at, np.arange(len(heard)), heard).astype("<i2").tobytes()


def power(samples: array[int], hertz: float, rate: int = RATE) -> float:
    """Amplitude of one frequency in a track (Goertzel's sum, normalised to the sine's peak)."""
    re = sum(s * math.cos(math.tau * hertz * i / rate) for i, s in enumerate(samples))
    im = sum(s * math.sin(math.tau * hertz * i / rate) for i, s in enumerate(samples))
    return 2 * math.hypot(re, im) / max(1, len(samples))


def onset(samples: array[int], threshold: int = 2000) -> int:
    """Number of the first sample that is loud."""
    return next(i for i, sample in enumerate(samples) if abs(sample) > threshold)


def tampered(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The file with one byte changed, at a spread of places."""
    for at in range(0, len(data), max(1, len(data) // 40)):
        yield at, data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]
