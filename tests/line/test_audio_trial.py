"""Trials of the devices, and the clock that rests between calls."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from telephony.errors import LineError
from telephony.messages import Answer, CallIncoming, HangUp, Levels, TestAudio
from tests.line.parts import LineProcess, Sipp
from tests.line.sound import Samples, samples, tone_power


def recorded(line: LineProcess) -> tuple[Samples, Samples]:
    """Speaker and ringing device."""
    assert line.stop() == 0
    speaker, ring = (samples((line.folder / f"heard.{end}").read_bytes()) for end in ("raw", "ring"))
    return speaker, ring


def test_a_test_tone_is_on_the_speaker_and_ends_by_itself(line: LineProcess) -> None:
    line.client.request(TestAudio("", "tone"))
    began = time.monotonic()
    levels = [line.wait(Levels) for _ in range(10)]
    assert 0.7 < time.monotonic() - began < 2.0, "ten a second"
    assert all(level.call_id == "" and -16.3 < level.agent_dbfs < -14.3 for level in levels[2:])
    time.sleep(max(0.0, began + 10.5 - time.monotonic()))
    speaker, ring = recorded(line)
    sounding = np.flatnonzero(np.abs(speaker) > 20)
    assert tone_power(speaker[8000:80000], 1000, 16000) > 0.99
    assert 9.5 < (sounding[-1] - sounding[0]) / 16000 < 10.2
    assert len(ring) == 0


def test_a_test_ring_is_on_the_ringing_device(line: LineProcess) -> None:
    line.client.request(TestAudio("", "ring"))
    time.sleep(1.5)
    line.client.request(TestAudio("", "off"))
    time.sleep(0.2)
    speaker, ring = recorded(line)
    assert np.abs(ring).max() > 10000
    assert 1.3 < len(ring) / 16000 < 1.9
    assert not np.any(speaker)


def test_loopback_gives_the_microphone_back_half_a_second_later(line: LineProcess) -> None:
    line.client.request(TestAudio("", "loopback"))
    time.sleep(2.0)
    line.client.request(TestAudio("", "off"))
    time.sleep(0.2)
    speaker, _ = recorded(line)
    begin = int(np.flatnonzero(np.abs(speaker) > 500)[0])
    assert 0.45 < begin / 16000 < 0.55
    assert tone_power(speaker[begin : begin + 16000], 1000, 16000) > 0.98


def test_a_trial_ends_when_a_call_comes_in(line_process: Callable[..., LineProcess]) -> None:
    agent, customer = line_process("agent"), line_process("customer")
    agent.add_line(customer.port)
    customer.add_line(agent.port, user="customer")
    agent.client.request(TestAudio("", "loopback"))
    agent.wait(Levels)
    customer.dial("agent")
    ringing = agent.wait(CallIncoming)
    with pytest.raises(LineError) as refused:
        agent.client.request(TestAudio("", "tone"))
    assert refused.value.code == "wrong_state"
    time.sleep(0.3)
    before = len([e for e in agent.seen if isinstance(e, Levels)])
    while not agent.events.empty():
        agent.seen.append(agent.events.get())
    time.sleep(0.5)
    assert agent.events.empty(), "no more levels of the trial"
    assert before > 0
    agent.client.request(Answer("", ringing.call_id))
    agent.state("active")
    agent.client.request(HangUp("", ringing.call_id))
    agent.ended()


def test_an_unknown_test_is_refused(line: LineProcess) -> None:
    with pytest.raises(LineError) as refused:
        line.client.request(TestAudio("", "siren"))
    assert refused.value.code == "bad_message"


def test_the_media_clock_rests_between_calls_and_takes_up_its_work(
    line: LineProcess, sipp: Callable[..., Sipp]
) -> None:
    """Call after call: each start of the clock is another thread."""
    for _ in range(2):
        far = sipp("answer")
        line.add_line(far.port)
        call_id = line.dial()
        line.state("active")
        line.wait(Levels, lambda level: level.agent_dbfs > -20)
        line.client.request(HangUp("", call_id))
        line.ended()
        time.sleep(5.5)
        before = line.order("cpu")
        threads = _threads(line)
        time.sleep(1.0)
        after = line.order("cpu")
        busy = (after["cpu_s"] - before["cpu_s"]) / (after["at"] - before["at"])
        assert "clock" not in threads
        assert busy < 0.03, "the engine's loop and little else"


def _threads(line: LineProcess) -> set[str]:
    from pathlib import Path

    return {(task / "comm").read_text().strip() for task in Path(f"/proc/{line.process.pid}/task").iterdir()}
