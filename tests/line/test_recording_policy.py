"""A real line process under a recording policy: pauses by command and by keypad, on demand, and whose word counts."""

from __future__ import annotations

import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nacl.signing import SigningKey

from collection_server.policy.service import recording_policy
from collection_server.settings import Settings
from recorder.evidence import Manifest
from recorder.spool import Spool
from telephony.errors import LineError
from telephony.messages import (
    Answer,
    AudioConfig,
    CallEnded,
    CallIncoming,
    CallState,
    Command,
    Dial,
    DtmfReceived,
    GetSnapshot,
    HangUp,
    LinePolicy,
    PauseRecording,
    RecorderHealth,
    RecordingState,
    ResumeRecording,
    SendDtmf,
    SetPolicy,
    StartRecording,
    StopRecording,
)
from tests.line.parts import wait_until
from tests.line.sound import Samples, samples, tone_power, write_tone
from tests.support.lines import Policy, Seat, connect, hang_up, start_seat
from tests.support.recording import Opened, open_recording

AGENT_HZ, FAR_HZ = 500.0, 1250.0
NOW = datetime.now(UTC)


def policy(*, key: SigningKey | None = None, seat_id: str = "", now: datetime = NOW, **settings: Any) -> Policy:
    """What the server would sign; with another key, or for another seat, when asked."""

    def make(grant_key: SigningKey, own_id: str) -> str:
        made = Settings(data=Path("unused"), **settings)
        return recording_policy(key or grant_key, made, seat_id=seat_id or own_id, role="collector", now=now)

    return make


class Pair:
    """A collector under a policy and a debtor, each with a tone of its own."""

    def __init__(self, folder: Path, rules: Policy | None) -> None:
        for name, hertz in (("agent", AGENT_HZ), ("far", FAR_HZ)):
            write_tone(folder / f"{name}.wav", hertz, 16000, 90)
        self.far = start_seat(folder, "debtor", audio=AudioConfig("files", str(folder / "far.wav")))
        audio = AudioConfig("files", str(folder / "agent.wav"))
        self.seat = start_seat(folder, "collector", peer_port=self.far.sip_port, audio=audio, policy=rules)

    def stop(self) -> None:
        self.seat.port.stop()
        self.far.port.stop()

    def do(self, command: type[Command], call_id: str, **values: Any) -> None:
        self.seat.port.request(lambda i: command(id=i, call_id=call_id, **values))  # type: ignore[call-arg]

    def talk(self) -> str:
        """A call that is up, recorded or not; its id."""
        call_id = str(uuid.uuid4())
        self.seat.port.request(lambda i: Dial(i, call_id, "line", "13800006021"))
        incoming = self.far.wait(CallIncoming)
        self.far.port.request(lambda i: Answer(i, incoming.call_id))
        self.seat.wait(CallState, lambda e: e.call_id == call_id and e.state == "active")
        return call_id

    def told(self, **wanted: Any) -> RecordingState:
        """A recording state with these values, told already or to come."""
        return self.seat.wait(
            RecordingState, lambda e: all(getattr(e, name) == value for name, value in wanted.items()), timeout=15
        )

    def refused(self, command: type[Command], call_id: str, **values: Any) -> str:
        with pytest.raises(LineError) as refused:
            self.do(command, call_id, **values)
        return refused.value.code

    def opened(self) -> tuple[Manifest, Opened]:
        spool = Spool(self.seat.setup.spool)
        [manifest] = spool.ready()
        return manifest, open_recording(spool.payload(manifest.recording_id, manifest.kind), self.seat.store_key)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    pairs: list[Pair] = []

    def make(rules: Policy | None = None) -> Pair:
        pairs.append(Pair(tmp_path, rules))
        return pairs[-1]

    yield make
    for pair in pairs:
        pair.stop()


def _heard(opened: Opened) -> tuple[Samples, Samples]:
    left, right = opened.channels()
    return samples(left.tobytes()), samples(right.tobytes())


def _pauses(opened: Opened) -> list[tuple[int, int, str, str]]:
    """First sample, sample after the last, reason and by what it ended, of each pause."""
    begins = [e for e in opened.events if e["kind"] == "recording_paused"]
    ends = [e for e in opened.events if e["kind"] == "recording_resumed"]
    found = zip(begins, ends, strict=True)
    return [(b["start"], e["start"], b["reason"], e["by"]) for b, e in found]


def _silent_only_there(manifest: Manifest, opened: Opened, pauses: list[tuple[int, int, str, str]]) -> None:
    """Each channel has its tone before and after each pause, and neither anything in it."""
    edge = manifest.rate // 10  # the codec smears a little over the seam
    for channel, hertz in zip(_heard(opened), (AGENT_HZ, FAR_HZ), strict=True):
        assert abs(len(channel) - manifest.call_samples) <= manifest.rate // 50
        for begin, end, _, _ in pauses:
            inside = channel[begin + edge : end - edge]
            assert len(inside) > manifest.rate // 4
            spectrum = np.abs(np.fft.rfft(inside)) * 2 / len(inside)
            assert spectrum.max() < 10, "something is to be heard in the pause"  # the tone has 8000
            for outside in (channel[begin - 6 * edge : begin - edge], channel[end + edge : end + 6 * edge]):
                assert tone_power(outside, hertz, manifest.rate) > 0.8


def test_a_pause_by_command_is_silence_on_both_sides_between_its_marks(start: Any) -> None:
    pair = start(policy(recording_pause_reasons=("card_number", "客户隐私"), recording_pause_limit_seconds=30))
    call_id, _ = connect(pair.seat, pair.far)
    first = pair.told(state="recording")
    assert (first.mode, first.pause_reasons) == ("automatic", ("card_number", "客户隐私"))
    assert pair.refused(PauseRecording, call_id, reason="lunch") == "unknown_reason"
    pair.seat.wait(RecordingState, lambda e: e.sealed_ms > 1500)
    asked = time.monotonic()
    pair.do(PauseRecording, call_id, reason="客户隐私")
    paused = pair.told(paused="客户隐私")
    assert time.monotonic() - asked < 1.5
    assert 25_000 < paused.pause_left_ms <= 30_000
    at = paused.sealed_ms
    pair.seat.wait(RecordingState, lambda e: e.sealed_ms > at + 2000, timeout=10)
    pair.do(ResumeRecording, call_id)
    at = pair.seat.seen(RecordingState)[-1].sealed_ms
    pair.seat.wait(RecordingState, lambda e: not e.paused and e.sealed_ms > at + 2000, timeout=10)
    hang_up(pair.seat, call_id)
    manifest, opened = pair.opened()
    [(begin, end, reason, by)] = pauses = _pauses(opened)
    assert (reason, by) == ("客户隐私", "agent")
    assert end - begin > 1.5 * manifest.rate
    _silent_only_there(manifest, opened, pauses)


def test_the_keypad_code_pauses_and_resumes_and_its_last_key_is_not_sent(start: Any) -> None:
    pair = start(policy(recording_pause_code="*8"))
    call_id, _ = connect(pair.seat, pair.far)
    pair.seat.wait(RecordingState, lambda e: e.sealed_ms > 1000)
    for key in "7*8":
        pair.do(SendDtmf, call_id, digits=key)
    at = pair.told(paused="card_number").sealed_ms
    pair.seat.wait(RecordingState, lambda e: e.sealed_ms > at + 1500, timeout=10)
    pair.do(SendDtmf, call_id, digits="*8")
    resumed = len(pair.seat.events)
    pair.seat.wait(RecordingState, lambda e: not e.paused and e in pair.seat.events[resumed - 1 :])
    pair.do(SendDtmf, call_id, digits="9")
    pair.far.wait(DtmfReceived, lambda e: e.digit == "9")
    assert "".join(e.digit for e in pair.far.seen(DtmfReceived)) == "7*9"
    at = pair.seat.seen(RecordingState)[-1].sealed_ms
    pair.seat.wait(RecordingState, lambda e: e.sealed_ms > at + 1500, timeout=10)
    hang_up(pair.seat, call_id)
    manifest, opened = pair.opened()
    pauses = _pauses(opened)
    assert [(reason, by) for _, _, reason, by in pauses] == [("card_number", "agent")]
    _silent_only_there(manifest, opened, pauses)


def test_a_pause_ends_by_itself(start: Any) -> None:
    pair = start(policy(recording_pause_limit_seconds=5))
    call_id, _ = connect(pair.seat, pair.far)
    pair.do(PauseRecording, call_id, reason="card_number", limit_s=600)
    paused = pair.told(paused="card_number")
    assert paused.pause_left_ms <= 5_000
    at = paused.sealed_ms
    pair.seat.wait(RecordingState, lambda e: not e.paused and e.sealed_ms > at + 5500, timeout=15)
    hang_up(pair.seat, call_id)
    manifest, opened = pair.opened()
    [(begin, end, _, by)] = _pauses(opened)
    assert by == "limit"
    assert end - begin == 5 * manifest.rate


def test_on_demand_it_has_what_was_said_just_before_and_nothing_earlier(start: Any) -> None:
    pair = start(policy(recording_mode="manual", recording_look_back_seconds=2))
    call_id = pair.talk()
    waiting = pair.told(state="waiting")
    assert (waiting.recording_id, waiting.mode) == ("", "manual")
    assert pair.refused(PauseRecording, call_id, reason="card_number") == "no_recording"
    assert not list(pair.seat.setup.spool.glob("*.journal"))
    time.sleep(4)  # of the call, which are not asked for
    pair.do(StartRecording, call_id)
    pair.seat.wait(RecordingState, lambda e: e.state == "recording" and e.sealed_ms > 0, timeout=10)
    time.sleep(2)
    pair.do(StopRecording, call_id)
    pair.told(state="waiting", call_id=call_id, recording_id=pair.told(state="recording").recording_id)
    time.sleep(1)
    hang_up(pair.seat, call_id)
    manifest, opened = pair.opened()
    assert pair.seat.wait(CallEnded).recording_id == manifest.recording_id
    assert opened.facts["far_number"] == "13800006021"
    assert manifest.mode == "manual"
    assert 3.4 * manifest.rate < manifest.samples < 5.5 * manifest.rate
    [[_, first, _], *_] = manifest.segments
    assert first > 1.5 * manifest.rate
    assert manifest.call_samples > 6.5 * manifest.rate
    left, _ = _heard(opened)
    assert tone_power(left[manifest.rate // 2 : manifest.rate], AGENT_HZ, manifest.rate) > 0.8


def test_a_call_that_nobody_asks_to_record_leaves_nothing(start: Any) -> None:
    pair = start(policy(recording_mode="manual", recording_look_back_seconds=5))
    call_id = pair.talk()
    pair.told(state="waiting")
    time.sleep(1)
    pair.do(HangUp, call_id)
    pair.told(state="nothing")
    names = [p.name for p in pair.seat.setup.spool.iterdir() if p.is_file()] if pair.seat.setup.spool.exists() else []
    assert not [name for name in names if name.endswith((".rec", ".journal", ".manifest.json"))]


OTHER = SigningKey.generate()


@pytest.mark.logs_errors
@pytest.mark.parametrize(
    "bad",
    [
        policy(recording_mode="manual", key=OTHER),
        policy(recording_mode="manual", seat_id="seat-of-somebody-else"),
        lambda key, seat_id: "bm90aGluZw.bm90aGluZw",
        lambda key, seat_id: policy(recording_mode="manual")(key, seat_id)[:-6] + "AAAAAA",
    ],
    ids=["another key", "another seat", "no token", "altered"],
)
def test_a_policy_that_is_not_the_servers_for_this_seat_changes_nothing(start: Any, bad: Policy) -> None:
    pair = start(bad)
    call_id, _ = connect(pair.seat, pair.far)
    assert pair.told(state="recording").mode == "automatic"
    assert pair.refused(StopRecording, call_id) == "not_allowed"
    assert pair.refused(PauseRecording, call_id, reason="card_number") == "not_allowed"
    hang_up(pair.seat, call_id)


@pytest.mark.logs_errors
def test_a_window_cannot_bring_back_an_older_policy_nor_its_own(start: Any) -> None:
    pair = start(policy(recording_mode="automatic", now=NOW))
    grant_key, seat_id = pair.seat.grant_key, pair.seat.setup.seat_id
    older = policy(recording_mode="manual", now=NOW - timedelta(days=1))(grant_key, seat_id)
    forged = policy(recording_mode="manual", key=OTHER, now=NOW + timedelta(days=1))(grant_key, seat_id)
    for text in (older, forged):
        pair.seat.port.request(lambda i, t=text: SetPolicy(i, LinePolicy(), t))
    call_id, _ = connect(pair.seat, pair.far)
    assert pair.told(state="recording").mode == "automatic"
    newer = policy(recording_mode="manual", now=NOW + timedelta(days=1))(grant_key, seat_id)
    pair.seat.port.request(lambda i: SetPolicy(i, LinePolicy(), newer))
    assert pair.refused(StopRecording, call_id) == "not_allowed", "a call keeps the rules that it began with"
    hang_up(pair.seat, call_id)
    pair.far.events.clear()
    pair.talk()
    pair.told(state="waiting", mode="manual")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that is nearly full once something is on it: 545 MB, of which only what is written takes memory."""
    where = tmp_path / "collector"
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=520m", "tmpfs", str(where)], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield where
    subprocess.run(["umount", str(where)], check=True)


def _health(seat: Seat) -> dict[str, Any]:
    """As a window that comes now is told it."""
    return dict(seat.port.request(GetSnapshot)["recorder"])


def test_a_disk_that_fills_is_told_within_five_seconds_without_a_call(disk: Path, tmp_path: Path) -> None:
    seat: Seat = start_seat(tmp_path, "collector")
    try:
        wait_until(lambda: _health(seat)["free_bytes"] > 500_000_000)
        assert _health(seat)["problem"] == ""
        (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 490_000_000))
        filled = time.monotonic()
        low = seat.wait(RecorderHealth, lambda e: e.problem == "disk_low", timeout=5)
        assert time.monotonic() - filled < 5
        assert 480_000_000 < low.free_bytes <= 490_000_000
        assert _health(seat)["problem"] == "disk_low"
        seat.events.clear()
        (disk / "filler").unlink()
        assert seat.wait(RecorderHealth, timeout=5).problem == ""
    finally:
        seat.port.stop()


def test_a_spool_that_is_no_folder_is_told_without_a_call(tmp_path: Path) -> None:
    (tmp_path / "collector").mkdir()
    (tmp_path / "collector" / "spool").write_text("a file where the folder should be")
    seat = start_seat(tmp_path, "collector")
    try:
        wait_until(lambda: _health(seat)["problem"] == "spool_unwritable")
    finally:
        seat.port.stop()
