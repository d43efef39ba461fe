"""One role of a sound card headset (microphone, speaker, ringing device) and the device that fills it. Its owner's
thread only, except ``device``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from telephony.audio.remote import RemoteDevice
from telephony.interfaces import HeadsetError

log = logging.getLogger(__name__)


class Place:
    """Filled by the device that was chosen, or while that has gone by the default one, or by none.

    ``name``: the device chosen, empty for the default.
    """

    def __init__(self, direction: str, name: str, on_end: Callable[[], None]) -> None:
        self.direction = direction
        self.name = name
        self.device: RemoteDevice | None = None
        """The one in use; any thread may read it."""
        self.problem = ""
        """Why the chosen device is not in use: ``no_such_device``, ``device_busy`` or ``device_lost``."""
        self._on_end = on_end
        self._running = False

    @property
    def fallback(self) -> bool:
        """The default device stands in."""
        return self.device is not None and bool(self.problem)

    @property
    def in_use(self) -> str:
        """Name of the device in use; empty when there is none."""
        device = self.device
        return device.name if device is not None else ""

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
        """The device works or rests."""
        self._running = on
        if self.device is not None:
            self.device.run(on)

    def look(self) -> None:
        """Notice a device that has gone: the default one takes its place at once, unless it was that itself."""
        if self.device is None or not self.device.lost:
            return
        log.warning("a sound device has gone")
        was_default = not self.name or self.fallback
        self.close()
        self.problem = "device_lost"
        if not was_default:
            self._stand_in()

    def reopen(self) -> None:
        """A device that rests may have gone unnoticed: open it again, or the default one in its place."""
        had_chosen = self.device is not None and not self.problem
        self.close()
        self.open(strict=False)
        if had_chosen and self.problem:
            self.problem = "device_lost"

    def found(self, names: list[str]) -> None:
        """These devices are there now: take the chosen one again, or the default one if none is in use."""
        if not self.problem:
            return
        if self.name in names or (not self.name and names):
            try:
                self._fill(self.name)
                return
            except HeadsetError:
                log.debug("the chosen sound device is there but does not open")
        if names:
            self._stand_in()

    def close(self) -> None:
        device, self.device = self.device, None
        if device is not None:
            device.close()

    def _stand_in(self) -> None:
        """The default device, if there is one and none is in use."""
        if self.device is not None or not self.name:
            return
        try:
            self._fill("")
        except HeadsetError:
            log.debug("there is no default sound device")

    def _fill(self, name: str) -> None:
        """Open ``name`` and take it in place of what is in use. Raises ``HeadsetError``, and nothing has changed."""
        try:
            new = RemoteDevice(self.direction, name, self._on_end)
        except OSError as error:
            raise HeadsetError("device_busy", "no process for the sound device can be started") from error
        new.run(self._running)
        old, self.device = self.device, new
        if old is not None:
            old.close()
        if name == self.name:
            self.problem = ""
