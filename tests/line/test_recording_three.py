"""Sealed recordings of conferences and transfers: every voice is on the channel where it belongs, and on no other."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from telephony.messages import (
    Answer,
    CallEnded,
    CallIncoming,
    CallState,
    Dial,
    HangUp,
    LineConfig,
    SetConference,
    TransferState,
    TransferToCall,
)
from tests.line.parts import FarPhone, LineProcess
from tests.line.sealed_tape import sealed_tape, tone_voice
from tests.line.three import AGENT, FIRST, SECOND, TONES
from tests.support.lines import Seat, start_seat

Phones = Callable[..., FarPhone]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Callable[[int, int], Seat]]:
    """A real line process with one line to each of two far ends."""
    started: list[Seat] = []

    def start(first_port: int, second_port: int) -> Seat:
        peers = ((f"l{n}", f"127.0.0.1:{port}") for n, port in enumerate((first_port, second_port), 1))
        lines = tuple(LineConfig(name, "", f"agent-{name}", peer=peer) for name, peer in peers)
        started.append(start_seat(tmp_path, "agent", audio=tone_voice(tmp_path, AGENT), lines=lines))
        return started[-1]

    yield start
    for seat in started:
        seat.port.stop()


def call(seat: Seat, line_id: str) -> str:
    call_id = str(uuid.uuid4())
    seat.port.request(lambda i: Dial(i, call_id, line_id, "phone"))
    return call_id


def up(seat: Seat, call_id: str) -> None:
    seat.wait(CallState, lambda e: e.call_id == call_id and e.state == "active" and e.codec != "")


def test_a_conference_partner_is_beside_the_agent_on_the_others_tape(
    agent: Callable[[int, int], Seat], line_process: Callable[..., LineProcess]
) -> None:
    others = line_process("first", tone=FIRST), line_process("second", tone=SECOND)
    here = agent(*(other.port for other in others))
    calls = []
    for line_id, other in zip(("l1", "l2"), others, strict=True):
        other.add_line(here.sip_port)
        calls.append(call(here, line_id))
        other.client.request(Answer("", other.wait(CallIncoming).call_id))
        up(here, calls[-1])
    time.sleep(0.9)
    here.port.request(lambda i: SetConference(i, True))
    time.sleep(1.6)
    here.port.request(lambda i: SetConference(i, False))
    time.sleep(1.0)
    for call_id in calls:
        here.port.request(lambda i, c=call_id: HangUp(i, c))  # type: ignore[misc]
    for call_id, own, other_tone in zip(calls, (FIRST, SECOND), (SECOND, FIRST), strict=True):
        tape = sealed_tape(here, call_id)
        joined, parted = tape.at("conference_started"), tape.at("conference_ended")
        together = (joined + 0.5, parted - 0.1)
        assert tape.tones("far", *together, TONES) == {own}
        assert tape.tones("agent", *together, TONES) == {AGENT, other_tone}
        for span in ((0.4, joined - 0.2), (parted + 0.3, tape.seconds - 0.1)):
            assert tape.tones("far", *span, TONES) <= {own}
            assert tape.tones("agent", *span, TONES) <= {AGENT}
        assert tape.seconds == pytest.approx(tape.manifest.monotonic_ms / 1000, abs=0.25)


def test_an_attended_transfer_leaves_each_far_end_on_its_own_tape(
    agent: Callable[[int, int], Seat], far_phone: Phones
) -> None:
    here = agent(far_phone(FIRST).port, far_phone(SECOND).port)
    first = call(here, "l1")
    up(here, first)
    time.sleep(1.0)
    second = call(here, "l2")
    up(here, second)
    time.sleep(1.2)
    here.port.request(lambda i: TransferToCall(i, first, second))
    assert here.wait(TransferState, lambda e: e.state in ("done", "failed")).state == "done"
    assert here.wait(CallEnded, lambda e: e.call_id == first).cause == "transferred"
    here.wait(CallEnded, lambda e: e.call_id == second)
    one, two = sealed_tape(here, first), sealed_tape(here, second)
    held = one.at("hold")
    assert one.tones("agent", 0.3, held - 0.1, TONES) == {AGENT}
    assert one.tones("far", 0.4, held - 0.1, TONES) == {FIRST}
    assert (
        one.tones("far", held + 0.3, one.seconds, TONES) == one.tones("agent", held + 0.3, one.seconds, TONES) == set()
    )
    moved = two.at("hold") if two.marks("hold") else two.seconds
    assert two.tones("agent", 0.3, moved - 0.1, TONES) == {AGENT}
    assert two.tones("far", 0.4, moved - 0.1, TONES) == {SECOND}
    assert one.marks("transfer_started")[0]["attended"] is True
    assert {one.manifest.number, two.manifest.number} == {1, 2}


def test_another_far_end_in_the_calls_place_is_on_the_same_tape(
    agent: Callable[[int, int], Seat], far_phone: Phones
) -> None:
    colleague, caller = far_phone(FIRST), far_phone(SECOND)
    here = agent(colleague.port, caller.port)
    call_id = call(here, "l1")
    up(here, call_id)
    dialog = colleague.wait(lambda told: "dialog" in told)["dialog"]
    time.sleep(1.0)
    right = f"{dialog['Call-ID']};to-tag={dialog['From']};from-tag={dialog['To']}"
    caller.order(f"replace sip:agent@127.0.0.1:{here.sip_port} {right}")
    caller.state("CONFIRMED")
    time.sleep(1.4)
    here.port.request(lambda i: HangUp(i, call_id))
    tape = sealed_tape(here, call_id)
    replaced = tape.at("far_end_replaced")
    assert tape.tones("far", 0.4, replaced - 0.1, TONES) == {FIRST}
    assert tape.tones("far", replaced + 0.5, tape.seconds - 0.1, TONES) == {SECOND}
    for span in ((0.3, replaced - 0.1), (replaced + 0.5, tape.seconds - 0.1)):
        assert tape.tones("agent", *span, TONES) == {AGENT}
