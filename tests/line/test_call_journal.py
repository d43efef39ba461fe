"""Calls' records on the seat's disk: sealed, durable before a client is told, whole again after any crash."""

from __future__ import annotations

import os
import random
import signal
import socket
import stat
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from agent_desktop.call_journal import SealedLog, journal_key
from telephony.errors import CommandError, LineError
from telephony.messages import (
    AckCalls,
    Answer,
    CallEnded,
    CallIncoming,
    CallState,
    Dial,
    Event,
    GetSnapshot,
    HangUp,
    RecordingState,
    SetMute,
    Snapshot,
    decode,
    encode,
)
from telephony.record_entries import Tale
from telephony.records import CallJournal
from tests.line.parts import wait_until
from tests.support.lines import Seat, connect, make_setup, start_pair, start_seat

KEY = journal_key(b"s" * 32)
NUMBER = "13800006021"
ENTRIES = [{"acked": [f"{n:04}"]} for n in range(5)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "seat" / "calls.journal"


def write(path: Path, entries: Sequence[Mapping[str, Any]] = ENTRIES) -> bytes:
    """A journal with these entries, each appended by itself; returns the file's bytes."""
    log = SealedLog(path, KEY)
    log.load()
    for entry in entries:
        log.append([entry])
    log.close()
    return path.read_bytes()


def read(path: Path, key: bytes = KEY) -> list[dict[str, Any]]:
    log = SealedLog(path, key)
    try:
        return log.load()
    finally:
        log.close()


# --- the file ---


def test_entries_come_back_sealed_and_private(path: Path) -> None:
    data = write(path, [{"open": {"number": NUMBER}}, *ENTRIES])
    assert NUMBER.encode() not in data
    assert b"acked" not in data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read(path) == [{"open": {"number": NUMBER}}, *ENTRIES]
    assert path.read_bytes() == data, "reading a whole journal must not write it"


def test_a_torn_end_costs_the_last_entry_at_most(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = write(path)
    without_last = len(write(path.with_name("shorter"), ENTRIES[:-1]))
    for length in range(without_last + 1, len(data), 7):
        path.write_bytes(data[:length])
        assert read(path) == ENTRIES[:-1]
        assert write(path, [ENTRIES[-1]])  # and it can be written on
        assert read(path) == ENTRIES
    path.write_bytes(data + bytes(500))  # a length that reached the disk before its content
    assert read(path) == ENTRIES
    for length in range(24):
        path.write_bytes(data[:length])
        assert read(path) == []
    assert not list(path.parent.glob("*.damaged-*"))
    assert "middle of an entry" in caplog.text


@pytest.mark.logs_errors
def test_damage_costs_one_entry_and_is_set_aside(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = bytearray(write(path))
    frame = (len(data) - 24) // 5
    data[24 + 2 * frame + 40] ^= 1
    path.write_bytes(data)
    assert read(path) == [*ENTRIES[:2], *ENTRIES[3:]]
    [aside] = path.parent.glob("*.damaged-*")
    assert aside.read_bytes() == data
    assert "is damaged (1 of 5 entries)" in caplog.text
    assert read(path) == [*ENTRIES[:2], *ENTRIES[3:]]
    assert len(list(path.parent.glob("*.damaged-*"))) == 1


@pytest.mark.logs_errors
@pytest.mark.parametrize("what", ["other key", "other file", "swapped", "left out", "bad length", "other header"])
def test_what_is_not_this_seats_journal_is_set_aside(path: Path, what: str) -> None:
    data = write(path)
    frame = (len(data) - 24) // 5
    frames = [data[24 + n * frame : 24 + (n + 1) * frame] for n in range(5)]
    changed = {
        "other key": data,
        "other file": b"%PDF-1.7 something else altogether",
        "swapped": data[:24] + b"".join([frames[1], frames[0], *frames[2:]]),
        "left out": data[:24] + b"".join(frames[1:]),
        "bad length": data[: 24 + frame] + b"\xff\xff\xff\x7f" + data[24 + frame + 4 :],
        "other header": data[:10] + b"\0" + data[11:],
    }[what]
    path.write_bytes(changed)
    left = read(path, b"o" * 32 if what == "other key" else KEY)
    assert left == {"swapped": ENTRIES[2:], "bad length": ENTRIES[:1]}.get(what, [])
    assert len(list(path.parent.glob("*.damaged-*"))) == 1


@pytest.mark.logs_errors
def test_nothing_on_the_disk_makes_it_fall_over(path: Path) -> None:
    data = write(path)
    dice = random.Random(20261123)
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(broken))
            broken[at : at + dice.randrange(0, 9)] = dice.randbytes(dice.randrange(0, 9))
        path.write_bytes(broken)
        assert all(entry in ENTRIES for entry in read(path))


def test_two_processes_do_not_share_a_journal(path: Path) -> None:
    first = SealedLog(path, KEY)
    first.load()
    with pytest.raises(BlockingIOError):
        SealedLog(path, KEY).load()
    with pytest.raises(BlockingIOError):
        CallJournal(SealedLog(path, KEY)).start()
    first.close()
    assert read(path) == []


@pytest.mark.logs_errors
def test_an_entry_that_nobody_understands_is_left_out() -> None:
    good = {"ended": asdict(ended("a"))}
    tale = Tale([{"strange": 1}, {"open": {"call_id": 7}}, {"open": []}, {"acked": 5}, good, {"ended": {}}])
    assert (list(tale.ended), tale.open, tale.entries) == (["a"], {}, 6)


# --- the journal ---


def state(call_id: str, what: str = "dialing", **values: Any) -> CallState:
    at = "2026-11-23T04:00:00.000Z"
    return CallState(call_id, "l", "outbound", NUMBER, what, at, time.monotonic_ns(), started_at=at, **values)


def ended(call_id: str, cause: str = "hung_up", **values: Any) -> CallEnded:
    at = "2026-11-23T04:00:00.000Z"
    return CallEnded(call_id, "l", "outbound", NUMBER, cause, 200, "OK", at, "", at, 0, **values)


def ok() -> Future[dict[str, Any]]:
    done: Future[dict[str, Any]] = Future()
    done.set_result({"fine": True})
    return done


class Disk(SealedLog):
    """A disk that can be made to hang or to fail."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, KEY)
        self.free = threading.Event()
        self.free.set()
        self.broken = False

    def append(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self._try()
        super().append(entries)

    def rewrite(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self._try()
        super().rewrite(entries)

    def _try(self) -> None:
        assert self.free.wait(20)
        if self.broken:
            raise OSError(28, "No space left on device")


@pytest.fixture
def disk(path: Path) -> Disk:
    return Disk(path)


@pytest.fixture
def journal(disk: Disk) -> Iterator[CallJournal]:
    made = CallJournal(disk)
    made.agent_id = "u-1"
    made.start()
    yield made
    disk.free.set()
    made.stop()


def again(path: Path, **options: Any) -> CallJournal:
    """What a process that starts after a crash finds."""
    made = CallJournal(SealedLog(path, KEY), **options)
    made.start()
    return made


def crash(path: Path) -> Path:
    """What is on the disk at this moment, where the next process finds it."""
    copy = path.with_name(f"{uuid.uuid4()}.journal")
    copy.write_bytes(path.read_bytes())
    return copy


def test_the_answer_waits_for_the_disk_and_nobody_else_does(journal: CallJournal, disk: Disk) -> None:
    told: list[Event] = []
    journal.on_ended = told.append
    disk.free.clear()
    started = time.monotonic()
    assert not journal.take(state("a"))
    answer = journal.confirmed(Dial("1", "a", "l", NUMBER), ok())
    assert journal.take(ended("a"))
    other = journal.confirmed(SetMute("2", "a", True), ok())
    assert time.monotonic() - started < 0.5
    assert other.done()
    time.sleep(0.3)
    assert not answer.done()
    assert told == []
    disk.free.set()
    assert answer.result(5) == {"fine": True}
    wait_until(lambda: len(told) == 1)


def test_a_far_end_that_sends_no_text_costs_no_record(journal: CallJournal, path: Path) -> None:
    """PJSIP hands over bytes that are no UTF-8 as lone surrogates."""
    event = replace(ended("a"), number="13800\udcff", reason="\ud83dBusy")
    assert decode(encode(event)) == replace(event, number="13800?", reason="?Busy")
    told: list[Event] = []
    journal.on_ended = told.append
    journal.take(event)
    wait_until(lambda: len(told) == 1)
    left = again(crash(path))
    assert [e.number for e in left.ended()] == ["13800?"]
    left.stop()


def test_a_refused_command_is_refused_at_once(journal: CallJournal, disk: Disk) -> None:
    disk.free.clear()
    refused: Future[dict[str, Any]] = Future()
    refused.set_exception(CommandError("line_busy", "two calls are up"))
    with pytest.raises(CommandError, match="line_busy"):
        journal.confirmed(Answer("1", "a"), refused).result(0.5)


def test_a_disk_that_hangs_does_not_hold_the_answer_for_ever(journal: CallJournal, disk: Disk) -> None:
    disk.free.clear()
    journal.take(state("a"))
    started = time.monotonic()
    with pytest.raises(CommandError, match="record_failed"):
        journal.confirmed(Dial("1", "a", "l", NUMBER), ok()).result(10)
    assert 1.0 < time.monotonic() - started < 8
    disk.free.set()


@pytest.mark.logs_errors
def test_a_full_disk_costs_no_call_and_is_written_when_it_can_be(
    journal: CallJournal, disk: Disk, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Event] = []
    journal.on_ended = told.append
    disk.broken = True
    journal.take(state("a"))
    with pytest.raises(CommandError, match="record_failed"):
        journal.confirmed(Dial("1", "a", "l", NUMBER), ok()).result(5)
    journal.take(ended("a"))
    journal.take(state("b", "active", answered_at="2026-11-23T04:00:01.000Z"))
    wait_until(lambda: len(told) == 1)
    assert [e.call_id for e in journal.ended()] == ["a"]
    time.sleep(2.2)
    assert caplog.text.count("cannot be written") == 1
    assert NUMBER not in caplog.text
    disk.broken = False
    wait_until(lambda: "written again" in caplog.text or journal._whole, 10)
    answer = journal.confirmed(Dial("2", "b", "l", NUMBER), ok())
    assert answer.result(5)
    left = again(crash(path))
    assert [(e.call_id, e.cause) for e in left.ended()] == [("a", "hung_up"), ("b", "line_lost")]
    left.stop()


def test_what_a_crash_leaves_becomes_records(journal: CallJournal, path: Path) -> None:
    journal.take(state("dialled"))
    journal.agent_id = "u-2"
    journal.take(state("talking"))
    journal.take(state("talking", "active", answered_at="2026-11-23T04:00:01.000Z", recording_id="rec-1"))
    journal.take(state("listening", monitored=True))
    journal.take(state("over"))
    journal.take(ended("over", "far_hung_up"))
    assert journal.confirmed(Dial("1", "x", "l", NUMBER), ok()).result(5)
    on_disk = crash(path)

    at = 1_795_406_431.5  # 2026-11-23T04:00:31.500Z
    left = again(on_disk, last_sign=lambda recording_id: at if recording_id == "rec-1" else None)
    records = {e.call_id: e for e in left.ended()}
    left.stop()
    assert set(records) == {"dialled", "talking", "over"}
    assert {e.cause for e in records.values()} == {"line_lost", "far_hung_up"}
    assert [records[c].agent_id for c in ("dialled", "talking", "over")] == ["u-1", "u-2", "u-2"]
    talking = records["talking"]
    assert (talking.recording_id, talking.ended_at) == ("rec-1", "2026-11-23T04:00:31.500Z")
    assert talking.talk_ms == 31_500
    assert talking.quality == {"end_seen": False}
    assert (records["dialled"].talk_ms, records["dialled"].answered_at) == (0, "")

    crash_again = again(on_disk)  # the second start finds records, not calls
    assert {e.call_id: e for e in crash_again.ended()} == records
    crash_again.stop()


def test_a_call_without_a_recording_lasts_until_the_last_sign_of_life(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    monkeypatch.setattr("telephony.records.BEAT_S", 0.2)
    journal = CallJournal(SealedLog(path, KEY))
    journal.start()
    journal.take(state("a", "active", answered_at="2026-11-23T04:00:01.000Z"))
    time.sleep(1.5)
    left = again(crash(path))
    journal.stop()
    [lost] = left.ended()
    left.stop()
    assert 700 < lost.talk_ms < 3000


def test_what_is_acknowledged_is_gone_and_the_file_stays_small(journal: CallJournal, path: Path) -> None:
    for number in range(300):
        journal.take(state(f"c{number}"))
        journal.take(ended(f"c{number}"))
        if number % 10 == 9:
            wait_until(lambda number=number: len(journal.ended()) > 0 and journal.ended()[-1].call_id == f"c{number}")  # type: ignore[misc]
            journal.acknowledge([f"c{n}" for n in range(number - 9, number + 1)])
    journal.acknowledge(["c1", "never heard of"])
    assert journal.confirmed(Dial("1", "x", "l", NUMBER), ok()).result(5)
    assert journal.ended() == ()
    assert path.stat().st_size < 120_000
    on_disk = crash(path)
    left = again(on_disk)
    assert left.ended() == ()
    left.stop()
    assert on_disk.stat().st_size == 24


@pytest.mark.logs_errors
def test_a_journal_that_cannot_be_read_at_first_is_not_overwritten(path: Path, tmp_path: Path) -> None:
    write(path, [{"ended": asdict(ended("before"))}])
    away = tmp_path / "unplugged"
    path.parent.rename(away)
    path.parent.write_text("no folder")
    journal = CallJournal(SealedLog(path, KEY))
    journal.start()
    journal.take(ended("since"))
    wait_until(lambda: len(journal.ended()) == 1)
    path.parent.unlink()
    away.rename(path.parent)
    wait_until(lambda: len(journal.ended()) == 2, 10)
    journal.stop()
    left = again(path)
    assert [e.call_id for e in left.ended()] == ["before", "since"]
    left.stop()


# --- the line process ---


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Seat, Seat]]:
    collector, debtor = start_pair(tmp_path)
    yield collector, debtor
    collector.port.stop()
    debtor.port.stop()


def unacknowledged(seat: Seat) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = seat.port.request(GetSnapshot)["ended"]
    return found


def kill_and_wait(seat: Seat) -> list[dict[str, Any]]:
    """Kill the line process; the records that its successor has."""
    pid = seat.pid
    seat.events.clear()
    os.kill(pid, signal.SIGKILL)
    seat.wait(Snapshot, timeout=15)
    return unacknowledged(seat)


def test_when_dial_is_answered_the_record_is_on_the_disk(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        seat = start_seat(tmp_path, "seat", peer_port=silent.getsockname()[1])
        try:
            call_id = str(uuid.uuid4())
            seat.port.request(lambda i: Dial(i, call_id, "line", NUMBER))
            copy = tmp_path / "copy"
            copy.write_bytes(seat.setup.records.read_bytes())
            kept = Tale(read(copy, journal_key(seat.setup.signing_key)))
            assert [(c.call_id, c.number) for c in kept.open.values()] == [(call_id, NUMBER)]
            assert NUMBER.encode() not in copy.read_bytes()
            [record] = kill_and_wait(seat)  # while it is dialling
            assert (record["call_id"], record["cause"], record["answered_at"]) == (call_id, "line_lost", "")
            assert record["talk_ms"] == 0
        finally:
            seat.port.stop()


def test_killed_while_it_rings(pair: tuple[Seat, Seat]) -> None:
    collector, debtor = pair
    collector.port.request(lambda i: Dial(i, str(uuid.uuid4()), "line", NUMBER))
    call_id = debtor.wait(CallIncoming).call_id
    wait_until(lambda: len(debtor.seen(CallState)) > 0)
    time.sleep(0.2)
    [record] = kill_and_wait(debtor)
    assert (record["call_id"], record["cause"], record["direction"]) == (call_id, "line_lost", "inbound")


def test_killed_in_a_call_and_just_after_it(pair: tuple[Seat, Seat]) -> None:
    collector, debtor = pair
    call_id, far_id = connect(collector, debtor)
    recording = collector.wait(RecordingState, lambda e: e.call_id == call_id and e.sealed_ms >= 2000, timeout=15)
    [record] = kill_and_wait(collector)
    assert (record["call_id"], record["cause"]) == (call_id, "line_lost")
    assert record["recording_id"] == recording.recording_id
    assert record["talk_ms"] < 20_000
    recovered = collector.wait(RecordingState, lambda e: e.state == "recovered", timeout=15)
    assert recovered.recording_id == record["recording_id"]
    assert record["talk_ms"] > recording.sealed_ms - 500

    collector.port.request(lambda i: AckCalls(i, (call_id,)))
    assert unacknowledged(collector) == []
    debtor.port.request(lambda i: HangUp(i, far_id))
    debtor.wait(CallEnded)
    debtor.events.clear()

    call_id, _ = connect(collector, debtor)
    collector.events.clear()
    collector.port.request(lambda i: HangUp(i, call_id))
    told = collector.wait(CallEnded)
    [record] = kill_and_wait(collector)
    assert (record["call_id"], record["cause"]) == (call_id, "hung_up")
    assert record["quality"]["codec"]
    assert record["ended_at"] == told.ended_at


@pytest.mark.parametrize("where", ["a folder in its place", "no folder can be made"])
def test_a_journal_that_cannot_be_written_costs_no_call(tmp_path: Path, where: str) -> None:
    debtor = start_seat(tmp_path, "debtor")
    setup = make_setup(tmp_path, "collector", peer_port=debtor.sip_port)
    if where == "a folder in its place":
        setup.records.mkdir(parents=True)
    else:
        blocked = tmp_path / "blocked"
        blocked.write_text("a file")
        setup = replace(setup, records=blocked / "calls.journal")
    from agent_desktop.services.line_supervisor import start_line

    port = start_line(setup)
    events: list[Event] = []
    port.events.join(events.append)
    try:
        call_id = str(uuid.uuid4())
        with pytest.raises(LineError) as failed:
            port.request(lambda i: Dial(i, call_id, "line", NUMBER), 5)
        assert failed.value.code == "record_failed"
        far_id = debtor.wait(CallIncoming).call_id
        debtor.port.request(lambda i: Answer(i, far_id))
        wait_until(lambda: any(isinstance(e, CallState) and e.state == "active" for e in events))
        port.request(lambda i: HangUp(i, call_id))
        wait_until(lambda: any(isinstance(e, CallEnded) for e in events))
        [record] = port.request(GetSnapshot)["ended"]
        assert (record["call_id"], record["cause"]) == (call_id, "hung_up")
    finally:
        port.stop()
        debtor.port.stop()
    log = setup.log_file.read_text()
    assert "call records cannot be" in log
    assert NUMBER not in log
