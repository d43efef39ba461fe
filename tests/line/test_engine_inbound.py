"""Calls in: ringing, answer, refusal, cancel, busy, strangers, DTMF and malformed callers, against SIPp."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from telephony.errors import LineError
from telephony.messages import (
    AddLine,
    Answer,
    CallEnded,
    CallIncoming,
    CallState,
    DtmfReceived,
    GetSnapshot,
    HangUp,
    LineConfig,
    Reject,
    SendDtmf,
)
from tests.line.parts import LineProcess, Sipp, free_port

Start = Callable[..., Sipp]


def call_in(line: LineProcess, sipp: Start, scenario: str = "call_in", **keys: str) -> Sipp:
    return sipp(scenario, line.port, **{"caller": "13911112222", "caller_name": "Zhang San", **keys})


def test_ring_answer_and_hang_up(line: LineProcess, sipp: Start) -> None:
    line.add_line(free_port())
    far = call_in(line, sipp)
    ringing = line.wait(CallIncoming)
    assert (ringing.number, ringing.display_name, ringing.dialled) == ("13911112222", "Zhang San", "agent")
    assert ringing.line_id == "l1"
    assert 0 < time.monotonic_ns() - ringing.invited_ns < 2_000_000_000
    line.state("ringing")
    assert line.client.request(GetSnapshot(""))["calls"][0]["state"] == "ringing"
    line.client.request(Answer("", ringing.call_id))
    assert line.state("active").direction == "inbound"
    with pytest.raises(LineError) as again:
        line.client.request(Answer("", ringing.call_id))
    assert again.value.code == "wrong_state"
    line.client.request(HangUp("", ringing.call_id))
    assert line.ended().cause == "hung_up"
    far.finished()


@pytest.mark.parametrize(("reason", "code"), [("busy", 486), ("decline", 603), ("not_found", 404)])
def test_reject(line: LineProcess, sipp: Start, reason: str, code: int) -> None:
    line.add_line(free_port())
    far = call_in(line, sipp, "call_in_refused")
    ringing = line.wait(CallIncoming)
    with pytest.raises(LineError) as unknown:
        line.client.request(Reject("", ringing.call_id, "because"))
    assert unknown.value.code == "bad_message"
    line.client.request(Reject("", ringing.call_id, reason))
    record = line.ended()
    assert (record.cause, record.sip_code, record.answered_at) == ("rejected", code, "")
    far.finished()
    assert f"SIP/2.0 {code} " in far.messages()


def test_caller_gives_up(line: LineProcess, sipp: Start) -> None:
    line.add_line(free_port())
    far = call_in(line, sipp, "call_in_cancelled")
    ringing = line.wait(CallIncoming)
    record = line.ended()
    assert (record.call_id, record.cause, record.sip_code) == (ringing.call_id, "missed", 487)
    far.finished()


def test_a_stranger_is_refused_and_no_one_is_told(line: LineProcess, sipp: Start) -> None:
    line.client.request(_line_of_another_host())
    far = call_in(line, sipp, "call_in_refused")
    far.finished()
    assert "SIP/2.0 403" in far.messages()
    assert line.client.request(GetSnapshot(""))["calls"] == []
    line.add_line(free_port())  # the line still works, now for callers from here
    known = call_in(line, sipp, "call_in_cancelled")
    line.wait(CallIncoming)
    line.ended()
    known.finished()
    assert len([e for e in line.seen if isinstance(e, CallIncoming | CallEnded)]) == 2


def test_a_stranger_who_is_configured_may_call(line: LineProcess, sipp: Start) -> None:
    line.client.request(_line_of_another_host(allowed=("127.0.0.1",)))
    far = call_in(line, sipp, "call_in_cancelled")
    line.wait(CallIncoming)
    line.ended()
    far.finished()


def test_dtmf_both_ways_by_rfc_4733(line: LineProcess, sipp: Start) -> None:
    line.add_line(free_port())
    far = call_in(line, sipp, "call_in_dtmf")
    ringing = line.wait(CallIncoming)
    with pytest.raises(LineError) as early:
        line.client.request(SendDtmf("", ringing.call_id, "1"))
    assert early.value.code == "wrong_state"
    line.client.request(Answer("", ringing.call_id))
    line.state("active")
    line.client.request(SendDtmf("", ringing.call_id, "12#"))
    assert [line.wait(DtmfReceived).digit for _ in range(3)] == ["1", "#", "5"]
    for wrong in ("", "x", "1" * 33):
        with pytest.raises(LineError) as refused:
            line.client.request(SendDtmf("", ringing.call_id, wrong))
        assert refused.value.code == "bad_number"
    time.sleep(0.8)  # until the scenario waits for BYE
    line.client.request(HangUp("", ringing.call_id))
    line.ended()
    far.finished()


def test_digits_arrive_as_telephone_events(line_process: Callable[..., LineProcess]) -> None:
    agent, far = line_process("agent"), line_process("far")
    agent.add_line(far.port)
    far.add_line(agent.port, user="far")
    call_id = agent.dial("far")
    far.client.request(Answer("", far.wait(CallIncoming).call_id))
    agent.state("active")
    agent.client.request(SendDtmf("", call_id, "0123456789*#AD"))
    heard = "".join(far.wait(DtmfReceived).digit for _ in range(14))
    assert heard == "0123456789*#AD"
    agent.client.request(HangUp("", call_id))
    assert far.ended().cause == "far_hung_up"


def test_garbage_on_the_sip_port_harms_nothing(line: LineProcess, sipp: Start) -> None:
    line.add_line(free_port())
    junk = [
        b"",
        b"\r\n\r\n",
        b"\x00" * 1500,
        b"INVITE sip:agent@127.0.0.1 SIP/2.0\r\n\r\n",
        b"INVITE \xff\xfe SIP/2.0\r\nFrom: \xc3\x28\r\nContent-Length: 999999\r\n\r\nv=0",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK\r\n\r\n",
        _invite(from_header=b'"\xc3\x28 \\" <b>" <sip:%41%0d%0aX:1@127.0.0.1>;tag=1'),
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for packet in junk:
            sender.sendto(packet, ("127.0.0.1", line.port))
        odd = line.wait(CallIncoming)
        assert odd.number == "AX"
        assert odd.display_name.isprintable()
        line.client.request(Reject("", odd.call_id, "decline"))
        line.ended()
    far = call_in(line, sipp, "call_in_cancelled")
    line.wait(CallIncoming)
    line.wait(CallState, lambda e: e.state == "ended" and e.number == "13911112222")
    far.finished()


def _invite(from_header: bytes) -> bytes:
    sdp = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"
    head = [
        b"INVITE sip:agent@127.0.0.1 SIP/2.0",
        b"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKodd",
        b"From: " + from_header,
        b"To: <sip:agent@127.0.0.1>",
        b"Call-ID: odd",
        b"CSeq: 1 INVITE",
        b"Contact: <sip:x@127.0.0.1:9>",
        b"Max-Forwards: 70",
        b"Content-Type: application/sdp",
        b"Content-Length: %d" % len(sdp),
    ]
    return b"\r\n".join(head) + b"\r\n\r\n" + sdp


def _line_of_another_host(allowed: tuple[str, ...] = ()) -> AddLine:
    return AddLine("", LineConfig("l1", "Agent", "agent", "192.0.2.1:5060", allowed_peers=allowed))
