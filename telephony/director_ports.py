"""Ports on the bridge made with pjsua2, for builds that hide PJMEDIA. Engine thread unless said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.interfaces import FRAME_MS
from telephony.pcm import frame_access
from telephony.ports import Give, Port, Take


class DirectorPorts:
    """``BridgePorts`` by way of SWIG's directors. ``on_tick`` is called on the media clock's thread."""

    def __init__(self, on_tick: Callable[[], None]) -> None:
        self._read, self._write = frame_access(pj.MediaFrame)
        self._on_tick = on_tick
        self._ports: list[Any] = []

    def duplex(self, name: str, rate: int, give: Give, take: Take) -> Port:
        def received(frame: Any) -> None:
            self._on_tick()
            take(self._read(frame))

        return self._made(_DirectorPort(lambda frame: self._write(frame, give()), received), name, rate)

    def sink(self, name: str, rate: int, take: Take) -> Port:
        return self._made(_DirectorPort(_nothing, lambda frame: take(self._read(frame))), name, rate)

    def route(self, source: Port, sink: Port, on: bool) -> str:
        media: Any = source
        try:
            if on:
                media.startTransmit(sink)
            else:
                media.stopTransmit(sink)
        except pj.Error as error:
            return str(error.reason)
        return ""

    def close(self) -> None:
        self._ports.clear()

    def _made(self, port: _DirectorPort, name: str, rate: int) -> Port:
        port.createPort(name, _format(rate))
        self._ports.append(port)
        made: Port = port
        return made


class _DirectorPort(pj.AudioMediaPort):  # type: ignore[misc]
    def __init__(self, requested: Callable[[Any], None], received: Callable[[Any], None]) -> None:
        super().__init__()
        self._requested = requested
        self._received = received

    def onFrameRequested(self, frame: Any) -> None:
        self._requested(frame)

    def onFrameReceived(self, frame: Any) -> None:
        self._received(frame)


def _nothing(frame: Any) -> None:
    """A sink that nobody listens to is not asked."""


def _format(rate: int) -> Any:
    """Mono 16-bit PCM in frames of 20 ms."""
    wanted = pj.MediaFormatAudio()
    wanted.type = pj.PJMEDIA_TYPE_AUDIO
    wanted.clockRate = rate
    wanted.channelCount = 1
    wanted.bitsPerSample = 16
    wanted.frameTimeUsec = FRAME_MS * 1000
    return wanted
