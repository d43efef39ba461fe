"""Sealed recordings of calls over a bad network and with a long hold: nothing shifts, and what was lost is said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from telephony.messages import AudioConfig, CallState, HangUp, SetHold
from tests.line.relay import Relay
from tests.line.sealed_tape import SealedTape, sealed_tape, tone_voice
from tests.line.sound import Samples, write_wav
from tests.support.lines import Seat, connect, start_seat

TALK_S = 32.0
HOLD_S = 20.0
LOSS = 0.15
FRAME_S = 0.02
ENDS_S = 0.1
"""Between the tape's beginning and its first frame, and between the last one and the far end's word that it is over."""
AGENT, FAR = 1000.0, 440.0

pytestmark = pytest.mark.slow


@dataclass
class Calls:
    """Two calls that were up at the same time: one lost packets both ways, one was held."""

    relay: Relay
    caller: SealedTape
    callee: SealedTape
    held: SealedTape
    talked_s: float
    """From the answer to the hang up of the first, by this process's clock."""
    held_s: float


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calls]:
    folder = tmp_path_factory.mktemp("calls")
    seats: list[Seat] = []
    relays: list[Relay] = []
    try:
        yield _made(folder, seats, relays)
    finally:
        for seat in seats:
            seat.port.stop()
        for relay in relays:
            relay.stop()


def _made(folder: Path, seats: list[Seat], relays: list[Relay]) -> Calls:
    pulses = AudioConfig("files", str(_pulses(folder / "pulses.wav")))
    callee = start_seat(folder, "callee", audio=pulses)
    seats.append(callee)
    relays.append(Relay(callee.sip_port, loss=LOSS, loss_out=LOSS))
    caller = start_seat(folder, "caller", peer_port=relays[0].port, audio=pulses)
    seats.append(caller)
    other = start_seat(folder, "other", audio=tone_voice(folder, FAR))
    seats.append(other)
    holder = start_seat(folder, "holder", peer_port=other.sip_port, audio=tone_voice(folder, AGENT))
    seats.append(holder)

    lossy, theirs = connect(caller, callee)
    began = time.monotonic()
    holding, _ = connect(holder, other)
    time.sleep(2.0)
    holder.port.request(lambda i: SetHold(i, holding, True))
    held_at = time.monotonic()
    time.sleep(HOLD_S)
    holder.port.request(lambda i: SetHold(i, holding, False))
    held_s = time.monotonic() - held_at
    other.wait(CallState, lambda e: e.state == "active" and not e.far_held and e.at_ns > held_at * 1e9)
    time.sleep(2.5)
    holder.port.request(lambda i: HangUp(i, holding))
    time.sleep(max(0.0, began + TALK_S - time.monotonic()))
    caller.port.request(lambda i: HangUp(i, lossy))
    talked_s = time.monotonic() - began
    tapes = sealed_tape(caller, lossy), sealed_tape(callee, theirs), sealed_tape(holder, holding)
    return Calls(relays[0], *tapes, talked_s, held_s)


def _pulses(path: Path) -> Path:
    """A second of noise bursts that tell one moment of it from another, over and over: sound with a place in time."""
    chance = np.random.default_rng(4)
    second = np.zeros(16000)
    for at in (0, 0.13, 0.31, 0.58, 0.77):
        burst = chance.normal(0, 6000, 640)
        second[int(at * 16000) : int(at * 16000) + 640] = burst
    write_wav(path, np.clip(np.tile(second, 5), -30000, 30000), 16000)
    return path


def places(track: Samples, rate: int) -> Samples:
    """Where the pulses lie in each second of the track, against the median of all seconds; seconds, to 5 ms."""
    envelope = np.abs(track[: len(track) // rate * rate]).reshape(-1, rate // 200).mean(axis=1)
    seconds = envelope.reshape(-1, 200)[2:-1]
    shape = np.fft.rfft(np.median(seconds, axis=0))
    found = [np.argmax(np.fft.irfft(np.fft.rfft(second) * np.conj(shape))) for second in seconds]
    return (((np.array(found) + 100) % 200) - 100) / 200


def gaps(tape: SealedTape) -> list[dict[str, object]]:
    """All but the first frames of a microphone that has just been switched on."""
    return [g for g in tape.marks("gap") if g["channel"] != "agent" or g["start"] + g["samples"] > tape.rate // 10]


@pytest.mark.parametrize("side", ["caller", "callee"])
def test_a_lossy_call_is_as_long_as_it_was_on_both_channels(calls: Calls, side: str) -> None:
    tape: SealedTape = getattr(calls, side)
    wall = tape.manifest.monotonic_ms / 1000
    assert wall > TALK_S - 1
    for channel in (tape.agent, tape.far):
        assert len(channel) / tape.rate == pytest.approx(wall, abs=0.001 * wall + ENDS_S)
        where = places(channel, tape.rate)
        assert np.abs(where).max() <= 0.3
        # The jitter buffer may grow or shrink by some frames; what packets lose adds up to 4.8 s.
        assert abs(np.median(where[-10:]) - np.median(where[:10])) <= (0.005 if channel is tape.agent else 0.2)
    ticks = [(m["start"] / tape.rate, datetime.fromisoformat(m["at"]).timestamp()) for m in tape.marks("rtp_loss")]
    heard, at = np.array(ticks).T
    assert np.polyfit(at - at[0], heard, 1)[0] == pytest.approx(1, abs=0.001)
    assert heard[-1] - heard[0] == pytest.approx(at[-1] - at[0], abs=0.001 * (at[-1] - at[0]) + FRAME_S)
    assert tape.seconds >= calls.talked_s - 0.5


@pytest.mark.parametrize(("side", "way"), [("caller", "in"), ("callee", "out")])
def test_what_the_network_lost_is_in_the_record(calls: Calls, side: str, way: str) -> None:
    tape: SealedTape = getattr(calls, side)
    marks = tape.marks("rtp_loss")
    dropped, passed = calls.relay.dropped[way], calls.relay.passed[way]
    assert sum(m["lost"] for m in marks) == pytest.approx(dropped, abs=2)
    assert sum(m["of"] for m in marks) <= dropped + passed
    assert all(0 <= m["lost"] <= m["of"] and m["channel"] == "far" for m in marks)
    assert TALK_S - 4 < len(marks) < TALK_S + 3
    starts = [m["start"] for m in marks]
    assert starts == sorted(starts)
    covered = sum(m["ms"] for m in marks) / 1000
    assert 0.8 * tape.seconds < covered <= tape.seconds + 0.05
    assert gaps(tape) == []


def test_a_hold_of_twenty_seconds_costs_no_time_and_no_sound_after_it(calls: Calls) -> None:
    tape, both = calls.held, (AGENT, FAR)
    hold, resume = tape.at("hold"), tape.at("resume")
    assert resume - hold == pytest.approx(calls.held_s, abs=0.1)
    wall = tape.manifest.monotonic_ms / 1000
    assert tape.seconds == pytest.approx(wall, abs=0.001 * wall + ENDS_S)
    assert tape.tones("agent", 0.8, hold - 0.1, both) == {AGENT}
    assert tape.tones("far", 0.8, hold - 0.1, both) == {FAR}
    for side in ("agent", "far"):
        assert tape.tones(side, hold + 0.4, resume - 0.1, both) == set()
    assert tape.tones("agent", resume + 0.5, tape.seconds - 0.2, both) == {AGENT}
    assert tape.tones("far", resume + 0.8, tape.seconds - 0.2, both) == {FAR}
    assert gaps(tape) == []
