"""The sound card headset on real PortAudio, with PulseAudio's null sinks as the card.

Each check runs in a process of its own, because PortAudio takes its environment when it is first loaded.
"""

from __future__ import annotations

import array
import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

pytestmark = pytest.mark.skipif(shutil.which("pulseaudio") is None, reason="needs PulseAudio (Debian: pulseaudio)")

RATE = 16000

DRIVER = """
import json, math, array, sys, threading, time
from telephony.audio.card import CardHeadset, list_devices
from telephony.interfaces import HeadsetError

def tone(hertz, frame):
    start = frame * 320
    turn = 2 * math.pi * hertz / 16000
    return array.array("h", (round(8000 * math.sin(turn * (start + i))) for i in range(320))).tobytes()

def clock(seconds):
    due = time.monotonic()
    for number in range(int(seconds * 50)):
        due += 0.02
        time.sleep(max(0.0, due - time.monotonic()))
        yield number

def say(**what):
    print(json.dumps(what), flush=True)
"""


@dataclass
class SoundCard:
    """A private PulseAudio with a sink for what the microphone hears and one for the speaker."""

    folder: Path
    sink_rate: int = RATE
    daemon: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        private = {"HOME": "", "XDG_RUNTIME_DIR": "", "PULSE_SERVER": "unix:", "ALSA_CONFIG_PATH": ""}
        places = {"PULSE_SERVER": "native", "ALSA_CONFIG_PATH": "asound.conf"}
        return {**os.environ, **{k: f"{v}{self.folder / places.get(k, '')}" for k, v in private.items()}}

    def start(self) -> None:
        (self.folder / "asound.conf").write_text(
            'pcm.test_mic { type pulse device "voice.monitor" }\n'
            'pcm.test_speaker { type pulse device "ear" }\n'
            "pcm.fixed { type plug slave { pcm { type pulse device ear } } }\n"
            "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
        )
        sink = f"rate={self.sink_rate} channels=1"
        loads = [
            f"module-native-protocol-unix socket={self.folder}/native auth-anonymous=1",
            f"module-null-sink sink_name=voice {sink}",
            f"module-null-sink sink_name=ear {sink}",
        ]
        options = ["--daemonize=no", "--exit-idle-time=-1", "-n", "--use-pid-file=false", "--disable-shm=true"]
        self.daemon = subprocess.Popen(
            ["pulseaudio", "--system=false", *options, *(f"--load={load}" for load in loads)],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(100):
            if self._sinks() == 2:
                return
            time.sleep(0.1)
        pytest.fail("PulseAudio did not start")

    def _sinks(self) -> int:
        listing = subprocess.run(["pactl", "list", "short", "sinks"], env=self.env, capture_output=True, check=False)
        return len(listing.stdout.splitlines())

    def kill(self) -> None:
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon = None
        (self.folder / "native").unlink(missing_ok=True)

    def drive(self, code: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", DRIVER + code],
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def result(self, code: str, timeout: float = 30) -> dict[str, object]:
        with self.drive(code) as process:
            out, err = process.communicate(timeout=timeout)
        assert process.returncode == 0, err
        answer = json.loads(out.splitlines()[-1])
        assert isinstance(answer, dict)
        return answer


@pytest.fixture
def card(tmp_path: Path) -> Iterator[SoundCard]:
    sound_card = SoundCard(tmp_path)
    sound_card.start()
    yield sound_card
    sound_card.kill()


@contextlib.contextmanager
def running(*command: str, env: dict[str, str], stdout: IO[bytes] | None = None) -> Iterator[None]:
    with subprocess.Popen(command, env=env, stdout=stdout) as process:
        try:
            yield
        finally:
            process.terminate()


def level_at(pcm: bytes, hertz: float) -> float:
    """Amplitude of one frequency."""
    samples = array.array("h", pcm)
    turn = 2 * math.pi * hertz / RATE
    real = sum(s * math.cos(turn * i) for i, s in enumerate(samples))
    imaginary = sum(s * math.sin(turn * i) for i, s in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / max(1, len(samples))


def best_second(pcm: bytes, hertz: float) -> float:
    """The tone's amplitude in the best half second: where playing began is not known."""
    half = RATE
    return max((level_at(pcm[i : i + half], hertz) for i in range(0, len(pcm) - half, half // 2)), default=0.0)


def test_a_tone_at_the_microphone_is_read(card: SoundCard, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(array.array("h", (round(8000 * math.sin(i * 0.25)) for i in range(8 * RATE))).tobytes())
    heard = tmp_path / "heard.raw"
    with running("paplay", "--device=voice", str(tmp_path / "tone.wav"), env=card.env):
        answer = card.result(
            f"""
h = CardHeadset("test_mic", "test_speaker"); h.start()
got = [h.read() for _ in clock(4)]
with open({str(heard)!r}, "wb") as out: out.write(b"".join(p for p in got if p))
say(none=sum(p is None for p in got), shape=[h.shapes[0].rate, h.shapes[0].channels], describe=h.describe())
h.stop(); h.stop()
"""
        )
    assert answer["shape"] == [RATE, 1]
    assert answer["describe"] == "test_mic / test_speaker"
    assert isinstance(answer["none"], int)
    assert answer["none"] < 120, "a null sink may sleep for 2 s before its first sound"
    pcm = heard.read_bytes()
    assert best_second(pcm, 0.25 * RATE / (2 * math.pi)) == pytest.approx(8000, rel=0.1)
    assert best_second(pcm, 1500) < 100


def test_a_tone_written_comes_out_of_the_speaker(card: SoundCard, tmp_path: Path) -> None:
    heard = tmp_path / "heard.raw"
    with heard.open("wb") as out:
        options = ["--device=ear.monitor", "--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=50"]
        with running("parec", *options, env=card.env, stdout=out):
            answer = card.result(
                """
h = CardHeadset("test_mic", "test_speaker"); h.start()
for n in clock(4):
    h.read(); h.write(tone(1000, n))
ring = h._speaker.ring
say(fill=ring.fill_ms, problem=h.problem)
h.stop()
"""
            )
    assert answer["problem"] == ""
    assert isinstance(answer["fill"], float)
    assert answer["fill"] <= 60
    pcm = heard.read_bytes()
    assert best_second(pcm, 1000) == pytest.approx(8000, rel=0.1)
    assert best_second(pcm, 2500) < 100


@pytest.mark.parametrize("names", ['("no such thing", "test_speaker")', '("test_mic", "no such thing")'])
def test_a_missing_device_is_named_as_missing_and_leaves_nothing_open(card: SoundCard, names: str) -> None:
    answer = card.result(
        f"""
h = CardHeadset{names}
try:
    h.start()
except HeadsetError as error:
    code = error.code
h.stop()
good = CardHeadset("test_mic", "test_speaker"); good.start(); good.stop()
say(code=code, read=h.read(), threads=[t.name for t in threading.enumerate()])
"""
    )
    assert answer == {"code": "no_such_device", "read": None, "threads": ["MainThread"]}


def test_devices_are_listed_and_auto_takes_the_default_card(card: SoundCard) -> None:
    answer = card.result(
        """
from telephony.audio.choose import make_headset
from telephony.messages import AudioConfig
h, state = make_headset(AudioConfig("auto")); h.start(); h.stop()
numpy = "numpy" in sys.modules
say(kind=state.kind, problem=state.problem, description=state.description, numpy=numpy, **list_devices())
"""
    )
    assert answer["kind"] == "device"
    assert answer["problem"] == ""
    assert answer["description"] == "default"
    assert answer["numpy"] is False, "the line process must not pay for numpy"
    for direction in ("microphones", "speakers"):
        names = answer[direction]
        assert isinstance(names, list)
        assert names[0] == "default"
        assert {"test_mic", "test_speaker"} <= set(names)


def test_a_card_that_vanishes_is_told_and_taken_up_again_when_it_is_back(card: SoundCard) -> None:
    driver = card.drive(
        """
h = CardHeadset("test_mic", "test_speaker"); h.start()
late, state, due = 0.0, None, time.monotonic()
while True:
    due += 0.02
    time.sleep(max(0.0, due - time.monotonic()))
    before = time.monotonic()
    sound = h.read() is not None
    h.write(bytes(640))
    late = max(late, time.monotonic() - before)
    if (h.problem, sound) != state:
        state = (h.problem, sound)
        say(problem=h.problem, sound=sound, late=late)
    if not h.problem and sound and late < 0:
        break
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


def _wait_for(driver: subprocess.Popen[str], problem: str, sound: bool) -> dict[str, float]:
    assert driver.stdout is not None
    for line in driver.stdout:
        state: dict[str, float] = json.loads(line)
        if (state["problem"], state["sound"]) == (problem, sound):
            return state
    pytest.fail("the headset's process ended early")


def test_a_card_without_16_khz_is_opened_at_its_own_rate_and_converted(card: SoundCard, tmp_path: Path) -> None:
    """ALSA's plug-ins convert everything, so the preference is moved instead: the stream runs at the card's
    44.1 or 48 kHz.
    """
    heard = tmp_path / "heard.raw"
    with heard.open("wb") as out:
        options = ["--device=ear.monitor", "--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=50"]
        with running("parec", *options, env=card.env, stdout=out):
            answer = card.result(
                """
import telephony.audio.portaudio as portaudio
portaudio._attempts = lambda device, prefer: [portaudio.Shape(device.rate, 2)]
h = CardHeadset("test_mic", "test_speaker"); h.start()
got = 0
for n in clock(4):
    got += h.read() is not None; h.write(tone(1000, n))
say(shapes=[[s.rate, s.channels] for s in h.shapes], got=got)
h.stop()
"""
            )
    assert answer["shapes"] in ([[44100, 2]] * 2, [[48000, 2]] * 2)
    assert isinstance(answer["got"], int)
    assert answer["got"] > 90
    assert best_second(heard.read_bytes(), 1000) == pytest.approx(8000, rel=0.15)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Li's Buds", "Buds"), ("张伟的AirPods", "AirPods"), ("USB Headset: Audio", "USB Headset: Audio")],
)
def test_an_owner_in_a_device_name_is_not_shown(name: str, shown: str) -> None:
    from telephony.audio.card import CardHeadset

    assert CardHeadset(name, name).describe() == shown
