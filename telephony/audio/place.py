"""One role of a sound card headset (microphone, speaker, ringing device) and the device that fills it. Its owner's
thread only, except ``side``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from telephony.audio.portaudio import PortAudio
from telephony.audio.streams import Side
from telephony.interfaces import HeadsetError

log = logging.getLogger(__name__)

_RETRY_S = 1.0


class Place:
    """Filled by the device that was chosen, or while that has gone by the default one, or by none.

    ``name``: the device chosen, empty for the default. ``kind`` opens a stream by name.
    """

    def __init__(self, library: PortAudio, kind: type[Side], name: str, on_end: Callable[[], None]) -> None:
        self.name = name
        self.side: Side | None = None
        """The stream in use; any thread may read it."""
        self.problem = ""
        """Why the chosen device is not in use: ``no_such_device``, ``device_busy`` or ``device_lost``."""
        self._library = library
        self._kind = kind
        self._on_end = on_end
        self._running = False
        self._retry_at = 0.0

    @property
    def fallback(self) -> bool:
        """The default device stands in."""
        return self.side is not None and bool(self.problem)

    @property
    def device(self) -> str:
        """Name of the device in use; empty when there is none."""
        side = self.side
        return side.device.name if side is not None else ""

    @property
    def known(self) -> bool:
        """PortAudio's list, as it was last read, has the chosen device."""
        try:
            return self._library.knows(self._kind.direction, self.name)
        except HeadsetError:
            return False

    def open(self, strict: bool) -> None:
        """Open the chosen device; unless ``strict``, the default one in its place, or none. Raises ``HeadsetError``."""
        try:
            self._fill(self.name)
        except HeadsetError as error:
            if strict:
                raise
            self.problem = error.code
            self._stand_in()

    def run(self, on: bool) -> None:
        """The device works or rests; one that does not start has gone."""
        self._running = on
        if self.side is None:
            self._retry_at = 0.0
            return
        try:
            self.side.run(on)
        except HeadsetError:
            self._lose()

    def look(self) -> None:
        """Notice a device that has gone, and try from time to time to have the chosen one back."""
        if self.side is not None and self.side.lost:
            self._lose()
        elif self.problem and time.monotonic() >= self._retry_at:
            self._retry()

    def close(self) -> None:
        side, self.side = self.side, None
        if side is not None:
            side.close()

    def _lose(self) -> None:
        log.warning("a sound device has gone")
        self.close()
        self.problem = "device_lost"
        self._retry()

    def _retry(self) -> None:
        self._retry_at = time.monotonic() + _RETRY_S
        try:
            if self.known:
                self._fill(self.name)
                return
        except HeadsetError:
            log.debug("the chosen sound device is still away")
        self._stand_in()

    def _stand_in(self) -> None:
        """The default device, if there is one and none is in use."""
        if self.side is not None or not self.name:
            return
        try:
            self._fill("")
        except HeadsetError:
            log.debug("there is no default sound device")

    def _fill(self, name: str) -> None:
        """Open ``name`` and take it in place of what is in use. Raises ``HeadsetError``, and nothing has changed."""
        new = self._kind(self._library, name, self._on_end)
        try:
            new.run(self._running)
        except HeadsetError:
            new.close()
            raise
        old, self.side = self.side, new
        if old is not None:
            old.close()
        if name == self.name:
            self.problem = ""
