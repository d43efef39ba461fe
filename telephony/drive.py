"""How the media bridge is driven: by a clock of our own if this build of PJSIP lets us, else by PJMEDIA's."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from telephony.clock import BridgeClock, DeviceClock, OwnClock
from telephony.director_ports import DirectorPorts
from telephony.lost_ticks import LostTicks
from telephony.native_ports import NativePorts
from telephony.pjmedia import Pjmedia, find_pjmedia
from telephony.ports import BridgePorts
from telephony.thread_pin import ThreadPin

log = logging.getLogger(__name__)


class Drive:
    """The bridge's clock and the ports that it calls. Engine thread."""

    def __init__(self, devices: Callable[[], Any], rate: int, own_clock: bool) -> None:
        """After PJSIP's initialisation. ``devices`` gives pjsua2's ``AudDevManager``; ``rate`` is the bridge's."""
        self.on_lost: Callable[[int], None] = _nobody
        """Told of ticks that the clock gave up, on its thread."""
        pjmedia = find_pjmedia() if own_clock else None
        if pjmedia is not None and not pjmedia.is_known(rate):
            log.warning("this build of PJSIP is not laid out as expected; its null device drives the bridge")
            pjmedia = None
        self.ports: BridgePorts
        self.clock: BridgeClock
        if pjmedia is not None:
            self._drive_it(pjmedia, devices, rate)
        else:
            self._have_it_driven(devices)

    def _drive_it(self, pjmedia: Pjmedia, devices: Callable[[], Any], rate: int) -> None:
        master = int(devices().setNoDev())
        pjmedia.stop_workers()
        self.ports = NativePorts(pjmedia)
        self.clock = OwnClock(pjmedia, master, rate, self._lose)

    def _lose(self, ticks: int) -> None:
        self.on_lost(ticks)

    def _have_it_driven(self, devices: Callable[[], Any]) -> None:
        pin, lost = ThreadPin(), LostTicks()

        def on_tick() -> None:
            if not pin.settled:
                pin.follow()
            if ticks := lost.tick(time.monotonic_ns()):
                self._lose(ticks)

        self.ports = DirectorPorts(on_tick)
        self.clock = DeviceClock(devices, pin, lost.begin)


def _nobody(ticks: int) -> None:
    """No tap is there yet."""
