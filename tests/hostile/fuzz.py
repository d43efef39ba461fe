"""``python -m tests.hostile.fuzz --seed N --count 100000``: broken messages at a line process until it dies, or not.

The first half meets an idle seat whose agent answers every other call, the second a call in progress. A crash prints
seed and number of the message and keeps it in a file; ``--only K`` sends message K alone.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

from telephony.messages import Answer, CallIncoming, Levels
from tests.hostile.mutate import Broken, stream
from tests.hostile.sip import STRANGER, Endpoint, request, status, value
from tests.hostile.target import Agent, is_ready, media_ports, settle
from tests.line.parts import LineProcess

BATCH = 10
INVITES_A_SECOND = 24
"""From the configured host; faster ones are turned away at the door (telephony/admission.py), which is another test."""


@dataclass
class Outcome:
    seed: int
    sent: int = 0
    crashes: list[dict[str, object]] = field(default_factory=list)
    rung: int = 0
    seconds: float = 0.0
    ready_after_s: float = 0.0
    call_went_on: bool | None = None


class Crash(Exception):
    """The line process is gone."""


class Range:
    """A line process, a far end that may call it and a stranger; a call with another line process if wanted."""

    def __init__(self, folder: Path, in_call: bool) -> None:
        self.line = LineProcess(folder / "line")
        self.line.add_line(9)
        self.known = Endpoint(self.line.port)
        self.stranger = Endpoint(self.line.port, STRANGER)
        self.far: LineProcess | None = None
        keep: frozenset[str] = frozenset()
        if in_call:
            self.far = LineProcess(folder / "far", tone=440.0)
            self.far.add_line(self.line.port, user="far")
            self.line.add_line(self.far.port)
            keep = frozenset((self._connect(self.far),))
        self._keep = keep
        self._next_invite = 0.0
        self.agent = Agent(self.line, answers=not in_call, keep=keep)

    def fire(self, batch: Iterable[Broken]) -> None:
        """Send and wait until all has been taken. Raises ``Crash``."""
        rtp = [("127.0.0.1", port) for port in media_ports(self.line)] if self.line.process.poll() is None else []
        for message in batch:
            if message.kind == "sip":
                if message.known and message.data.startswith(b"INVITE"):
                    self._wait_for_turn()
                (self.known if message.known else self.stranger).send(message.data)
            else:
                for address in rtp:
                    self.stranger.send_to(message.data, address)
        self._ping()

    def call_is_up(self) -> bool:
        """The call in progress is still heard."""
        begin = time.monotonic_ns()
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            for event in list(self.line.seen[-50:]):
                if isinstance(event, Levels) and event.call_id in self._keep and event.far_dbfs > -30:
                    return self.line.process.poll() is None and time.monotonic_ns() > begin
            time.sleep(0.1)
        return False

    def close(self) -> None:
        self.agent.stop()
        for end in (self.known, self.stranger):
            end.close()
        for process in (self.line, self.far):
            if process is not None:
                process.stop() if process.process.poll() is None else process.kill()

    def _wait_for_turn(self) -> None:
        time.sleep(max(0.0, self._next_invite - time.monotonic()))
        self._next_invite = time.monotonic() + 1 / INVITES_A_SECOND

    def _connect(self, far: LineProcess) -> str:
        call_id = self.line.dial("far")
        far.client.request(Answer("", far.wait(CallIncoming).call_id))
        self.line.state("active")
        return call_id

    def _ping(self) -> None:
        call_id = uuid.uuid4().hex
        for _ in range(10):
            self.known.send(request("OPTIONS", self.known, call_id=call_id))
            deadline = time.monotonic() + 1.0
            while time.monotonic() < deadline:
                heard = settle(self.known)
                settle(self.stranger)
                if any(status(m) >= 200 and value(m, "Call-ID") == call_id for m in heard):
                    return
                if self.line.process.poll() is not None:
                    raise Crash
                time.sleep(0.001)
        raise Crash


def run(seed: int, count: int, in_call: bool, keep_in: Path, only: int = -1) -> Outcome:
    """One stream against one kind of seat; a seat that dies is replaced and the stream goes on."""
    outcome = Outcome(seed)
    begin = time.monotonic()
    at = 0
    while at < count and len(outcome.crashes) < 20:
        with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
            place = Range(Path(folder), in_call)
            try:
                at = _run_on(place, outcome, seed, at, count, keep_in, only)
                if at >= count:
                    outcome.call_went_on = place.call_is_up() if in_call else None
                    place.agent.stop()
                    outcome.ready_after_s = round(is_ready(place.known), 2)
            finally:
                outcome.rung += place.agent.rung
                place.close()
    outcome.seconds = round(time.monotonic() - begin, 1)
    return outcome


def _run_on(place: Range, outcome: Outcome, seed: int, at: int, count: int, keep_in: Path, only: int) -> int:
    messages = islice(stream(seed, count, place.known, place.stranger), at, None)
    while batch := list(islice(messages, BATCH)):
        if only >= 0:
            batch = [message for message in batch if message.number == only]
        try:
            place.fire(batch)
        except Crash:
            outcome.crashes.append(_keep(seed, batch, place, keep_in))
            return batch[-1].number + 1
        outcome.sent += len(batch)
    return count


def _keep(seed: int, batch: list[Broken], place: Range, keep_in: Path) -> dict[str, object]:
    """Tell of a crash, and keep the messages that may have caused it."""
    keep_in.mkdir(parents=True, exist_ok=True)
    for message in batch:
        (keep_in / f"{seed}-{message.number}.{message.kind}").write_bytes(message.data)
    code = place.line.process.poll()
    why = "hangs" if code is None else signal.Signals(-code).name if code < 0 else f"exit code {code}"
    words = (place.line.folder / "stderr.txt").read_text("utf-8", "replace").splitlines()[-1:]
    told = {"seed": seed, "messages": [m.number for m in batch], "why": why, "last_words": words}
    print(json.dumps(told), file=sys.stderr, flush=True)
    return told


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.hostile.fuzz")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--only", type=int, default=-1, metavar="K")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-crashes"))
    options = parser.parse_args()
    half = options.count // 2
    done = [
        run(options.seed, half, False, options.keep, options.only),
        run(options.seed + 1_000_000, options.count - half, True, options.keep, options.only),
    ]
    print(json.dumps([asdict(outcome) for outcome in done], indent=2))
    return 1 if any(outcome.crashes for outcome in done) else 0


if __name__ == "__main__":
    sys.exit(main())
