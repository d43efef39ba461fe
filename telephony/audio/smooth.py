"""Sound that starts or stops within a wave clicks; a fade of 5 ms takes the click out. 16-bit mono PCM."""

from __future__ import annotations

import array
import sys


class Smoother:
    """Takes the click out of sound that starts or stops within a wave: 5 ms of fading. Media clock's thread."""

    def __init__(self, rate: int) -> None:
        self._edge = rate // 200
        self._last = b""

    def begin(self) -> None:
        """What comes next does not follow on what came last."""
        self._last = b""

    def smooth(self, pcm: bytes | None) -> bytes | None:
        """The frame to play for ``pcm``; None or nothing is no sound, and gives None once it has faded."""
        last, self._last = self._last, pcm or b""
        if pcm:
            return pcm if last else fade_in(pcm, self._edge)
        if not last:
            return None
        return ease(int.from_bytes(last[-2:], sys.byteorder, signed=True), self._edge, len(last))


def fade_out(pcm: bytes, samples: int) -> bytes:
    """The first ``samples`` of ``pcm`` falling evenly to nothing, the rest silent. No click where sound is cut off."""
    head = array.array("h", pcm[: 2 * samples])
    faded = array.array("h", (s * (samples - i) // samples for i, s in enumerate(head)))
    return faded.tobytes().ljust(len(pcm), b"\0")


def fade_in(pcm: bytes, samples: int) -> bytes:
    """``pcm`` whose first ``samples`` rise evenly from nothing."""
    head = array.array("h", pcm[: 2 * samples])
    return array.array("h", (s * i // samples for i, s in enumerate(head))).tobytes() + pcm[2 * samples :]


def ease(last: int, samples: int, length: int) -> bytes:
    """A frame of ``length`` bytes that leads from the sample ``last`` evenly to silence within ``samples``."""
    return (
        array.array("h", (last * (samples - i) // samples for i in range(1, samples + 1)))
        .tobytes()
        .ljust(length, b"\0")
    )
