"""A call's line quality, live and in its record, over a network that loses and delays on purpose."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from telephony.live_call import LiveCall
from telephony.messages import Answer, CallIncoming, CallQuality, Dial, Event, HangUp, SetHold
from telephony.quality import UNKNOWN, Quality, Reading, StreamTotals
from tests.line.parts import LineProcess
from tests.line.relay import Relay


@pytest.fixture
def network() -> Iterator[Callable[..., Relay]]:
    made: list[Relay] = []

    def start(callee: int, **faults: float) -> Relay:
        made.append(Relay(callee, **faults))
        return made[-1]

    yield start
    for relay in made:
        relay.stop()


@pytest.fixture
def pair(line_process: Callable[..., LineProcess], tmp_path: Path) -> Iterator[tuple[LineProcess, LineProcess]]:
    yield line_process("caller", codecs=["PCMA"]), line_process("callee", codecs=["PCMA"])


def call_through(relay: Relay, caller: LineProcess, callee: LineProcess) -> tuple[str, str]:
    caller.add_line(relay.port)
    callee.add_line(relay.port)
    call_id = str(uuid.uuid4())
    caller.client.request(Dial("", call_id, "l1", "agent"))
    far_id = callee.wait(CallIncoming).call_id
    callee.client.request(Answer("", far_id))
    caller.state("active")
    return call_id, far_id


def test_a_good_line(pair: tuple[LineProcess, LineProcess], network: Callable[..., Relay]) -> None:
    caller, callee = pair
    call_id, _ = call_through(network(callee.port), caller, callee)
    started = time.monotonic()
    told = [caller.wait(CallQuality) for _ in range(2)]
    assert time.monotonic() - started < 8
    assert {t.call_id for t in told} == {call_id}
    assert told[-1].codec == "PCMA"
    assert told[-1].rx_loss_pct <= 3
    assert 4.0 < told[-1].mos <= 4.42
    assert told[-1].r_factor > 80
    caller.client.request(HangUp("", call_id))
    record = caller.ended()
    assert {"codec", "rx_packets", "rx_lost", "rx_discarded", "tx_packets", "tx_lost", "rx_jitter_ms"} <= set(
        record.quality
    )
    assert record.quality["mos_min"] <= record.quality["mos"] <= 4.42
    assert record.quality["encrypted"] is False


def test_loss_in_both_directions_is_measured_and_rated(
    pair: tuple[LineProcess, LineProcess], network: Callable[..., Relay]
) -> None:
    caller, callee = pair
    relay = network(callee.port, loss=0.08, loss_out=0.15, delay_s=0.05)
    call_id, _ = call_through(relay, caller, callee)
    seen = [caller.wait(CallQuality) for _ in range(6)]
    caller.client.request(HangUp("", call_id))
    mine, theirs = caller.ended(), callee.ended()

    really = 100 * relay.dropped["in"] / (relay.dropped["in"] + relay.passed["in"])
    live = sum(q.rx_loss_pct for q in seen) / len(seen)
    assert live == pytest.approx(really, abs=3)
    lost = mine.quality["rx_lost"]
    assert lost == pytest.approx(relay.dropped["in"], abs=4)
    reported = [q for q in seen if q.tx_loss_pct != UNKNOWN]
    assert reported, "the far side's RTCP told nothing of what we sent"
    assert reported[-1].tx_loss_pct == pytest.approx(15, abs=8)
    assert reported[-1].rtt_ms == pytest.approx(100, abs=40)
    assert mine.quality["rtt_ms"] == pytest.approx(100, abs=40)
    assert theirs.quality["rx_lost"] == pytest.approx(relay.dropped["out"], abs=4)
    # G.107 with Bpl 25.1: 8 % lost is 23 points; the worse direction is heard at the other end.
    assert 60 < mine.quality["r_factor"] < 75
    assert theirs.quality["mos"] < mine.quality["mos"] < 3.9
    assert mine.quality["mos_min"] < mine.quality["mos"]


def test_jitter_is_measured_and_what_comes_too_late_counts_as_lost(
    pair: tuple[LineProcess, LineProcess], network: Callable[..., Relay]
) -> None:
    caller, callee = pair
    relay = network(callee.port, jitter_s=0.06)
    call_id, _ = call_through(relay, caller, callee)
    seen = [caller.wait(CallQuality) for _ in range(3)]
    assert max(q.rx_jitter_ms for q in seen) > 8
    caller.client.request(HangUp("", call_id))
    record = caller.ended()
    assert record.quality["rx_jitter_ms"] > 8
    assert relay.dropped["in"] == 0
    assert record.quality["mos"] < 4.4


def test_a_call_on_hold_is_not_rated_and_is_rated_again_after_it(
    pair: tuple[LineProcess, LineProcess], network: Callable[..., Relay]
) -> None:
    caller, callee = pair
    call_id, _ = call_through(network(callee.port), caller, callee)
    caller.wait(CallQuality)
    caller.client.request(SetHold("", call_id, True))
    time.sleep(0.3)
    while not caller.events.empty():
        caller.events.get()
    time.sleep(2.5)
    assert not any(isinstance(event, CallQuality) for event in list(caller.events.queue))
    caller.client.request(SetHold("", call_id, False))
    again = caller.wait(CallQuality)
    assert again.mos > 3.5
    caller.client.request(HangUp("", call_id))
    assert caller.ended().quality["rx_packets"] > 100


class Stream:
    """Stands for a ``SipCall`` whose stream has these counts."""

    def __init__(self) -> None:
        self.totals = StreamTotals()
        self.now: Reading | None = Reading()


def test_counts_that_begin_again_are_a_new_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Event] = []
    quality = Quality(told.append)
    call, sip = LiveCall("c", "l", True, "1", state="active", codec="PCMA"), Stream()
    call.sip = sip  # type: ignore[assignment]
    monkeypatch.setattr(Quality, "_read", staticmethod(lambda call: sip.now))
    second = 1_000_000_000
    quality.follow([call], 0)
    sip.now = Reading(rx_packets=100, tx_packets=100)
    quality.follow([call], 1 * second)
    assert told == []
    quality.follow([call], 2 * second)
    sip.now = Reading(rx_packets=45, rx_lost=5, tx_packets=50)
    quality.follow([call], 4 * second)
    sip.now = None
    quality.follow([call], 6 * second)
    sip.now = Reading(rx_packets=45, rx_lost=5, tx_packets=150)
    quality.follow([call], 8 * second)
    call.far_held = True
    quality.follow([call], 10 * second)
    losses = [event.rx_loss_pct for event in told if isinstance(event, CallQuality)]
    assert losses == [0.0, 10.0, UNKNOWN]
    last = told[-1]
    assert isinstance(last, CallQuality)
    assert (last.mos, last.r_factor, last.rtt_ms) == (UNKNOWN, UNKNOWN, UNKNOWN)
