"""The player on a real sound server: a private PulseAudio with a null sink, whose monitor is recorded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(shutil.which("pulseaudio") is None, reason="needs Debian's pulseaudio")

CHILD = """
import sys, time
import numpy as np
from agent_desktop.services.playback import Player, PlayState
from agent_desktop.services.recordings import ReplayAudio

rate, seconds = int(sys.argv[1]), float(sys.argv[2])
tone = (np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate) * 9000).astype(np.int16)
player = Player()
player.load(ReplayAudio(rate, tone, np.zeros_like(tone)))
player.play()
began = time.monotonic()
while player.view.state is PlayState.PLAYING and time.monotonic() < began + seconds + 10:
    time.sleep(0.02)
view = player.view
print(view.state, view.problem or "none", round(view.position, 2), round(time.monotonic() - began, 2), flush=True)
player.close()
"""


def start_player(environment: dict[str, str], rate: int, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(rate), str(seconds)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@dataclass
class SoundServer:
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def hear(self, path: Path) -> subprocess.Popen[bytes]:
        arguments = [
            "--device=out.monitor",
            "--format=s16le",
            "--rate=48000",
            "--channels=1",
            "--raw",
            "--latency-msec=50",
        ]
        with path.open("wb") as out:
            ear = subprocess.Popen(["parec", *arguments], env=self.environment, stdout=out)
        deadline = time.monotonic() + 10
        while path.stat().st_size == 0:
            assert time.monotonic() < deadline, "nothing is recorded"
            time.sleep(0.02)
        return ear


@pytest.fixture
def sound_server(tmp_path: Path) -> Iterator[SoundServer]:
    # A short path: Unix sockets have room for 108 characters.
    home = Path(os.path.realpath(f"/tmp/ad-sound-{os.getpid()}-{time.monotonic_ns() % 10**6}"))  # noqa: S108
    home.mkdir(mode=0o700)
    (home / ".asoundrc").write_text("pcm.!default pulse\nctl.!default pulse\n")
    environment = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    modules = ["module-native-protocol-unix", "module-null-sink sink_name=out rate=48000"]
    arguments = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no"]
    process = subprocess.Popen(
        ["pulseaudio", *arguments, *(part for module in modules for part in ("-L", module))],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        info = ["pactl", "info"]
        while subprocess.run(info, env=environment, capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, "the sound server does not start"
            time.sleep(0.05)
        yield SoundServer(process, environment)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_what_is_played_is_heard_at_its_pitch_and_pace(sound_server: SoundServer, tmp_path: Path, rate: int) -> None:
    heard_path = tmp_path / "heard.raw"
    ear = sound_server.hear(heard_path)
    try:
        out, _ = start_player(sound_server.environment, rate, 1.5).communicate(timeout=20)
        state, problem, position, took = out.split()
        assert (state, problem, position) == ("paused", "none", "1.5")
        assert 1.2 < float(took) < 5.0
        time.sleep(0.2)
    finally:
        ear.terminate()
        ear.wait()
    heard = np.frombuffer(heard_path.read_bytes()[: heard_path.stat().st_size // 2 * 2], dtype=np.int16)
    loud = np.flatnonzero(np.abs(heard.astype(np.int32)) > 500)
    sounding = heard[loud[0] : loud[-1]]
    assert len(sounding) / 48000 == pytest.approx(1.5, abs=0.03)
    spectrum = np.abs(np.fft.rfft(sounding * np.hanning(len(sounding))))
    assert np.argmax(spectrum) * 48000 / len(sounding) == pytest.approx(440, abs=1)


def test_a_sound_server_that_dies_while_playing_is_a_lost_device(sound_server: SoundServer) -> None:
    child = start_player(sound_server.environment, 8000, 30)
    try:
        time.sleep(1.5)
        sound_server.process.kill()
        out, _ = child.communicate(timeout=20)
    finally:
        child.kill()
        child.wait()
    state, problem, position, _ = out.split()
    assert (state, problem) == ("paused", "device_lost")
    assert 0.0 < float(position) < 15.0


def test_without_any_device_the_player_goes_on_in_silence(tmp_path: Path) -> None:
    (tmp_path / ".asoundrc").write_text("pcm.!default pulse\nctl.!default pulse\n")
    nowhere = f"unix:{tmp_path}/nobody"
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PULSE_SERVER": nowhere}
    out, _ = start_player(environment, 8000, 1.0).communicate(timeout=20)
    state, problem, position, took = out.split()
    assert (state, problem, position) == ("paused", "no_such_device", "1.0")
    assert float(took) > 0.8
