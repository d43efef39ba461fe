"""200 INVITEs and 200 OPTIONS a second for ten seconds: the call goes on, whole, and the line is ready again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from telephony.messages import AudioConfig, CallEnded, CallIncoming, GetSnapshot, HangUp, RecordingState
from tests.hostile.sip import KNOWN, STRANGER, Endpoint, flood, invite, request, status
from tests.hostile.target import READY_S, Agent, heard_share, is_ready, settle
from tests.line.parts import LineProcess, wait_until
from tests.line.sound import read_wav, write_tone
from tests.support.lines import Seat, connect, hang_up, start_seat

pytestmark = pytest.mark.alone

RATE, SECONDS = 200, 10
TONE_HZ = 440


@dataclass
class Flood:
    """Both kinds at once from one host, on a thread of its own."""

    target: int
    host: str
    codes: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._pour)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _pour(self) -> None:
        with Endpoint(self.target, self.host) as sender:
            _, heard = flood(sender, self._messages(sender), 2 * RATE)
            self.codes.update(status(message) for message in heard + settle(sender))

    def _messages(self, sender: Endpoint) -> Iterator[bytes]:
        for number in range(RATE * SECONDS):
            yield invite(sender, tag=f"flood{number}")
            yield request("OPTIONS", sender)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Seat, Seat]]:
    """Two seats of which the far one plays a tone and the near one writes what it hears."""
    tone = tmp_path / "tone.wav"
    write_tone(tone, TONE_HZ, 16000, 30)
    far = start_seat(tmp_path, "far", audio=AudioConfig("files", str(tone)))
    audio = AudioConfig("files", str(tone), str(tmp_path / "heard.wav"))
    near = start_seat(tmp_path, "near", peer_port=far.sip_port, audio=audio)
    yield near, far
    near.port.stop()
    far.port.stop()


@pytest.mark.parametrize("host", [STRANGER, KNOWN])
def test_a_call_goes_on(pair: tuple[Seat, Seat], tmp_path: Path, host: str) -> None:
    near, far = pair
    pid, port = near.pid, near.sip_port
    call_id, _ = connect(near, far)
    poured = Flood(port, host)
    poured.join()
    assert near.pid == pid
    ringing = {e.call_id for e in near.seen(CallIncoming)} - {e.call_id for e in near.seen(CallEnded)}
    for other in ringing:  # the flood's own first call, which the agent refuses
        near.port.request(lambda i, c=other: HangUp(i, c))  # type: ignore[misc]
    sealed = hang_up(near, call_id)
    talk_ms = near.wait(CallEnded, lambda e: e.call_id == call_id).talk_ms
    assert sealed.lost_frames == 0
    assert abs(sealed.sealed_ms - talk_ms) < 200
    assert talk_ms > SECONDS * 1000
    assert [e.problem for e in near.seen(RecordingState) if e.call_id == call_id and e.problem == "far_silent"] == []
    with Endpoint(port) as caller:
        assert is_ready(caller) < READY_S
    near.port.stop()
    _check_tone(tmp_path / "heard.wav")


@pytest.mark.parametrize("host", [STRANGER, KNOWN])
def test_an_idle_line_is_ready_again(line: LineProcess, host: str) -> None:
    line.add_line(9)
    agent = Agent(line)
    poured = Flood(line.port, host)
    poured.join()
    agent.stop()
    with Endpoint(line.port) as caller:
        assert is_ready(caller) < READY_S
    assert poured.codes[200] > 0.95 * RATE * SECONDS, "OPTIONS were not answered"
    assert set(poured.codes) <= ({100, 200, 403, 486} if host == STRANGER else {100, 180, 200, 486, 503, 603})
    wait_until(lambda: line.client.request(GetSnapshot(""))["calls"] == [], 5)


def _check_tone(heard: Path) -> None:
    """The far side's tone all the time between the agent's own tones: ringing before, the end of the call after."""
    signal, rate = read_wav(heard)
    half = rate // 2
    loud = [at for at in range(0, len(signal), half) if (signal[at : at + half] ** 2).mean() > 100**2]
    talk = signal[loud[3] : loud[-3]]
    assert len(talk) >= (SECONDS - 2) * rate
    assert heard_share(talk, TONE_HZ, rate) > 0.9
