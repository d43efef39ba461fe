"""The session under way: both sides' holds, offers that cross, re-INVITE, UPDATE, early media, forks, timers, PRACK."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable

import pytest

from telephony.messages import CallEnded, CallState, GetSnapshot, HangUp, SetHold
from tests.line.far_end import FarEnd, sdp
from tests.line.parts import FarPhone, LineProcess, Sipp
from tests.line.three import AGENT, FIRST, Ears, Span

Start = Callable[..., Sipp]
NOWHERE = "0.0.0.0"  # noqa: S104  how RFC 2543 said hold


def up(line: LineProcess, far: Sipp) -> str:
    line.add_line(far.port)
    call_id = line.dial()
    line.wait(CallState, lambda e: e.state == "active" and e.codec != "")
    time.sleep(0.2)
    return call_id


def hold(line: LineProcess, call_id: str, on: bool) -> None:
    line.client.request(SetHold("", call_id, on))


def leave(line: LineProcess, call_id: str, far: Sipp) -> CallEnded:
    line.client.request(HangUp("", call_id))
    record = line.ended()
    far.finished()
    return record


@pytest.mark.parametrize("how", ["sendonly", "inactive", NOWHERE])
def test_the_far_sides_hold_shows_while_ours_lasts(line: LineProcess, sipp: Start, how: str) -> None:
    offer = sdp("sendrecv", address=how) if how == NOWHERE else sdp(how)
    far = FarEnd().answers().held().pause(300).reinvites(offer).pause(500).reinvites(sdp("sendrecv"))
    peer = sipp(far.resumed().until_bye().text())
    call_id = up(line, peer)
    hold(line, call_id, True)
    both = line.wait(CallState, lambda e: e.far_held)
    assert both.held
    ours = line.wait(CallState, lambda e: not e.far_held)
    assert ours.held
    time.sleep(0.3)
    hold(line, call_id, False)
    time.sleep(0.5)
    assert [(c["held"], c["far_held"]) for c in line.client.request(GetSnapshot(""))["calls"]] == [(False, False)]
    leave(line, call_id, peer)
    kinds = [kind for _, kind, _ in json.loads((line.folder / f"{call_id}.json").read_text())["events"]]
    assert [k for k in kinds if k.endswith(("hold", "resume"))] == ["hold", "far_hold", "far_resume", "resume"]


def test_held_by_both_and_ours_ends_first(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers().pause(300).reinvites(sdp("sendonly"))
    far.recv("INVITE", (("body", "a=inactive"),)).ok(sdp("inactive")).recv("ACK")
    far.recv("INVITE", (("body", "a=sendrecv"),)).ok(sdp("sendonly")).recv("ACK")
    peer = sipp(far.pause(300).reinvites(sdp("sendrecv")).until_bye().text())
    call_id = up(line, peer)
    line.wait(CallState, lambda e: e.far_held and not e.held)
    time.sleep(0.2)
    hold(line, call_id, True)
    assert line.wait(CallState, lambda e: e.held).far_held
    time.sleep(0.3)
    hold(line, call_id, False)
    assert line.wait(CallState, lambda e: not e.held).far_held
    assert not line.wait(CallState, lambda e: not e.far_held).held
    time.sleep(0.2)
    leave(line, call_id, peer)


def test_resume_while_the_hold_is_under_way_waits_its_turn(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers().recv("INVITE", (("body", "a=sendonly"),)).reply(100, "Trying", tag="").pause(700)
    peer = sipp(far.ok(sdp("recvonly")).recv("ACK").resumed().until_bye().text())
    call_id = up(line, peer)
    for on in (True, False, True, False):
        hold(line, call_id, on)
    assert not line.client.request(GetSnapshot(""))["calls"][0]["held"]
    time.sleep(1.8)
    leave(line, call_id, peer)


def test_offers_that_cross_are_sent_again(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers().recv("INVITE").reply(491, "Request Pending", tag="").recv("ACK").held().until_bye()
    peer = sipp(far.text())
    call_id = up(line, peer)
    hold(line, call_id, True)
    time.sleep(4.6)  # RFC 3261, 14.1: 2.1 to 4 s for who made the call
    assert line.client.request(GetSnapshot(""))["calls"][0]["held"]
    leave(line, call_id, peer)


def test_a_far_end_that_will_not_be_resumed_stays_on_hold(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers().held()
    for _ in range(4):
        far.recv("INVITE").reply(488, "Not Acceptable Here", tag="").recv("ACK")
    peer = sipp(far.until_bye().text())
    call_id = up(line, peer)
    hold(line, call_id, True)
    time.sleep(0.4)
    hold(line, call_id, False)
    line.wait(CallState, lambda e: not e.held)
    assert line.wait(CallState, lambda e: e.held, timeout=8).state == "active"
    leave(line, call_id, peer)


def test_another_codec_another_address_and_an_offer_asked_for(line: LineProcess, sipp: Start) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind(("127.0.0.1", 0))
        elsewhere.settimeout(2)
        port = str(elsewhere.getsockname()[1])
        far = FarEnd().answers().pause(300).reinvites(sdp("sendrecv", 0, "PCMU")).pause(300)
        far.reinvites(sdp("sendrecv", 0, "PCMU", port=port)).pause(300).reinvites("").pause(300)
        far.sends("UPDATE", sdp("sendonly")).expect(200).pause(300).sends("UPDATE", sdp("sendrecv")).expect(200)
        peer = sipp(far.until_bye().text())
        call_id = up(line, peer)
        line.wait(CallState, lambda e: e.codec == "PCMU")
        packet = elsewhere.recv(2048)
        assert (packet[1] & 0x7F, len(packet)) == (0, 172)  # PCMU, 20 ms
        line.wait(CallState, lambda e: e.codec == "PCMA")
        line.wait(CallState, lambda e: e.far_held)
        line.wait(CallState, lambda e: not e.far_held)
        time.sleep(0.3)
        leave(line, call_id, peer)
    frames = json.loads((line.folder / f"{call_id}.json").read_text())
    steps = {b - a for a, b in zip(frames["starts"], frames["starts"][1:], strict=False)}
    assert steps == {frames["rate"] // 50}  # one tape without a hole


def test_early_media_reaches_the_headset_and_the_tape(line: LineProcess, far_phone: Callable[..., FarPhone]) -> None:
    phone = far_phone(FIRST)
    phone.order("early")
    phone.wait(lambda told: "early" in told)
    line.add_line(phone.port)
    call_id = line.dial("phone")
    early = line.wait(CallState, lambda e: e.state == "early" and e.codec != "")
    assert (early.answered_at, early.recording_id) == ("", f"rec-{call_id}")
    before = Span(1.2)
    phone.order("answer")
    line.wait(CallState, lambda e: e.state == "active")
    after = Span(1.0)
    line.client.request(HangUp("", call_id))
    line.ended()
    ears = Ears(line, call_id)
    assert ears.between(before.start, before.end) == {FIRST}
    assert ears.between(before.start, before.end, "agent") == set()
    assert ears.between(after.start, after.end, "agent") == {AGENT}
    assert line.stop() == 0
    assert (line.folder / "heard.raw").stat().st_size > 2 * 16000 * 2


def test_ringing_after_early_media_and_a_reliable_provisional_answer(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().invited((("Supported", "100rel"),))
    far.reply(183, "Session Progress", sdp(), ("Require: 100rel", "RSeq: 7")).recv("PRACK", (("RAck", "7 .* INVITE"),))
    far.ok().answer_invite(180, "Ringing").pause(300).answer_invite(200, "OK").recv("ACK").until_bye()
    peer = sipp(far.text())
    line.add_line(peer.port)
    call_id = line.dial()
    line.state("early")
    line.state("active")
    assert not [e for e in line.seen if isinstance(e, CallState) and e.state == "ringing"]
    leave(line, call_id, peer)


def test_a_fork_that_answers_second_is_hung_up(line: LineProcess, sipp: Start) -> None:
    one, two = ";tag=fork-one", ";tag=fork-two"
    far = FarEnd().invited().reply(183, "Session Progress", sdp(), tag=one).reply(180, "Ringing", tag=two)
    far.reply(183, "Session Progress", sdp(), tag=two).pause(300).reply(200, "OK", sdp(), tag=two, once=True)
    far.recv("ACK", (("To", "fork-two"),)).answer_invite(200, "OK", tag=one, body=sdp())
    far.recv("ACK", (("To", "fork-one"),)).recv("BYE", (("To", "fork-one"),)).ok()
    peer = sipp(far.recv("BYE", (("To", "fork-two"),), 20000).ok().text())
    line.add_line(peer.port)
    call_id = line.dial()
    line.state("early")
    line.state("active")
    time.sleep(0.6)
    assert [c["call_id"] for c in line.client.request(GetSnapshot(""))["calls"]] == [call_id]
    assert leave(line, call_id, peer).cause == "hung_up"
    assert len([e for e in line.seen if isinstance(e, CallEnded)]) == 1


def test_progress_without_media_is_not_ringing(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().invited().reply(183, "Session Progress").pause(300).reply(180, "Ringing").pause(200)
    peer = sipp(far.reply(486, "Busy Here").recv("ACK").text())
    line.add_line(peer.port)
    line.dial()
    dialing = line.state("dialing")
    ringing = line.state("ringing")
    assert ringing.at_ns - dialing.at_ns > 250_000_000
    assert line.ended().cause == "busy"
    peer.finished()


def test_a_refresh_of_the_session_by_the_far_end_is_answered(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers(("Require: timer", "Session-Expires: 90;refresher=uas")).pause(300)
    far.sends("UPDATE", headers=("Supported: timer", "Session-Expires: 90;refresher=uac"))
    peer = sipp(far.expect(200, wanted=(("Session-Expires", "90;refresher=uac"),)).until_bye().text())
    call_id = up(line, peer)
    time.sleep(0.5)
    assert leave(line, call_id, peer).cause == "hung_up"
