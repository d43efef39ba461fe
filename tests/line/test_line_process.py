"""The line process as the desktop uses it: started, taken over, killed, asked to end."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from agent_desktop.services.line_supervisor import LineSupervisor, start_line
from telephony.errors import LineError
from telephony.messages import (
    AudioConfig,
    AudioState,
    CallEnded,
    Dial,
    GetSnapshot,
    HangUp,
    Hello,
    RecordingState,
    SetAudio,
    Snapshot,
)
from tests.support.lines import COLLECTOR, Seat, connect, hang_up, start_pair, start_seat
from tests.support.processes import wait_gone


@pytest.fixture()
def pair(tmp_path: Path):
    collector, debtor = start_pair(tmp_path)
    yield collector, debtor
    collector.port.stop()
    debtor.port.stop()


def _another_window(seat: Seat) -> Seat:
    port = LineSupervisor(seat.setup)
    again = Seat(port, seat.setup, seat.store_key, seat.seat_key, seat.grant_key)
    port.events.join(again.events.append)
    port.start()
    return again


def test_a_call_goes_on_when_its_window_goes_and_the_next_window_takes_it_over(pair: tuple[Seat, Seat]) -> None:
    collector, debtor = pair
    pid = collector.pid
    call_id, _ = connect(collector, debtor)
    collector.port.leave()
    time.sleep(1.0)

    started = time.monotonic()
    again = _another_window(collector)
    snapshot = again.wait(Snapshot)
    assert time.monotonic() - started < 2
    try:
        assert again.port.starts == 0
        assert again.pid == pid
        [call] = snapshot.calls
        assert (call.call_id, call.state) == (call_id, "active")
        [recording] = snapshot.recordings
        assert recording.call_id == call_id
        sealed = hang_up(again, call_id)
        assert again.wait(CallEnded).cause == "hung_up"
        assert sealed.sealed_ms > 1200
        assert sealed.lost_frames == 0
    finally:
        again.port.stop()
    wait_gone(pid)


def test_a_killed_line_process_is_started_again_and_the_recording_recovered(pair: tuple[Seat, Seat]) -> None:
    collector, debtor = pair
    lost: list[str] = []
    collector.port.lost.join(lost.append)
    call_id, _ = connect(collector, debtor)
    collector.wait(RecordingState, lambda e: e.call_id == call_id and e.sealed_ms >= 2000)
    collector.events.clear()

    os.kill(collector.pid, signal.SIGKILL)
    started = time.monotonic()
    collector.wait(Snapshot)
    assert time.monotonic() - started < 3
    assert lost
    assert collector.port.starts == 2
    recovered = collector.wait(RecordingState, lambda e: e.state == "recovered")
    assert recovered.call_id == call_id
    assert (collector.setup.spool / f"{recovered.recording_id}.manifest.json").exists()


def test_while_there_is_no_line_process_commands_say_so(tmp_path: Path) -> None:
    seat = start_seat(tmp_path, "alone")
    seat.port.stop()
    with pytest.raises(LineError) as caught:
        seat.port.request(GetSnapshot)
    assert caught.value.code == "away"


def test_another_key_is_not_let_in(tmp_path: Path) -> None:
    seat = start_seat(tmp_path, "mine")
    try:
        from telephony.client import LineClient

        stranger = LineClient(seat.port._address, b"x" * 32, lambda _: None, lambda _: None)
        with pytest.raises(LineError):
            stranger.connect(timeout=1.0)
        assert seat.port.request(Hello)["pid"]
    finally:
        seat.port.stop()


@pytest.mark.parametrize("microphone", ["no such headset", ""])
def test_a_device_that_is_not_there_is_said_and_the_line_still_works(tmp_path: Path, microphone: str) -> None:
    audio = AudioConfig("device", microphone or "nothing", microphone or "nothing")
    seat = start_seat(tmp_path, "deaf", audio=audio)
    try:
        snapshot = seat.port.request(GetSnapshot)
        assert snapshot["audio"]["problem"] == "no_such_device"
        assert snapshot["lines"][0]["state"] == "ready"
        with pytest.raises(LineError) as caught:
            seat.port.request(lambda i: SetAudio(i, AudioConfig("device", "still nothing", "")))
        assert caught.value.code == "no_such_device"
        seat.port.request(lambda i: SetAudio(i, AudioConfig("files", str(COLLECTOR))))
        assert seat.wait(AudioState).problem == ""
    finally:
        seat.port.stop()


def test_a_spool_that_cannot_be_written_does_not_cost_the_call(tmp_path: Path) -> None:
    blocked = tmp_path / "collector"
    blocked.mkdir()
    (blocked / "spool").write_text("a file where the folder should be")
    collector, debtor = start_pair(tmp_path)
    try:
        import uuid

        from telephony.messages import Answer, CallIncoming, CallState

        call_id = str(uuid.uuid4())
        collector.port.request(lambda i: Dial(i, call_id, "line", "13800006021"))
        incoming = debtor.wait(CallIncoming)
        debtor.port.request(lambda i: Answer(i, incoming.call_id))
        collector.wait(CallState, lambda e: e.state == "active")
        said = collector.wait(RecordingState, lambda e: bool(e.problem))
        assert (said.state, said.problem) == ("failed", "spool_unwritable")
        collector.port.request(lambda i: HangUp(i, call_id))
        assert collector.wait(CallEnded).cause == "hung_up"
    finally:
        collector.port.stop()
        debtor.port.stop()
    assert "spool_unwritable" in (blocked / "line.log").read_text()


def test_nothing_readable_stays_on_the_seat(pair: tuple[Seat, Seat]) -> None:
    collector, debtor = pair
    call_id, _ = connect(collector, debtor)
    time.sleep(1)
    hang_up(collector, call_id)
    kept = [path for path in collector.setup.spool.rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        data = path.read_bytes()
        assert b"OggS" not in data
        assert b"RIFF" not in data
        assert b"13800006021" not in data
        assert path.stat().st_mode & 0o077 == 0
    log = collector.setup.log_file.read_text()
    assert "13800006021" not in log


def test_the_store_key_opens_both_sides(pair: tuple[Seat, Seat], tmp_path: Path) -> None:
    from recorder.evidence import verify_manifest
    from recorder.spool import Spool

    collector, debtor = pair
    call_id, _ = connect(collector, debtor)
    time.sleep(4)
    hang_up(collector, call_id)
    [manifest] = Spool(collector.setup.spool).ready()
    verify_manifest(manifest, bytes(collector.seat_key.verify_key))
    assert (manifest.number, manifest.kind, manifest.call_id) == (1, "F", call_id)


def test_the_process_ends_by_itself_when_nobody_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_DESKTOP_LINE_IDLE_S", "1")
    seat = start_seat(tmp_path, "left")
    pid = seat.pid
    seat.port.leave()
    wait_gone(pid)


def test_a_second_window_shares_the_line(tmp_path: Path) -> None:
    seat = start_seat(tmp_path, "shared")
    try:
        other = start_line(seat.setup)
        assert other.starts == 0
        assert other.request(Hello)["pid"] == seat.pid
        other.leave()
    finally:
        seat.port.stop()


def test_one_that_cannot_listen_ends_at_once_and_says_so(tmp_path: Path) -> None:
    seat = start_seat(tmp_path, "seat")
    seat.port.stop()
    deaf = LineSupervisor(seat.setup)
    deaf._address = str(tmp_path / ("x" * 120))
    with pytest.raises(LineError, match="status 1"):
        deaf.start()


def test_a_runtime_folder_whose_path_is_too_long_for_a_socket_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("deep" * 25)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    seat = start_seat(tmp_path, "seat")
    assert list(deep.iterdir()) == []
    seat.port.stop()
