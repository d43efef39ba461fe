"""The running call: frames become sealed pieces of the journal. Writer thread only, except where said."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from struct import Struct
from typing import Any

from recorder import pcm
from recorder.container import AUDIO, CLOSING, EVENT, GAP, JOURNAL, ContainerWriter, HeaderFacts
from recorder.spool import JournalFile, Spool
from recorder.status import Counts

MAX_HOURS = 24
"""Frames beyond this are lost: no call lasts a day, and a broken clock must not fill the disk."""
SILENCE_SECONDS = 5
SILENCE_RMS = 10
"""−70 dBFS: somebody who listens still sends the noise of a room; a microphone that is off sends less."""

_PIECE_FRAMES = 50
_MAX_EVENT = 32_768
_FIRST_SAMPLE = Struct("<Q")
_QUIET_BY_WISH = {"hold": ("agent", "far"), "far_hold": ("far",), "mute": ("agent",)}
_HEARD_AGAIN = {"resume": "hold", "unhold": "hold", "far_resume": "far_hold", "unmute": "mute"}

Frame = tuple[int, bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened between two frames."""

    kind: str
    at: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Close:
    """The call's media is over."""

    cause: str
    at: str
    dropped_to: int = 0
    """Sample that follows the last frame which found no room, 0 when all did."""


class SilenceWatch:
    """Notices a side that says nothing: below −70 dBFS, or no media, for 5 s, unless it is on hold or muted."""

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
        self._piece: list[Frame] = []
        self._levels = {"agent": pcm.Level(), "far": pcm.Level()}
        self._silent_frame = bytes(2 * self.frame_samples)

    @property
    def key(self) -> bytes:
        return self._container.key

    @property
    def counts(self) -> Counts:
        return Counts(self._next, self.lost_frames, self._levels["agent"].dbfs, self._levels["far"].dbfs)

    def open(self) -> None:
        """Make the file, unless it is there. Raises ``SpoolError``; may be tried again."""
        if self.file is None:
            self._spool.prepare()
            self.file = self._spool.create_journal(self.facts.recording_id, self._container.preamble)

    def add(self, item: Frame | Mark | Close) -> None:
        """Take one item. Nothing is written before ``write``."""
        if isinstance(item, Mark):
            self._mark(item)
        elif isinstance(item, Close):
            self._close(item)
        else:
            self._frame(*item)

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
            self._gap("both", self._next, start - self._next)
            self.lost_frames += -(-(start - self._next) // self.frame_samples)
            self._next = start

    def _seal_piece(self) -> None:
        if not self._piece:
            return
        frames, self._piece = self._piece, []
        tracks = []
        first = frames[0][0]
        for side, heard in (("agent", [f[1] for f in frames]), ("far", [f[2] for f in frames])):
            if None in heard:
                self._side_gaps(side, first, heard)
            track = b"".join([self._fitted(frame) for frame in heard])
            level = pcm.rms(track)
            self._levels[side].add(level, len(track) // 2)
            self.silence.heard(side, level, len(track) // 2)
            tracks.append(track)
        self._seal(AUDIO, _FIRST_SAMPLE.pack(first) + pcm.interleave(*tracks))

    def _fitted(self, frame: bytes | None) -> bytes:
        if frame is None:
            return self._silent_frame
        size = 2 * self.frame_samples
        return frame if len(frame) == size else frame[:size].ljust(size, b"\0")

    def _side_gaps(self, side: str, start: int, heard: list[bytes | None]) -> None:
        for missing, run in itertools.groupby(heard, key=lambda frame: frame is None):
            samples = len(list(run)) * self.frame_samples
            if missing:
                self._gap(side, start, samples)
            start += samples

    def _gap(self, channel: str, start: int, samples: int) -> None:
        self._seal(GAP, _json({"channel": channel, "start": start, "samples": samples}))

    def _mark(self, mark: Mark) -> None:
        self._seal_piece()
        self.silence.told(mark.kind)
        head = {"start": self._next, "kind": mark.kind, "at": mark.at}
        try:
            body = _json(dict(mark.detail) | head)
        except (TypeError, ValueError, RecursionError):
            body = b""
        self._seal(EVENT, body if 0 < len(body) <= _MAX_EVENT else _json(head | {"detail_lost": True}))

    def _close(self, close: Close) -> None:
        self._skip_to(min(close.dropped_to, MAX_HOURS * 3600 * self.facts.rate))
        self._seal_piece()
        self.closed = close
        self._seal(
            CLOSING, closing_body(self.facts.rate, self.counts, close, codec="pcm_s16le", content_sha256=""), True
        )

    def _seal(self, kind: str, body: bytes, final: bool = False) -> None:
        self._unwritten += self._container.seal(kind, body, final=final)


def closing_body(rate: int, counts: Counts, close: Close, *, codec: str, content_sha256: str) -> bytes:
    """Body of the closing piece."""
    return _json(
        {
            "samples": counts.samples,
            "rate": rate,
            "lost_frames": counts.lost_frames,
            "cause": close.cause,
            "ended_at": close.at,
            "content_sha256": content_sha256,
            "codec": codec,
            "left_dbfs": counts.agent_dbfs,
            "right_dbfs": counts.far_dbfs,
        }
    )


def utc_now() -> str:
    """Now, ISO 8601 in UTC to the millisecond, with ``Z``."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")
