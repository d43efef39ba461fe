"""The running call: frames become sealed pieces of the journal. Writer thread only, except where said."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any

from recorder import pcm
from recorder.container import AUDIO, CLOSING, EVENT, GAP, JOURNAL, ContainerWriter, HeaderFacts
from recorder.files import spool_errors
from recorder.spool import JournalFile, Spool
from recorder.status import Counts, Segments

PCM = "pcm_s16le"
FACTS = "facts"
"""Kind of the event that holds the call's facts; the last one counts."""
MAX_HOURS = 24
"""Frames beyond this are lost: no call lasts a day, and a broken clock must not fill the disk."""
SILENCE_SECONDS = 5
SILENCE_RMS = 10
"""−70 dBFS: somebody who listens still sends the noise of a room; a microphone that is off sends less."""

_PIECE_FRAMES = 50
_MAX_EVENT = 32_768
_FIRST_SAMPLE = Struct("<Q")
_BOTH = ("agent", "far")
_QUIET_BY_WISH = {"hold": _BOTH, "far_hold": ("far",), "mute": ("agent",), "recording_paused": _BOTH}
_HEARD_AGAIN = {
    "resume": "hold",
    "unhold": "hold",
    "far_resume": "far_hold",
    "unmute": "mute",
    "recording_resumed": "recording_paused",
}

LOST, SILENT, NOT_ASKED = "lost", "silent", "not_asked"
"""Why there is no audio: frames that never came; left out for want of a voice; nobody asked for a recording."""

Frame = tuple[int, bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened between two frames."""

    kind: str
    at: str
    detail: Mapping[str, Any]
    start: int = -1
    """Its sample number; −1: the one that the journal has reached."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Frames that are left out: ``samples`` from ``start``; ``why``: ``silent`` or ``not_asked``."""

    start: int
    samples: int
    why: str


@dataclass(frozen=True, slots=True)
class Demand:
    """Somebody asks for the recording to begin, or to stop."""

    on: bool


@dataclass(frozen=True, slots=True)
class Close:
    """The call's media is over."""

    cause: str
    at: str
    """By the monotonic clock since the start, as ISO 8601 in UTC."""
    dropped_to: int = 0
    """Sample that follows the last frame which found no room, 0 when all did."""
    wall_at: str = ""
    monotonic_ms: int = 0


Item = Frame | Mark | Skip | Demand | Close


class SilenceWatch:
    """Notices a side that says nothing: below −70 dBFS, or no media, for 5 s, not on hold, muted or paused."""

    def __init__(self, rate: int) -> None:
        self._limit = SILENCE_SECONDS * rate
        self._quiet = {"agent": 0, "far": 0}
        self._wished: set[str] = set()

    def heard(self, side: str, rms: int, samples: int) -> None:
        excused = any(side in _QUIET_BY_WISH[kind] for kind in self._wished)
        self._quiet[side] = 0 if rms >= SILENCE_RMS or excused else self._quiet[side] + samples

    def told(self, kind: str) -> None:
        """An event of the call: hold and mute make silence expected."""
        if kind in _QUIET_BY_WISH:
            self._wished.add(kind)
        self._wished.discard(_HEARD_AGAIN.get(kind, ""))

    @property
    def problem(self) -> str:
        """``agent_silent``, ``far_silent`` or empty. Any thread."""
        return next((f"{side}_silent" for side, quiet in self._quiet.items() if quiet >= self._limit), "")


class Journal:
    """Seals what comes and writes it at once; keeps what the disk would not take, in order, until it does."""

    def __init__(self, spool: Spool, facts: HeaderFacts, store_public_key: bytes) -> None:
        self.facts = facts
        self.frame_samples = facts.rate // 50
        self.lost_frames = 0
        self.written_samples = 0
        """Samples that a kill of the process cannot lose any more. Any thread may read."""
        self.silence = SilenceWatch(facts.rate)
        self.file: JournalFile | None = None
        self.closed: Close | None = None
        self._spool = spool
        self._container = ContainerWriter(JOURNAL, facts, store_public_key)
        self._unwritten = b""
        self._next = 0
        self._left_out = 0
        self._piece: list[Frame] = []
        self._levels = {"agent": pcm.Level(), "far": pcm.Level()}
        self._silent_frame = bytes(2 * self.frame_samples)

    @property
    def key(self) -> bytes:
        return self._container.key

    @property
    def counts(self) -> Counts:
        levels = self._levels
        return Counts(self._next, self.lost_frames, levels["agent"].dbfs, levels["far"].dbfs, self._left_out)

    def open(self) -> None:
        """Take the seat's next number and make the file, unless it is there. Raises ``SpoolError``; may be tried again.

        The number comes first: a journal that somebody deletes later leaves a number without a recording.
        """
        if self.file is None:
            self._spool.prepare()
            with spool_errors():
                self._spool.numbers.take(self.facts.recording_id, self.facts.call_id)
            self.file = self._spool.create_journal(self.facts.recording_id, self._container.preamble)

    def add(self, item: Item) -> None:
        """Take one item. Nothing is written before ``write``."""
        if isinstance(item, tuple):
            self._frame(*item)
        elif isinstance(item, Mark):
            self._mark(item)
        elif isinstance(item, Skip):
            self._skip(item)
        elif isinstance(item, Close):
            self._close(item)

    def write(self) -> None:
        """Seal what has come and write it. Raises ``SpoolError``; nothing is lost by it, and it may be called again."""
        self._seal_piece()
        self.open()
        assert self.file is not None
        if self._unwritten:
            self.file.append(self._unwritten)
            self._unwritten = b""
        self.written_samples = self._next

    @property
    def stuck(self) -> bool:
        """The disk has not taken all that was sealed."""
        return self.file is None or bool(self._unwritten)

    def _frame(self, start: int, agent: bytes | None, far: bytes | None) -> None:
        if start < self._next:
            return
        if start + self.frame_samples > MAX_HOURS * 3600 * self.facts.rate:
            self.lost_frames += 1
            return
        self._skip_to(start)
        self._piece.append((start, agent, far))
        self._next = start + self.frame_samples
        if len(self._piece) >= _PIECE_FRAMES:
            self._seal_piece()

    def _skip_to(self, start: int) -> None:
        if start > self._next:
            self._seal_piece()
            self._gap("both", self._next, start - self._next, LOST)
            self.lost_frames += -(-(start - self._next) // self.frame_samples)
            self._next = start

    def _skip(self, skip: Skip) -> None:
        end = min(skip.start + skip.samples, MAX_HOURS * 3600 * self.facts.rate)
        if end > self._next:
            self._skip_to(skip.start)
            self._seal_piece()
            self._gap("both", self._next, end - self._next, skip.why)
            self._left_out += end - self._next
            self._next = end

    def _seal_piece(self) -> None:
        if not self._piece:
            return
        frames, self._piece = self._piece, []
        first = frames[0][0]
        agent = self._track("agent", first, [frame[1] for frame in frames])
        far = self._track("far", first, [frame[2] for frame in frames])
        self._seal(AUDIO, _FIRST_SAMPLE.pack(first) + pcm.interleave(agent, far))

    def _track(self, side: str, first: int, heard: list[bytes | None]) -> bytes:
        samples = len(heard) * self.frame_samples
        if None in heard:
            self._side_gaps(side, first, heard)
        size = 2 * self.frame_samples
        whole = [self._silent_frame if f is None else f if len(f) == size else _fitted(f, size) for f in heard]
        track = b"".join(whole)
        level = pcm.rms(track)
        self._levels[side].add(level, samples)
        self.silence.heard(side, level, samples)
        return track

    def _side_gaps(self, side: str, start: int, heard: list[bytes | None]) -> None:
        for missing, run in itertools.groupby(heard, key=lambda frame: frame is None):
            samples = len(list(run)) * self.frame_samples
            if missing:
                self._gap(side, start, samples, LOST)
            start += samples

    def _gap(self, channel: str, start: int, samples: int, why: str) -> None:
        self._seal(GAP, _json({"channel": channel, "start": start, "samples": samples, "why": why}))

    def _mark(self, mark: Mark) -> None:
        self._seal_piece()
        self.silence.told(mark.kind)
        head = {"start": self._next if mark.start < 0 else mark.start, "kind": mark.kind, "at": mark.at}
        try:
            body = _json(dict(mark.detail) | head)
        except (TypeError, ValueError, RecursionError):
            body = b""
        self._seal(EVENT, body if 0 < len(body) <= _MAX_EVENT else _json(head | {"detail_lost": True}))

    def _close(self, close: Close) -> None:
        self._skip_to(min(close.dropped_to, MAX_HOURS * 3600 * self.facts.rate))
        self._seal_piece()
        self.closed = close
        counts = self.counts
        body = closing_body(self.facts.rate, counts, close, codec=PCM, samples=counts.samples, segments=whole(counts))
        self._seal(CLOSING, body, True)

    def _seal(self, kind: str, body: bytes, final: bool = False) -> None:
        self._unwritten += self._container.seal(kind, body, final=final)


def closing_body(
    rate: int,
    counts: Counts,
    close: Close,
    *,
    codec: str,
    samples: int,
    segments: Segments,
    content_sha256: str = "",
) -> bytes:
    """Body of the closing piece of a file whose audio has ``samples`` a channel, at ``segments`` of the call."""
    return _json(
        {
            "samples": samples,
            "call_samples": counts.samples,
            "segments": segments,
            "rate": rate,
            "lost_frames": counts.lost_frames,
            "cause": close.cause,
            "ended_at": close.at,
            "wall_ended_at": close.wall_at,
            "monotonic_ms": close.monotonic_ms,
            "content_sha256": content_sha256,
            "codec": codec,
            "left_dbfs": counts.agent_dbfs,
            "right_dbfs": counts.far_dbfs,
        }
    )


def whole(counts: Counts) -> Segments:
    """The segments of a file whose time is the call's: what is left out is silence in it."""
    return ((0, 0, counts.samples),) if counts.samples else ()


def _fitted(frame: bytes, size: int) -> bytes:
    return frame[:size].ljust(size, b"\0")


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")
