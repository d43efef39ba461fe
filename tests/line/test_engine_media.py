"""What is heard and what is taped: against baresip, between two engines, and on the bridge itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from telephony.errors import LineError
from telephony.messages import (
    Answer,
    AudioConfig,
    AudioState,
    CallIncoming,
    CallState,
    HangUp,
    Levels,
    SetAudio,
    SetHold,
    SetMute,
    Snapshot,
)
from tests.line.parts import BOTH_CLOCKS, ROOT, Baresip, LineProcess, Sipp
from tests.line.sound import Samples, read_wav, samples, tone_power

Lines = Callable[..., LineProcess]
MICROPHONE = 1000.0
FAR = 440.0


def tape(line: LineProcess, call_id: str) -> tuple[dict[str, Any], Samples, Samples]:
    """Facts, agent side and far side of a call that is over."""
    path = line.folder / call_id
    meta: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    return meta, samples(path.with_suffix(".agent").read_bytes()), samples(path.with_suffix(".far").read_bytes())


def purity(signal: Samples, frequency: float, rate: int) -> float:
    """Median share of the tone over tenths of a second: a jitter buffer's skip spoils one of them, not all."""
    size = rate // 10
    parts = [signal[i : i + size] for i in range(0, len(signal) - size + 1, size)]
    return float(np.median([tone_power(part, frequency, rate) for part in parts]))


def connect(lines: Lines) -> tuple[LineProcess, LineProcess, str, str]:
    """Two engines in a call: the agent's microphone hears 1000 Hz, the customer's 440 Hz."""
    agent, customer = lines("agent", tone=MICROPHONE), lines("customer", tone=FAR)
    agent.add_line(customer.port)
    customer.add_line(agent.port, user="customer")
    call_id = agent.dial("customer")
    ringing = customer.wait(CallIncoming)
    customer.client.request(Answer("", ringing.call_id))
    agent.state("active")
    customer.state("active")
    return agent, customer, call_id, ringing.call_id


@BOTH_CLOCKS
@pytest.mark.parametrize(("codec", "rate"), [("PCMU/8000/1", 8000), ("G722/16000/1", 16000)])
def test_tones_both_ways_with_baresip(
    line: LineProcess, baresip: Callable[..., Baresip], codec: str, rate: int
) -> None:
    far = baresip(codec, FAR)
    line.add_line(far.port)
    call_id = line.dial("far")
    line.wait(CallState, lambda e: e.state == "active" and e.codec == codec.split("/")[0])
    time.sleep(2.0)
    level = line.wait(Levels, lambda e: -16.3 < e.far_dbfs < -14.3)  # 8000 of 32768 as a sine is −15.3 dBFS
    assert -16.3 < level.agent_dbfs < -14.3
    line.client.request(HangUp("", call_id))
    record = line.ended()
    assert record.quality["rx_packets"] > 50
    assert record.quality["rx_lost"] == 0
    facts, agent_side, far_side = tape(line, call_id)
    assert facts["rate"] == rate
    assert len(agent_side) == len(far_side) == len(facts["starts"]) * rate // 50
    assert facts["agent_missing"] == []
    steady = slice(rate // 2, None)
    assert purity(agent_side[steady], MICROPHONE, rate) > 0.98
    assert purity(far_side[steady], FAR, rate) > 0.98
    assert purity(agent_side[steady], FAR, rate) < 0.01
    assert purity(far_side[steady], MICROPHONE, rate) < 0.01
    assert 7000 < np.percentile(np.abs(far_side[steady]), 99) < 9000  # neither codec changes the level
    heard, heard_rate = read_wav(far.heard())
    assert purity(heard[heard_rate // 2 :], MICROPHONE, heard_rate) > 0.98
    assert line.stop() == 0
    speaker = samples((line.folder / "heard.raw").read_bytes())
    assert purity(speaker[8000:], FAR, 16000) > 0.98


def test_baresip_calls_in(line: LineProcess, baresip: Callable[..., Baresip]) -> None:
    line.add_line(9)
    far = baresip("PCMA/8000/1", FAR, dial=f"sip:agent@127.0.0.1:{line.port}")
    ringing = line.wait(CallIncoming)
    assert ringing.number == "far"
    line.client.request(Answer("", ringing.call_id))
    line.state("active")
    time.sleep(1.2)
    far.stop()
    assert line.ended().cause == "far_hung_up"
    _, agent_side, far_side = tape(line, ringing.call_id)
    assert purity(agent_side[4000:], MICROPHONE, 8000) > 0.98
    assert purity(far_side[4000:], FAR, 8000) > 0.98


def test_frames_keep_time(line_process: Lines) -> None:
    agent, _, call_id, _ = connect(line_process)
    time.sleep(1.5)
    agent.client.request(HangUp("", call_id))
    agent.ended()
    facts, _, _ = tape(agent, call_id)
    starts, at = np.array(facts["starts"]) / facts["rate"], np.array(facts["at_ns"]) / 1e9
    assert facts["starts"][0] == 0
    assert set(np.diff(facts["starts"])) == {facts["rate"] // 50}
    late = (at - at[0]) - starts
    assert np.abs(late).max() < 0.2
    assert abs(np.median(late)) < 0.03


@BOTH_CLOCKS
def test_a_frozen_interpreter_leaves_a_gap_of_its_length(line_process: Lines) -> None:
    agent, _, call_id, _ = connect(line_process)
    time.sleep(0.5)
    agent.order("stall 0.9")
    time.sleep(0.6)
    agent.client.request(HangUp("", call_id))
    agent.ended()
    facts, _, _ = tape(agent, call_id)
    steps = np.diff(facts["starts"]) * 50 // facts["rate"]
    assert (steps > 1).sum() == 1
    assert 0.7 < (steps.max() - 1) / 50 < 1.0
    counted = (facts["starts"][-1] - facts["starts"][0]) / facts["rate"]
    assert abs(counted - (facts["at_ns"][-1] - facts["at_ns"][0]) / 1e9) < 0.06


@pytest.mark.parametrize("clock", ["own", "device"])
@pytest.mark.parametrize(
    ("rate", "stall_s", "gap"), [(8000, 0.0, 0.0), (16000, 0.0, 0.0), (8000, 0.3, 0.0), (16000, 0.8, 0.8)]
)
def test_both_sides_of_a_tick_belong_together(rate: int, stall_s: float, gap: float, clock: str) -> None:
    """One noise into both sides comes out the same, sample for sample, and keeps pace with the clock."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.line.tap_probe", str(rate), str(stall_s), clock],
        cwd=ROOT,
        capture_output=True,
        timeout=20,
        check=True,
    )
    seen = json.loads(run.stdout)
    assert run.stderr == b""
    assert seen["clock"] == ("OwnClock" if clock == "own" else "DeviceClock")
    assert seen["equal"] == 1.0
    assert (seen["sizes"], seen["silent"], seen["late_frames"]) == ([rate // 50 * 2], 0, 0)
    assert abs(sum(seen["gaps"]) / 50 - gap) < 0.06
    assert abs(seen["counted_s"] - seen["elapsed_s"]) < 0.06


@pytest.mark.parametrize("clock", ["own", "device"])
def test_what_feeds_the_tap_may_change_at_any_moment(clock: str) -> None:
    """The headset's own port and ports of the tap's own in turns: each frame once, in order, both sides alike."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.line.tap_probe", "change", "60", clock],
        cwd=ROOT,
        capture_output=True,
        timeout=40,
        check=True,
    )
    seen = json.loads(run.stdout)
    assert run.stderr == b""
    assert seen.pop("frames") > 150
    assert seen == {"unequal": 0, "out_of_order": 0, "gaps": []}


def test_mute_is_silence_for_both_and_leaves_no_hole(line_process: Lines) -> None:
    agent, customer, call_id, far_id = connect(line_process)
    time.sleep(0.6)
    agent.client.request(SetMute("", call_id, True))
    agent.wait(CallState, lambda e: e.muted)
    time.sleep(0.8)
    agent.client.request(SetMute("", call_id, False))
    agent.wait(CallState, lambda e: not e.muted)
    time.sleep(0.6)
    agent.client.request(HangUp("", call_id))
    agent.ended()
    customer.ended()
    facts, agent_side, far_side = tape(agent, call_id)
    rate = facts["rate"]
    marks = {kind: start for start, kind, _ in facts["events"]}
    muted = slice(marks["mute"] + rate // 10, marks["unmute"] - rate // 10)
    assert facts["agent_missing"] == []
    assert set(np.diff(facts["starts"])) == {rate // 50}
    assert not agent_side[muted].any()
    assert purity(far_side[muted], FAR, rate) > 0.98
    assert purity(agent_side[marks["unmute"] + rate // 10 :], MICROPHONE, rate) > 0.98
    _, _, heard = tape(customer, far_id)
    quiet = _longest_run(np.abs(heard) < 100) / rate
    assert 0.6 < quiet < 1.1


def test_hold_between_two_engines(line_process: Lines) -> None:
    agent, customer, call_id, far_id = connect(line_process)
    time.sleep(0.4)
    agent.client.request(SetHold("", call_id, True))
    assert agent.wait(CallState, lambda e: e.held).state == "active"
    assert customer.wait(CallState, lambda e: e.far_held).call_id == far_id
    time.sleep(0.8)
    agent.client.request(SetHold("", call_id, False))
    agent.wait(CallState, lambda e: not e.held)
    customer.wait(CallState, lambda e: not e.far_held)
    time.sleep(0.8)
    agent.client.request(HangUp("", call_id))
    agent.ended()
    customer.ended()
    facts, agent_side, far_side = tape(agent, call_id)
    rate = facts["rate"]
    marks = {kind: start for start, kind, _ in facts["events"]}
    held = slice(marks["hold"] + rate // 10, marks["resume"])
    after = slice(marks["resume"] + rate // 4, None)
    assert set(np.diff(facts["starts"])) == {rate // 50}
    assert not agent_side[held].any()
    assert not far_side[held].any()
    assert purity(agent_side[after], MICROPHONE, rate) > 0.98
    assert purity(far_side[after], FAR, rate) > 0.98
    far_marks = [kind for _, kind, _ in tape(customer, far_id)[0]["events"]]
    assert far_marks.index("far_hold") < far_marks.index("far_resume")


def test_hold_on_the_wire(line: LineProcess, sipp: Callable[..., Sipp]) -> None:
    far = sipp("held")
    line.add_line(far.port)
    call_id = line.dial()
    line.state("active")
    time.sleep(0.2)
    line.client.request(SetHold("", call_id, True))
    time.sleep(0.4)
    line.client.request(SetHold("", call_id, False))
    time.sleep(0.4)
    line.client.request(HangUp("", call_id))
    assert line.ended().cause == "hung_up"
    far.finished()


def test_held_and_resumed_by_the_far_end(line: LineProcess, sipp: Callable[..., Sipp]) -> None:
    far = sipp("far_hold")
    line.add_line(far.port)
    call_id = line.dial()
    line.wait(CallState, lambda e: e.far_held)
    line.wait(CallState, lambda e: e.state == "active" and not e.far_held)
    time.sleep(0.3)
    line.client.request(HangUp("", call_id))
    line.ended()
    far.finished()
    facts, agent_side, _ = tape(line, call_id)
    assert purity(agent_side[-facts["rate"] // 5 :], MICROPHONE, facts["rate"]) > 0.98


def test_another_headset_in_mid_call(line_process: Lines) -> None:
    agent, _, call_id, _ = connect(line_process)
    time.sleep(0.5)
    with pytest.raises(LineError) as missing:
        agent.client.request(SetAudio("", AudioConfig("files")))
    assert missing.value.code == "no_such_device"
    agent.client.request(SetAudio("", AudioConfig("device", "1500", "second.raw")))
    time.sleep(0.7)
    agent.client.request(HangUp("", call_id))
    agent.ended()
    facts, agent_side, _ = tape(agent, call_id)
    rate = facts["rate"]
    assert set(np.diff(facts["starts"])) == {rate // 50}
    assert purity(agent_side[rate // 10 : rate * 4 // 10], MICROPHONE, rate) > 0.98
    assert purity(agent_side[-rate // 2 :], 1500, rate) > 0.98
    assert agent.stop() == 0
    assert purity(samples((agent.folder / "second.raw").read_bytes())[1600:], FAR, 16000) > 0.98
    assert purity(samples((agent.folder / "heard.raw").read_bytes())[1600:], FAR, 16000) > 0.9


def test_without_a_headset_calls_work_and_the_tape_says_so(line_process: Lines, sipp: Callable[..., Sipp]) -> None:
    line = line_process(broken=True, tone=0)
    assert line.wait(Snapshot).audio == AudioState("", "tone", "no_such_device")
    far = sipp("answer")
    line.add_line(far.port)
    call_id = line.dial()
    line.state("active")
    time.sleep(0.5)
    line.client.request(HangUp("", call_id))
    line.ended()
    facts, _, _ = tape(line, call_id)
    assert len(facts["agent_missing"]) > 0.8 * len(facts["starts"])


def test_levels_come_ten_times_a_second_with_or_without_a_tap(line_process: Lines, sipp: Callable[..., Sipp]) -> None:
    line = line_process(no_tap=True)
    far = sipp("answer")
    line.add_line(far.port)
    call_id = line.dial()
    line.state("active")
    time.sleep(1.5)
    line.client.request(HangUp("", call_id))
    record = line.ended()
    assert record.recording_id == ""
    levels = [e for e in line.seen if isinstance(e, Levels)]
    assert 13 <= len(levels) <= 17
    assert all(e.far_dbfs == -100.0 for e in levels)
    assert sum(-16.5 < e.agent_dbfs < -14.5 for e in levels) >= 12


def test_a_narrow_band_seat(line_process: Lines, baresip: Callable[..., Baresip]) -> None:
    line = line_process(codecs=["PCMA", "PCMU"])
    far = baresip("G722/16000/1,PCMA/8000/1", FAR)
    line.add_line(far.port)
    call_id = line.dial("far")
    line.wait(CallState, lambda e: e.codec == "PCMA")
    before = line.order("cpu")
    time.sleep(2.5)
    after = line.order("cpu")
    assert (after["cpu_s"] - before["cpu_s"]) / (after["at"] - before["at"]) < 0.08  # 3.3 % when nothing else runs
    line.client.request(HangUp("", call_id))
    line.ended()
    _, agent_side, far_side = tape(line, call_id)
    assert purity(agent_side[4000:], MICROPHONE, 8000) > 0.98
    assert purity(far_side[4000:], FAR, 8000) > 0.98


def _longest_run(true: Any) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], true.astype(int), [0]))))
    return int((edges[1::2] - edges[::2]).max())
