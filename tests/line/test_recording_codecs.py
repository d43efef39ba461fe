"""Sealed recordings of calls whose codec changes on the way: the rate stays, nothing is lost, wide band is there."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from telephony.messages import Answer, CallEnded, CallIncoming, CallState, Dial, HangUp, RecordingState
from tests.line.forking_far_end import ForkingFarEnd
from tests.line.parts import FarPhone
from tests.line.sealed_tape import SealedTape, sealed_tape, tone_voice
from tests.support.lines import Seat, start_seat

AGENT, FAR, WIDE = 1000.0, 440.0, 5000.0
TONES = (AGENT, FAR, WIDE)
Phones = Callable[..., FarPhone]
StartSeat = Callable[..., Seat]


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[StartSeat]:
    started: list[Seat] = []

    def start(peer_port: int) -> Seat:
        started.append(start_seat(tmp_path, "seat", peer_port=peer_port, audio=tone_voice(tmp_path, AGENT)))
        return started[-1]

    yield start
    for one in started:
        one.port.stop()


def reach(seat: Seat) -> str:
    call_id = str(uuid.uuid4())
    seat.port.request(lambda i: Dial(i, call_id, "line", "13800006021"))
    return call_id


def talk(seat: Seat, call_id: str, codec: str, seconds: float = 1.3) -> None:
    """Until the call has this codec, and on for so long."""
    seat.wait(CallState, lambda e: e.call_id == call_id and e.codec == codec and e.state == "active")
    time.sleep(seconds)
    seat.events.clear()


def check_whole(tape: SealedTape, rate: int) -> None:
    assert tape.rate == tape.opened.closing["rate"] == rate
    assert tape.seconds == pytest.approx(tape.manifest.monotonic_ms / 1000, abs=0.25)  # SIP's beginning and end
    assert [g for g in tape.marks("gap") if g["channel"] == "both"] == []
    for mark in tape.marks("answered"):  # none when the sound began with the answer
        since_start = _time(mark["at"]) - _time(tape.manifest.started_at)
        assert since_start == pytest.approx(tape.at("answered"), abs=0.06), "the wall clock at sample 0 is meant"


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_another_codec_and_rate_and_back_again(seat: StartSeat, far_phone: Phones) -> None:
    phone = far_phone(f"{FAR:g}+{WIDE:g}")
    phone.order("codec G722")
    phone.wait(lambda told: told.get("codec") == "G722")
    here = seat(phone.port)
    call_id = reach(here)
    talk(here, call_id, "G722")
    for codec in ("PCMU", "G722"):
        phone.order(f"codec {codec}")
        talk(here, call_id, codec)
    here.port.request(lambda i: HangUp(i, call_id))
    tape = sealed_tape(here, call_id)
    check_whole(tape, 16000)
    marks = tape.marks("codec")
    assert [m["codec"] for m in marks] == ["G722", "PCMU", "G722"]
    changes = [m["start"] / tape.rate for m in marks[1:]]
    spans = [(0.6, changes[0]), (changes[0] + 0.5, changes[1]), (changes[1] + 0.5, tape.seconds - 0.2)]
    assert [tape.tones("far", *span, TONES) for span in spans] == [{FAR, WIDE}, {FAR}, {FAR, WIDE}]
    assert [tape.tones("agent", *span, TONES) for span in spans] == [{AGENT}] * 3


def test_early_media_in_narrow_band_and_a_wide_band_answer_from_another_phone(seat: StartSeat) -> None:
    """A proxy forks: the 183 is a gateway's, the 200 a desk phone's."""
    with ForkingFarEnd() as far:
        here = seat(far.port)
        call_id = reach(here)
        far.rings_with("PCMU", (FAR,))
        here.wait(CallState, lambda e: e.state == "early" and e.codec == "PCMU")
        here.wait(RecordingState, lambda e: e.sealed_ms >= 700)
        far.answers_with("G722", (FAR, WIDE))
        talk(here, call_id, "G722")
        here.port.request(lambda i: HangUp(i, call_id))
        here.wait(CallEnded)
    tape = sealed_tape(here, call_id)
    check_whole(tape, 16000)
    assert [m["codec"] for m in tape.marks("codec")] == ["PCMU", "G722"]
    answered = tape.at("answered")
    assert tape.tones("far", 0.3, answered - 0.1, TONES) == {FAR}
    assert tape.tones("agent", 0.1, answered - 0.1, TONES) == set()
    assert tape.tones("far", answered + 0.5, tape.seconds - 0.2, TONES) == {FAR, WIDE}
    assert tape.tones("agent", answered + 0.5, tape.seconds - 0.2, TONES) == {AGENT}


def test_what_is_narrow_band_from_the_answer_on_is_taped_so(seat: StartSeat, far_phone: Phones) -> None:
    phone = far_phone(f"{FAR:g}+{WIDE:g}")
    phone.order("codec PCMU")
    phone.wait(lambda told: told.get("codec") == "PCMU")
    here = seat(phone.port)
    call_id = reach(here)
    talk(here, call_id, "PCMU", 1.0)
    phone.order("codec G722")
    talk(here, call_id, "G722", 1.2)
    here.port.request(lambda i: HangUp(i, call_id))
    tape = sealed_tape(here, call_id)
    check_whole(tape, 8000)
    changed = tape.marks("codec")[1]["start"] / tape.rate
    for span in ((0.4, changed), (changed + 0.5, tape.seconds - 0.2)):
        assert tape.tones("far", *span, (AGENT, FAR)) == {FAR}
        assert tape.tones("agent", *span, (AGENT, FAR)) == {AGENT}


def test_a_call_that_comes_in_has_the_rate_of_its_codec(seat: StartSeat, far_phone: Phones) -> None:
    phone = far_phone(FAR)
    here = seat(phone.port)
    phone.order("codec PCMU")
    phone.order(f"dial sip:agent@127.0.0.1:{here.sip_port}")
    call_id = here.wait(CallIncoming).call_id
    time.sleep(0.5)
    here.port.request(lambda i: Answer(i, call_id))
    talk(here, call_id, "PCMU", 1.0)
    here.port.request(lambda i: HangUp(i, call_id))
    tape = sealed_tape(here, call_id)
    check_whole(tape, 8000)
    assert tape.at("answered") < 0.2
    assert tape.tones("far", 0.4, tape.seconds - 0.2, (AGENT, FAR)) == {FAR}
