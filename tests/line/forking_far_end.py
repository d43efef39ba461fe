"""A far end behind a forking proxy: early media from one phone, the answer from another, each with its own codec."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterable

import av
import numpy as np

from tests.hostile.sip import Endpoint, method, response, sdp
from tests.line.sound import tone

_PAYLOADS = {"PCMU": (0, "pcm_mulaw", 8000), "G722": (9, "g722", 16000)}
_FRAME_BYTES = 160
"""20 ms of either codec; RTP's clock for G.722 is 8,000 a second too (RFC 3551, 4.5.2)."""


class ForkingFarEnd:
    """Takes one call at ``port``. A ``with`` block ends it."""

    def __init__(self) -> None:
        self._sip = Endpoint(9)
        self.port = self._sip.port
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind(("127.0.0.1", 0))
        self._invite = b""
        self._frames: list[bytes] = []
        self._payload = 0
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> ForkingFarEnd:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(5)
        self._sip.close()
        self._rtp.close()

    def rings_with(self, codec: str, tones: Iterable[float]) -> None:
        """183 with a session description of the first phone, and its sound."""
        self._invite = self._sip.wait(lambda m: method(m) == "INVITE")
        self._sip.target = ("127.0.0.1", _port_of(self._invite, b"Via"))
        self._speak(codec, tones)
        self._reply(183, codec, "gateway")
        self._begin(self._send)

    def answers_with(self, codec: str, tones: Iterable[float]) -> None:
        """200 from the other phone, another dialog; only its sound comes from now on."""
        self._speak(codec, tones)
        self._reply(200, codec, "desk-phone")
        self._begin(self._obey)

    def _reply(self, code: int, codec: str, tag: str) -> None:
        number = _PAYLOADS[codec][0]
        body = sdp(f"a=rtpmap:{number} {codec}/8000", port=self._rtp.getsockname()[1], formats=str(number))
        self._sip.send(response(self._invite, code, self._sip, body=body, tag=tag))

    def _speak(self, codec: str, tones: Iterable[float]) -> None:
        number, name, rate = _PAYLOADS[codec]
        self._frames, self._payload = _encoded(name, rate, tuple(tones)), number

    def _begin(self, what: object) -> None:
        thread = threading.Thread(target=what, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _send(self) -> None:
        to = ("127.0.0.1", _port_of(self._invite, b"m=audio"))
        began, number = time.monotonic(), 0
        while not self._stopping.wait(max(0.0, began + number * 0.02 - time.monotonic())):
            head = struct.pack("!BBHII", 0x80, self._payload, number & 0xFFFF, number * _FRAME_BYTES, 7)
            self._rtp.sendto(head + self._frames[number % len(self._frames)], to)
            number += 1

    def _obey(self) -> None:
        while not self._stopping.wait(0.02):
            for message in self._sip.heard():
                if method(message) not in ("", "ACK"):
                    self._sip.send(response(message, 200, self._sip, tag="desk-phone"))


def _encoded(name: str, rate: int, tones: tuple[float, ...]) -> list[bytes]:
    """A second of tones in packets' payloads."""
    signal = sum((tone(f, rate, 1, 8000 / len(tones)) for f in tones), np.zeros(rate))
    frame = av.AudioFrame.from_ndarray(np.round(signal).astype("<i2")[None, :], format="s16", layout="mono")
    frame.sample_rate = rate
    encoder = av.CodecContext.create(name, "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", "s16"  # type: ignore[attr-defined]
    encoder.open()
    data = b"".join(bytes(packet) for part in (frame, None) for packet in encoder.encode(part))  # type: ignore[attr-defined]
    return [data[i : i + _FRAME_BYTES] for i in range(0, len(data) - _FRAME_BYTES + 1, _FRAME_BYTES)]


def _port_of(invite: bytes, where: bytes) -> int:
    if where == b"Via":
        first = next(line for line in invite.split(b"\r\n") if line.startswith(b"Via"))
        return int(first.split(b";")[0].rpartition(b":")[2])
    return int(invite.partition(b"m=audio ")[2].split()[0])
