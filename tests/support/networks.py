"""Two machines' networks on this one: a seat and a PBX, joined by a cable that can be changed. Root only."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PBX = "10.77.0.1"
SEAT = "10.77.0.2"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


def ip(*arguments: str) -> None:
    """Run ``ip``."""
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


def unusable() -> str:
    """Why there can be no network namespaces here; empty when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "ip is in installer/debian-packages.txt"
    name = f"try{uuid.uuid4().hex[:6]}"
    made = subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True)
    if made.returncode:
        return "this kernel allows no network namespaces"
    subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
    return ""


class TwoNetworks:
    """``seat`` and ``pbx`` are namespaces; the seat has 10.77.0.2, the PBX 10.77.0.1, on a cable between them."""

    def __init__(self) -> None:
        mark = uuid.uuid4().hex[:5]
        self.seat, self.pbx, self.cable = f"seat{mark}", f"pbx{mark}", f"s{mark}"
        ip("netns", "add", self.seat)
        ip("netns", "add", self.pbx)
        ip("link", "add", self.cable, "type", "veth", "peer", "name", f"p{mark}")
        for space, device, address in ((self.seat, self.cable, SEAT), (self.pbx, f"p{mark}", PBX)):
            ip("link", "set", device, "netns", space)
            ip("-n", space, "addr", "add", f"{address}/24", "dev", device)
            ip("-n", space, "link", "set", device, "up")
            ip("-n", space, "link", "set", "lo", "up")

    def give(self, address: str) -> None:
        """The seat gets an address."""
        ip("-n", self.seat, "addr", "add", f"{address}/24", "dev", self.cable)

    def take(self, address: str) -> None:
        """The seat loses an address."""
        ip("-n", self.seat, "addr", "del", f"{address}/24", "dev", self.cable)

    def close(self) -> None:
        ip("netns", "del", self.seat)
        ip("netns", "del", self.pbx)


@contextmanager
def inside(space: str) -> Iterator[None]:
    """This thread is in a network namespace; so are the sockets and processes that it makes."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(str(Path("/run/netns") / space), os.O_RDONLY)
    try:
        assert libc.setns(there, _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
        yield
    finally:
        assert libc.setns(before, _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
        os.close(there)
        os.close(before)
