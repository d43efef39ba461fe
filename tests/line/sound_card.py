"""PulseAudio's null sinks as sound cards: a built-in one that is the default, and a headset that can be unplugged.

Each card has a sink for what its microphone hears and one for its speaker. The headset is reached through a socket of
its own, whose module is unloaded to unplug it: its streams then end at once, as those of a USB headset do. (When only a
sink goes, PulseAudio itself moves the streams to another and nobody notices.)
"""

from __future__ import annotations

import array
import contextlib
import json
import math
import os
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

RATE = 16000

DRIVER = """
import json, math, array, sys, threading, time
from telephony.audio.card import CardHeadset
from telephony.audio.devices import list_devices
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

def started(*names, **options):
    h = CardHeadset(*names, **options); h.start(); h.use(listening=True, ringing=False)
    return h
"""

_SINKS = ("voice", "ear", "headset_voice", "headset_ear", "bell")


@dataclass
class SoundCards:
    """A private PulseAudio. ``plug`` and ``unplug`` take ``headset`` or ``builtin``."""

    folder: Path
    sink_rate: int = RATE
    daemon: subprocess.Popen[bytes] | None = None
    _sockets: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """For programs that use the built-in card, PulseAudio's own tools included."""
        private = {"HOME": "", "XDG_RUNTIME_DIR": "", "PULSE_SERVER": "unix:", "ALSA_CONFIG_PATH": ""}
        places = {"PULSE_SERVER": "control", "ALSA_CONFIG_PATH": "asound.conf"}
        return {**os.environ, **{k: f"{v}{self.folder / places.get(k, '')}" for k, v in private.items()}}

    def start(self) -> None:
        builtin, headset = (f'server "unix:{self.folder}/{name}"' for name in ("builtin", "headset"))
        (self.folder / "asound.conf").write_text(
            f'pcm.test_mic {{ type pulse {headset} device "headset_voice.monitor" }}\n'
            f'pcm.test_speaker {{ type pulse {headset} device "headset_ear" }}\n'
            f'pcm.test_bell {{ type pulse {builtin} device "bell" }}\n'
            f"pcm.!default {{ type pulse {builtin} }}\nctl.!default {{ type pulse {builtin} }}\n"
        )
        sink = f"rate={self.sink_rate} channels=1"
        loads = [
            f"module-native-protocol-unix socket={self.folder}/control auth-anonymous=1",
            *(f"module-null-sink sink_name={name} {sink}" for name in _SINKS),
        ]
        options = ["--daemonize=no", "--exit-idle-time=-1", "-n", "--use-pid-file=false", "--disable-shm=true"]
        self.daemon = subprocess.Popen(
            ["pulseaudio", "--system=false", *options, *(f"--load={load}" for load in loads)],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(150):
            if len(self._pactl("list", "short", "sinks").splitlines()) == len(_SINKS):
                break
            time.sleep(0.1)
        else:
            raise AssertionError("PulseAudio did not start")
        self._pactl("set-default-sink", "ear")
        self._pactl("set-default-source", "voice.monitor")
        self.plug("builtin")
        self.plug("headset")

    def plug(self, name: str) -> float:
        """Returns when, on the monotonic clock."""
        number = self._pactl("load-module", "module-native-protocol-unix", f"socket={self.folder / name}", _ANYBODY)
        assert number, f"{name} could not be plugged in"
        self._sockets[name] = number
        return time.monotonic()

    def unplug(self, name: str) -> float:
        """Returns when, on the monotonic clock."""
        at = time.monotonic()
        self._pactl("unload-module", self._sockets.pop(name))
        (self.folder / name).unlink(missing_ok=True)
        return at

    def kill(self) -> None:
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon = None
        for name in ("control", "builtin", "headset"):
            (self.folder / name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def heard_at(self, sink: str, to: Path) -> Iterator[None]:
        """Records what a sink plays as raw PCM."""
        options = [f"--device={sink}.monitor", "--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=20"]
        with to.open("wb") as out, self._running("parec", *options, stdout=out.fileno()):
            time.sleep(0.3)
            yield

    @contextlib.contextmanager
    def tone_at(self, sink: str, hertz: float, seconds: float = 40) -> Iterator[None]:
        """Plays a tone into a sink: what the microphone behind it hears."""
        file = self.folder / f"{sink}-{hertz}.wav"
        write_tone(file, hertz, seconds)
        with self._running("paplay", f"--device={sink}", "--latency-msec=20", str(file)):
            yield

    def drive(self, code: str) -> subprocess.Popen[str]:
        """A process that runs ``code`` with these cards."""
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", DRIVER + code],
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def result(self, code: str, timeout: float = 40) -> dict[str, object]:
        """What ``code`` said last."""
        with self.drive(code) as process:
            out, err = process.communicate(timeout=timeout)
        assert process.returncode == 0, err
        answer = json.loads(out.splitlines()[-1])
        assert isinstance(answer, dict)
        return answer

    @contextlib.contextmanager
    def _running(self, *command: str, stdout: int | None = None) -> Iterator[None]:
        with subprocess.Popen(command, env=self.env, stdout=stdout, stderr=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.terminate()

    def _pactl(self, *words: str) -> str:
        done = subprocess.run(["pactl", *words], env=self.env, capture_output=True, text=True, check=False)
        return done.stdout.strip()


_ANYBODY = "auth-anonymous=1"


def write_tone(path: Path, hertz: float, seconds: float) -> None:
    period = array.array("h", (round(8000 * math.sin(2 * math.pi * hertz * i / RATE)) for i in range(RATE)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(period.tobytes() * int(seconds))


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
