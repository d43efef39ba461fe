"""The headless softphone, run as a person or a program runs it: commands in, events out."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nacl.public import PrivateKey

from agent_desktop.softphone import NO_KEYS, NOT_ENROLLED
from agent_desktop.store.enrolment import Enrolment, keep_enrolment
from agent_desktop.store.keys import KeptKeys, KeyringAway
from recorder.spool import Spool
from telephony.conversation import MAX_BYTES
from telephony.messages import decode
from telephony.stdio import lines_of
from tests.line.parts import free_port
from tests.line.sound import read_wav, tone_power, write_tone

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "line-protocol.md"
COMMAND = (sys.executable, "-m", "agent_desktop", "line")
PASSPHRASE = "correct horse battery"


class Softphone:
    """``agent-desktop line --json`` with a configuration of its own."""

    def __init__(self, folder: Path, config: str, *options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.toml").write_text(config, "utf-8")
        self.folder = folder
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.lines: list[str] = []
        self.seen: list[dict[str, Any]] = []
        self._errors = (folder / "stderr.txt").open("wb")
        self.process = subprocess.Popen(
            [*COMMAND, "--config", str(folder / "config.toml"), "--json", *options],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            self.events.put(json.loads(line))

    def send(self, **command: Any) -> None:
        self.write(json.dumps(command))

    def write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait(self, kind: str, timeout: float = 15.0, **values: Any) -> dict[str, Any]:
        """The next message of this kind with these values."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                message = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                seen = [m for m in self.seen if m["type"] != "levels"][-6:]
                raise AssertionError(f"no {kind} {values}; before: {seen} {self.stderr()}") from None
            self.seen.append(message)
            if message["type"] == kind and values.items() <= message.items():
                return message

    def ask(self, command: str, **values: Any) -> dict[str, Any]:
        command_id = uuid.uuid4().hex[:8]
        self.send(type=command, id=command_id, **values)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            message = self.events.get(timeout=10)
            self.seen.append(message)
            if message.get("id") == command_id:
                return message
        raise AssertionError(f"no answer to {command}")

    def close(self) -> int:
        """End its standard input; returns the exit status."""
        assert self.process.stdin is not None
        if not self.process.stdin.closed:
            self.process.stdin.close()
        return self.ended()

    def ended(self) -> int:
        status = self.process.wait(20)
        self._thread.join(5)
        for stream in (self.process.stdin, self.process.stdout, self._errors):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        return status

    def stderr(self) -> str:
        return (self.folder / "stderr.txt").read_text("utf-8")


def config(folder: Path, peer_port: int, microphone: str = "", port: int = 0) -> str:
    audio = (
        f'kind = "files"\nmicrophone = "{microphone}"\nspeaker = "{folder}/heard.wav"'
        if microphone
        else 'kind = "null"'
    )
    return f"""
data_dir = "{folder}/data"
local_host = "127.0.0.1"
local_port = {port}
[line]
user = "1001"
peer = "127.0.0.1:{peer_port}"
register = false
[audio]
{audio}
"""


@pytest.fixture
def softphone(tmp_path: Path) -> Iterator[Callable[..., Softphone]]:
    started: list[Softphone] = []

    def start(name: str = "phone", text: str = "", *options: str) -> Softphone:
        folder = tmp_path / name
        started.append(Softphone(folder, text or config(folder, 9), *options))
        return started[-1]

    yield start
    for phone in started:
        if phone.process.poll() is None:
            phone.close()


def worked_example() -> list[tuple[str, str]]:
    """The lines of the guide's example: who (``a`` or ``b``), and the command that is typed."""
    text = GUIDE.read_text("utf-8").partition("## Carrier: standard input and output")[2]
    block = re.search(r"^```text\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert block is not None
    return re.findall(r"^([ab])> (\{.*\})$", block[1], flags=re.MULTILINE)


def test_the_guides_example_two_softphones_talk_to_each_other(
    softphone: Callable[..., Softphone], tmp_path: Path
) -> None:
    ports = free_port(), free_port()
    for name, frequency in (("a", 440.0), ("b", 1000.0)):
        (tmp_path / name).mkdir()
        write_tone(tmp_path / name / "voice.wav", frequency, 16000, 20)
    phones = {
        name: softphone(name, config(tmp_path / name, ports[1 - n], f"{tmp_path}/{name}/voice.wav", ports[n]))
        for n, name in enumerate("ab")
    }
    for phone in phones.values():
        phone.wait("line_state", state="ready")
    example = worked_example()
    assert [json.loads(command)["type"] for _, command in example] == ["dial", "answer", "send_dtmf", "hang_up"]
    made = json.loads(example[0][1])["call_id"]
    came = ""
    for who, command in example:
        spoken = json.loads(command)
        if who == "b":
            spoken["call_id"] = came
        assert phones[who].ask(command=spoken.pop("type"), **_without_id(spoken))["type"] == "ok"
        if command == example[0][1]:
            came = phones["b"].wait("call_incoming")["call_id"]
        elif who == "b":
            phones["a"].wait("call_state", state="active")
            phones["a"].wait("call_quality")
        elif json.loads(command)["type"] == "send_dtmf":
            heard = [phones["b"].wait("dtmf_received")["digit"] for _ in range(3)]
            assert "".join(heard) == spoken["digits"]
    assert phones["a"].wait("call_ended")["cause"] == "hung_up"
    record = phones["b"].wait("call_ended")
    assert (record["cause"], record["call_id"]) == ("far_hung_up", came)
    assert (phones["a"].seen[-1]["call_id"], record["quality"]["codec"]) == (made, "G722")
    assert [phone.close() for phone in phones.values()] == [0, 0]
    for name, other in (("a", 1000.0), ("b", 440.0)):
        signal_, rate = read_wav(tmp_path / name / "heard.wav")
        loud = signal_[np.abs(signal_) > 500]
        assert len(loud) > rate, "nothing was heard"
        middle = signal_[len(signal_) // 3 : len(signal_) // 3 + rate // 2]
        assert tone_power(middle, other, rate) > 0.5
    for phone in phones.values():
        assert phone.lines
        assert all(decode(line) for line in phone.lines), "something else was on standard output"
        assert json.loads(phone.lines[0])["type"] == "snapshot"
        assert json.loads(phone.lines[-1])["type"] == "stopped"


def _without_id(command: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in command.items() if name != "id"}


def test_what_is_no_command_gets_an_error_and_harms_nothing(softphone: Callable[..., Softphone]) -> None:
    phone = softphone()
    phone.wait("line_state", state="ready")
    for line in ("hello?", "", "[1]", '{"type":"dial","id":"7"}', '{"type":"levels"}', '{"type":"nonsense","id":"8"}'):
        phone.write(line)
        assert phone.wait("error")["code"] == "bad_message"
    assert phone.seen[-1]["id"] == "8"
    phone.write('{"id":"9","type":"dial","x":"' + "y" * (MAX_BYTES + 5) + '"}')
    assert "at most" in phone.wait("error")["message"]
    assert phone.ask("hello", version=99)["code"] == "bad_version"
    assert phone.ask("hello", agent_id="u-9")["result"]["pid"] == phone.process.pid
    assert phone.ask("dial", call_id="c", line_id="nowhere", number="1")["code"] == "no_such_line"
    assert phone.ask("get_snapshot")["result"]["lines"][0]["state"] == "ready"
    assert phone.close() == 0


@pytest.mark.parametrize("how", ["shutdown", "sigterm", "end of input"])
def test_it_ends_in_order(softphone: Callable[..., Softphone], how: str) -> None:
    phone = softphone()
    phone.wait("line_state")
    if how == "shutdown":
        assert phone.ask("shutdown")["type"] == "ok"
    elif how == "sigterm":
        phone.process.send_signal(signal.SIGTERM)
    else:
        assert phone.close() == 0
    if how != "end of input":
        assert phone.ended() == 0
    assert json.loads(phone.lines[-1])["type"] == "stopped"
    assert NOT_ENROLLED in phone.stderr()
    assert not list((phone.folder / "data").glob("spool/*"))


def test_it_ends_when_nobody_reads_any_more(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(config(tmp_path, 9), "utf-8")
    command = [*COMMAND, "--config", str(tmp_path / "config.toml"), "--json"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as phone:
        assert phone.stdout is not None
        phone.stdout.close()
        assert phone.wait(20) == 0
    assert "nobody reads the events" in (tmp_path / "data" / "logs" / "softphone.log").read_text()


def enrol(data: Path, store_key: PrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the first sign-in at this seat does, on a machine without a keyring."""
    monkeypatch.setattr("agent_desktop.store.keys.MEMORY_BYTES", 8 * 1024 * 1024)
    keys = KeptKeys(data)
    with pytest.raises(KeyringAway):
        keys.load()
    seat = keys.load(PASSPHRASE)
    keep_enrolment(data, seat, Enrolment(bytes(store_key.public_key), bytes(32)))


def test_an_enrolled_seat_records_keeps_the_record_and_starts_without_a_server(
    softphone: Callable[..., Softphone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_key = PrivateKey.generate()
    data = tmp_path / "a" / "data"
    data.mkdir(parents=True)
    enrol(data, store_key, monkeypatch)
    (tmp_path / "secret").write_text(PASSPHRASE + "\n")
    ports = free_port(), free_port()
    other = softphone("b", config(tmp_path / "b", ports[0], port=ports[1]))
    other.wait("line_state", state="ready")
    settings = config(tmp_path / "a", ports[1], port=ports[0])
    phone = softphone("a", settings, "--passphrase-file", str(tmp_path / "secret"))
    phone.wait("line_state", state="ready")
    second = softphone("a", settings, "--passphrase-file", str(tmp_path / "secret"))
    assert second.ended() == 1
    assert "in use by another program" in second.stderr()
    assert phone.ask("hello", agent_id="u-17")["type"] == "ok"
    assert (
        phone.ask("dial", call_id="0b6f1d1e-90a2-4d8e-8f57-6a2f4b8f0c11", line_id="1001", number="1002")["type"] == "ok"
    )
    other.ask("answer", call_id=other.wait("call_incoming")["call_id"])
    recording = phone.wait("recording_state", state="recording")
    phone.wait("recording_state", timeout=15, recording_id=recording["recording_id"])
    time.sleep(1)
    phone.process.kill()
    phone.ended()

    again = softphone("a", settings, "--passphrase-file", str(tmp_path / "secret"))
    [lost] = again.wait("snapshot")["ended"]
    assert (lost["cause"], lost["agent_id"], lost["recording_id"]) == ("line_lost", "u-17", recording["recording_id"])
    assert again.wait("recording_state", state="recovered")["recording_id"] == recording["recording_id"]
    assert again.ask("ack_calls", call_ids=[lost["call_id"]])["type"] == "ok"
    assert again.close() == 0
    [manifest] = Spool(data / "spool").ready()
    assert manifest.recovered
    assert NOT_ENROLLED not in again.stderr()


def test_an_enrolled_seat_without_its_keys_does_not_call_unrecorded(
    softphone: Callable[..., Softphone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "phone" / "data"
    data.mkdir(parents=True)
    enrol(data, PrivateKey.generate(), monkeypatch)
    phone = softphone()
    assert phone.ended() == 1
    assert NO_KEYS in phone.stderr()
    assert phone.lines == []
    (data / "enrolment.json").write_text((data / "enrolment.json").read_text().replace('"mac": "', '"mac": "0'))
    (tmp_path / "secret").write_text(PASSPHRASE)
    forged = softphone("phone", "", "--passphrase-file", str(tmp_path / "secret"))
    assert forged.ended() == 1
    assert "cannot be read" in forged.stderr()


def test_lines_in_pieces_of_any_size() -> None:
    whole = b'{"a":1}\r\n\n' + b"x" * (MAX_BYTES + 1) + b"\n" + "催收".encode() + b"\n" + b"y" * 200_000 + b"\nlast"
    for size in (1000, 65_536, 100_000):
        read, write = os.pipe()
        threading.Thread(target=_write_all, args=(write, whole, size), daemon=True).start()
        assert list(lines_of(read)) == [b'{"a":1}', b"", None, "催收".encode(), None, b"last"]
        os.close(read)


def _write_all(descriptor: int, data: bytes, size: int) -> None:
    for first in range(0, len(data), size):
        rest = data[first : first + size]
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    os.close(descriptor)
