"""The two sides of a call, taken off the bridge on their way to its tap.

The bridge calls every port once a 20 ms tick on the media clock's thread: first all that give (in the order of their
slots), then all that take. A port nobody transmits to is called too, with an empty frame. So both sides of a call that
arrive in one tick belong together.
"""

from __future__ import annotations

from telephony.headset_sound import HeadsetSound
from telephony.ports import BridgePorts, Port
from telephony.tap_stream import TapStream


class TapPorts:
    """What feeds one ``TapStream``: the headset's own port while the call is all that it is connected with (see
    ``HeadsetSound.tap``), else two ports on the bridge.

    The bridge calls ports in the order of their slots, so the port with the higher slot closes the tick. Ports are
    made when they are first needed and used for call after call: they are never removed.
    """

    def __init__(self, rate: int, headset: HeadsetSound, ports: BridgePorts) -> None:
        self.rate = rate
        self.stream = TapStream(rate, headset)
        self._headset = headset
        self._ports = ports
        self._made: tuple[Port, Port] | None = None
        self._first: bytes | None = None
        self._agent_first: bool | None = None
        """None before both are there."""

    @property
    def on_bridge(self) -> bool:
        """The ports have been made."""
        return self._made is not None

    @property
    def suits_headset(self) -> bool:
        """The headset's frames have this rate, so its port may do for these."""
        return self.rate == self._headset.rate

    @property
    def agent(self) -> Port:
        """The port of the agent's side, made with the other one when first asked for. Engine thread."""
        return self._sides()[0]

    @property
    def far(self) -> Port:
        """The port of the far side, likewise."""
        return self._sides()[1]

    def _sides(self) -> tuple[Port, Port]:
        if self._made is None:
            agent = self._ports.sink("tap-agent", self.rate, self._take_agent)
            far = self._ports.sink("tap-far", self.rate, self._take_far)
            self._made = agent, far
            self._agent_first = agent.getPortId() < far.getPortId()
        return self._made

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
        if agent is None or far is None:
            return  # the other port has not ticked yet
        if self._headset.tapped is not self.stream:
            self.stream.tick(agent, far)
