"""The line protocol's messages, and the small pure parts of the engine: causes, addresses, the book of states."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.addresses import clean, is_number, is_sip_uri, read_invite, sip_uri, split_peer
from telephony.book import Book
from telephony.causes import Ending, cause_of
from telephony.messages import (
    AddLine,
    AudioState,
    CallState,
    Command,
    Dial,
    Error,
    Event,
    Levels,
    LineConfig,
    LineState,
    Message,
    MessageError,
    RecorderHealth,
    RecordingState,
    Snapshot,
    decode,
    encode,
    message_types,
)
from tests.line.parts import ROOT

_LEAF: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    int: st.integers(-(2**63), 2**63),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
}


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if hint in _LEAF:
        return _LEAF[hint]
    origin = typing.get_origin(hint)
    if origin is tuple:
        return st.lists(_values(typing.get_args(hint)[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(_LEAF[str], _LEAF[int], max_size=3)
    assert dataclasses.is_dataclass(hint)
    return _messages(typing.cast(type, hint))


def _messages(cls: type) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{f.name: _values(hints[f.name]) for f in dataclasses.fields(cls)})


@given(st.sampled_from(sorted(message_types())).flatmap(lambda name: _messages(message_types()[name])))
def test_every_message_survives_the_wire(message: Message) -> None:
    data = encode(message)
    assert b"\n" not in data
    assert decode(data) == message


def test_every_message_is_a_command_an_event_or_a_reply() -> None:
    for name, cls in message_types().items():
        assert name == cls.type
        assert issubclass(cls, Command | Event) or name in ("ok", "error")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"type":"nothing"}',
        b'{"type":["dial"]}',
        b'{"type":"dial","id":"1"}',
        b'{"type":"dial","id":"1","call_id":"c","line_id":"l","number":5}',
        b'{"type":"dial","id":"1","call_id":"c","line_id":"l","number":"5","extra":1}',
        b'{"type":"set_mute","id":"1","call_id":"c","on":1}',
        b'{"type":"hello","id":"1","version":true}',
        b'{"type":"add_line","id":"1","line":[]}',
        b'{"type":"add_line","id":"1","line":{"line_id":"l"}}',
        b'{"type":"snapshot","lines":{},"calls":[],"recordings":[],"audio":{}}',
    ],
)
def test_what_is_not_a_message(data: bytes) -> None:
    with pytest.raises(MessageError):
        decode(data)


@given(st.binary(max_size=200))
def test_noise_is_a_message_error_and_nothing_else(data: bytes) -> None:
    with pytest.raises(MessageError):
        decode(data)


def test_an_error_about_a_message_quotes_no_value() -> None:
    secret = {"type": "dial", "id": "1", "call_id": "c", "line_id": "l", "number": {"a": "13812345678"}}
    with pytest.raises(MessageError) as refused:
        decode(json.dumps(secret))
    assert "138" not in str(refused.value)
    assert "hunter2" not in repr(AddLine("1", LineConfig("l", "n", "u", "p:1", password="hunter2")))


@pytest.mark.parametrize(
    ("ending", "cause"),
    [
        (Ending(True, True, True, True, 200), "hung_up"),
        (Ending(True, True, True, True, 200, transferred=True), "transferred"),
        (Ending(True, True, True, False, 200), "far_hung_up"),
        (Ending(False, True, True, False, 0), "far_hung_up"),
        (Ending(True, True, True, False, 408), "line_lost"),
        (Ending(False, False, False, False, 487), "missed"),
        (Ending(False, False, False, True, 603), "rejected"),
        (Ending(True, False, True, True, 487), "cancelled"),
        (Ending(True, False, True, True, 0), "cancelled"),
        (Ending(True, False, False, False, 486), "busy"),
        (Ending(True, False, True, False, 603), "declined"),
        (Ending(True, False, False, False, 408), "unreachable"),
        (Ending(True, False, True, False, 408), "no_answer"),
        (Ending(True, False, True, False, 480), "no_answer"),
        (Ending(True, False, False, False, 503), "unreachable"),
        (Ending(True, False, False, False, 604), "not_found"),
        (Ending(True, False, False, False, 403), "failed"),
    ],
)
def test_causes(ending: Ending, cause: str) -> None:
    assert cause_of(ending) == cause


def test_addresses() -> None:
    assert sip_uri("*21#", "h:5060", "udp") == "sip:*21%23@h:5060"
    assert sip_uri("+86138", "h", "tls") == "sip:+86138@h;transport=tls"
    assert split_peer("[::1]:5060") == ("::1", 5060)
    assert split_peer("pbx.example") == ("pbx.example", 0)
    assert is_number("+8613812345678") and not is_number("1@2") and not is_number("1\n")
    assert is_sip_uri("sip:a@127.0.0.1:5060;transport=tcp") and not is_sip_uri("sip:a@b>\r\nX: y")
    for wrong in ("", "a b", "h:99999", "h:", "sip:h"):
        with pytest.raises(ValueError, match="host:port"):
            split_peer(wrong)


@pytest.mark.parametrize(
    ("header", "number", "name"),
    [
        ('From: "张三" <sip:13800000000@h>;tag=1', "13800000000", "张三"),
        ("f: Zhang San <sip:%2B86138@h;user=phone>", "+86138", "Zhang San"),
        ("FROM: sip:138@h;tag=1", "138", ""),
        ("From: <sip:h>", "", ""),
        ('From: "a\\"b\\\\" <sips:1@h>', "1", 'a"b\\'),
        ('From:\r\n "folded"\r\n <sip:1@h>', "1", "folded"),
        ("From: \udcff\udcfe <sip:1@h>", "1", "��"),
        ("From: nothing", "", ""),
        ("Subject: none", "", ""),
    ],
)
def test_who_calls(header: str, number: str, name: str) -> None:
    invite = read_invite(f"INVITE sip:1001@h SIP/2.0\r\n{header}\r\nx-MONITOR-grant: g1 \r\n\r\nFrom: <sip:evil@h>\r\n")
    assert (invite.number, invite.display_name, invite.dialled, invite.grant) == (number, name, "1001", "g1")
    encode(Dial("1", "c", "l", invite.display_name))


@given(st.text(max_size=300))
def test_reading_an_invite_never_fails(text: str) -> None:
    invite = read_invite(text)
    for part in dataclasses.astuple(invite):
        assert part == clean(part, 4096)


def _call(call_id: str, state: str) -> CallState:
    return CallState(call_id, "l", "outbound", "1", state, "t", 1)


def test_the_book_keeps_what_is_and_forgets_what_was() -> None:
    sent: list[Event] = []
    book = Book(sent.append)
    for event in (
        LineState("a", "ready"),
        LineState("b", "ready"),
        LineState("a", "removed"),
        _call("c1", "active"),
        _call("c1", "ended"),
        _call("c2", "dialing"),
        AudioState("null", "none"),
        Levels("c2", -1.0, -2.0),
        *(RecordingState(f"r{n}", "c", "recording", n, 0, 1) for n in range(250)),
        RecordingState("r100", "c", "sealed", 7, 0, 1),
    ):
        book.publish(event)
    snapshot = book.snapshot()
    assert [line.line_id for line in snapshot.lines] == ["b"]
    assert [(call.call_id, call.state) for call in snapshot.calls] == [("c2", "dialing")]
    assert len(snapshot.recordings) == 200
    assert snapshot.recordings[-1].state == "sealed"
    assert snapshot.audio.kind == "null"
    assert len(sent) == 259
    assert isinstance(decode(encode(snapshot)), Snapshot)


def test_what_is_recorded_on_demand_is_in_the_book_before_it_has_an_id() -> None:
    book = Book(lambda event: None)
    book.publish(RecorderHealth(5_000_000_000, 1, "t", ""))
    book.publish(RecordingState("", "c1", "waiting", 0, 0, 1, mode="manual"))
    book.publish(RecordingState("", "c2", "waiting", 0, 0, 1, mode="manual"))
    assert [r.call_id for r in book.snapshot().recordings] == ["c1", "c2"]
    book.publish(RecordingState("r1", "c1", "recording", 40, 0, 1, mode="manual"))
    book.publish(RecordingState("", "c2", "nothing", 0, 0, 1, mode="manual"))
    assert [(r.recording_id, r.state) for r in book.snapshot().recordings] == [("r1", "recording")]
    assert book.snapshot().recorder.spool_ready == 1


def test_a_client_is_light_to_import() -> None:
    code = "import sys, telephony.client, telephony.interfaces; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"pjsua2", "numpy", "multiprocessing.connection", "PySide6", "phonenumbers", "requests", "sqlalchemy", "av"}
    assert heavy & set(run.stdout.split()) == set()


def test_an_error_reply_has_a_stable_shape() -> None:
    assert json.loads(encode(Error("7", "no_such_call", "x"))) == {
        "type": "error",
        "id": "7",
        "code": "no_such_call",
        "message": "x",
    }
