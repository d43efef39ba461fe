"""Garbage and a stranger's voice on a call's RTP ports: the call goes on, and only the far side is heard in it."""

from __future__ import annotations

import json
import math
import random
import struct
import time
from collections.abc import Callable

import pytest

from telephony.messages import Answer, CallIncoming, GetSnapshot, HangUp
from tests.hostile.sip import KNOWN, STRANGER, Endpoint
from tests.hostile.target import heard_share, media_ports
from tests.line.parts import LineProcess
from tests.line.sound import samples

pytestmark = pytest.mark.alone

FAR_HZ, INTRUDER_HZ = 440, 700
RATE = 8000
HALF = RATE // 2

Pair = tuple[LineProcess, LineProcess]


@pytest.fixture
def call(line_process: Callable[..., LineProcess]) -> tuple[LineProcess, LineProcess, str]:
    """A line in a call with a far end that plays a tone, both with G.711."""
    line, far = line_process("line", codecs=["PCMA"]), line_process("far", codecs=["PCMA"], tone=float(FAR_HZ))
    far.add_line(line.port, user="far")
    line.add_line(far.port)
    call_id = line.dial("far")
    far.client.request(Answer("", far.wait(CallIncoming).call_id))
    line.state("active")
    time.sleep(0.5)  # until the far side has been heard
    return line, far, call_id


def test_garbage_does_not_harm_the_call(call: tuple[LineProcess, LineProcess, str]) -> None:
    line, far, call_id = call
    chance = random.Random(7)
    ports = [(KNOWN, port) for port in (*media_ports(line), *media_ports(far))]
    assert len(ports) >= 4
    with Endpoint(line.port, STRANGER) as stranger, Endpoint(line.port, KNOWN) as neighbour:
        for number in range(4000):
            for sender in (stranger, neighbour):
                sender.send_to(_garbage(chance), ports[number % len(ports)])
            if number % 20 == 0:
                time.sleep(0.01)
    assert line.client.request(GetSnapshot(""))["calls"][0]["state"] == "active"
    assert _share(line, call_id, FAR_HZ) > 0.9


@pytest.mark.parametrize("host", [STRANGER, KNOWN])
def test_a_stranger_is_not_heard_and_hears_nothing(call: tuple[LineProcess, LineProcess, str], host: str) -> None:
    """Well-formed speech, twenty times as often as the far side's own; from its host, too, but another port."""
    line, _, call_id = call
    [rtp, *_] = media_ports(line)
    with Endpoint(line.port, host) as stranger:
        begin = time.monotonic()
        for number in range(1500):
            stranger.send_to(_speech(number), (KNOWN, rtp))
            time.sleep(max(0.0, begin + number / 1000 - time.monotonic()))
        assert [p for p in stranger.heard() if len(p) >= 172] == []
    assert _share(line, call_id, FAR_HZ) > 0.9
    assert _share(line, call_id, INTRUDER_HZ) == 0


def _garbage(chance: random.Random) -> bytes:
    kind = chance.randrange(4)
    if kind == 0:
        return chance.randbytes(chance.choice((1, 11, 12, 100, 1400)))
    if kind == 1:  # RTCP: sender and receiver reports, BYE, APP and lengths that are wrong
        return struct.pack("!BBHI", 0x81, chance.choice((200, 201, 203, 204)), chance.choice((0, 6, 65535)), 1) + bytes(
            24
        )
    payload = chance.choice((8, 9, 13, 72, 96, 101, 127))
    stamp = chance.choice((0, 2**31, 2**32 - 1, chance.getrandbits(32)))
    return struct.pack("!BBHII", 0x80, payload, chance.getrandbits(16), stamp, chance.getrandbits(32)) + bytes(160)


def _speech(number: int) -> bytes:
    head = struct.pack("!BBHII", 0x80, 8, number & 0xFFFF, number * 160 & 0xFFFFFFFF, 0x1234)
    first = number * 160
    return head + bytes(_a_law(8000 * math.sin(2 * math.pi * INTRUDER_HZ * (first + i) / RATE)) for i in range(160))


def _a_law(sample: float) -> int:
    """ITU-T G.711, 3.1."""
    sign, size = (0x80 if sample >= 0 else 0), min(abs(int(sample)), 32635)
    exponent = max(0, size.bit_length() - 8)
    value = exponent << 4 | size >> exponent + 3 & 15 if size >= 256 else size >> 4
    return (value | sign) ^ 0x55


def _share(line: LineProcess, call_id: str, frequency: float) -> float:
    """Of a tone in what the recorder was given of the far side, its first half second left out."""
    file = line.folder / f"{call_id}.far"
    if not file.exists():
        line.client.request(HangUp("", call_id))
        line.ended()
    heard = samples(file.read_bytes())
    missing = json.loads(file.with_suffix(".json").read_text())["far_missing"]
    assert len(missing) < 5
    return heard_share(heard[HALF:-HALF], frequency, RATE)
