"""Who hears whom: the media bridge's ports and the connections between them. Engine thread only."""

from __future__ import annotations

import logging
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.interfaces import Headset, HeadsetError
from telephony.media import HeadsetPort, TapPorts
from telephony.pcm import frame_access

log = logging.getLogger(__name__)


class Bridge:
    """Owns the headset's port and the taps' ports, and connects them with calls."""

    def __init__(self, headset: Headset) -> None:
        self._read, write = frame_access(pj.MediaFrame)
        self._headset = headset
        self._open = False
        self._port = HeadsetPort(headset, self._read, write)
        self._idle_taps: list[TapPorts] = []
        self._taps: list[TapPorts] = []

    @property
    def headset(self) -> HeadsetPort:
        """The headset as source (microphone) and sink (speaker)."""
        return self._port

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
        self._port.swap(headset)
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
        ports = TapPorts(rate, self._port, self._read)
        self._taps.append(ports)
        return ports

    def give_back(self, ports: TapPorts) -> None:
        """Return a pair; nothing may be connected to it any more."""
        self._idle_taps.append(ports)

    def route(self, source: Any, sink: Any, on: bool) -> None:
        """Connect or disconnect; either may be so already."""
        try:
            if on:
                source.startTransmit(sink)
            else:
                source.stopTransmit(sink)
        except pj.Error as error:
            log.warning("the bridge refused a connection: %s", error.reason)

    def close(self) -> None:
        """Stop the headset and drop every port; before the library is destroyed."""
        if self._open:
            self._headset.stop()
            self._open = False
        self._taps.clear()
        self._idle_taps.clear()
        del self._port
