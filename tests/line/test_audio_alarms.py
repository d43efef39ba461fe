"""Alarms of a call's sound: by hand, tenth of a second by tenth, and in real calls."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from telephony.alarms import Alarms, Loudness
from telephony.messages import Answer, CallAlarm, CallIncoming, CallState, Event, HangUp, Levels, SetHold, SetMute
from telephony.pcm import clips
from tests.line.parts import LineProcess, Sipp

Lines = Callable[..., LineProcess]
TENTH_NS = 100_000_000


class Call:
    """A call that is up, as its alarms see it."""

    def __init__(self, *, muted: bool = False) -> None:
        self.told: list[tuple[str, bool, float]] = []
        self.alarms = Alarms(self._publish)
        self.now = 0.0
        self.packets: int | None = 0
        self.sending = True
        self.is_now(muted=muted)

    def is_now(self, name: str = "active", *, muted: bool = False, held: bool = False, far_held: bool = False) -> None:
        state = CallState("c", "l", "outbound", "1", name, "", 0, muted=muted, held=held, far_held=far_held)
        self.alarms.heard(state)

    def run(self, seconds: float, agent: float = -30, far: float = -30, clipping: str = "") -> None:
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            if self.packets is not None and self.sending:
                self.packets += 5
            self.alarms.loudness(Loudness(Levels("c", agent, far), "agent" in clipping, "far" in clipping))
            now_ns = int(self.now * 1e9)
            for call_id in self.alarms.due(now_ns):
                self.alarms.packets(call_id, self.packets, now_ns)

    def _publish(self, event: Event) -> None:
        assert isinstance(event, CallAlarm)
        self.told.append((event.kind, event.on, round(self.now, 1)))


def test_a_conversation_with_pauses_raises_nothing() -> None:
    call = Call()
    for turn in range(20):
        call.run(4, agent=-25 if turn % 2 else -62, far=-62 if turn % 2 else -25)
    assert call.told == []


@pytest.mark.parametrize("side", ["agent", "far"])
def test_a_silent_side_is_told_within_5_s_and_withdrawn_when_it_is_heard(side: str) -> None:
    call = Call()
    call.run(2)
    call.run(6, agent=-100 if side == "agent" else -30, far=-100 if side == "far" else -30)
    assert call.told == [(f"{side}_silent", True, 6.5)]
    call.run(0.1)
    assert len(call.told) == 1, "a single click is no voice"
    call.run(0.3)
    assert call.told[1:] == [(f"{side}_silent", False, 8.2)]


def test_no_packets_are_told_within_5_s_in_place_of_silence() -> None:
    call = Call()
    call.run(3)
    call.sending = False
    call.run(10, far=-100)
    assert [t[:2] for t in call.told] == [("no_rtp", True)]
    assert 6.0 <= call.told[0][2] <= 8.0
    call.sending = True
    call.run(2)
    assert [t[:2] for t in call.told[1:]] == [("no_rtp", False)]
    assert call.told[1][2] <= 14.1


def test_a_call_without_a_single_packet_is_told() -> None:
    call = Call()
    call.sending = False
    call.run(5, far=-100)
    assert [t[:2] for t in call.told] == [("no_rtp", True)]


def test_a_new_stream_that_counts_from_nought_is_no_alarm() -> None:
    call = Call()
    call.run(30)
    call.packets = 0
    call.run(10)
    assert call.told == []


@pytest.mark.parametrize("side", ["agent", "far"])
def test_clipping_is_told_when_it_goes_on_and_withdrawn_when_it_is_over(side: str) -> None:
    call = Call()
    call.run(0.3, clipping=side)
    call.run(5)
    assert call.told == [], "a cough"
    for _ in range(8):
        call.run(0.1, clipping=side)
        call.run(0.2)
    assert [t[:2] for t in call.told] == [(f"{side}_clipping", True)]
    call.run(4)
    assert [t[:2] for t in call.told[1:]] == [(f"{side}_clipping", False)]


@pytest.mark.parametrize("state", ["held", "far_held"])
def test_a_held_call_has_no_alarm(state: str) -> None:
    call = Call()
    call.sending = False
    call.run(6, agent=-100, far=-100, clipping="agent")
    assert {t[0] for t in call.told if t[1]} == {"no_rtp", "agent_silent", "agent_clipping"}
    call.is_now(held=state == "held", far_held=state == "far_held")
    assert {t[0] for t in call.told if not t[1]} == {"no_rtp", "agent_silent", "agent_clipping"}
    del call.told[:]
    call.run(10, agent=-100, far=-100)
    assert call.told == []
    call.is_now()
    call.run(2.9, agent=-100, far=-100)
    assert call.told == [], "counted from the resumption"
    call.run(4, agent=-100, far=-100)
    assert {t[:2] for t in call.told} == {("no_rtp", True), ("agent_silent", True)}


def test_a_muted_agent_is_not_silent() -> None:
    call = Call(muted=True)
    call.run(10, agent=-100)
    assert call.told == []


def test_before_the_answer_nothing_is_judged() -> None:
    call = Call()
    call.is_now("early")
    call.run(10, agent=-100, far=-100)
    assert call.told == []


def test_what_clips() -> None:
    wave = 32767 * np.sin(np.arange(1600) * 0.3)

    def pcm(signal: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bytes:
        return np.clip(signal, -32768, 32767).astype("<i2").tobytes()

    assert clips(pcm(wave * 3))
    assert clips(pcm(np.clip(wave * 3, -32124, 32124))), "µ-law's largest value"
    assert not clips(pcm(wave * 0.95))
    assert not clips(bytes(3200))
    assert not clips(b"")
    single = np.zeros(1600)
    single[700:710] = 32767
    assert not clips(pcm(single)), "ten samples of 1600"


# --- in real calls ---


def connected(lines: Lines, **customer_options: float) -> tuple[LineProcess, LineProcess, str, str]:
    agent, customer = lines("agent"), lines("customer", **{"tone": 440, **customer_options})
    agent.add_line(customer.port)
    customer.add_line(agent.port, user="customer")
    call_id = agent.dial("customer")
    ringing = customer.wait(CallIncoming)
    customer.client.request(Answer("", ringing.call_id))
    agent.state("active")
    return agent, customer, call_id, ringing.call_id


def test_a_far_end_that_sends_nothing_is_one_way_audio(line: LineProcess, sipp: Callable[..., Sipp]) -> None:
    far = sipp("answer")
    line.add_line(far.port)
    call_id = line.dial()
    answered = line.state("active").at_ns
    alarm = line.wait(CallAlarm)
    assert (alarm.kind, alarm.on, alarm.call_id) == ("no_rtp", True, call_id)
    assert time.monotonic_ns() - answered < 5_000_000_000
    line.client.request(HangUp("", call_id))


def test_a_muted_customer_is_heard_as_silent_and_a_held_call_is_not(line_process: Lines) -> None:
    agent, customer, call_id, customers_id = connected(line_process)
    time.sleep(1)
    customer.client.request(SetMute("", customers_id, True))
    began = time.monotonic()
    alarm = agent.wait(CallAlarm)
    assert (alarm.kind, alarm.on) == ("far_silent", True)
    assert time.monotonic() - began < 5.5
    agent.client.request(SetHold("", call_id, True))
    assert not agent.wait(CallAlarm).on
    agent.client.request(SetHold("", call_id, False))
    customer.client.request(SetMute("", customers_id, False))
    time.sleep(5.5)
    agent.client.request(HangUp("", call_id))
    agent.ended()
    assert [e for e in agent.seen if isinstance(e, CallAlarm)][2:] == []


def test_a_customer_who_is_far_too_loud_is_told(line_process: Lines) -> None:
    agent, customer, call_id, _ = connected(line_process, amplitude=32767)
    alarm = agent.wait(CallAlarm)
    assert (alarm.kind, alarm.on) == ("far_clipping", True)
    assert customer.wait(CallAlarm).kind == "agent_clipping"
    agent.client.request(HangUp("", call_id))
    agent.ended()
