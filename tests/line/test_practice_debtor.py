"""How the simulated debtor behaves, frame by frame without a clock, and what its data and its control lines must be."""

from __future__ import annotations

import json
import random
import struct
import wave
from pathlib import Path

import pytest

from telephony.audio.files import read_wav
from telephony.pcm import level_dbfs
from telephony.practice.control import CallIn, ControlError, HangUpNow, Quit, read_config, read_order
from telephony.practice.debtor import Debtor, HangsUp, Interrupted, Spoke, Talk, Told, fade_out
from telephony.practice.ear import Ear
from telephony.practice.scripts import ScriptError, load

SOUNDS = Path(__file__).parents[2] / "resources" / "sounds"
SECOND = 50
SILENCE = bytes(640)
VOICE = struct.pack("<320h", *(3000 if i % 40 < 20 else -3000 for i in range(320)))
WORD = struct.pack("<320h", *(2000 if i % 20 < 10 else -2000 for i in range(320)))
STILL_THERE = ("still_there", WORD * SECOND)


class Call:
    """A talk and what was told in it, with the frame it was told in."""

    def __init__(self, sentences: int = 3, seconds: float = 2.0) -> None:
        self.told: list[tuple[int, Told]] = []
        self.frame = 0
        script = [(f"s{n}", WORD * round(seconds * SECOND)) for n in range(1, sentences + 1)]
        self.talk = Talk(script, STILL_THERE, lambda told: self.told.append((self.frame, told)))

    def run(self, seconds: float, heard: bytes = SILENCE) -> int:
        """So long with the collector silent or not; returns in how many frames the debtor spoke."""
        spoken = 0
        for _ in range(round(seconds * SECOND)):
            spoken += self.talk.speak() is not None
            self.talk.hear(heard)
            self.frame += 1
        return spoken

    def kinds(self) -> list[Told]:
        return [told for _, told in self.told]

    def at(self, told: Told) -> float:
        return next(frame for frame, what in self.told if what == told) / SECOND


def test_the_debtor_speaks_first_and_then_waits_for_the_collector() -> None:
    call = Call()
    assert call.run(5) == 2 * SECOND
    assert call.kinds() == [Spoke("s1")]
    assert call.at(Spoke("s1")) < 0.6


def test_the_next_sentence_comes_six_tenths_of_a_second_after_the_collector_stops() -> None:
    call = Call()
    call.run(3)
    call.run(2, VOICE)
    stopped = call.frame / SECOND
    call.run(3)
    assert call.kinds() == [Spoke("s1"), Spoke("s2")]
    assert call.at(Spoke("s2")) - stopped == pytest.approx(0.6, abs=0.06)


def test_a_collector_who_speaks_silences_the_debtor_within_a_tenth_of_a_second() -> None:
    call = Call(seconds=4)
    call.run(1)
    assert call.run(2, VOICE) <= 5
    assert call.kinds() == [Spoke("s1"), Interrupted("s1")]
    call.run(2)
    assert call.kinds()[-1] == Spoke("s2"), "and the debtor goes on with the next sentence"


def test_pauses_between_words_do_not_let_the_debtor_in() -> None:
    call = Call()
    call.run(3)
    before = len(call.told)
    for _ in range(5):
        call.run(0.6, VOICE)
        call.run(0.4)
    assert len(call.told) == before


def test_silence_bores_the_debtor_who_asks_and_gives_up_but_not_before_25_seconds() -> None:
    call = Call()
    call.run(60)
    assert call.kinds() == [Spoke("s1"), *[Spoke("still_there")] * 3, HangsUp()]
    assert call.at(Spoke("still_there")) == pytest.approx(2.4 + 6, abs=0.2)
    assert call.at(HangsUp()) >= 25


def test_after_the_goodbye_the_debtor_hangs_up_but_not_before_25_seconds() -> None:
    call = Call(sentences=2, seconds=1)
    call.run(2)
    call.run(1, VOICE)
    call.run(60)
    assert call.kinds() == [Spoke("s1"), Spoke("s2"), HangsUp()]
    assert call.at(HangsUp()) == pytest.approx(25, abs=0.1)


def test_the_debtor_does_not_hang_up_while_the_collector_speaks() -> None:
    call = Call(sentences=1, seconds=1)
    call.run(20)
    call.run(20, VOICE)
    assert HangsUp() not in call.kinds()
    call.run(1.2)
    assert HangsUp() not in call.kinds()
    call.run(1)
    assert call.kinds()[-1] == HangsUp()


def test_an_interrupted_voice_fades() -> None:
    faded = struct.unpack("<320h", fade_out(VOICE))
    assert abs(faded[0]) == 3000
    assert abs(faded[-1]) < 20


def test_a_debtor_without_a_call_is_silent() -> None:
    debtor = Debtor()
    debtor.start()
    debtor.write(VOICE)
    assert debtor.read() is None
    debtor.begin(Talk([("s1", WORD * 100)], STILL_THERE, lambda told: None))
    assert any(debtor.read() for _ in range(50))
    debtor.end()
    assert debtor.read() is None
    debtor.stop()


def noise(dbfs: float, seed: int) -> bytes:
    """Gaussian noise of that level."""
    rng = random.Random(seed)
    sigma = 32768 * 10 ** (dbfs / 20)
    return struct.pack("<320h", *(max(-32768, min(32767, round(rng.gauss(0, sigma)))) for _ in range(320)))


def test_a_noisy_room_is_not_taken_for_speech_for_long_and_speech_in_it_is_heard() -> None:
    ear = Ear()
    for number in range(20 * SECOND):
        ear.hear(noise(-40, number))
    assert not ear.speech
    for number in range(10):
        ear.hear(noise(-20, number))
    assert ear.speech


def test_a_click_is_not_speech() -> None:
    ear = Ear()
    for frame in [SILENCE] * 50 + [VOICE, VOICE] + [SILENCE] * 50:
        ear.hear(frame)
        assert not ear.speech
    assert ear.quiet_frames == 102


def test_the_ear_hears_the_real_sentences_and_the_pauses_between_them() -> None:
    ear = Ear()
    pcm = read_wav(SOUNDS / "collector_take.wav")
    turns, before = 0, False
    for start in range(0, len(pcm), 640):
        ear.hear(pcm[start : start + 640].ljust(640, b"\0"))
        turns += ear.speech and not before
        before = ear.speech
    assert 6 <= turns <= 12


def test_the_sounds_are_what_their_readme_says() -> None:
    files = sorted(SOUNDS.glob("*.wav"))
    assert len(files) > 25
    assert sum(file.stat().st_size for file in files) < 4_200_000
    for file in files:
        pcm = read_wav(file)
        frames = [pcm[i : i + 640] for i in range(0, len(pcm) - 639, 640)]
        speech = [frame for frame in frames if level_dbfs(frame) > -45]
        assert level_dbfs(b"".join(speech)) == pytest.approx(-20, abs=1.5), file.name
        peak = max(abs(sample) for sample in struct.unpack(f"<{len(pcm) // 2}h", pcm))
        assert peak <= 32768 * 10 ** (-3 / 20), file.name


def test_every_script_has_its_sentences_and_finds_its_numbers() -> None:
    repertoire = load(SOUNDS)
    assert repertoire.script_for("13800006021") is repertoire.scripts[0]
    assert repertoire.script_for("18600001189").name == "promise_woman"
    assert all(len(script.answering) >= 8 for script in repertoire.scripts)
    assert len({name for script in repertoire.scripts for name in script.sentences()}) >= 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ("scripts = 3 = 4", "cannot be read"),
        ("", "no script"),
        ('[[scripts]]\nname = "a"\nanswering = ["x"]\ncalling = ["x"]\n', "lacks 'still_there'"),
        ('[[scripts]]\nname = "a"\nanswering = []\ncalling = ["x"]\nstill_there = "x"\n', "nothing to say"),
        ('[[scripts]]\nname = "a"\nanswering = ["x"]\ncalling = ["x"]\nstill_there = "x"\n', "sentence cannot be read"),
    ],
)
def test_a_bad_folder_of_sounds_says_what_is_wrong(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "scripts.toml").write_text(text)
    with pytest.raises(ScriptError, match=said):
        load(tmp_path)


def test_a_script_of_ones_own_can_be_used(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(VOICE)
    script = '[[scripts]]\nname = "a"\nanswering = ["x"]\ncalling = ["x"]\nstill_there = "x"\n'
    (tmp_path / "scripts.toml").write_text(script)
    assert load(tmp_path).pcm == {"x": VOICE}


def test_orders_and_configuration_are_read() -> None:
    assert read_order('{"call_in": {"number": "13800006021"}}') == CallIn("13800006021")
    assert read_order(b'{"call_in": {"number": "1", "peer": "127.0.0.1:5070"}}') == CallIn("1", "127.0.0.1:5070")
    assert read_order('{"hang_up": true}') == HangUpNow()
    assert read_order('{"quit": true}') == Quit()
    config = read_config('{"sounds": "/s", "local_port": 5090, "seat_peer": "127.0.0.1:5070"}')
    assert (config.sounds, config.local_port, config.seat_peer) == (Path("/s"), 5090, "127.0.0.1:5070")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "nonsense",
        '{"call_in": {}}',
        '{"call_in": {"number": 138}}',
        '{"call_in": {"number": "1", "x": "y"}}',
        '{"hang_up": false}',
        '{"quit": true, "hang_up": true}',
        "[" * 100_000,
    ],
)
def test_orders_that_are_none_are_refused(line: str) -> None:
    with pytest.raises(ControlError):
        read_order(line)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sounds": 3},
        {"sounds": "s", "local_port": "5060"},
        {"sounds": "s", "local_port": True},
        {"sounds": "s", "local_port": 70000},
        {"sounds": "s", "unknown": 1},
    ],
)
def test_a_bad_configuration_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(ControlError):
        read_config(json.dumps(body))
