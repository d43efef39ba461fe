"""The practice line as a seat meets it: two processes, real SIP and RTP on loopback."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from telephony.messages import Answer, Dial, HangUp, Message, encode
from telephony.pcm import level_dbfs
from telephony.practice.client import PracticeError, PracticeLine

ROOT = Path(__file__).parents[2]
SOUNDS = ROOT / "resources" / "sounds"
SPEECH_DBFS = -45.0


class Inbox:
    """Events as they come, waited for by their kind."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._queue: queue.Queue[dict[str, Any]] = queue.Queue()
        self.seen: list[dict[str, Any]] = []

    def put(self, event: dict[str, Any]) -> None:
        self._queue.put(event)

    def wait(self, kind: str, timeout: float = 8.0, **values: Any) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while True:
            try:
                event = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kind} {values}; before: {self.seen[-6:]}") from None
            self.seen.append(event)
            if event.get(self._kind) == kind and values.items() <= event.items():
                return event


class Seat:
    """``practice_seat`` as a process."""

    def __init__(self, folder: Path, peer: str, microphone: Path | None) -> None:
        folder.mkdir()
        self.folder = folder
        self.events = Inbox("type")
        command = [sys.executable, "-m", "tests.line.practice_seat", str(folder), str(microphone or ""), peer]
        with (folder / "stderr.txt").open("wb") as errors:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self._ready: queue.Queue[int] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.port = self._ready.get(timeout=15)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            if "port" in event:
                self._ready.put(event["port"])
            else:
                self.events.put(event)

    def send(self, message: Message) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(encode(message).decode() + "\n")
        self.process.stdin.flush()

    def dial(self, number: str, call_id: str = "c1") -> str:
        self.send(Dial("", call_id, "l1", number))
        return call_id

    def side(self, name: str) -> list[float]:
        """Levels of one side of the call, frame by frame."""
        file = next(self.folder.glob(f"{name}.*.raw"))
        size = int(file.name.split(".")[1]) // 50 * 2
        pcm = file.read_bytes()
        return [level_dbfs(pcm[i : i + size]) for i in range(0, len(pcm), size)]

    def stop(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()
            self._reader.join()
            self.process.stdout.close()


class Debtor(PracticeLine):
    """A practice line whose events are kept."""

    def __init__(self, **options: Any) -> None:
        self.events = Inbox("event")
        super().__init__(SOUNDS, on_event=self.events.put, **options)


@pytest.fixture
def debtor() -> Iterator[Debtor]:
    line = Debtor()
    line.start()
    process = line._process
    assert process is not None
    yield line
    line.stop()
    assert process.returncode == 0, "the practice line did not end in order"


@pytest.fixture
def seat(tmp_path: Path, debtor: Debtor) -> Iterator[Callable[..., Seat]]:
    seats: list[Seat] = []

    def start(microphone: Path | None = None) -> Seat:
        seats.append(Seat(tmp_path / f"seat{len(seats)}", debtor.peer, microphone))
        return seats[-1]

    yield start
    assert [one.stop() for one in seats] == [0] * len(seats)


def test_a_call_of_fifteen_seconds_is_a_conversation(debtor: Debtor, seat: Callable[..., Seat]) -> None:
    here = seat(SOUNDS / "collector_take.wav")
    dialled = time.monotonic()
    call_id = here.dial("13800006021")
    here.events.wait("call_state", state="ringing")
    here.events.wait("call_state", state="active")
    rang = time.monotonic() - dialled
    assert 1.1 < rang < 3
    assert debtor.events.wait("answered") == {"event": "answered", "number": "13800006021", "script": "promise"}
    time.sleep(15)
    here.send(HangUp("", call_id))
    ended = here.events.wait("call_ended")
    assert (ended["cause"], ended["quality"]["codec"]) == ("hung_up", "G722")
    assert debtor.events.wait("ended")["cause"] == "far_hung_up"
    sentences = [e["sentence"] for e in debtor.events.seen if e["event"] == "spoke"]
    assert sentences[:2] == ["debtor_m_hello", "debtor_m_who"]
    collector, far = here.side("agent"), here.side("far")
    assert 700 <= len(far) <= 900
    heard = sum(level > SPEECH_DBFS for level in far)
    assert heard > 75, "the debtor was heard for more than 1.5 s"
    assert sum(level > SPEECH_DBFS for level in collector) > 250, "and the collector for more than 5 s"
    both = frames_in_speech(collector, after=20)
    over = sum(far[i] > SPEECH_DBFS for i in both)
    assert len(both) > 200
    assert over / len(both) < 0.05, f"the debtor talked over the collector in {over} of {len(both)} frames"


def frames_in_speech(levels: list[float], after: int) -> list[int]:
    """Frames in which somebody has been speaking for ``after`` frames, gaps of up to 0.3 s between words
    included.
    """
    found: list[int] = []
    began, last = -1, -100
    for i, level in enumerate(levels):
        if level > SPEECH_DBFS:
            began = i if i - last > 15 else began
            last = i
        if i == last and i - began >= after:
            found.append(i)
    return found


def test_endings_of_numbers_practise_failure_and_the_line_goes_on(seat: Callable[..., Seat], debtor: Debtor) -> None:
    here = seat()
    for number, cause, code in (
        ("13800000404", "not_found", 404),
        ("13800000486", "busy", 486),
        ("13800000603", "declined", 603),
        ("13800000480", "unreachable", 480),
    ):
        here.dial(number, f"to-{number}")
        ended = here.events.wait("call_ended")
        assert (ended["number"], ended["cause"], ended["sip_code"]) == (number, cause, code)
    here.dial("13800006021", "good")
    here.events.wait("call_state", state="active", call_id="good")


def test_a_number_that_never_answers_rings_until_the_caller_gives_up(seat: Callable[..., Seat], debtor: Debtor) -> None:
    here = seat()
    call_id = here.dial("13800000408")
    here.events.wait("call_state", state="ringing")
    time.sleep(2.5)
    here.send(HangUp("", call_id))
    assert here.events.wait("call_ended")["cause"] == "cancelled"
    assert debtor.events.wait("ended")["cause"] == "missed"
    assert not [e for e in here.events.seen if e.get("state") == "active"]


def test_the_debtor_calls_in_with_the_number_and_says_why(seat: Callable[..., Seat], debtor: Debtor) -> None:
    here = seat()
    debtor.call_in("18600001189", f"127.0.0.1:{here.port}")
    incoming = here.events.wait("call_incoming")
    assert (incoming["number"], incoming["line_id"]) == ("18600001189", "l1")
    here.send(Answer("", incoming["call_id"]))
    here.events.wait("call_state", state="active")
    assert debtor.events.wait("answered")["script"] == "promise_woman"
    assert debtor.events.wait("spoke")["sentence"] == "debtor_f_missed_call"
    time.sleep(1.5)
    debtor.hang_up()
    assert here.events.wait("call_ended")["cause"] == "far_hung_up"
    assert debtor.events.wait("ended")["cause"] == "hung_up"
    assert sum(level > SPEECH_DBFS for level in here.side("far")) > 20
    debtor.call_in("13800006021", f"127.0.0.1:{here.port}")
    assert here.events.wait("call_incoming")["number"] == "13800006021"
    debtor.hang_up()
    assert here.events.wait("call_ended")["cause"] == "missed"


def test_orders_that_cannot_be_carried_out_are_answered_and_harm_nothing(
    seat: Callable[..., Seat], debtor: Debtor
) -> None:
    debtor.call_in("13800006021")
    assert debtor.events.wait("error")["code"] == "no_seat"
    debtor.call_in("13800006021", "not a host")
    assert debtor.events.wait("error")["code"] == "bad_message"
    debtor.call_in("138 0000;x=y", "127.0.0.1:9")
    assert debtor.events.wait("error")["code"] == "bad_message"
    debtor._send({"dance": True})
    assert debtor.events.wait("error")["code"] == "bad_order"
    debtor.hang_up()
    here = seat()
    here.dial("13800006021")
    here.events.wait("call_state", state="active")
    debtor.call_in("13800006021", f"127.0.0.1:{here.port}")
    here.events.wait("call_incoming")
    debtor.call_in("13800006021", f"127.0.0.1:{here.port}")
    assert debtor.events.wait("error")["code"] == "line_busy"


def test_a_port_of_choice_is_used_and_a_taken_one_is_refused(debtor: Debtor) -> None:
    assert debtor.peer == f"127.0.0.1:{debtor.port}"
    second = PracticeLine(SOUNDS, port=debtor.port)
    with pytest.raises(PracticeError):
        second.start()
    assert not second.running


def test_a_folder_without_sounds_is_refused_with_the_reason(tmp_path: Path) -> None:
    line = PracticeLine(tmp_path)
    with pytest.raises(PracticeError, match=r"scripts\.toml"):
        line.start()
    assert not line.running
    with pytest.raises(PracticeError):
        line.call_in("13800006021")


def test_the_process_dies_when_its_parent_is_killed() -> None:
    code = (
        "import sys; from pathlib import Path; from telephony.practice.client import PracticeLine\n"
        f"line = PracticeLine(Path({str(SOUNDS)!r})); line.start()\n"
        "print(line._process.pid, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and was not collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_signal_ends_it_in_order(debtor: Debtor) -> None:
    assert debtor._process is not None
    os.kill(debtor._process.pid, signal.SIGTERM)
    debtor.events.wait("gone")
    assert debtor._process.wait(5) == 0
    with pytest.raises(PracticeError):
        debtor.hang_up()
