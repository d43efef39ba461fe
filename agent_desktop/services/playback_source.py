"""What a player reads: a recording at a chosen speed, its two sides mixed, its long silences known."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from agent_desktop.services.recordings import ReplayAudio

    Pcm = npt.NDArray[np.int16]

MIN_SPEED, MAX_SPEED = 0.5, 3.0
MIN_GAIN_DB, MAX_GAIN_DB = -24.0, 24.0

SILENCE_DBFS = -50.0
SILENCE_SECONDS = 1.5
SILENCE_KEPT_SECONDS = 0.25
"""Left standing at each end of a skipped silence, so that no word loses its first sound."""

PIECE_SECONDS = 10.0
MARGIN_SECONDS = 0.4
FADE_SECONDS = 0.02
PIECES_KEPT = 6


class Side(StrEnum):
    """A channel of a recording."""

    AGENT = "agent"
    FAR = "far"


@dataclass(frozen=True, slots=True)
class SideMix:
    """How one side is heard. ``gain_db`` within ``MIN_GAIN_DB`` … ``MAX_GAIN_DB``."""

    muted: bool = False
    solo: bool = False
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Mix:
    """How both sides are heard together. While a side is solo, only solo sides are heard; mute wins over solo."""

    agent: SideMix = SideMix()
    far: SideMix = SideMix()

    def side(self, side: Side) -> SideMix:
        return self.agent if side is Side.AGENT else self.far

    def with_side(self, side: Side, mix: SideMix) -> Mix:
        return replace(self, agent=mix) if side is Side.AGENT else replace(self, far=mix)

    def audible(self, side: Side) -> bool:
        mine = self.side(side)
        return not mine.muted and (mine.solo or not (self.agent.solo or self.far.solo))

    def apply(self, agent: Pcm, far: Pcm) -> Pcm:
        """One mono block, 16-bit, of two equally long ones; sums beyond full scale are clipped."""
        import numpy as np

        total = np.zeros(len(agent), dtype=np.float32)
        for side, pcm in ((Side.AGENT, agent), (Side.FAR, far)):
            if self.audible(side):
                total += pcm * np.float32(10 ** (self.side(side).gain_db / 20))
        return np.clip(np.rint(total), -32768, 32767).astype(np.int16)


class StretchedAudio:
    """A recording as it sounds at one speed, at its own pitch, made piece by piece as it is needed.

    Pieces are stretched by Rubber Band (pedalboard) on a thread of their own, the next one ahead of need: an hour can
    be heard at a new speed within tens of milliseconds and without a copy of it in memory. Each piece is stretched
    with a margin around it and fades over into the next one. ``read`` may be called from one thread at a time.
    """

    def __init__(self, audio: ReplayAudio, speed: float) -> None:
        self._audio = audio
        self.speed = speed
        self._samples = len(audio.agent)
        self._piece = max(1, round(PIECE_SECONDS * audio.rate))
        self._piece_out = max(1, round(self._piece / speed))
        self._fade = round(FADE_SECONDS * audio.rate)
        self._pool = ThreadPoolExecutor(1, "playback-stretch") if speed != 1.0 else None
        self._pieces: OrderedDict[int, Future[Pcm]] = OrderedDict()

    @property
    def length(self) -> int:
        """Samples that come out in all."""
        return self.to_output(self._samples)

    def to_output(self, sample: int) -> int:
        """Where a sample of the recording is found in what comes out."""
        whole, rest = divmod(sample, self._piece)
        return whole * self._piece_out + round(rest * self._piece_out / self._piece)

    def to_sample(self, output: int) -> int:
        """Which sample of the recording is heard at ``output``."""
        if output >= self.length:
            return self._samples
        whole, rest = divmod(output, self._piece_out)
        return min(self._samples, whole * self._piece + round(rest * self._piece / self._piece_out))

    def read(self, start: int, count: int) -> tuple[Pcm, Pcm]:
        """Up to ``count`` samples of both sides from ``start``; fewer at the end of a piece, none at the very end."""
        if self._pool is None:
            return self._audio.agent[start : start + count], self._audio.far[start : start + count]
        if start >= self.length:
            return self._audio.agent[:0], self._audio.far[:0]
        index, offset = divmod(start, self._piece_out)
        wanted = self._request(index)
        if (index + 1) * self._piece < self._samples:
            self._request(index + 1)
        sides = wanted.result()[:, offset : min(offset + count, self._out(index))]
        if offset < self._fade and index - 1 in self._pieces:
            sides = self._faded(sides, self._pieces[index - 1].result()[:, self._out(index - 1) :], offset)
        return sides[0], sides[1]

    def close(self) -> None:
        """Stop stretching; waits for no piece."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _out(self, index: int) -> int:
        """Samples that piece ``index`` gives."""
        return min(self._piece_out, self.length - index * self._piece_out)

    def _faded(self, sides: Pcm, tail: Pcm, offset: int) -> Pcm:
        """``sides``, from ``offset`` of a piece, faded over from what the piece before went on with."""
        import numpy as np

        count = min(sides.shape[1], tail.shape[1] - offset)
        ramp = (np.arange(offset, offset + count, dtype=np.float32) + 0.5) / tail.shape[1]
        faded = sides.copy()
        mixed = sides[:, :count] * ramp + tail[:, offset : offset + count] * (1.0 - ramp)
        faded[:, :count] = np.rint(mixed).astype(np.int16)
        return faded

    def _request(self, index: int) -> Future[Pcm]:
        assert self._pool is not None
        future = self._pieces.get(index)
        if future is None:
            future = self._pieces[index] = self._pool.submit(self._stretch, index)
        self._pieces.move_to_end(index)
        while len(self._pieces) > PIECES_KEPT:
            self._pieces.popitem(last=False)
        return future

    def _stretch(self, index: int) -> Pcm:
        """Piece ``index`` of both sides and, after it, what it would go on with: ``_out(index) + _fade`` samples."""
        import numpy as np
        import pedalboard

        margin = round(MARGIN_SECONDS * self._audio.rate)
        start = index * self._piece
        stop = min(self._samples, start + self._piece)
        first, last = max(0, start - margin), min(self._samples, stop + margin)
        sides = np.stack((self._audio.agent[first:last], self._audio.far[first:last]))
        floats = sides.astype(np.float32) / 32768.0
        made = pedalboard.time_stretch(floats, float(self._audio.rate), self.speed, high_quality=False)
        lead = round((start - first) / self.speed)
        wanted = self._out(index) + self._fade
        made = made[:, lead : lead + wanted]
        made = np.pad(made, ((0, 0), (0, wanted - made.shape[1])))
        pcm: Pcm = np.clip(np.rint(made * 32768.0), -32768, 32767).astype(np.int16)
        return pcm


def find_silences(audio: ReplayAudio) -> list[tuple[int, int]]:
    """Stretches to jump over when silence is skipped, in samples of the recording, in order.

    Both sides stay below ``SILENCE_DBFS`` (RMS of 20 ms) for more than ``SILENCE_SECONDS``; what is kept at the ends is
    already taken off.
    """
    import numpy as np

    window = max(1, audio.rate // 50)
    quiet = _quiet(audio.agent, window) & _quiet(audio.far, window)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], quiet.astype(np.int8), [0]))))
    kept = round(SILENCE_KEPT_SECONDS * audio.rate)
    found = []
    for begin, end in edges.reshape(-1, 2) * window:
        if end - begin > SILENCE_SECONDS * audio.rate:
            found.append((int(begin) + kept, int(end) - kept))
    return found


def _quiet(pcm: Pcm, window: int) -> npt.NDArray[np.bool_]:
    """For each whole window, whether its RMS is below the threshold; a minute at a time, to stay small in memory."""
    import numpy as np

    limit = (32768.0 * 10 ** (SILENCE_DBFS / 20)) ** 2
    rows = pcm[: len(pcm) // window * window].reshape(-1, window)
    power = np.empty(len(rows), dtype=np.float32)
    for at in range(0, len(rows), 3000):
        chunk = rows[at : at + 3000].astype(np.float32)
        power[at : at + 3000] = np.einsum("ij,ij->i", chunk, chunk) / window
    quiet: npt.NDArray[np.bool_] = power < limit
    return quiet
