"""Hears whether somebody speaks, by level."""

from __future__ import annotations

from telephony.pcm import level_dbfs

_ONSET_FRAMES = 3
_HANG_OVER_FRAMES = 15
_ABOVE_FLOOR_DB = 12.0
_LOWEST_DBFS = -45.0
_HIGHEST_DBFS = -28.0
_FLOOR_RISE_DB = 0.02


class Ear:
    """Voice activity, a frame of 20 ms at a time. One thread.

    A frame is loud when it is 12 dB above the noise floor, the lowest level heard, which creeps up by 1 dB a
    second; the threshold stays between −45 and −28 dBFS. Speech begins with the third loud frame in a row, so
    that a click is none, and lasts 0.3 s beyond the last loud one, so that the gaps between words are part of
    it.
    """

    def __init__(self) -> None:
        self._floor = _LOWEST_DBFS - _ABOVE_FLOOR_DB
        self._loud_frames = 0
        self.speech = False
        """Somebody is speaking."""
        self.quiet_frames = 0
        """Frames since the last loud frame of speech; counts from the start while nothing was said."""

    def hear(self, pcm: bytes) -> None:
        """The next frame, 16-bit mono PCM."""
        level = level_dbfs(pcm)
        self._floor = min(level, self._floor + _FLOOR_RISE_DB)
        threshold = max(_LOWEST_DBFS, min(_HIGHEST_DBFS, self._floor + _ABOVE_FLOOR_DB))
        self._loud_frames = self._loud_frames + 1 if level > threshold else 0
        if self._loud_frames >= _ONSET_FRAMES or (self.speech and self._loud_frames):
            self.speech = True
            self.quiet_frames = 0
            return
        self.quiet_frames += 1
        if self.quiet_frames > _HANG_OVER_FRAMES:
            self.speech = False
