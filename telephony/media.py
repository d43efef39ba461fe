"""The two sides of a call, taken off the bridge on their way to its tap.

The bridge calls every port once a 20 ms tick on the media clock's thread: first all that give (in the order of their
slots), then all that take. A port nobody transmits to is called too, with an empty frame. So both sides of a call that
arrive in one tick belong together.
"""

from __future__ import annotations

from telephony.headset_sound import HeadsetSound
from telephony.ports import BridgePorts
from telephony.tap_stream import TapStream


class TapPorts:
    """The two bridge ports behind one ``TapStream``.

    The bridge calls ports in the order of their slots, so the port with the higher slot closes the tick. They are made
    once and used for call after call: ports are never removed.
    """

    def __init__(self, rate: int, headset: HeadsetSound, ports: BridgePorts) -> None:
        self.rate = rate
        self.stream = TapStream(rate, headset)
        self._first: bytes | None = None
        self._agent_first: bool | None = None
        """None before both are there."""
        self.agent = ports.sink("tap-agent", rate, self._take_agent)
        self.far = ports.sink("tap-far", rate, self._take_far)
        self._agent_first = self.agent.getPortId() < self.far.getPortId()

    def _take_agent(self, pcm: bytes) -> None:
        if self._agent_first:
            self._first = pcm
        elif self._agent_first is not None:
            self._close(pcm, self._first)

    def _take_far(self, pcm: bytes) -> None:
        if self._agent_first:
            self._close(self._first, pcm)
        elif self._agent_first is not None:
            self._first = pcm

    def _close(self, agent: bytes | None, far: bytes | None) -> None:
        if agent is not None and far is not None:  # else the other port has not ticked yet
            self.stream.tick(agent, far)
