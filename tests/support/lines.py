"""Real line processes for tests and benchmarks, each with its own spool, talking SIP on loopback."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from agent_desktop.services.line_port import LineSetup
from agent_desktop.services.line_supervisor import LineSupervisor, start_line
from telephony.messages import (
    Answer,
    AudioConfig,
    CallEnded,
    CallIncoming,
    Dial,
    Event,
    GetSnapshot,
    HangUp,
    Hello,
    LineConfig,
    RecordingState,
)

SOUNDS = Path(__file__).parents[2] / "resources" / "sounds"
COLLECTOR = SOUNDS / "collector_take.wav"
DEBTOR = SOUNDS / "debtor_m_delay.wav"

E = TypeVar("E", bound=Event)
Policy = Callable[[SigningKey, str], str]
"""From the server's key and the seat's id to the signed recording policy."""


@dataclass
class Seat:
    """A running line process and every event it has sent."""

    port: LineSupervisor
    setup: LineSetup
    store_key: PrivateKey
    seat_key: SigningKey
    grant_key: SigningKey
    events: list[Event] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return int(self.port.request(Hello)["pid"])

    @property
    def sip_port(self) -> int:
        uri = self.port.request(GetSnapshot)["lines"][0]["uri"]
        return int(uri.rsplit(":", 1)[1].split(";")[0])

    def seen(self, kind: type[E]) -> list[E]:
        return [event for event in list(self.events) if isinstance(event, kind)]

    def wait(self, kind: type[E], where: Callable[[E], bool] = lambda _: True, timeout: float = 5.0) -> E:
        """The first event of a kind, seen already or to come."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for event in self.seen(kind):
                if where(event):
                    return event
            time.sleep(0.005)
        raise AssertionError(f"no {kind.__name__} within {timeout} s; last: {self.events[-3:]}")


def make_setup(folder: Path, name: str, *, peer_port: int = 9, audio: AudioConfig | None = None) -> LineSetup:
    """A seat with a direct line on loopback that calls ``peer_port``, and keys that nobody else has."""
    keys = (SigningKey.generate(), PrivateKey.generate(), SigningKey.generate())
    return _setup(folder, name, keys, peer_port, audio)


def start_seat(
    folder: Path,
    name: str,
    *,
    peer_port: int = 9,
    audio: AudioConfig | None = None,
    policy: Policy | None = None,
    lines: tuple[LineConfig, ...] = (),
    local_port: int = 0,
) -> Seat:
    """The line process of a seat as above, or with ``lines``. The caller stops ``seat.port``.

    ``policy`` makes its recording policy. With ``local_port`` it is reached there again after a crash.
    """
    seat_key, store_key, grant_key = keys = (SigningKey.generate(), PrivateKey.generate(), SigningKey.generate())
    setup = _setup(folder, name, keys, peer_port, audio)
    if policy is not None:
        setup = replace(setup, recording_policy=policy(grant_key, setup.seat_id))
    setup = replace(setup, lines=lines or setup.lines, local_port=local_port)
    port = start_line(setup)
    seat = Seat(port, setup, store_key, seat_key, grant_key)
    port.events.join(seat.events.append)
    return seat


def _setup(
    folder: Path, name: str, keys: tuple[SigningKey, PrivateKey, SigningKey], peer_port: int, audio: AudioConfig | None
) -> LineSetup:
    return LineSetup(
        seat_id=f"seat-{name}",
        signing_key=bytes(keys[0]),
        store_key=bytes(keys[1].public_key),
        grant_key=bytes(keys[2].verify_key),
        spool=folder / name / "spool",
        records=folder / name / "calls.journal",
        log_file=folder / name / "line.log",
        lines=(LineConfig("line", name, "1001", peer=f"127.0.0.1:{peer_port}"),),
        audio=audio or AudioConfig("null"),
        local_host="127.0.0.1",
        local_port=0,
    )


def start_pair(folder: Path) -> tuple[Seat, Seat]:
    """A collector's seat and a debtor's, both with a voice, the first set up to call the second."""
    debtor = start_seat(folder, "debtor", audio=AudioConfig("files", str(DEBTOR)))
    collector = start_seat(folder, "collector", peer_port=debtor.sip_port, audio=AudioConfig("files", str(COLLECTOR)))
    return collector, debtor


def connect(collector: Seat, debtor: Seat, number: str = "13800006021") -> tuple[str, str]:
    """Dial and answer; returns the call's id at each side."""
    call_id = str(uuid.uuid4())
    collector.port.request(lambda i: Dial(i, call_id, "line", number))
    incoming = debtor.wait(CallIncoming, lambda e: e.call_id not in _answered(debtor))
    debtor.port.request(lambda i: Answer(i, incoming.call_id))
    collector.wait(RecordingState, lambda e: e.call_id == call_id and e.sealed_ms > 0)
    return call_id, incoming.call_id


def hang_up(seat: Seat, call_id: str) -> RecordingState:
    """End the call and wait until its recording is sealed."""
    seat.port.request(lambda i: HangUp(i, call_id))
    return seat.wait(RecordingState, lambda e: e.call_id == call_id and e.state == "sealed", timeout=60)


def _answered(seat: Seat) -> set[str]:
    return {event.call_id for event in seat.seen(CallEnded)}
