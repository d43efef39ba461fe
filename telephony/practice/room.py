"""The quiet noise of the room that the debtor sits in: a line on which nobody speaks is not a dead line."""

from __future__ import annotations

import array
import itertools
import random
from collections.abc import Iterator

ROOM_RMS = 26
"""−62 dBFS: well below speech, well above a microphone that is off."""


def room_tone(rate: int, frame_bytes: int) -> Iterator[bytes]:
    """Frames of noise (16-bit mono PCM), for ever; the same second again and again."""
    source = random.Random(1)  # noqa: S311 - noise, not a secret
    second = array.array("h", (round(source.gauss(0, ROOM_RMS)) for _ in range(rate))).tobytes()
    return itertools.cycle([second[at : at + frame_bytes] for at in range(0, len(second), frame_bytes)])
