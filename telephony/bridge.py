"""Who hears whom: the media bridge's ports and the connections between them. Engine thread only."""

from __future__ import annotations

import logging

from telephony.drive import Drive
from telephony.headset_sound import HeadsetSound
from telephony.interfaces import Headset, HeadsetError
from telephony.media import TapPorts
from telephony.ports import Port

log = logging.getLogger(__name__)


class Bridge:
    """Owns the headset's port and the taps' ports, and connects them with calls."""

    def __init__(self, headset: Headset, drive: Drive) -> None:
        self._ports = drive.ports
        self._headset = headset
        self._open = False
        self.sound = HeadsetSound(headset)
        """What passes between the headset and its port."""
        self.headset = self._ports.duplex("headset", headset.rate, self.sound.microphone, self.sound.speaker)
        """The headset as source (microphone) and sink (speaker)."""
        self._idle_taps: list[TapPorts] = []
        self._taps: list[TapPorts] = []
        drive.on_lost = self._skip

    def open_headset(self) -> str:
        """Open the devices. Returns the problem's code, empty when all is well; calls work without a headset too."""
        try:
            self._headset.start()
        except HeadsetError as error:
            log.warning("the headset cannot be opened: %s", error.code)
            return error.code
        self._open = True
        return ""

    def swap_headset(self, headset: Headset) -> None:
        """Change the headset under a running call. Raises ``HeadsetError``, and the old one stays."""
        if headset.rate != self._headset.rate:
            raise HeadsetError("no_such_device", "the headset has another sample rate than the bridge")
        headset.start()
        self.sound.swap(headset)
        old, self._headset = self._headset, headset
        was_open, self._open = self._open, True
        if was_open:
            old.stop()

    def describe_headset(self) -> str:
        return self._headset.describe()

    def take_tap(self, rate: int) -> TapPorts:
        """A pair of tap ports of this rate, until ``give_back``."""
        for ports in self._idle_taps:
            if ports.rate == rate:
                self._idle_taps.remove(ports)
                return ports
        ports = TapPorts(rate, self.sound, self._ports)
        self._taps.append(ports)
        return ports

    def give_back(self, ports: TapPorts) -> None:
        """Return a pair; nothing may be connected to it any more."""
        self._idle_taps.append(ports)

    def route(self, source: Port, sink: Port, on: bool) -> None:
        """Connect or disconnect; either may be so already."""
        if problem := self._ports.route(source, sink, on):
            log.warning("the bridge refused a connection: %s", problem)

    def close(self) -> None:
        """Stop the headset and drop every port; before the library is destroyed."""
        if self._open:
            self._headset.stop()
            self._open = False
        self._taps.clear()
        self._idle_taps.clear()
        del self.headset
        self._ports.close()

    def _skip(self, ticks: int) -> None:
        """The media clock's thread."""
        for ports in self._taps:
            ports.stream.skip(ticks)
