"""A UDP relay for SIP and RTP that loses, delays and shuffles packets on purpose; RTCP gets through."""

from __future__ import annotations

import random
import re
import selectors
import socket
import threading
import time
from heapq import heappop, heappush

Address = tuple[str, int]


class Relay:
    """Stands between a caller and a callee on loopback: the caller's ``peer`` is ``port``.

    SIP is passed on with the RTP addresses in its SDP replaced by ports of the relay's own. ``loss`` (0 to 1) and
    ``jitter_s`` (a random delay from 0 to this) apply to RTP towards the caller, ``loss_out`` to RTP from it.
    """

    def __init__(
        self, callee: int, loss: float = 0.0, loss_out: float = 0.0, delay_s: float = 0.0, jitter_s: float = 0.0
    ) -> None:
        self.loss, self.loss_out, self.delay_s, self.jitter_s = loss, loss_out, delay_s, jitter_s
        self.dropped = {"in": 0, "out": 0}
        self.passed = {"in": 0, "out": 0}
        self._dice = random.Random(20261123)
        self._select = selectors.DefaultSelector()
        self._callee: Address = ("127.0.0.1", callee)
        self._caller: Address | None = None
        self._sip = self._open(0, "sip")
        self.port = int(self._sip.getsockname()[1])
        self._media: dict[str, Address] = {}
        """Where each side wants its RTP: ``caller`` and ``callee``."""
        pair = self._pair()
        self._rtp, self._rtcp = pair
        self._late: list[tuple[float, int, bytes, Address, socket.socket]] = []
        self._count = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._thread.join(2)
        for key in list(self._select.get_map().values()):
            self._select.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]
        self._select.close()

    def _open(self, port: int, kind: str) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", port))
        self._select.register(made, selectors.EVENT_READ, kind)
        return made

    def _pair(self) -> tuple[socket.socket, socket.socket]:
        while True:
            first = self._open(0, "rtp")
            port = first.getsockname()[1]
            if port % 2 == 0:
                try:
                    return first, self._open(port + 1, "rtcp")
                except OSError:
                    pass
            self._select.unregister(first)
            first.close()

    def _run(self) -> None:
        while not self._stopping:
            wait = 0.05
            if self._late:
                wait = min(wait, max(0.0, self._late[0][0] - time.monotonic()))
            for key, _ in self._select.select(wait):
                assert isinstance(key.fileobj, socket.socket)
                data, source = key.fileobj.recvfrom(65536)
                if key.data == "sip":
                    self._pass_sip(data, source)
                else:
                    self._pass_media(key.fileobj, data, source, key.data)
            while self._late and self._late[0][0] <= time.monotonic():
                _, _, data, target, out = heappop(self._late)
                out.sendto(data, target)

    def _pass_sip(self, data: bytes, source: Address) -> None:
        from_callee = source == self._callee
        if not from_callee:
            self._caller = source
        target = self._caller if from_callee else self._callee
        if target is not None:
            self._sip.sendto(self._with_our_media(data, "callee" if from_callee else "caller"), target)

    def _with_our_media(self, data: bytes, side: str) -> bytes:
        head, _, body = data.partition(b"\r\n\r\n")
        found = re.search(rb"m=audio (\d+) ", body)
        if found is None or found[1] == b"0":
            return data
        self._media[side] = ("127.0.0.1", int(found[1]))
        ours = int(self._rtp.getsockname()[1])
        body = body.replace(b"m=audio " + found[1], b"m=audio %d" % ours)
        body = re.sub(rb"a=rtcp:\d+", b"a=rtcp:%d" % (ours + 1), body)
        head = re.sub(rb"(?im)^(content-length|l)\s*:\s*\d+", b"Content-Length: %d" % len(body), head)
        return head + b"\r\n\r\n" + body

    def _pass_media(self, out: socket.socket, data: bytes, source: Address, kind: str) -> None:
        plus = 1 if kind == "rtcp" else 0
        caller, callee = self._media.get("caller"), self._media.get("callee")
        if caller is None or callee is None:
            return
        inwards = source[1] == callee[1] + plus
        host, port = caller if inwards else callee
        way = "in" if inwards else "out"
        if kind == "rtp" and self._dice.random() < (self.loss if inwards else self.loss_out):
            self.dropped[way] += 1
            return
        self.passed[way] += kind == "rtp"
        delay = self.delay_s
        if kind == "rtp" and inwards:
            delay += self._dice.random() * self.jitter_s
        self._count += 1
        heappush(self._late, (time.monotonic() + delay, self._count, data, (host, port + plus), out))
