"""Headsets made of files, and the choice of a headset."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from telephony.audio.choose import make_headset, state_of
from telephony.audio.files import FileHeadset, NullHeadset, WavWriter
from telephony.interfaces import Headset, HeadsetError
from telephony.messages import AudioConfig

FRAME_BYTES = 640


def make_wav(path: Path, pcm: bytes, rate: int = 16000, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm)
    return path


def samples_of(path: Path) -> bytes:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        return file.readframes(file.getnframes())


def in_call(headset: FileHeadset) -> bytes | None:
    """One tick of the media clock while a call is up."""
    headset.write(bytes(640))
    return headset.read()


def test_the_microphone_loops_and_pads_its_last_frame(tmp_path: Path) -> None:
    pcm = bytes(range(1, 251)) * 4
    headset = FileHeadset(make_wav(tmp_path / "voice.wav", pcm), None)
    headset.start()
    frames = [in_call(headset) for _ in range(4)]
    headset.stop()
    assert frames[0] == pcm[:640]
    assert frames[1] == pcm[640:] + bytes(280)
    assert frames[2:] == frames[:2]


def test_without_loop_the_microphone_ends(tmp_path: Path) -> None:
    headset = FileHeadset(make_wav(tmp_path / "voice.wav", b"\1\0" * 320), None, loop=False)
    headset.start()
    assert in_call(headset) == b"\1\0" * 320
    assert in_call(headset) is None


def test_the_microphone_plays_in_calls_only_and_each_call_hears_its_beginning(tmp_path: Path) -> None:
    pcm = b"".join(bytes([number, 1]) * 320 for number in range(100))
    headset = FileHeadset(make_wav(tmp_path / "voice.wav", pcm), None)
    headset.start()
    assert headset.read() is None
    for _ in range(2):
        assert [in_call(headset) for _ in range(3)] == [pcm[640 * i : 640 * i + 640] for i in range(3)]
        idle = [headset.read() for _ in range(60)]
        assert idle[-1] is None


def test_what_is_heard_is_written(tmp_path: Path) -> None:
    headset = FileHeadset(None, tmp_path / "heard.wav")
    headset.start()
    for number in range(60):
        headset.write(bytes([number, 0]) * 320)
    headset.stop()
    headset.stop()
    pcm = samples_of(tmp_path / "heard.wav")
    assert pcm == b"".join(bytes([number, 0]) * 320 for number in range(60))


def test_a_killed_process_leaves_a_whole_wav(tmp_path: Path) -> None:
    target = tmp_path / "heard.wav"
    code = (
        "import sys; from pathlib import Path; from telephony.audio.files import FileHeadset\n"
        f"h = FileHeadset(None, Path({str(target)!r})); h.start()\n"
        "for _ in range(160): h.write(b'\\1\\0' * 320)\n"
        "print('written', flush=True); sys.stdin.read()\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"written\n"
        child.send_signal(signal.SIGKILL)
    pcm = samples_of(target)
    assert len(pcm) >= (160 - 25) * FRAME_BYTES
    assert pcm == b"\1\0" * (len(pcm) // 2)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"rate": 8000}, "8000 Hz"),
        ({"channels": 2}, "2 channel"),
        ({"width": 1}, "8 bit"),
    ],
)
def test_a_microphone_file_of_another_shape_is_refused_with_its_shape(
    tmp_path: Path, shape: dict[str, int], said: str
) -> None:
    headset = FileHeadset(make_wav(tmp_path / "voice.wav", bytes(640), **shape), None)
    with pytest.raises(HeadsetError, match=said) as caught:
        headset.start()
    assert caught.value.code == "no_such_device"


@pytest.mark.parametrize("content", [None, b"", b"RIFF", b"not a wave file at all, but long enough to be one......"])
def test_a_microphone_file_that_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "voice.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HeadsetError) as caught:
        FileHeadset(path, None).start()
    assert caught.value.code == "no_such_device"


def test_a_microphone_file_without_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HeadsetError, match="no sound"):
        FileHeadset(make_wav(tmp_path / "voice.wav", b""), None).start()


def test_a_speaker_file_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HeadsetError, match="cannot be written"):
        FileHeadset(None, tmp_path / "missing" / "heard.wav").start()


def test_a_full_disk_does_not_raise_on_the_media_clock() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    writer = WavWriter.__new__(WavWriter)
    writer._file = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115, PTH123
    writer._rate, writer._length, writer._waiting = 16000, 0, []
    for _ in range(60):
        writer.write(bytes(640))
    writer.close()
    assert writer._length == 0


def test_the_ring_goes_to_a_file_of_its_own_or_to_the_speaker(tmp_path: Path) -> None:
    headset = FileHeadset(None, tmp_path / "heard.wav", ringer=tmp_path / "bell.wav")
    headset.start()
    headset.ring(b"\1\0" * 320)
    headset.write(b"\2\0" * 320)
    headset.stop()
    assert headset.rings_apart
    assert samples_of(tmp_path / "bell.wav") == b"\1\0" * 320
    assert samples_of(tmp_path / "heard.wav") == b"\2\0" * 320
    assert not FileHeadset(None, tmp_path / "heard.wav").rings_apart


def test_the_null_headset_is_silent() -> None:
    headset: Headset = NullHeadset()
    headset.start()
    headset.write(bytes(640))
    assert headset.read() is None
    assert headset.rate == 16000
    headset.stop()


def test_the_choice_follows_the_configuration(tmp_path: Path) -> None:
    voice = make_wav(tmp_path / "voice.wav", bytes(640))
    headset = make_headset(AudioConfig("files", str(voice), ""))
    assert isinstance(headset, FileHeadset)
    state = state_of(headset)
    assert (state.kind, state.problem) == ("files", "")
    assert str(tmp_path) not in state.description
    headset = make_headset(AudioConfig("null"))
    assert isinstance(headset, NullHeadset)
    assert (state_of(headset).kind, state_of(headset).problem) == ("null", "")
    with pytest.raises(ValueError, match="unknown kind"):
        make_headset(AudioConfig("gramophone"))


def test_auto_without_a_sound_card_says_so(tmp_path: Path) -> None:
    """In a process of its own: PortAudio reads its list once, and this one must find nothing."""
    cards = Path("/proc/asound/cards")
    if cards.exists() and "no soundcards" not in cards.read_text():
        pytest.skip("this machine has a sound card")
    code = (
        "from telephony.audio.choose import make_headset, state_of\n"
        "from telephony.messages import AudioConfig\n"
        "h = make_headset(AudioConfig('auto')); h.start(); s = state_of(h); h.write(bytes(640))\n"
        "print(s.kind, s.problem, s.description.replace(' ', '-'), h.read()); h.stop()"
    )
    nothing = f"unix:{tmp_path}/nothing"
    env = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PULSE_SERVER": nothing}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.split() == ["null", "no_sound_card", "no-headset", "None"]
