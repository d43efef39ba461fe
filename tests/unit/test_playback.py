"""The player, heard through a sink that keeps what it is given."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from agent_desktop.services.playback import Player, PlayState
from agent_desktop.services.playback_sinks import ClockSink, SinkError
from agent_desktop.services.playback_source import Side, SideMix
from agent_desktop.services.recordings import ReplayAudio

RATE = 8000


class CapturingSink:
    """Keeps every sample, at any speed; can stop after a number of samples as a device that is unplugged would."""

    def __init__(self, fails_after: int | None = None, paced: bool = False) -> None:
        self.blocks: list[np.ndarray] = []
        self.closed = 0
        self.fails_after = fails_after
        self.paced = ClockSink(RATE) if paced else None

    def write(self, block: np.ndarray) -> None:
        if self.fails_after is not None and len(self.pcm) >= self.fails_after:
            raise SinkError("unplugged")
        self.blocks.append(block.copy())
        if self.paced is not None:
            self.paced.write(block)

    def pause(self) -> None:
        return None

    def close(self) -> None:
        self.closed += 1

    @property
    def pcm(self) -> np.ndarray:
        return np.concatenate(self.blocks) if self.blocks else np.zeros(0, dtype=np.int16)


def wait(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def noise(seconds: float, seed: int, scale: float = 3000.0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(round(seconds * RATE)) * scale).astype(np.int16)


def tone(seconds: float, hz: float, scale: float = 9000.0) -> np.ndarray:
    return (np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE) * scale).astype(np.int16)


def pitch(pcm: np.ndarray) -> float:
    """The strongest frequency, Hz."""
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(np.argmax(spectrum) * RATE / len(pcm))


@pytest.fixture
def sink() -> CapturingSink:
    return CapturingSink()


@pytest.fixture
def player(sink: CapturingSink) -> Iterator[Player]:
    made = Player(lambda rate: sink)
    yield made
    made.close()


def play_to_end(player: Player, seconds: float = 20.0) -> None:
    player.play()
    wait(lambda: player.view.state is PlayState.PAUSED, seconds)


def test_every_sample_of_both_sides_comes_out_once_and_in_order(player: Player, sink: CapturingSink) -> None:
    audio = ReplayAudio(RATE, noise(3.21, 1), noise(3.21, 2))
    player.load(audio)
    assert (player.view.state, player.view.position, player.view.length) == (PlayState.PAUSED, 0.0, 3.21)
    play_to_end(player)
    assert np.array_equal(sink.pcm, audio.agent + audio.far)
    assert player.view.position == pytest.approx(3.21)
    assert player.view.problem == ""


def test_seek_is_exact_to_the_sample(player: Player, sink: CapturingSink) -> None:
    audio = ReplayAudio(RATE, noise(2, 1), np.zeros(2 * RATE, dtype=np.int16))
    player.load(audio)
    player.seek(1.000125)
    assert player.view.position == pytest.approx(1.000125, abs=1e-9)
    play_to_end(player)
    assert np.array_equal(sink.pcm, audio.agent[8001:])


def test_seek_beyond_the_ends_means_the_ends(player: Player) -> None:
    player.load(ReplayAudio(RATE, noise(2, 1), noise(2, 2)))
    player.seek(99)
    assert player.view.position == 2.0
    player.seek(-3)
    assert player.view.position == 0.0


def test_play_at_the_end_begins_again(player: Player, sink: CapturingSink) -> None:
    audio = ReplayAudio(RATE, noise(1, 1), noise(1, 2))
    player.load(audio)
    play_to_end(player)
    play_to_end(player)
    assert len(sink.pcm) == 2 * RATE


@pytest.mark.parametrize(
    ("agent", "far", "heard"),
    [
        (SideMix(muted=True), SideMix(), "far"),
        (SideMix(), SideMix(muted=True), "agent"),
        (SideMix(solo=True), SideMix(), "agent"),
        (SideMix(), SideMix(solo=True), "far"),
        (SideMix(solo=True), SideMix(solo=True), "both"),
        (SideMix(solo=True, muted=True), SideMix(), "none"),
        (SideMix(muted=True), SideMix(muted=True), "none"),
    ],
)
def test_mute_and_solo(player: Player, sink: CapturingSink, agent: SideMix, far: SideMix, heard: str) -> None:
    audio = ReplayAudio(RATE, noise(0.5, 1), noise(0.5, 2))
    player.load(audio)
    player.set_side(Side.AGENT, agent)
    player.set_side(Side.FAR, far)
    play_to_end(player)
    expected = {
        "agent": audio.agent,
        "far": audio.far,
        "both": audio.agent + audio.far,
        "none": np.zeros_like(audio.agent),
    }[heard]
    assert np.array_equal(sink.pcm, expected)


def test_gain_is_in_decibels_and_full_scale_clips(player: Player, sink: CapturingSink) -> None:
    audio = ReplayAudio(RATE, tone(0.5, 440, 4000), np.zeros(RATE // 2, dtype=np.int16))
    player.load(audio)
    player.set_side(Side.AGENT, SideMix(gain_db=6.0))
    play_to_end(player)
    assert np.max(np.abs(sink.pcm)) == pytest.approx(4000 * 10 ** (6 / 20), rel=0.001)

    sink.blocks.clear()
    player.set_side(Side.AGENT, SideMix(gain_db=90.0))
    assert player.view.mix.agent.gain_db == 24.0
    play_to_end(player)
    assert (int(sink.pcm.max()), int(sink.pcm.min())) == (32767, -32768)


def test_loop_repeats_a_passage_exactly_until_it_is_taken_away(player: Player, sink: CapturingSink) -> None:
    audio = ReplayAudio(RATE, noise(2, 1), np.zeros(2 * RATE, dtype=np.int16))
    player.load(audio)
    player.set_loop((0.75, 0.5))
    player.seek(0.5)
    player.play()
    wait(lambda: len(sink.pcm) > 3 * 2000)
    player.set_loop(None)
    wait(lambda: player.view.state is PlayState.PAUSED)
    passage = audio.agent[4000:6000]
    assert np.array_equal(sink.pcm[:6000], np.concatenate([passage] * 3))
    assert np.array_equal(sink.pcm[-8000:], audio.agent[-8000:])


def test_a_loop_too_short_to_hear_is_none(player: Player) -> None:
    player.load(ReplayAudio(RATE, noise(1, 1), noise(1, 2)))
    player.set_loop((0.5, 0.51))
    assert player.view.loop is None


@pytest.mark.parametrize("speed", [0.5, 0.75, 1.25, 1.5, 2.0, 3.0])
def test_speed_keeps_the_pitch_and_changes_the_length(player: Player, sink: CapturingSink, speed: float) -> None:
    audio = ReplayAudio(RATE, tone(12, 440), np.zeros(12 * RATE, dtype=np.int16))
    player.load(audio)
    player.set_speed(speed)
    play_to_end(player)
    heard = sink.pcm
    assert len(heard) == pytest.approx(12 * RATE / speed, abs=2)
    assert pitch(heard[2000:-2000]) == pytest.approx(440, abs=2)
    assert player.view.position == pytest.approx(12.0)


def test_pieces_of_a_stretched_recording_join_without_a_click(player: Player, sink: CapturingSink) -> None:
    audio = ReplayAudio(RATE, tone(25, 200), np.zeros(25 * RATE, dtype=np.int16))
    player.load(audio)
    player.set_speed(1.5)
    play_to_end(player)
    steps = np.abs(np.diff(sink.pcm[4000:-4000].astype(np.int32)))
    largest_of_a_sine = 9000 * 2 * np.pi * 200 / RATE
    assert steps.max() < 1.6 * largest_of_a_sine


def test_positions_are_those_of_the_recording_at_any_speed(player: Player, sink: CapturingSink) -> None:
    clicks = np.zeros(24 * RATE, dtype=np.int16)
    clicks[[5 * RATE, 21 * RATE]] = 30000
    player.load(ReplayAudio(RATE, clicks, np.zeros_like(clicks)))
    player.set_speed(2.0)
    player.seek(20.0)
    assert player.view.position == pytest.approx(20.0, abs=0.001)
    play_to_end(player)
    heard = sink.pcm.astype(np.int32)
    assert np.argmax(np.abs(heard)) / RATE == pytest.approx(0.5, abs=0.03)


def test_changing_speed_while_playing_stays_at_the_moment() -> None:
    sink = CapturingSink(paced=True)
    player = Player(lambda rate: sink)
    try:
        player.load(ReplayAudio(RATE, noise(30, 1), noise(30, 2)))
        player.seek(14.0)
        player.play()
        for speed in (1.5, 3.0, 0.5, 1.0, 2.0) * 3:
            before = player.view.position
            player.set_speed(speed)
            assert player.view.position == pytest.approx(before, abs=0.3)
            wait(lambda before=player.view.position: player.view.position > before)
        assert player.view.state is PlayState.PLAYING
        assert player.view.problem == ""
    finally:
        player.close()


@pytest.mark.parametrize("speed", [0.4, 3.1, float("nan")])
def test_a_speed_out_of_range_is_refused(player: Player, speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        player.set_speed(speed)


def test_skip_silence_jumps_only_over_long_silences_of_both_sides(player: Player, sink: CapturingSink) -> None:
    hush = noise(4, 9, scale=20)  # about -64 dBFS
    speech = noise(1, 1)
    agent = np.concatenate([speech, hush, speech, hush[: RATE // 2], speech, hush])
    far = np.concatenate([speech, hush, speech, hush[: RATE // 2], hush[:RATE], hush[: 2 * RATE], hush[: 2 * RATE]])
    far[-RATE:] = noise(1, 3)
    player.load(ReplayAudio(RATE, agent, far))
    player.set_skip_silence(True)
    play_to_end(player)
    # Cut to 0.5 s: the 4 s after the first word, the 3 s before the far side's last word. Kept: the half second.
    whole = len(agent) / RATE
    assert len(sink.pcm) / RATE == pytest.approx(whole - 3.5 - 2.5, abs=0.1)
    assert player.view.position == pytest.approx(whole)


def test_a_loop_of_silence_alone_does_not_spin() -> None:
    sink = CapturingSink(paced=True)
    player = Player(lambda rate: sink)
    try:
        player.load(ReplayAudio(RATE, np.zeros(10 * RATE, np.int16), np.zeros(10 * RATE, np.int16)))
        player.set_skip_silence(True)
        player.set_loop((2.0, 3.0))
        player.seek(2.0)
        player.play()
        wait(lambda: len(sink.blocks) > 3)
        began, blocks = time.monotonic(), len(sink.blocks)
        time.sleep(0.3)
        assert len(sink.blocks) - blocks <= (time.monotonic() - began) / 0.04 + 3
    finally:
        player.close()


def test_a_device_that_goes_away_pauses_with_its_code_and_can_be_tried_again() -> None:
    sinks = [CapturingSink(fails_after=1600), CapturingSink()]
    opened = iter(sinks)
    player = Player(lambda rate: next(opened))
    try:
        audio = ReplayAudio(RATE, noise(1, 1), np.zeros(RATE, dtype=np.int16))
        player.load(audio)
        play_to_end(player)
        assert player.view.problem == "device_lost"
        assert sinks[0].closed == 1
        at = player.view.position
        assert 0.2 <= at < 0.3
        play_to_end(player)
        assert player.view.problem == ""
        assert np.array_equal(sinks[1].pcm, audio.agent[round(at * RATE) :])
    finally:
        player.close()


def test_without_a_device_the_position_advances_in_silence_and_says_so() -> None:
    def no_device(rate: int) -> CapturingSink:
        raise SinkError("no sound card")

    player = Player(no_device)
    try:
        player.load(ReplayAudio(RATE, noise(5, 1), noise(5, 2)))
        began = time.monotonic()
        player.play()
        wait(lambda: player.view.position > 0.5)
        assert time.monotonic() - began > 0.35, "faster than the clock"
        assert player.view.problem == "no_such_device"
        player.pause()
        at = player.view.position
        time.sleep(0.15)
        assert player.view.position == at
    finally:
        player.close()


@pytest.mark.logs_errors
def test_a_failure_inside_playback_is_not_called_a_lost_device(caplog: pytest.LogCaptureFixture) -> None:
    class BrokenSink(CapturingSink):
        def write(self, block: np.ndarray) -> None:
            raise KeyError("a bug")

    player = Player(lambda rate: BrokenSink())
    try:
        player.load(ReplayAudio(RATE, noise(1, 1), noise(1, 2)))
        play_to_end(player)
        assert player.view.problem == "unexpected"
        assert "playback failed" in caplog.text
    finally:
        player.close()


def test_listeners_hear_each_change_in_order(player: Player) -> None:
    seen: list[tuple[PlayState, float]] = []
    player.changed.join(lambda view: seen.append((view.state, view.position)))
    player.load(ReplayAudio(RATE, noise(1, 1), noise(1, 2)))
    play_to_end(player)
    wait(lambda: seen[-1] == (PlayState.PAUSED, 1.0))
    assert seen[0] == (PlayState.PAUSED, 0.0)
    positions = [position for _, position in seen]
    assert positions == sorted(positions)
    assert len(positions) > 20


def test_a_second_recording_at_another_rate_replaces_the_first() -> None:
    sink, rates = CapturingSink(), []

    def opened(rate: int) -> CapturingSink:
        rates.append(rate)
        return sink

    player = Player(opened)
    try:
        player.load(ReplayAudio(RATE, noise(60, 1), noise(60, 2)))
        player.play()
        second = ReplayAudio(16000, noise(1, 3), np.zeros(RATE, dtype=np.int16))
        player.load(second)
        wait(lambda: player.view.length == 0.5)
        sink.blocks.clear()
        play_to_end(player)
        assert rates[-1] == 16000
        assert np.array_equal(sink.pcm[-RATE:], second.agent)
        player.unload()
        assert player.view.state is PlayState.EMPTY
        player.play()
        assert player.view.state is PlayState.EMPTY
    finally:
        player.close()


def test_commands_from_many_threads_leave_it_playable(player: Player, sink: CapturingSink) -> None:
    player.load(ReplayAudio(RATE, noise(20, 1), noise(20, 2)))
    rng = np.random.default_rng(7)
    moves: list[Callable[[], None]] = [
        player.play,
        player.pause,
        lambda: player.seek(3.0),
        lambda: player.set_speed(1.5),
        lambda: player.set_speed(1.0),
        lambda: player.set_loop((1.0, 2.0)),
        lambda: player.set_loop(None),
        lambda: player.set_skip_silence(True),
        lambda: player.set_side(Side.FAR, SideMix(muted=True)),
    ]
    orders = [rng.integers(0, len(moves), 150) for _ in range(4)]
    threads = [threading.Thread(target=lambda o=o: [moves[i]() for i in o]) for o in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    player.set_loop(None)
    player.set_speed(1.0)
    player.set_side(Side.FAR, SideMix())
    player.pause()
    player.seek(19.0)
    wait(lambda: player.view.state is PlayState.PAUSED)
    sink.blocks.clear()
    play_to_end(player)
    assert player.view.problem == ""
    assert player.view.position == 20.0


def test_close_ends_the_thread_while_playing() -> None:
    sink = CapturingSink(paced=True)
    player = Player(lambda rate: sink)
    player.load(ReplayAudio(RATE, noise(30, 1), noise(30, 2)))
    player.set_speed(1.5)
    player.play()
    wait(lambda: len(sink.blocks) > 2)
    player.close()
    assert sink.closed == 1
    assert not any(t.name == "playback" and t.is_alive() for t in threading.enumerate())
