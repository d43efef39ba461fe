"""Far ends that do not keep to SIP: each call ends with one record, and the line is ready again."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from telephony.errors import LineError
from telephony.messages import Answer, CallEnded, CallIncoming, GetSnapshot, HangUp
from tests.hostile.sip import Endpoint, invite, method, request, response, sdp, status, tag_of, value
from tests.hostile.target import READY_S, is_ready, settle
from tests.line.parts import LineProcess, wait_until

PJSIP_CALLS = 4


def records(line: LineProcess) -> list[CallEnded]:
    return [e for e in (*line.seen, *list(line.events.queue)) if isinstance(e, CallEnded)]


def asked(far: Endpoint) -> bytes:
    """The INVITE of a call out."""
    return far.wait(lambda m: method(m) == "INVITE")


def connected(line: LineProcess, far: Endpoint) -> tuple[str, bytes]:
    """A call out that the far end has answered."""
    line.add_line(far.port)
    call_id = line.dial()
    far.send(response(question := asked(far), 200, far, body=sdp()))
    line.state("active")
    far.wait(lambda m: method(m) == "ACK")
    return call_id, question


def test_no_answer_to_anything(line_process: Callable[..., LineProcess]) -> None:
    """No ACK to our 200; no answer to BYE or CANCEL until PJSIP has no room for a call; each for its own line."""
    deaf, gone = line_process("deaf"), line_process("gone")
    with Endpoint(deaf.port) as caller, Endpoint(gone.port) as callee:
        deaf.add_line(9)
        caller.send(invite(caller))
        answered, begin = deaf.wait(CallIncoming).call_id, time.monotonic()
        deaf.client.request(Answer("", answered))
        caller.wait(lambda m: status(m) == 200)
        _fill_up(gone, callee)
        assert is_ready(callee) < READY_S
        assert deaf.ended(READY_S - (time.monotonic() - begin)).call_id == answered
        assert is_ready(caller) < READY_S
    assert len({record.call_id for record in records(deaf)}) == len(records(deaf))
    wait_until(lambda: not gone.client.request(GetSnapshot(""))["calls"])


def _fill_up(line: LineProcess, far: Endpoint) -> None:
    line.add_line(far.port)
    for code, state in [(200, "active"), *[(180, "ringing")] * PJSIP_CALLS]:
        call_id = line.dial()
        far.send(response(asked(far), code, far, body=sdp() if code == 200 else b""))
        line.state(state)
        line.client.request(HangUp("", call_id))
        begin = time.monotonic()
        assert line.ended().call_id == call_id
        assert time.monotonic() - begin < 4
    with pytest.raises(LineError) as refused:
        line.dial()
    assert refused.value.code in ("line_busy", "sip_error")


def test_200_twice(line: LineProcess) -> None:
    """The same again gets another ACK; one of another far end (a fork) does not take the call's place."""
    with Endpoint(line.port) as far:
        call_id, question = connected(line, far)
        far.send(response(question, 200, far, body=sdp()))
        far.wait(lambda m: method(m) == "ACK")
        far.send(response(question, 200, far, body=sdp(port=50000), tag="fork"))
        time.sleep(0.5)
        [call] = line.client.request(GetSnapshot(""))["calls"]
        assert (call["call_id"], call["state"]) == (call_id, "active")
        line.client.request(HangUp("", call_id))
        bye = far.wait(lambda m: method(m) == "BYE" and tag_of(m) == "answer")
        far.send(response(bye, 200, far))
        assert line.ended().cause == "hung_up"
        assert len(records(line)) == 1


def test_provisional_answers_for_ever(line: LineProcess) -> None:
    with Endpoint(line.port) as far:
        line.add_line(far.port)
        call_id = line.dial()
        question = asked(far)
        for number in range(300):
            far.send(response(question, (180, 181, 183, 199)[number % 4], far, tag=f"t{number % 7}"))
            time.sleep(0.01)
        [call] = line.client.request(GetSnapshot(""))["calls"]
        assert call["state"] in ("ringing", "early")
        line.client.request(HangUp("", call_id))
        far.send(response(far.wait(lambda m: method(m) == "CANCEL"), 200, far))
        far.send(response(question, 487, far))
        assert line.ended().cause == "cancelled"
        is_ready(far)


def test_bye_twice(line: LineProcess) -> None:
    with Endpoint(line.port) as far:
        call_id, question = connected(line, far)
        bye = _bye(far, question)
        far.send(bye)
        far.send(bye)
        assert line.ended().call_id == call_id
        far.send(_bye(far, question, number=9))
        codes = [status(far.wait(lambda m, n=n: value(m, "CSeq") == f"{n} BYE")) for n in (8, 9)]  # type: ignore[misc]
        assert codes[0] == 200
        assert codes[1] in (200, 481)  # until PJSIP forgets the dialog
        assert [e.cause for e in records(line)] == ["far_hung_up"]
        is_ready(far)


def test_a_hang_up_before_the_answer_is_acknowledged(line: LineProcess) -> None:
    """BYE without ACK, as a caller does that lost our 200."""
    line.add_line(9)
    with Endpoint(line.port) as far:
        far.send(invite(far, call_id="hasty"))
        ringing = line.wait(CallIncoming)
        line.client.request(Answer("", ringing.call_id))
        answer = far.wait(lambda m: status(m) == 200)
        far.send(request("BYE", far, call_id="hasty", cseq=2, to_tag=tag_of(answer)))
        assert line.ended(40.0).call_id == ringing.call_id
        settle(far)
        assert is_ready(far) < READY_S


def _bye(far: Endpoint, question: bytes, number: int = 8) -> bytes:
    theirs = value(question, "From").rpartition("tag=")[2]
    made = request("BYE", far, call_id=value(question, "Call-ID"), cseq=number, to_tag=theirs)
    return made.replace(b";tag=far\r\n", b";tag=answer\r\n")
