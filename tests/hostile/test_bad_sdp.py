"""Session descriptions that are wrong, offered in calls in and answered to calls out."""

from __future__ import annotations

import time
import uuid

import pytest

from telephony.door import is_plain, is_usable, names_its_method
from telephony.errors import LineError
from telephony.messages import Answer, CallIncoming, GetSnapshot, HangUp, Reject
from tests.hostile.mutate import KEY
from tests.hostile.sip import STRANGER, Endpoint, invite, method, response, sdp, status, value
from tests.hostile.target import is_ready, settle
from tests.line.parts import LineProcess, wait_until

MANY = tuple("m=audio 5000 RTP/AVP 8" for _ in range(2000))
OFFERS = {
    "no connection": sdp().replace(b"c=IN IP4 127.0.0.1\r\n", b""),
    "port 0": sdp(port=0),
    "port 0 and no connection": sdp(port=0).replace(b"c=IN IP4 127.0.0.1\r\n", b"").replace(b"RTP/AVP", b"X"),
    "another transport": sdp().replace(b"RTP/AVP", b"X"),
    "port -1": sdp(port=-1),
    "port of 32 bits": sdp(port=2**32),
    "giant number": sdp(port=10**300),
    "65 m-lines": sdp(*MANY[:65]),
    "thousands of m-lines": sdp(*MANY),
    "no m-line": b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n",
    "video only": sdp().replace(b"m=audio", b"m=video"),
    "unknown payload type": sdp(formats="96"),
    "payload types out of range": sdp("a=rtpmap:-1 PCMA/8000", formats="-1 256 99999999999"),
    "no payload type": sdp(formats=""),
    "codec without a rate": sdp("a=rtpmap:8 PCMA"),
    "codec with a giant rate": sdp("a=rtpmap:96 PCMA/99999999999999999999", formats="96"),
    "ptime 0": sdp("a=ptime:0"),
    "giant ptime": sdp("a=ptime:4294967295", "a=maxptime:4294967295"),
    "address of another type": sdp(host="::1"),
    "address that is none": sdp(host="999.9.9.9"),
    "address to look up": sdp(host="nowhere.invalid"),
    "RTCP to an address that is none": sdp("a=rtcp:99999 IN IP4 999.1.1.1"),
    "RTCP to another type": sdp("a=rtcp:5000 IN IP6 127.0.0.1"),
    "line ends of its own": sdp(host="::1").replace(b"\r\n", b"\r"),
    "text": b"hello",
    "zeros": bytes(500),
    "nothing": b"",
    **{
        f"SDES {name}": sdp(line).replace(b"RTP/AVP", b"RTP/SAVP")
        for name, line in {
            "without a key": "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:",
            "with half a key": f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY[:20]}",
            "with a long key": "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 3000,
            "that is not base64": "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\x01\x02!!",
            "of an unknown suite": f"a=crypto:1 ROT13 inline:{KEY}",
            "with a giant tag": f"a=crypto:{10**30} AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^{10**9}|{10**20}:99",
            "with nothing": "a=crypto:",
            "that is missing": "a=sendrecv",
        }.items()
    },
}
TOO_LONG = ("thousands of m-lines",)
"""Longer than the 4,000 bytes that PJSIP takes of a datagram: dropped."""
ODD_ANSWERS = ("port 0", "address of another type", "address to look up", "text", "giant ptime", "SDES without a key")


@pytest.mark.parametrize("srtp", ["off", "optional"])
def test_offers(line: LineProcess, srtp: str) -> None:
    """Each call is refused or rings; one that rings can be answered, and is gone when it is hung up."""
    line.add_line(9, srtp=srtp)
    with Endpoint(line.port) as far:
        for name, offer in OFFERS.items():
            call_id = uuid.uuid4().hex
            far.send(invite(far, offer, call_id=call_id))
            try:
                _see_through(line, far, call_id, name)
            except AssertionError as error:
                raise AssertionError(f"with {name}: {error}") from error
        is_ready(far)
    wait_until(lambda: not line.client.request(GetSnapshot(""))["calls"])


def test_offers_of_a_stranger(line: LineProcess) -> None:
    """Each is refused, whatever PJSIP thinks of it."""
    line.add_line(9)
    with Endpoint(line.port, STRANGER) as stranger, Endpoint(line.port) as known:
        for name, offer in OFFERS.items():
            if name in TOO_LONG:
                continue
            call_id = uuid.uuid4().hex
            stranger.send(invite(stranger, offer, call_id=call_id))
            answer = stranger.final(call_id)
            assert status(answer) in (400, 403, 415, 488), name
            stranger.acknowledge(answer)
        is_ready(known)


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_answers(line: LineProcess, name: str) -> None:
    """The far end picks up with a description that cannot be used: the agent can hang up, and the line goes on."""
    with Endpoint(line.port) as far:
        line.add_line(far.port)
        call_id = line.dial()
        asked = far.wait(lambda m: method(m) == "INVITE")
        far.send(response(asked, 200, far, body=OFFERS[name]))
        time.sleep(0.3)
        settle(far)
        try:
            line.client.request(HangUp("", call_id))
        except LineError as error:
            assert error.code == "no_such_call"  # PJSIP has ended it already
        assert line.ended().call_id == call_id
        is_ready(far)


def test_a_new_offer_that_cannot_be_used_leaves_the_call_as_it_is(line: LineProcess) -> None:
    with Endpoint(line.port) as far:
        line.add_line(far.port)
        call_id = line.dial()
        asked = far.wait(lambda m: method(m) == "INVITE")
        far.send(response(asked, 200, far, body=sdp()))
        line.state("active")
        theirs = value(asked, "From").rpartition("tag=")[2]
        again = invite(far, OFFERS["address of another type"], call_id=value(asked, "Call-ID"))
        again = again.replace(b"From: <sip:13911112222@127.0.0.1>;tag=far", b"From: <sip:x@127.0.0.1>;tag=answer")
        again = again.replace(b"To: <sip:agent@127.0.0.1>", f"To: <sip:agent@127.0.0.1>;tag={theirs}".encode())
        far.send(again.replace(b"CSeq: 1 ", b"CSeq: 7 "))
        assert status(far.wait(lambda m: status(m) > 100 and value(m, "CSeq") == "7 INVITE")) == 488
        [call] = line.client.request(GetSnapshot(""))["calls"]
        assert (call["call_id"], call["state"]) == (call_id, "active")
        line.client.request(HangUp("", call_id))
        far.send(response(far.wait(lambda m: method(m) == "BYE"), 200, far))
        line.ended()


PLAIN = (
    b"INVITE sip:a@b SIP/2.0\r\nCSeq: 7 INVITE\r\nContent-Length: 38\r\n\r\nv=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4 X 8"
)


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        (b"CSeq: 7 INVITE", b"CSeq: 7 OPTIONS"),
        (b"CSeq: 7 INVITE", b"CSeq: 7 INVITE\r\nCSeq: 7 OPTIONS"),
        (b"CSeq: 7 INVITE", b"CSeq: 7 INVITE\r\nCSeq : 7 OPTIONS"),
        (b"CSeq: 7 INVITE", b"X: 7 INVITE"),
        (b"Content-Length: 38", b"Content-Length: 5"),
        (b"Content-Length: 38", b"X: 38"),
        (b"Content-Length: 38", b"Content-Length: 38\r\nContent-Length: 5"),
        (b"c=IN IP4 192.0.2.1", b"c=IN IP4 :::192.02"),
        (b"c=IN IP4 192.0.2.1", b"c=IN IP4 a.invalid"),
        (b"c=IN IP4 192.0.2.1", b"c=IN IP6 192.0.2.1"),
        (b"c=IN IP4 192.0.2.1", b"b=IN IP4 192.0.2.1"),
        (b"v=0\r\nc=IN IP4 192.0.2.1", b"c=IN IP4 ::1\rc=IN IP4 1.1.1.1"),
        (b"m=audio 4 X 8", b"a=rtcp:1 ::"),
        (b"\r\n\r\n", b"\r\n"),
    ],
)
def test_what_is_not_plain_is_read_closely(found: bytes, instead: bytes) -> None:
    assert is_plain(PLAIN)
    assert found in PLAIN
    assert not is_plain(PLAIN.replace(found, instead))


def test_without_a_body_only_the_method_counts() -> None:
    assert is_plain(b"OPTIONS sip:a SIP/2.0\r\nCSeq: 7 OPTIONS\r\n\r\n")
    assert is_plain(b"BYE sip:a SIP/2.0\r\nCSeq: 7 BYE\r\nX: y\r\n\r\n")
    assert not is_plain(b"OPTIONS sip:a SIP/2.0\r\nCSeq: 7 INVITE\r\n\r\n")


def test_what_the_door_lets_in() -> None:
    assert is_usable("v=0\r\nm=audio 4 X 8\r\nc=IN IP4 192.0.2.1/127\r\na=rtcp:5 \r\na=rtcp:6 IN IP6 ::1\r\n")
    assert is_usable("a=rtcp:5 IN IP6 ::1\r")
    assert not is_usable("v=0\r\nm=audio 4 X 8\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 X 8\r\n")
    for wrong in ("v=0\rc=IN IP4 ::1\r", "c=IN IP4 x.invalid\n", "c=\n", "a=rtcp:5 IN IP4 1\n", "c=IN IP6 127.0.0.1"):
        assert not is_usable(wrong)
    assert names_its_method("INVITE", "a: b\r\nCSeq : 0009\r\n  INVITE\r\nc: d")
    assert not names_its_method("OPTIONS", "a: b\rcseq:8 INVITE")
    assert not names_its_method("INVITE", "CSeq: 8 INVITE\r\nCSeq: 8 OPTIONS")


def _see_through(line: LineProcess, far: Endpoint, call_id: str, name: str) -> None:
    if name in TOO_LONG:
        return
    answer = far.wait(lambda m: status(m) >= 180 and value(m, "Call-ID") == call_id)
    assert line.process.poll() is None, name
    if status(answer) >= 300:
        far.acknowledge(answer)
        return
    ringing = line.wait(CallIncoming)
    try:
        line.client.request(Answer("", ringing.call_id))
        settle(far)
        line.client.request(HangUp("", ringing.call_id))
    except LineError:  # nothing in common; PJSIP may have refused it by itself
        if any(c["call_id"] == ringing.call_id for c in line.client.request(GetSnapshot(""))["calls"]):
            line.client.request(Reject("", ringing.call_id))
    deadline = time.monotonic() + 5
    while line.client.request(GetSnapshot(""))["calls"]:
        settle(far)
        assert time.monotonic() < deadline, name
        time.sleep(0.02)
    settle(far)
