"""Tones: as the standard says, without clicks, and heard by the agent alone."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import numpy as np
import pytest

from telephony.audio.smooth import Smoother
from telephony.audio.tones import (
    AUTO_ANSWER,
    BUSY,
    CALL_WAITING,
    CONGESTION,
    RING,
    RING_BACK,
    TEST,
    Tone,
    TonePlayer,
)
from telephony.messages import Answer, CallEnded, CallIncoming, HangUp, Reject, SetAnswering
from tests.line.parts import LineProcess, Sipp
from tests.line.sound import Samples, samples, tone_power

pytestmark = pytest.mark.alone

RATE = 16000
Lines = Callable[..., LineProcess]


def played(tone: Tone, seconds: float) -> Samples:
    player = TonePlayer(RATE)
    player.play(tone)
    return samples(b"".join(player.next() or bytes(640) for _ in range(int(seconds * 50))))


def switches(signal: Samples) -> list[float]:
    """Seconds at which sound begins or ends, by its level in hundredths of a second."""
    levels = np.abs(signal[: len(signal) // 160 * 160].reshape(-1, 160)).max(axis=1) > 200
    return [round((i + 1) / 100, 2) for i in np.flatnonzero(levels[1:] != levels[:-1])]


@pytest.mark.parametrize(
    ("tone", "at"),
    [
        (RING_BACK, [1.0, 5.0, 6.0]),
        (BUSY, [0.35, 0.7, 1.05, 1.4, 1.75, 2.1, 2.45]),
        (CONGESTION, [0.7, 1.4, 2.1]),
        (CALL_WAITING, [0.4, 4.4, 4.8]),
        (RING, [1.0, 5.0, 6.0]),
        (AUTO_ANSWER, [0.1, 0.15, 0.25]),
        (TEST, []),
    ],
)
def test_cadences_are_those_of_the_network(tone: Tone, at: list[float]) -> None:
    signal = played(tone, 6.5)
    assert switches(signal) == at
    if tone not in (RING, AUTO_ANSWER, TEST):
        assert tone_power(signal[160:4960], 450, RATE) > 0.99


@pytest.mark.parametrize("tone", [RING_BACK, BUSY, CALL_WAITING, RING, AUTO_ANSWER, TEST])
def test_no_tone_clicks(tone: Tone) -> None:
    """No step between two samples is steeper than the wave itself is at its steepest."""
    player = TonePlayer(RATE)
    player.play(tone)
    pcm = b"".join(player.next() or bytes(640) for _ in range(270))
    player.play(tone)
    pcm += (player.next() or b"") + (player.next() or b"")
    player.stop()
    pcm += b"".join(player.next() or bytes(640) for _ in range(3))
    peak = 32767 * 10 ** (tone.level / 20)
    steepest = peak * 2 * np.pi * max(hertz for hertz, _ in tone.notes) / RATE
    cut = 270 * 320  # there ``play`` began another one in place of what was being played
    for part in (samples(pcm)[:cut], samples(pcm)[cut:]):
        assert np.abs(np.diff(part, prepend=0.0)).max() <= steepest * 1.05


def test_levels_are_those_of_the_network() -> None:
    ring_back, waiting = played(RING_BACK, 1.0), played(CALL_WAITING, 0.4)
    dbm0 = [20 * np.log10(np.abs(s).max() / 32767) + 3.14 for s in (ring_back, waiting)]
    assert dbm0 == [pytest.approx(-10, abs=0.2), pytest.approx(-20, abs=0.2)]


def test_a_tone_that_is_stopped_ends_within_a_frame() -> None:
    player = TonePlayer(RATE)
    player.play(RING)
    assert [player.next() is not None for _ in range(5)] == [True] * 5
    player.stop()
    assert player.tone is None
    assert [player.next() is not None for _ in range(3)] == [True, False, False]
    assert not player.on


def test_mixing_holds_full_scale() -> None:
    player = TonePlayer(RATE)
    player.play(TEST)
    loud = np.full(320, 32000, "<i2").tobytes()
    mixed = [samples(player.mix(loud)) for _ in range(5)][-1]
    assert mixed.max() == 32767
    assert mixed.min() > 25000
    player.stop()
    player.next()
    assert player.mix(loud) is loud


def test_sound_that_stops_or_starts_within_a_wave_is_faded() -> None:
    wave = (8000 * np.sin(2 * np.pi * 400 * (np.arange(3200) + 10) / RATE)).astype("<i2").tobytes()
    frames = [wave[i : i + 640] for i in range(0, len(wave), 640)]
    smoother = Smoother(RATE)
    heard = [smoother.smooth(frame) or bytes(640) for frame in (*frames[:5], None, None, *frames[6:9], b"", b"")]
    steps = np.abs(np.diff(samples(b"".join(heard)), prepend=0.0))
    assert steps.max() <= 8000 * 2 * np.pi * 400 / RATE * 1.1
    hard = samples(b"".join((*frames[:5], bytes(640), *frames[6:9], bytes(640))))
    assert np.abs(np.diff(hard, prepend=0.0)).max() > 2000, "the test would notice a click"


# --- in calls: the harness's headset keeps what the speaker and the ringing device were given ---


def heard(line: LineProcess) -> tuple[Samples, Samples]:
    """Speaker and ringing device, after the line process has ended."""
    assert line.stop() == 0
    return (
        samples((line.folder / "heard.raw").read_bytes()),
        samples((line.folder / "heard.ring").read_bytes()),
    )


def loud(signal: Samples) -> Samples:
    return signal[np.abs(signal) > 50]


def test_an_incoming_call_rings_at_once_and_stops_on_answer(line_process: Lines) -> None:
    agent, customer = line_process("agent"), line_process("customer", tone=0)
    agent.add_line(customer.port)
    customer.add_line(agent.port, user="customer")
    customer.dial("agent")
    ringing = agent.wait(CallIncoming)
    time.sleep(2.0)
    agent.client.request(Answer("", ringing.call_id))
    agent.state("active")
    time.sleep(0.5)
    agent.client.request(HangUp("", ringing.call_id))
    agent.ended()
    path = agent.folder / ringing.call_id
    far, microphone = (samples(path.with_suffix(end).read_bytes()) for end in (".far", ".agent"))
    speaker, ring = heard(agent)
    began_ns = int((agent.folder / "heard.ring_ns").read_text())
    assert began_ns - ringing.invited_ns < 100_000_000
    assert np.abs(ring[:1600]).max() > 10000, "it begins with sound, not with a pause"
    assert 1.7 < len(ring) / RATE < 2.5, "from the INVITE to the answer"
    assert len(loud(speaker)) == 0, "the ring is for the ringing device alone"
    assert len(loud(far)) == 0
    assert tone_power(microphone[4000:], 1000, RATE) > 0.98, "what the customer was sent is the microphone alone"


def test_ringback_is_made_here_when_the_far_end_only_rings(line: LineProcess, sipp: Callable[..., Sipp]) -> None:
    far = sipp("ring")
    line.add_line(far.port)
    call_id = line.dial()
    line.state("ringing")
    time.sleep(1.5)
    line.client.request(HangUp("", call_id))
    line.ended()
    time.sleep(0.2)
    speaker, ring = heard(line)
    sounding = loud(speaker)
    assert len(ring) == 0
    assert 0.9 < len(sounding) / RATE < 1.1, "one second of tone in the first five"
    begin = int(np.flatnonzero(np.abs(speaker) > 50)[0])
    assert tone_power(speaker[begin + 400 : begin + 15000], 450, RATE) > 0.99


@pytest.mark.parametrize(("status", "cadence"), [("486 Busy Here", 0.35), ("503 Service Unavailable", 0.7)])
def test_a_dialled_call_that_fails_is_heard_to_fail(
    line: LineProcess, sipp: Callable[..., Sipp], status: str, cadence: float
) -> None:
    far = sipp("refuse", status=status)
    line.add_line(far.port)
    line.dial()
    line.ended()
    time.sleep(3.3)
    speaker, _ = heard(line)
    edges = switches(np.concatenate([np.zeros(160), speaker]))
    lengths = [round(b - a, 2) for a, b in itertools.pairwise(edges)]
    assert lengths[0] == pytest.approx(cadence, abs=0.02)
    assert lengths[1] == pytest.approx(cadence, abs=0.02)
    assert edges[-1] - edges[0] < 3.0, "briefly"


def test_a_second_call_is_heard_beneath_the_first(line_process: Lines) -> None:
    agent, customer = line_process("agent"), line_process("customer", tone=440)
    other = line_process("other", tone=0)
    agent.add_line(customer.port, allowed_peers=["127.0.0.1"])
    customer.add_line(agent.port, user="customer")
    other.add_line(agent.port, user="other")
    first = agent.dial("customer")
    customer.client.request(Answer("", customer.wait(CallIncoming).call_id))
    agent.state("active")
    time.sleep(1.0)
    other.dial("agent")
    second = agent.wait(CallIncoming)
    time.sleep(1.0)
    agent.client.request(Reject("", second.call_id))
    other.ended()
    time.sleep(0.3)
    agent.client.request(HangUp("", first))
    agent.wait(CallEnded, lambda e: e.call_id == first)
    taped = samples((agent.folder / first).with_suffix(".far").read_bytes())
    sent = samples((agent.folder / first).with_suffix(".agent").read_bytes())
    speaker, ring = heard(agent)
    pieces = [speaker[i : i + 1600] for i in range(0, len(speaker) - 1600, 1600)]
    beneath = [tone_power(piece, 450, RATE) for piece in pieces if np.abs(piece).max() > 5000]
    assert max(beneath) > 0.01, "450 Hz below the customer's 440 Hz"
    assert len(ring) == 0, "no bell while somebody is speaking"
    assert max(tone_power(taped[i : i + 16000], 1000, RATE) for i in range(0, len(taped) - 16000, 8000)) < 0.01
    # In a second of sound 440 and 450 Hz are told apart; the tape has the customer alone, the customer the agent alone.
    assert _share(taped, 450) < 1e-4
    assert _share(sent, 450) < 1e-4


def _share(signal: Samples, hertz: float) -> float:
    """The tone's share of a Hann-windowed second, the worst of all seconds."""
    window = np.hanning(RATE)
    parts = [signal[i : i + RATE] * window for i in range(RATE, len(signal) - RATE, RATE // 4)]
    turn = np.exp(-2j * np.pi * hertz / RATE * np.arange(RATE))
    return max(float(2 * np.abs(np.dot(p, turn)) ** 2 / RATE / np.sum(p**2)) for p in parts if np.any(p))


def test_a_call_that_is_answered_by_itself_begins_with_a_tone(line_process: Lines) -> None:
    agent, customer = line_process("agent"), line_process("customer", tone=0)
    agent.add_line(customer.port)
    customer.add_line(agent.port, user="customer")
    agent.client.request(SetAnswering("", auto_answer=True, auto_answer_ms=500))
    customer.dial("agent")
    call_id = agent.state("active").call_id
    time.sleep(1.0)
    agent.client.request(HangUp("", call_id))
    agent.ended()
    taped = samples((agent.folder / call_id).with_suffix(".far").read_bytes())
    sent = samples((agent.folder / call_id).with_suffix(".agent").read_bytes())
    speaker, _ = heard(agent)
    sounding = np.flatnonzero(np.abs(speaker) > 50)
    begin, end = int(sounding[0]), int(sounding[-1])
    assert 0.2 < (end - begin) / RATE < 0.3
    assert tone_power(speaker[begin : begin + 1500], 1400, RATE) > 0.97
    assert len(loud(taped)) == 0
    assert tone_power(sent[RATE // 4 :], 1400, RATE) < 1e-3
