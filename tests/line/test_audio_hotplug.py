"""Devices unplugged and plugged in again in a real call between two line processes, and how long the sound is away."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from telephony.errors import LineError
from telephony.messages import AudioConfig, AudioState, CallEnded, GetSnapshot, HangUp, ListDevices, SetAudio
from tests.line.sound import Samples, read_wav, samples, tone_power
from tests.line.sound_card import SoundCards
from tests.support.lines import Seat, connect, start_seat

pytestmark = pytest.mark.skipif(shutil.which("pulseaudio") is None, reason="needs PulseAudio (Debian: pulseaudio)")

RATE = 16000
HEADSET = AudioConfig("device", "test_mic", "test_speaker", "test_bell")
CUSTOMER = 700.0
VOICE = 1000.0
ROOM = 1400.0
"""What the built-in microphone hears, so that the two are told apart."""


@pytest.fixture
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundCards]:
    (tmp_path / "pa").mkdir()
    sound_cards = SoundCards(tmp_path / "pa")
    try:
        sound_cards.start()
        for name in ("PULSE_SERVER", "ALSA_CONFIG_PATH", "XDG_RUNTIME_DIR", "HOME"):
            monkeypatch.setenv(name, sound_cards.env[name])
        yield sound_cards
    finally:
        sound_cards.kill()


@pytest.fixture
def seats(cards: SoundCards, tmp_path: Path) -> Iterator[tuple[Seat, Seat]]:
    from tests.line.sound import write_tone

    write_tone(tmp_path / "customer.wav", CUSTOMER, RATE, 10)
    customer = start_seat(
        tmp_path, "customer", audio=AudioConfig("files", str(tmp_path / "customer.wav"), str(tmp_path / "sent.wav"))
    )
    agent = start_seat(tmp_path, "agent", peer_port=customer.sip_port, audio=HEADSET)
    yield agent, customer
    agent.port.stop()
    customer.port.stop()


def in_use(seat: Seat, *, microphone: str, speaker: str, timeout: float = 15) -> AudioState:
    """Waits until the last state told is this."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        state = AudioState(**seat.port.request(GetSnapshot)["audio"])
        if (state.microphone, state.speaker) == (microphone, speaker):
            return state
        time.sleep(0.02)
    raise AssertionError(state)


def longest_silence(signal: Samples) -> float:
    """Seconds, between the first sound and the last."""
    levels = np.abs(signal[: len(signal) // 160 * 160].reshape(-1, 160)).max(axis=1) > 300
    sounding = np.flatnonzero(levels)
    return float(np.diff(sounding).max() - 1) / 100


def has(signal: Samples, hertz: float) -> bool:
    parts = [signal[i : i + 3200] for i in range(0, len(signal) - 3200, 3200)]
    return max(tone_power(part, hertz, RATE) for part in parts if np.any(part)) > 0.8


def test_a_headset_unplugged_in_mid_call_is_replaced_and_taken_again(
    cards: SoundCards, seats: tuple[Seat, Seat], tmp_path: Path
) -> None:
    agent, customer = seats
    first = in_use(agent, microphone="test_mic", speaker="test_speaker")
    assert (first.problem, first.fallback, first.ringer) == ("", False, "test_bell")
    on_headset, builtin = tmp_path / "headset.raw", tmp_path / "builtin.raw"
    voices = cards.tone_at("headset_voice", VOICE), cards.tone_at("voice", ROOM)
    with voices[0], voices[1], cards.heard_at("headset_ear", on_headset), cards.heard_at("ear", builtin):
        call_id, _ = connect(agent, customer)
        time.sleep(3)
        gone = cards.unplug("headset")
        state = in_use(agent, microphone="default", speaker="default")
        told_after = time.monotonic() - gone
        assert (state.problem, state.fallback, state.kind) == ("device_lost", True, "device")
        time.sleep(3)
        back = cards.plug("headset")
        state = in_use(agent, microphone="test_mic", speaker="test_speaker")
        back_after = time.monotonic() - back
        assert (state.problem, state.fallback) == ("", False)
        time.sleep(3)
        assert agent.seen(CallEnded) == []
        agent.port.request(lambda i: HangUp(i, call_id))
        ended = agent.wait(CallEnded)
    assert ended.cause == "hung_up"
    customer.port.stop()
    sent, _ = read_wav(tmp_path / "sent.wav")
    played = samples(on_headset.read_bytes()), samples(builtin.read_bytes())
    assert has(played[0], CUSTOMER)
    assert has(played[1], CUSTOMER)
    assert has(sent, VOICE)
    assert has(sent, ROOM)
    gap = longest_silence(sent[RATE:])
    print(json.dumps({"told_s": round(told_after, 3), "back_s": round(back_after, 3), "gap_s": gap}))
    assert told_after < 1.0
    assert gap < 1.5, "null sinks wake slowly: a card takes some 50 ms"


def test_without_any_device_the_call_goes_on_and_the_first_that_comes_is_taken(
    cards: SoundCards, seats: tuple[Seat, Seat], tmp_path: Path
) -> None:
    agent, customer = seats
    in_use(agent, microphone="test_mic", speaker="test_speaker")
    with cards.tone_at("voice", ROOM), cards.tone_at("headset_voice", VOICE):
        call_id, _ = connect(agent, customer)
        time.sleep(1)
        cards.unplug("headset")
        cards.unplug("builtin")
        nothing = in_use(agent, microphone="", speaker="")
        assert (nothing.problem, nothing.fallback) == ("device_lost", False)
        cards.plug("builtin")
        stand_in = in_use(agent, microphone="default", speaker="default")
        assert (stand_in.problem, stand_in.fallback) == ("device_lost", True)
        time.sleep(2)
        agent.port.request(lambda i: HangUp(i, call_id))
        assert agent.wait(CallEnded).cause == "hung_up"
    customer.port.stop()
    sent, _ = read_wav(tmp_path / "sent.wav")
    assert has(sent, ROOM)


def test_a_headset_missing_at_the_start_is_taken_when_it_is_plugged_in(cards: SoundCards, tmp_path: Path) -> None:
    """PortAudio's list in the line process does not have it: the list is read by the helper, then afresh."""
    cards.unplug("headset")
    agent = start_seat(tmp_path, "agent", audio=HEADSET)
    try:
        state = in_use(agent, microphone="default", speaker="default")
        assert (state.problem, state.fallback) == ("no_such_device", True)
        assert "test_mic" not in agent.port.request(ListDevices)["microphones"]
        cards.plug("headset")
        assert "test_mic" in agent.port.request(ListDevices)["microphones"]
        assert "test_bell" in agent.port.request(ListDevices)["ringers"]
        state = in_use(agent, microphone="test_mic", speaker="test_speaker", timeout=45)
        assert (state.problem, state.fallback) == ("", False)
    finally:
        agent.port.stop()


def test_the_headset_is_changed_in_mid_call_and_a_missing_one_is_refused(
    cards: SoundCards, seats: tuple[Seat, Seat], tmp_path: Path
) -> None:
    agent, customer = seats
    in_use(agent, microphone="test_mic", speaker="test_speaker")
    with cards.tone_at("voice", ROOM), cards.tone_at("headset_voice", VOICE):
        call_id, _ = connect(agent, customer)
        time.sleep(1.5)
        with pytest.raises(LineError):
            agent.port.request(lambda i: SetAudio(i, AudioConfig("device", "test_mic", "no such thing")))
        agent.port.request(lambda i: SetAudio(i, AudioConfig("device")))
        in_use(agent, microphone="default", speaker="default")
        time.sleep(2)
        agent.port.request(lambda i: HangUp(i, call_id))
        agent.wait(CallEnded)
    customer.port.stop()
    sent, _ = read_wav(tmp_path / "sent.wav")
    assert has(sent, VOICE)
    assert has(sent, ROOM)
    assert os.environ["PULSE_SERVER"].startswith("unix:")


EXCLUSIVE = """
import telephony.audio.place as place
from telephony.audio.manager import AudioManager
from telephony.errors import CommandError
from telephony.messages import AudioConfig
from concurrent.futures import Future

real, held = place.RemoteDevice, {}
class Once(real):
    def __init__(self, direction, name, on_end):
        if (direction, name) in held.values() or name == "test_bell":
            raise HeadsetError("device_busy", "held")
        held[id(self)] = (direction, name)
        super().__init__(direction, name, on_end)
    def close(self):
        held.pop(id(self), None)
        super().close()
place.RemoteDevice = Once

class Engine:
    headset = None
    def swap_headset(self, headset):
        headset.start()
        old, self.headset = self.headset, headset
        if old is not None: old.stop()
        done = Future(); done.set_result({}); return done

states = []
manager, engine = AudioManager(states.append), Engine()
manager.start(engine, AudioConfig("device", "test_mic", "test_speaker"))
before = engine.headset
manager.set(AudioConfig("device", "test_mic", "test_speaker"))
again = engine.headset
try:
    manager.set(AudioConfig("device", "test_mic", "test_bell"))
    code = ""
except CommandError as error:
    code = error.code
kept = engine.headset
say(swapped=again is not before, problem=states[-1].problem, code=code, kept=kept is again,
    works=kept.state.speaker, streams=len(held), told=len(states))
kept.stop()
"""


def test_a_device_that_only_one_may_hold_is_given_up_first_and_taken_back(cards: SoundCards) -> None:
    """As ALSA's hardware devices: no null sink is exclusive, so a second stream on a device is refused here."""
    answer = cards.result(EXCLUSIVE)
    assert answer == {
        "swapped": True,
        "problem": "",
        "code": "device_busy",
        "kept": True,
        "works": "test_speaker",
        "streams": 2,
        "told": 2,
    }
