"""Only configured hosts may ring here; everything else is refused and leaves nothing behind."""

from __future__ import annotations

import uuid

import pytest

from telephony.messages import CallEnded, CallIncoming, GetSnapshot
from tests.benchmarks.figures import cpu_seconds
from tests.hostile.sip import KNOWN, STRANGER, Endpoint, flood, invite, method, request, response, status, value
from tests.hostile.target import is_ready, settle
from tests.line.parts import LineProcess

pytestmark = pytest.mark.alone

BEGINNINGS = {
    "MESSAGE": (405, ()),
    "SUBSCRIBE": (405, ("Event: presence", "Expires: 600")),
    "REFER": (405, ("Refer-To: <sip:premium@192.0.2.1>",)),
    "NOTIFY": (405, ("Event: message-summary", "Subscription-State: active")),
    "PUBLISH": (405, ("Event: presence",)),
    "REGISTER": (405, ()),
    "UPDATE": (481, ()),
    "INFO": (481, ()),
    "BYE": (481, ()),
    "CANCEL": (481, ()),
    "FROBNICATE": (405, ()),
}


@pytest.mark.parametrize("host", [STRANGER, KNOWN])
def test_requests_that_begin_something_else_are_refused(line: LineProcess, host: str) -> None:
    line.add_line(9)
    with Endpoint(line.port, host) as sender:
        for name, (code, headers) in BEGINNINGS.items():
            call_id = uuid.uuid4().hex
            sender.send(request(name, sender, *headers, call_id=call_id))
            answer = sender.wait(lambda m, c=call_id: value(m, "Call-ID") == c)  # type: ignore[misc]
            assert status(answer) == code, name
        sender.send(request("ACK", sender))
        assert [m for m in sender.heard() if method(m)] == []  # no NOTIFY: nothing was subscribed to
    assert line.process.poll() is None


@pytest.mark.parametrize("body", [None, b""])
def test_a_strangers_call_is_refused_with_and_without_sdp(line: LineProcess, body: bytes | None) -> None:
    line.add_line(9)
    with Endpoint(line.port, STRANGER) as stranger, Endpoint(line.port) as known:
        for _ in range(8):
            call_id = uuid.uuid4().hex
            stranger.send(invite(stranger, body, call_id=call_id))
            answer = stranger.final(call_id)
            assert status(answer) == 403
            stranger.acknowledge(answer)
        assert line.client.request(GetSnapshot(""))["calls"] == []
        is_ready(known)
    line.wait(CallIncoming)
    line.wait(CallEnded)
    assert len([e for e in (*line.seen, *list(line.events.queue)) if isinstance(e, CallIncoming)]) == 1


def test_forged_grants_are_refused_and_do_not_come_fast(line: LineProcess) -> None:
    line.add_line(9)
    with Endpoint(line.port, STRANGER) as stranger, Endpoint(line.port) as known:
        _, heard = flood(stranger, (invite(stranger, None, "X-Monitor-Grant: forged") for _ in range(100)), 200)
        heard += settle(stranger)
        codes = [status(m) for m in heard if status(m) >= 200]
        assert set(codes) == {403, 503}
        is_ready(known)


def test_a_stranger_costs_little(line: LineProcess) -> None:
    """A refused INVITE takes less than 5 ms of the processor: 200 a second leave the line its time."""
    line.add_line(9)
    with Endpoint(line.port, STRANGER) as stranger:
        before = cpu_seconds(line.process.pid)
        sent, _ = flood(stranger, (invite(stranger) for _ in range(400)), 200)
        assert (cpu_seconds(line.process.pid) - before) / sent < 0.005


def test_an_answer_that_nobody_asked_for_is_dropped(line: LineProcess) -> None:
    line.add_line(9)
    with Endpoint(line.port, STRANGER) as stranger, Endpoint(line.port) as known:
        for code in (100, 180, 200, 302, 401, 603):
            stranger.send(response(invite(stranger), code, stranger))
        is_ready(known)
        assert stranger.heard() == []
