"""The sound card headset on real PortAudio, with PulseAudio's null sinks as the card.

Each check runs in a process of its own, because PortAudio takes its environment when it is first loaded.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.line.sound_card import RATE, SoundCards, best_second

pytestmark = pytest.mark.skipif(shutil.which("pulseaudio") is None, reason="needs PulseAudio (Debian: pulseaudio)")


@pytest.fixture
def card(tmp_path: Path) -> Iterator[SoundCards]:
    cards = SoundCards(tmp_path)
    try:
        cards.start()
        yield cards
    finally:
        cards.kill()


def test_a_tone_at_the_microphone_is_read(card: SoundCards, tmp_path: Path) -> None:
    heard = tmp_path / "heard.raw"
    with card.tone_at("headset_voice", 640):
        answer = card.result(
            f"""
h = started("test_mic", "test_speaker")
got = [h.read() for _ in clock(4)]
with open({str(heard)!r}, "wb") as out: out.write(b"".join(p for p in got if p))
say(none=sum(p is None for p in got), shape=h._microphone.device.shape, describe=h.describe())
h.stop(); h.stop()
"""
        )
    assert answer["shape"] == [RATE, 1]
    assert answer["describe"] == "test_mic / test_speaker"
    assert isinstance(answer["none"], int)
    assert answer["none"] < 120, "a null sink may sleep for 2 s before its first sound"
    pcm = heard.read_bytes()
    assert best_second(pcm, 640) == pytest.approx(8000, rel=0.1)
    assert best_second(pcm, 1500) < 100


def test_a_tone_written_comes_out_of_the_speaker(card: SoundCards, tmp_path: Path) -> None:
    heard = tmp_path / "heard.raw"
    with card.heard_at("headset_ear", heard):
        answer = card.result(
            """
h = started("test_mic", "test_speaker")
for n in clock(4):
    h.read(); h.write(tone(1000, n))
say(fill=h._microphone.device.ring.fill_ms, problem=h.state.problem)
h.stop()
"""
        )
    assert answer["problem"] == ""
    assert isinstance(answer["fill"], float)
    assert answer["fill"] <= 60
    pcm = heard.read_bytes()
    assert best_second(pcm, 1000) == pytest.approx(8000, rel=0.1)
    assert best_second(pcm, 2500) < 100


@pytest.mark.parametrize(
    "names",
    ['("no such thing", "test_speaker")', '("test_mic", "no such thing")', '("test_mic", "test_speaker", "no bell")'],
)
def test_a_missing_device_is_named_as_missing_and_leaves_nothing_open(card: SoundCards, names: str) -> None:
    answer = card.result(
        f"""
h = CardHeadset{names}
try:
    h.start()
except HeadsetError as error:
    code = error.code
h.stop()
good = CardHeadset("test_mic", "test_speaker"); good.start(); good.stop()
time.sleep(0.3)
say(code=code, read=h.read(), threads=[t.name for t in threading.enumerate()])
"""
    )
    assert answer == {"code": "no_such_device", "read": None, "threads": ["MainThread"]}


def test_devices_rest_until_they_are_needed(card: SoundCards, tmp_path: Path) -> None:
    """Between calls nothing runs through Python, and the microphone is off."""
    ear, bell = card.heard_at("headset_ear", tmp_path / "ear"), card.heard_at("bell", tmp_path / "bell")
    with card.tone_at("headset_voice", 640), ear, bell:  # null sinks that are listened to run evenly
        answer = card.result(_RESTING)
    assert answer["resting"] == answer["after"] == [False, False, False]
    assert answer["talking"] == [True, True, False]
    assert answer["ringing"] == [False, False, True]


_RESTING = """
h = CardHeadset("test_mic", "test_speaker", "test_bell"); h.start()
beats = lambda: [place.device._heard_at for place in h._places]
def ran(wait=1.0):
    time.sleep(0.1); before = beats(); time.sleep(wait); return [a != b for a, b in zip(before, beats())]
resting = ran(0.4)
h.use(listening=True, ringing=False); talking = ran()
h.use(listening=False, ringing=True); ringing = ran()
h.use(listening=False, ringing=False); after = ran(0.4)
h.stop()
say(resting=resting, talking=talking, ringing=ringing, after=after)
"""


def test_devices_are_listed_and_auto_takes_the_default_card(card: SoundCards) -> None:
    answer = card.result(
        """
from telephony.audio.choose import make_headset, state_of
from telephony.messages import AudioConfig
h = make_headset(AudioConfig("auto")); h.start()
state = state_of(h); h.stop()
numpy = "numpy" in sys.modules
say(kind=state.kind, problem=state.problem, description=state.description, microphone=state.microphone,
    numpy=numpy, **list_devices())
"""
    )
    assert answer["kind"] == "device"
    assert answer["problem"] == ""
    assert answer["description"] == answer["microphone"] == "default"
    assert answer["numpy"] is False, "the line process must not pay for numpy"
    for direction in ("microphones", "speakers", "ringers"):
        names = answer[direction]
        assert isinstance(names, list)
        assert names[0] == "default"
        assert {"test_mic", "test_speaker"} <= set(names)


def test_a_device_plugged_in_while_a_headset_is_open_is_listed(card: SoundCards) -> None:
    card.unplug("headset")
    with card.drive(
        """
h = CardHeadset(); h.start(); h.use(listening=True, ringing=False)
say(speakers=list_devices()["speakers"])
sys.stdin.readline()
say(speakers=list_devices()["speakers"], problem=h.state.problem, sound=h._speaker.device is not None)
h.stop()
"""
    ) as driver:
        assert driver.stdout is not None
        assert driver.stdin is not None
        before = json.loads(driver.stdout.readline())
        card.plug("headset")
        driver.stdin.write("now\n")
        driver.stdin.flush()
        after = json.loads(driver.stdout.readline())
    assert "test_speaker" not in before["speakers"]
    assert "test_speaker" in after["speakers"]
    assert (after["problem"], after["sound"]) == ("", True), "the open headset was not touched"


def test_a_card_that_vanishes_is_told_and_taken_up_again_when_it_is_back(card: SoundCards) -> None:
    driver = card.drive(
        """
h = started("test_mic", "test_speaker")
late, state, due = 0.0, None, time.monotonic()
while True:
    due += 0.02
    time.sleep(max(0.0, due - time.monotonic()))
    before = time.monotonic()
    sound = h.read() is not None
    h.write(bytes(640))
    late = max(late, time.monotonic() - before)
    if (h.state.problem, sound) != state:
        state = (h.state.problem, sound)
        say(problem=h.state.problem, sound=sound, late=late)
"""
    )
    with driver:
        try:
            assert _wait_for(driver, problem="", sound=True)
            card.kill()
            lost = _wait_for(driver, problem="device_lost", sound=False)
            card.start()
            back = _wait_for(driver, problem="", sound=True)
        finally:
            driver.kill()
    assert lost["late"] < 0.1, "read and write never wait for the card"
    assert back["late"] < 0.1


def _wait_for(driver: subprocess.Popen[str], problem: str, sound: bool) -> dict[str, Any]:
    assert driver.stdout is not None
    for line in driver.stdout:
        state: dict[str, Any] = json.loads(line)
        if (state["problem"], state["sound"]) == (problem, sound):
            return state
    pytest.fail("the headset's process ended early")


def test_a_card_without_16_khz_is_opened_at_its_own_rate_and_converted(card: SoundCards, tmp_path: Path) -> None:
    """ALSA's plug-ins convert everything, so the preference is moved instead: the stream runs at the card's
    44.1 or 48 kHz, in stereo.
    """
    heard = tmp_path / "heard.raw"
    with card.heard_at("headset_ear", heard), card.tone_at("headset_voice", 640):
        answer = card.result(
            f"""
import os
from telephony.audio import portaudio, worker
portaudio._attempts = lambda device, prefer: [portaudio.Shape(device.rate, 2)]
out, into = os.pipe()
speaker, microphone = worker.Stream("output", "test_speaker", 1), worker.Stream("input", "test_mic", into)
speaker.run(True); microphone.run(True)
for n in clock(4):
    speaker.ring.write(tone(1000, n))
os.set_blocking(out, False)
voice, source = b"", os.fdopen(out, "rb")
with open({str(tmp_path / "voice.raw")!r}, "wb") as file:
    while True:
        message = worker.receive(source) if source.peek(1) else None
        if message is None: break
        file.write(message[1])
say(shapes=[[s.shape.rate, s.shape.channels] for s in (speaker, microphone)])
sys.stdout.flush()
os._exit(0)
"""
        )
    assert answer["shapes"] in ([[44100, 2]] * 2, [[48000, 2]] * 2)
    assert best_second(heard.read_bytes(), 1000) == pytest.approx(8000, rel=0.15)
    assert best_second((tmp_path / "voice.raw").read_bytes(), 640) == pytest.approx(8000, rel=0.15)


def test_a_device_whose_process_dies_or_hangs_is_lost_and_nothing_waits(card: SoundCards) -> None:
    answer = card.result(
        """
import os, signal
from telephony.audio.remote import RemoteDevice
ended, out = threading.Event(), {}
for order in (signal.SIGKILL, signal.SIGSTOP):
    device = RemoteDevice("output", "test_speaker", ended.set)
    device.run(True)
    time.sleep(0.5)
    os.kill(device._process.pid, order)
    began, slow = time.monotonic(), 0.0
    while not device.lost and time.monotonic() - began < 10:
        before = time.monotonic(); device.write(bytes(640)); slow = max(slow, time.monotonic() - before)
        time.sleep(0.01)
    out[order.name] = [device.lost, time.monotonic() - began, slow]
    device.close()
say(ended=ended.is_set(), **out)
"""
    )
    assert answer["ended"] is True
    for order, limit in (("SIGKILL", 1.0), ("SIGSTOP", 4.0)):
        told = answer[order]
        assert isinstance(told, list)
        assert told[0] is True
        assert told[1] < limit
        assert told[2] < 0.1, "a write never waits"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Li's Buds", "Buds"), ("张伟的AirPods", "AirPods"), ("USB Headset: Audio", "USB Headset: Audio")],
)
def test_an_owner_in_a_device_name_is_not_shown(name: str, shown: str) -> None:
    from telephony.audio.card import CardHeadset

    assert CardHeadset(name, name).describe() == shown
