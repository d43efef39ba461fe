"""A journal's audio, events and gaps as the pieces of a finalised file. Finaliser thread."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Any, Protocol

from recorder.codec import FRAME_BYTES, Encoder, encoder
from recorder.container import AUDIO, EVENT, GAP, ContainerReader, Piece
from recorder.journal import FACTS, LOST
from recorder.rules import RecordingRules
from recorder.status import Counts, Segments

_FIRST_SAMPLE = Struct("<Q")


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was written: ``samples`` a channel of audio, out of a call of ``call_samples``."""

    samples: int
    call_samples: int
    segments: Segments
    pcm_sha256: str
    """Of the interleaved PCM that went into the encoder."""


class Sink(Protocol):
    """Takes the finalised file's pieces."""

    def content(self, data: bytes) -> None: ...

    def event(self, body: bytes) -> None: ...


def transcribe(
    path: Path,
    key: bytes,
    rate: int,
    counts: Counts,
    rules: RecordingRules,
    sink: Sink,
    pause: Callable[[float], None],
) -> Transcript:
    """Read the journal at ``path`` through and hand on its audio, encoded as ``rules`` say.

    ``pause`` is called after each second of audio with the seconds that it took, and may sleep. Raises ``CodecError``,
    ``ContainerError``, ``OSError``.
    """
    audio = _Audio(encoder(sink.content, rate, counts.samples - counts.left_out, rules), rate, pause)
    events = _Events(sink.event)
    try:
        with path.open("rb") as stream:
            reader = ContainerReader(stream)
            reader.unlock_with(key)
            for piece in reader.pieces():
                audio.take(piece)
                events.take(piece)
        events.end()
        return audio.end()
    finally:
        audio.close()


class _Audio:
    """The time line: audio where there is some, silence where it was lost, nothing where it was left out."""

    def __init__(self, into: Encoder, rate: int, pause: Callable[[float], None]) -> None:
        self._encoder = into
        self._rate = rate
        self._pause = pause
        self._run = bytearray()
        self._digest = hashlib.sha256()
        self._samples = 0
        self._reached = 0
        self._segments: list[tuple[int, int, int]] = []

    def take(self, piece: Piece) -> None:
        if piece.kind == AUDIO:
            (start,) = _FIRST_SAMPLE.unpack_from(piece.body)
            self._silence(start)
            self._add(memoryview(piece.body)[_FIRST_SAMPLE.size :])
            if len(self._run) >= self._rate * FRAME_BYTES:
                self._encode()
        elif piece.kind == GAP:
            gap = json.loads(piece.body)
            if gap["channel"] == "both":
                end = gap["start"] + gap["samples"]
                if gap.get("why", LOST) == LOST:
                    self._silence(end)
                else:
                    self._reached = max(self._reached, end)

    def end(self) -> Transcript:
        self._encode()
        return Transcript(self._samples, self._reached, tuple(self._segments), self._digest.hexdigest())

    def close(self) -> None:
        self._encoder.close()

    def _silence(self, until: int) -> None:
        """A second at a time, so that the finalised audio is as long as what it is of."""
        while self._reached < until:
            self._add(bytes(min(until - self._reached, self._rate) * FRAME_BYTES))
            self._encode()

    def _add(self, stereo: bytes | memoryview) -> None:
        samples = len(stereo) // FRAME_BYTES
        last = self._segments[-1] if self._segments else None
        if last is not None and last[1] + last[2] == self._reached:
            self._segments[-1] = (last[0], last[1], last[2] + samples)
        elif samples:
            self._segments.append((self._samples, self._reached, samples))
        self._run += stereo
        self._samples += samples
        self._reached += samples

    def _encode(self) -> None:
        began = time.monotonic()
        run = bytes(self._run)
        self._run.clear()
        self._digest.update(run)
        self._encoder.write(run)
        self._pause(time.monotonic() - began)


class _Events:
    """Events as they are, of the call's facts the last; the journal's gap records, one for each piece, as one event
    for each gap.
    """

    def __init__(self, sink: Callable[[bytes], None]) -> None:
        self._sink = sink
        self._facts = b""
        self._open: dict[str, dict[str, Any]] = {}

    def take(self, piece: Piece) -> None:
        if piece.kind == GAP:
            self._gap(json.loads(piece.body))
        elif piece.kind == EVENT:
            if json.loads(piece.body).get("kind") == FACTS:
                self._facts = piece.body
            else:
                self._sink(piece.body)

    def end(self) -> None:
        for gap in self._open.values():
            self._tell(gap)
        if self._facts:
            self._sink(self._facts)

    def _gap(self, gap: dict[str, Any]) -> None:
        last = self._open.get(gap["channel"])
        if last is not None and last["start"] + last["samples"] == gap["start"] and last.get("why") == gap.get("why"):
            last["samples"] += gap["samples"]
            return
        self._open[gap["channel"]] = gap
        if last is not None:
            self._tell(last)

    def _tell(self, gap: dict[str, Any]) -> None:
        self._sink(json.dumps({"kind": "gap", "at": "", **gap}, separators=(",", ":")).encode("utf-8"))
