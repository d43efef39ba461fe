"""Calls out: every way they can end, against SIPp."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from telephony.errors import LineError
from telephony.messages import (
    Answer,
    CallState,
    Dial,
    GetSnapshot,
    HangUp,
    LineConfig,
    Reject,
    RemoveLine,
    SetHold,
)
from tests.line.parts import LineProcess, Sipp, end_process, free_port

Start = Callable[..., Sipp]


@pytest.fixture
def mute_peer() -> Iterator[int]:
    """A port that takes INVITEs and never says a word."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        yield peer.getsockname()[1]


def test_answered_call_has_states_times_and_a_record(line: LineProcess, sipp: Start) -> None:
    far = sipp("answer")
    line.add_line(far.port)
    before = time.monotonic_ns()
    call_id = line.dial("13812345678")
    dialing = line.state("dialing")
    assert (dialing.call_id, dialing.direction, dialing.number) == (call_id, "outbound", "13812345678")
    assert before < dialing.at_ns < time.monotonic_ns()
    line.state("ringing")
    active = line.wait(CallState, lambda e: e.state == "active" and e.codec != "")
    assert active.codec == "PCMA"
    assert active.started_at < active.answered_at
    assert active.recording_id == f"rec-{call_id}"
    time.sleep(0.5)
    line.client.request(HangUp("", call_id))
    line.state("ended")
    record = line.ended()
    assert (record.cause, record.sip_code, record.number) == ("hung_up", 200, "13812345678")
    assert 450 < record.talk_ms < 1500
    assert record.started_at < record.answered_at < record.ended_at
    assert record.quality["codec"] == "PCMA"
    assert record.quality["tx_packets"] > 15
    assert f"INVITE sip:13812345678@127.0.0.1:{far.port} SIP/2.0" in far.messages()
    far.finished()


def test_only_the_three_codecs_and_dtmf_are_offered(line: LineProcess, sipp: Start) -> None:
    far = sipp("answer")
    line.add_line(far.port)
    call_id = line.dial()
    line.state("active")
    line.client.request(HangUp("", call_id))
    far.finished()
    offer = far.messages().split("m=audio", 1)[1]
    offer = offer[: offer.index("\n\n")] if "\n\n" in offer else offer
    names = [entry.split()[1].split("/")[0] for entry in offer.split("a=rtpmap:")[1:]]
    assert names[:4] == ["G722", "PCMA", "PCMU", "telephone-event"]
    for unwanted in ("m=video", "a=candidate", "a=ice", "a=crypto", "speex", "iLBC", "GSM"):
        assert unwanted not in offer


REFUSALS = (
    ("refuse", "486 Busy Here", "busy"),
    ("refuse", "600 Busy Everywhere", "busy"),
    ("refuse", "603 Decline", "declined"),
    ("refuse", "404 Not Found", "not_found"),
    ("refuse", "484 Address Incomplete", "not_found"),
    ("refuse", "503 Service Unavailable", "unreachable"),
    ("refuse", "480 Temporarily Unavailable", "unreachable"),
    ("refuse", "500 Server Internal Error", "failed"),
    ("ring_refuse", "480 No Answer", "no_answer"),
    ("ring_refuse", "486 Busy Here", "busy"),
)


def test_refusals_become_causes(line: LineProcess, sipp: Start) -> None:
    """One line process for all of them: the next call works after each."""
    for scenario, status, cause in REFUSALS:
        far = sipp(scenario, status=status)
        line.add_line(far.port)
        line.dial()
        record = line.ended()
        code, reason = status.split(" ", 1)
        assert (record.cause, record.sip_code, record.reason) == (cause, int(code), reason), status
        assert (record.answered_at, record.talk_ms) == ("", 0), status
        far.finished()


def test_cancel_while_it_rings(line: LineProcess, sipp: Start) -> None:
    far = sipp("ring")
    line.add_line(far.port)
    call_id = line.dial()
    line.state("ringing")
    for too_early in (SetHold("", call_id, True), Answer("", call_id), Reject("", call_id)):
        with pytest.raises(LineError) as refused:
            line.client.request(too_early)
        assert refused.value.code == "wrong_state"
    line.client.request(HangUp("", call_id))
    record = line.ended()
    assert (record.cause, record.sip_code) == ("cancelled", 487)
    far.finished()


def test_a_peer_that_never_answers_does_not_hold_the_line(line: LineProcess, mute_peer: int) -> None:
    line.add_line(mute_peer)
    call_id = line.dial()
    line.client.request(HangUp("", call_id))
    assert line.ended(3).cause == "cancelled"
    second = line.dial()
    line.client.request(HangUp("", second))
    assert line.ended(3).call_id == second


def test_a_far_end_that_died_does_not_hold_the_line(line: LineProcess, sipp: Start) -> None:
    far = sipp("answer")
    line.add_line(far.port)
    call_id = line.dial()
    line.state("active")
    time.sleep(0.3)
    end_process(far.process)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:  # so that the BYE is not bounced but lost
        deaf.bind(("127.0.0.1", far.port))
        line.client.request(HangUp("", call_id))
        record = line.ended(4)
    assert record.cause == "hung_up"
    assert record.quality["tx_packets"] > 0
    assert json.loads((line.folder / f"{call_id}.json").read_text())["cause"] == "hung_up"
    next_far = sipp("answer")
    line.add_line(next_far.port)
    line.dial()
    line.state("active")


def test_early_media_is_heard_and_taped(line: LineProcess, sipp: Start) -> None:
    far = sipp("early")
    line.add_line(far.port)
    call_id = line.dial()
    early = line.state("early")
    assert early.answered_at == ""
    line.state("active")
    time.sleep(0.3)
    line.client.request(HangUp("", call_id))
    line.ended()
    tape = json.loads((line.folder / f"{call_id}.json").read_text())
    answered_at = next(start for start, kind, _ in tape["events"] if kind == "answered")
    assert 0.4 * tape["rate"] < answered_at < 1.5 * tape["rate"]
    far.finished()


def test_far_end_hangs_up(line: LineProcess, sipp: Start) -> None:
    far = sipp("far_hangup")
    line.add_line(far.port)
    call_id = line.dial()
    record = line.ended()
    assert (record.cause, record.call_id) == ("far_hung_up", call_id)
    assert 400 < record.talk_ms < 1500
    assert json.loads((line.folder / f"{call_id}.json").read_text())["cause"] == "far_hung_up"
    far.finished()


def test_a_line_with_a_call_stays_and_a_snapshot_has_it(line: LineProcess, sipp: Start) -> None:
    far = sipp("answer")
    line.add_line(far.port)
    call_id = line.dial()
    line.state("active")
    with pytest.raises(LineError) as replaced:
        line.add_line(far.port)
    assert replaced.value.code == "line_busy"
    snapshot = line.client.request(GetSnapshot(""))
    assert [(c["call_id"], c["state"]) for c in snapshot["calls"]] == [(call_id, "active")]
    assert snapshot["lines"][0]["uri"] == f"sip:agent@127.0.0.1:{line.port}"
    line.client.request(HangUp("", call_id))
    line.ended()
    assert line.client.request(GetSnapshot(""))["calls"] == []


def test_numbers_that_do_not_belong_into_an_address(line: LineProcess) -> None:
    line.add_line(free_port())
    for number in ("", "138 0000", "1380000\r\nX-Evil: 1", "<sip:x@y>", "1@evil.example", "1" * 65):
        with pytest.raises(LineError) as refused:
            line.dial(number)
        assert refused.value.code == "bad_number", number


def test_unknown_lines_and_calls(line: LineProcess) -> None:
    for command, code in (
        (Dial("", str(uuid.uuid4()), "nowhere", "1"), "no_such_line"),
        (HangUp("", "nothing"), "no_such_call"),
        (RemoveLine("", "nowhere"), "no_such_line"),
    ):
        with pytest.raises(LineError) as refused:
            line.client.request(command)
        assert refused.value.code == code


def test_a_transfer_by_the_far_end_is_declined(line: LineProcess, sipp: Start) -> None:
    far = sipp("refer")
    line.add_line(far.port)
    call_id = line.dial()
    line.state("active")
    time.sleep(0.8)
    line.client.request(HangUp("", call_id))
    assert line.ended().cause == "hung_up"
    far.finished()
    assert not [e for e in line.seen if isinstance(e, CallState) and e.call_id != call_id]


def test_from_click_to_invite_within_15_ms(line: LineProcess) -> None:
    times = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(2)
        line.add_line(peer.getsockname()[1])
        for _ in range(15):
            time.sleep(0.05)
            start = time.perf_counter()
            line.dial()
            invite, source = peer.recvfrom(65536)
            times.append(time.perf_counter() - start)
            assert invite.startswith(b"INVITE")
            peer.sendto(_busy(invite), source)
            assert line.ended().cause == "busy"
            assert peer.recv(65536).startswith(b"ACK")
    assert sorted(times)[len(times) // 2] < 0.015


def _busy(invite: bytes) -> bytes:
    kept = [h for h in invite.split(b"\r\n") if h.split(b":")[0] in (b"Via", b"From", b"Call-ID", b"CSeq")]
    to = next(h for h in invite.split(b"\r\n") if h.startswith(b"To:")) + b";tag=1"
    return b"\r\n".join([b"SIP/2.0 486 Busy Here", *kept, to, b"Content-Length: 0", b"", b""])


def test_redialling_a_dead_peer_is_told_busy_not_broken(line: LineProcess, mute_peer: int) -> None:
    line.add_line(mute_peer)
    with pytest.raises(LineError) as refused:
        for _ in range(9):
            call_id = line.dial()
            line.client.request(HangUp("", call_id))
            line.ended()
    assert refused.value.code == "line_busy"


def test_no_personal_data_in_the_log(line: LineProcess, sipp: Start) -> None:
    far = sipp("refuse", status="503 Service Unavailable")
    line.add_line(far.port, user="zhang", password="hunter2secret")
    line.dial("13812345678")
    line.ended()
    assert line.stop() == 0
    log = (line.folder / "stderr.txt").read_text()
    for secret in ("13812345678", "hunter2secret", "zhang", "sip:"):
        assert secret not in log
    assert "hunter2secret" not in repr(LineConfig("l", "n", "u", "p:1", password="hunter2secret"))
