"""Binds a call's RTP to the address that it comes from, as its session description says. Engine thread only.

PJSIP follows whoever sends ten packets in a row (symmetric RTP), in both directions, and this build has no setting
against it: at a few hundred packets a second anybody could speak into a call and hear the agent. So once the far side's
own packets have been seen, the sockets are connected to it and the kernel drops what others send. A far end that sends
from elsewhere than it says (NAT) is not bound, as there is no telling it from an intruder.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pjsua2 import pjsua2 as pj

if TYPE_CHECKING:
    from telephony.live_call import LiveCall

log = logging.getLogger(__name__)

_EVERY_NS = 100_000_000
_PATIENCE_NS = 10_000_000_000
_SELF = Path("/proc/self/fd")

Address = tuple[str, int]


@dataclass(slots=True)
class _Watch:
    until_ns: int
    due_ns: int = 0
    bound: set[int] = field(default_factory=set)
    """Local ports that are bound to the far side."""


class RtpSources:
    """Every call that is up, from its first media on."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watch] = {}

    def changed(self, call_id: str) -> None:
        """The call's media was negotiated again, perhaps with another address: let everybody in until it is seen."""
        watch = self._watched.pop(call_id, None)
        for port in watch.bound if watch is not None else ():
            _connect(port, None)

    def follow(self, calls: Iterable[LiveCall], now_ns: int) -> None:
        """Bind what can be bound by now."""
        live = {call.call_id: call for call in calls if call.media is not None and call.sip is not None}
        for call_id in self._watched.keys() - live.keys():
            del self._watched[call_id]
        for call_id, call in live.items():
            watch = self._watched.setdefault(call_id, _Watch(now_ns + _PATIENCE_NS))
            if watch.due_ns <= now_ns < watch.until_ns and len(watch.bound) < 2:
                watch.due_ns = now_ns + _EVERY_NS
                _bind(call.sip, watch)


def _bind(sip: Any, watch: _Watch) -> None:
    for local, source, expected in _sockets(sip):
        if local[1] not in watch.bound and expected[1] and source == expected and _connect(local[1], expected):
            watch.bound.add(local[1])


def _sockets(sip: Any) -> list[tuple[Address, Address, Address]]:
    """Of RTP and RTCP: our own address, whence the last packet came, and whence it should by the description."""
    try:
        info = sip.getInfo()  # held: its list of media goes with it
        index = next(int(m.index) for m in info.media if m.type == pj.PJMEDIA_TYPE_AUDIO)
        transport, stream = sip.getMedTransportInfo(index), sip.getStreamInfo(index)
    except (pj.Error, StopIteration):
        return []
    rtp = _address(stream.remoteRtpAddress)
    rtcp = _address(stream.remoteRtcpAddress)
    if not rtcp[1]:
        rtcp = (rtp[0], rtp[1] + 1)
    return [
        (_address(transport.localRtpName), _address(transport.srcRtpName), rtp),
        (_address(transport.localRtcpName), _address(transport.srcRtcpName), rtcp),
    ]


def _address(name: str) -> Address:
    host, _, port = name.rpartition(":")
    return host.strip("[]"), int(port) if port.isdigit() else 0


def _connect(port: int, to: Address | None) -> bool:
    """Connect our UDP socket of this port, or part it again; False when it cannot be found or refuses."""
    found = _socket(port)
    if found is None:
        return False
    with found:
        try:
            if to is None:
                _part(found)
            else:
                found.connect(to)
        except OSError as error:
            log.warning("a call's media could not be bound to its source: %s", error)
            return False
    return True


def _part(sock: socket.socket) -> None:
    """``connect`` with AF_UNSPEC (connect(2)), which Python's own ``connect`` has no word for."""
    import ctypes

    nowhere = ctypes.create_string_buffer(16)  # a struct sockaddr whose family is AF_UNSPEC, 0
    ctypes.CDLL(None).connect(sock.fileno(), nowhere, 16)


def _socket(port: int) -> socket.socket | None:
    """A duplicate of this process's UDP socket on a local port."""
    if not _SELF.is_dir():
        return None
    for entry in _SELF.iterdir():
        with contextlib.suppress(OSError):
            if not str(entry.readlink()).startswith("socket:"):
                continue
            sock = socket.socket(fileno=os.dup(int(entry.name)))
            if sock.type == socket.SOCK_DGRAM and sock.family != socket.AF_UNIX and sock.getsockname()[1] == port:
                return sock
            sock.close()
    return None
