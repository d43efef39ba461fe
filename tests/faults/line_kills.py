"""kill -9 of real line processes at random moments of real calls, and what the next start makes of what they left.

Pairs of seats call each other, every one of them recording. A round is one call a pair; each seat is killed once in it,
at a moment drawn from the whole of the call's life: ringing, talk, hang up, sealing, and after. The supervisor starts
the line process again, which recovers what it finds; then every file is opened with the store's key.
"""

from __future__ import annotations

import os
import random
import signal
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent_desktop.services.line_supervisor import LineSupervisor
from recorder.container import ContainerReader
from recorder.evidence import VOID, Manifest, verify_manifest
from recorder.spool import Spool
from recorder.verify import check_decrypted, read_contents
from telephony.errors import LineError
from telephony.messages import Answer, AudioConfig, CallIncoming, CallState, Dial, HangUp
from tests.line.parts import free_port, wait_until
from tests.support.lines import COLLECTOR, DEBTOR, Seat, start_seat

TALK_S = 2.6
"""From the dialling to the hang up."""
LATEST_S = 3.4
SURE_S = 0.25
"""A recording that was under way for so long before the kill must be there."""


@dataclass
class Kill:
    """One death. Times by the wall clock, seconds since the epoch."""

    seat: str
    at: float
    hung_up_at: float
    """When the call's end was asked for; infinity when it was up at the kill."""
    told: dict[str, float]
    """Recordings that the process had named, and when."""


@dataclass
class Outcome:
    """``losses``: of each recording that a kill cut, seconds of audio. ``problems``: sentences, none if all is well."""

    kills: int = 0
    losses: list[float] = field(default_factory=list)
    whole: int = 0
    """Recordings that were finished when their process was killed, or by it."""
    voids: int = 0
    files: int = 0
    problems: list[str] = field(default_factory=list)

    def summary(self) -> str:
        ordered = sorted(self.losses) or [0.0]
        median = ordered[len(ordered) // 2]
        return (
            f"{self.kills} kills, {len(self.losses)} recordings cut, worst loss {ordered[-1]:.3f} s, "
            f"median {median:.3f} s; {self.whole} whole, {self.voids} void, {self.files} files accounted for"
        )


class Pair:
    """Two seats, the first of which calls the second."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self._chance = chance
        ports = free_port(), free_port()
        self.seats = [
            start_seat(folder, name, peer_port=peer, audio=AudioConfig("files", str(voice)), local_port=port)
            for name, port, peer, voice in zip("ab", ports, reversed(ports), (COLLECTOR, DEBTOR), strict=True)
        ]
        self.kills: list[Kill] = []

    def stop(self) -> None:
        for seat in self.seats:
            seat.port.stop()

    def round(self) -> None:
        """One call, in which both seats are killed; they are back after it."""
        pids = [seat.pid for seat in self.seats]
        for seat in self.seats:
            seat.events.clear()
        call_id, began = str(uuid.uuid4()), time.monotonic()
        moments = {number: began + self._chance.uniform(0.02, LATEST_S) for number in (0, 1)}
        hung_up_at, hung_up, answered = float("inf"), False, False
        self._try(0, lambda port: port.request(lambda i: Dial(i, call_id, "line", "13800006021")))
        while moments:
            now = time.monotonic()
            for number in [n for n, at in moments.items() if now >= at]:
                del moments[number]
                self._kill(number, pids[number], hung_up_at)
            if not answered and (rung := self.seats[1].seen(CallIncoming)):
                answered = True
                self._try(1, lambda port, c=rung[0].call_id: port.request(lambda i: Answer(i, c)))
            if now >= began + TALK_S and not hung_up:
                hung_up, at = True, time.time()
                if self._try(0, lambda port: port.request(lambda i: HangUp(i, call_id))):
                    hung_up_at = at
            time.sleep(0.002)
        for seat, pid in zip(self.seats, pids, strict=True):
            wait_until(lambda s=seat, p=pid: _pid(s) not in (0, p), 30)  # type: ignore[misc]
            wait_until(lambda s=seat: _settled(s), 30)  # type: ignore[misc]

    def _kill(self, number: int, pid: int, hung_up_at: float) -> None:
        seat = self.seats[number]
        told = {e.recording_id: _seconds(e.at) for e in reversed(seat.seen(CallState)) if e.recording_id}
        at = time.time()
        os.kill(pid, signal.SIGKILL)
        self.kills.append(Kill(seat.setup.seat_id, at, hung_up_at, told))

    def _try(self, number: int, what: Callable[[LineSupervisor], object]) -> bool:
        """A command that the kill may forestall."""
        try:
            what(self.seats[number].port)
        except LineError:
            return False
        return True


def run(folder: Path, kills: int, seed: int, pairs: int = 3) -> Outcome:
    """Kill until there were ``kills``, rounded up to whole calls."""
    chance = random.Random(seed)
    ground = [Pair(folder / str(number), random.Random(chance.random())) for number in range(pairs)]
    try:
        done = 0
        while done < kills:
            side_by_side = ground[: min(pairs, -(-(kills - done) // 2))]
            _all(side_by_side)
            done += 2 * len(side_by_side)
    finally:
        for pair in ground:
            pair.stop()
    outcome = Outcome(kills=sum(len(pair.kills) for pair in ground))
    for pair in ground:
        for seat in pair.seats:
            _account(seat, [kill for kill in pair.kills if kill.seat == seat.setup.seat_id], outcome)
    return outcome


def _all(pairs: list[Pair]) -> None:
    with ThreadPoolExecutor(len(pairs)) as pool:
        for done in [pool.submit(pair.round) for pair in pairs]:
            done.result()


def _pid(seat: Seat) -> int:
    try:
        return seat.pid
    except LineError:
        return 0


def _settled(seat: Seat) -> bool:
    """Nothing in the spool waits for recovery any more."""
    spool = Spool(seat.setup.spool)
    payloads = [p for p in seat.setup.spool.glob("*") if p.suffix in (".journal", ".rec", ".new", ".part")]
    ready = {manifest.recording_id for manifest in spool.ready()}
    return not spool.numbers.held() and all(path.name.partition(".")[0] in ready for path in payloads)


def _account(seat: Seat, kills: list[Kill], outcome: Outcome) -> None:
    spool = Spool(seat.setup.spool)
    ready = spool.ready()
    if sorted(m.number for m in ready) != list(range(1, len(ready) + 1)):
        outcome.problems.append(f"the numbers are {sorted(m.number for m in ready)}")
    if spool.has_refused():
        outcome.problems.append("a file was set aside")
    for manifest in ready:
        verify_manifest(manifest, bytes(seat.seat_key.verify_key))
        outcome.files += 1
        if manifest.kind == VOID:
            outcome.voids += 1
        else:
            _open(seat, spool, manifest, kills, outcome)
    with_audio = {m.recording_id for m in ready if m.kind != VOID}
    for kill in kills:
        for recording_id, told_at in kill.told.items():
            if recording_id not in with_audio and told_at < min(kill.at, kill.hung_up_at) - SURE_S:
                outcome.problems.append(f"{recording_id}, told {kill.at - told_at:.3f} s before the kill, is not there")


def _open(seat: Seat, spool: Spool, manifest: Manifest, kills: list[Kill], outcome: Outcome) -> None:
    path = spool.payload(manifest.recording_id, manifest.kind)
    with path.open("rb") as stream:
        reader = ContainerReader(stream)
        reader.unlock(bytes(seat.store_key))
        contents = read_contents(reader)
    checks = check_decrypted(path, bytes(seat.store_key), manifest) if contents.samples else []
    for check in checks:  # one that was killed before its first piece of audio has no more than a header
        if not check.passed:
            outcome.problems.append(f"{path.name}: {check.name}: {check.detail}")
    if not contents.problem:
        outcome.whole += 1
        return
    began = _seconds(reader.header.facts.started_at)
    kill = next(kill for kill in kills if kill.at > began)
    outcome.losses.append(min(kill.at, kill.hung_up_at) - began - contents.samples / manifest.rate)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
