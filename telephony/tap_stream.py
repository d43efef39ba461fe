"""Both sides of a call on their way to its tap. No pjsua2 here."""

from __future__ import annotations

import threading
from collections.abc import Callable

from telephony.headset_sound import HeadsetSound
from telephony.interfaces import MediaTap
from telephony.pcm import clips, level_dbfs

LevelSink = Callable[[float, float, bool, bool], None]
"""Of 100 ms: level of the agent's and the far side in dBFS, and whether each clips. Media clock's thread."""
_LEVEL_FRAMES = 5


class TapStream:
    """Pairs the two sides of a call tick by tick and numbers their samples."""

    def __init__(self, rate: int, headset: HeadsetSound) -> None:
        self.microphone_on = False
        """The agent's voice is on its way to the customer: a missing frame is a loss, not a choice."""
        self.far_on = False
        """The far side's voice is on its way here; likewise."""
        self.others_on = False
        """In a conference: the agent's side has the other party's voice too, whether or not there is a microphone."""
        self._samples = rate // 50
        self._silence = bytes(self._samples * 2)
        self._headset = headset
        self._lock = threading.Lock()
        self._tap: MediaTap | None = None
        self._on_levels: LevelSink | None = None
        self._agent_recent: list[bytes] = []
        self._far_recent: list[bytes] = []
        self._position = 0

    @property
    def attached(self) -> bool:
        """Between ``attach`` and ``detach``. Any thread."""
        return self._on_levels is not None

    def attach(self, tap: MediaTap | None, on_levels: LevelSink) -> None:
        """Begin at sample 0; ``on_levels`` is called on the media clock's thread. Engine thread."""
        with self._lock:
            self._tap = tap
            self._on_levels = on_levels
            self._position = 0
            self._agent_recent.clear()
            self._far_recent.clear()

    def detach(self) -> MediaTap | None:
        """No frame is delivered after this returns. Engine thread."""
        with self._lock:
            tap, self._tap = self._tap, None
            self._on_levels = None
        self.microphone_on = self.far_on = self.others_on = False
        return tap

    def tick(self, agent: bytes, far: bytes) -> None:
        """Both sides of one tick; empty when the bridge had nothing for that side. Media clock's thread."""
        if self.microphone_on:
            agent_pcm = None if not agent or (self._headset.silent and not self.others_on) else agent
        else:
            agent_pcm = agent or self._silence
        far_pcm = far or (None if self.far_on else self._silence)
        with self._lock:
            on_levels = self._on_levels
            if on_levels is None:
                return
            if self._tap is not None:
                self._tap.frames(self._position, agent_pcm, far_pcm)
            self._position += self._samples
            self._agent_recent.append(agent_pcm or b"")
            self._far_recent.append(far_pcm or b"")
            if len(self._far_recent) == _LEVEL_FRAMES:
                self._measure(on_levels)

    def from_headset(self, given: bytes, taken: bytes) -> None:
        """As ``tick``, of the only call that the headset has to do with. A lead may hear what this call is not sent."""
        self.tick(given if self.microphone_on else b"", taken if self.far_on else b"")

    def skip(self, ticks: int) -> None:
        """The clock was held up and gave up so many ticks: the numbers jump, a gap. Media clock's thread."""
        with self._lock:
            if self._position:
                self._position += ticks * self._samples

    def _measure(self, on_levels: LevelSink) -> None:
        agent, far = b"".join(self._agent_recent), b"".join(self._far_recent)
        self._agent_recent.clear()
        self._far_recent.clear()
        on_levels(level_dbfs(agent), level_dbfs(far), clips(agent), clips(far))
