"""Far ends that fall silent: no call is stuck, each has its record; and sessions kept up by their timers (RFC 4028).

PJSIP waits 32 s for an answer and refuses sessions under 90 s, so these take a minute, all of them at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from telephony.messages import Answer, CallEnded, CallIncoming, CallState, Event, GetSnapshot, HangUp
from tests.line.far_end import FarEnd
from tests.line.parts import LineProcess, Sipp, free_port

Lines = Callable[..., LineProcess]
Start = Callable[..., Sipp]
MINUTE = 90
"""Seconds that SIPp stays."""


def scenario_up(line: LineProcess, far: Sipp) -> str:
    line.add_line(far.port)
    call_id = line.dial()
    line.wait(CallState, lambda e: e.state == "active" and e.codec != "")
    return call_id


@pytest.mark.slow
def test_far_ends_that_fall_silent_and_sessions_with_timers(line_process: Lines, sipp: Start) -> None:
    begun = time.monotonic()
    never_answers = line_process("never_answers")
    silent = sipp(FarEnd().invited().pause(60_000).text(), patience=MINUTE)
    never_answers.add_line(silent.port)
    unanswered = never_answers.dial()

    never_acknowledges = line_process("never_acknowledges")
    never_acknowledges.add_line(free_port())
    caller = FarEnd(calls=True).invites().expect(100, optional=True).expect(180).expect(200).pause(60_000)
    sipp(caller.text(), never_acknowledges.port, patience=MINUTE)
    ringing = never_acknowledges.wait(CallIncoming)
    never_acknowledges.client.request(Answer("", ringing.call_id))

    refreshes = line_process("refreshes")
    far = FarEnd().answers(("Require: timer", "Session-Expires: 90;refresher=uac", "Allow: UPDATE"))
    far.recv("UPDATE", (("Session-Expires", "90;refresher=uac"),), 60_000).reply(
        200, "OK", headers=("Require: timer", "Session-Expires: 90;refresher=uac"), tag=""
    )
    refreshing = sipp(far.until_bye().text(), patience=MINUTE)
    refreshed = scenario_up(refreshes, refreshing)

    abandoned = line_process("abandoned")
    far = FarEnd().answers(("Require: timer", "Session-Expires: 90;refresher=uas")).until_bye(80_000)
    leaving = sipp(far.text(), patience=MINUTE)
    lost = scenario_up(abandoned, leaving)

    record = never_answers.wait(CallEnded, timeout=40)
    assert (record.call_id, record.cause, record.sip_code) == (unanswered, "unreachable", 408)
    record = never_acknowledges.wait(CallEnded, timeout=10)
    assert (record.call_id, record.cause) == (ringing.call_id, "missed")
    assert time.monotonic() - begun < 40
    for line in (never_answers, never_acknowledges):
        assert line.client.request(GetSnapshot(""))["calls"] == []

    record = abandoned.wait(CallEnded, timeout=60)
    assert (record.call_id, record.cause, record.sip_code) == (lost, "line_lost", 408)
    leaving.finished()
    assert _up(refreshes) == [refreshed]
    refreshes.client.request(HangUp("", refreshed))
    assert refreshes.ended().cause == "hung_up"
    refreshing.finished()


def test_hanging_up_does_not_wait_for_who_never_acknowledged(line: LineProcess, sipp: Start) -> None:
    line.add_line(free_port())
    caller = FarEnd(calls=True).invites().expect(100, optional=True).expect(180).expect(200).pause(8000)
    sipp(caller.text(), line.port)
    ringing = line.wait(CallIncoming)
    line.client.request(Answer("", ringing.call_id))
    time.sleep(0.5)
    began = time.monotonic()
    line.client.request(HangUp("", ringing.call_id))
    record = line.ended(4)
    assert (record.call_id, record.direction) == (ringing.call_id, "inbound")
    assert time.monotonic() - began < 3
    assert len(_events(line, CallEnded)) == 1


def _up(line: LineProcess) -> list[str]:
    return [call["call_id"] for call in line.client.request(GetSnapshot(""))["calls"]]


def _events(line: LineProcess, kind: type[Event]) -> list[Event]:
    return [event for event in line.seen if isinstance(event, kind)]
