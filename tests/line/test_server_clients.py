"""The line process's socket: keys, versions, bad messages, slow and dead clients, and taking a call over."""

from __future__ import annotations

import json
import stat
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

import pytest

from telephony.client import LineClient
from telephony.errors import CommandError, LineError
from telephony.hub import Handler, Hub
from telephony.messages import (
    Command,
    Dial,
    Event,
    GetSnapshot,
    HangUp,
    Levels,
    SetMute,
    Shutdown,
    Snapshot,
    Stopped,
    encode,
)
from telephony.records import CallJournal, MemoryLog
from telephony.server import LineServer
from tests.line.parts import LineProcess, Sipp, wait_until

KEY = b"k" * 32


class Echo:
    """Stands where the engine does; the engine itself is in the other files. Answers at once, or when told."""

    def __init__(self) -> None:
        self.held: Future[dict[str, Any]] | None = None

    def submit(self, command: Command) -> Future[dict[str, Any]]:
        done: Future[dict[str, Any]] = Future()
        if isinstance(command, Dial) and command.number == "later":
            self.held = done
        elif isinstance(command, HangUp):
            done.set_exception(CommandError("no_such_call", "none"))
        else:
            done.set_result({"type": command.type})
        return done


@pytest.fixture
def address(tmp_path: Path) -> str:
    return str(tmp_path / "door" / "s")


@pytest.fixture
def server(address: str) -> Any:
    made = serving(address, {Shutdown: lambda command: {"bye": True}, SetMute: _fail})
    yield made
    made.stop()


class Serving(Hub):
    """A hub with its server; the records are in memory."""

    def __init__(self, address: str, handlers: Mapping[type[Command], Handler]) -> None:
        super().__init__(CallJournal(MemoryLog()), handlers)
        self.server = LineServer(address, KEY, self)
        self.journal.start()
        self.use(Echo())

    def stop(self) -> None:
        self.server.stop()
        self.journal.stop()


def serving(address: str, handlers: Mapping[type[Command], Handler] | None = None) -> Serving:
    made = Serving(address, handlers or {})
    made.server.start()
    return made


def _fail(command: SetMute) -> dict[str, Any]:
    raise ZeroDivisionError


def raw(address: str, hello: bool = True) -> Connection:
    connection = Client(address, "AF_UNIX", KEY)
    if hello:
        connection.send_bytes(b'{"type":"hello","id":"h","version":2}')
        assert json.loads(connection.recv_bytes())["result"]["version"] == 2
        assert json.loads(connection.recv_bytes())["type"] == "snapshot"
    return connection


def ask(connection: Connection, data: bytes) -> dict[str, Any]:
    connection.send_bytes(data)
    answer: dict[str, Any] = json.loads(connection.recv_bytes())
    return answer


class Watcher:
    def __init__(self, address: str, key: bytes = KEY) -> None:
        self.events: list[Event] = []
        self.lost: list[str] = []
        self.client = LineClient(address, key, self.events.append, self.lost.append)


@pytest.fixture
def watcher(address: str, server: Serving) -> Any:
    made = Watcher(address)
    made.client.connect()
    yield made
    made.client.close()


def test_the_door_is_closed_to_others(server: Serving, address: str) -> None:
    assert stat.S_IMODE(Path(address).parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(address).stat().st_mode) == 0o600
    with pytest.raises(AuthenticationError):
        Client(address, "AF_UNIX", b"wrong" * 8)
    with pytest.raises(LineError) as refused:
        Watcher(address, b"wrong" * 8).client.connect(1)
    assert refused.value.code == "away"


def test_hello_then_snapshot_then_events(server: Serving, watcher: Watcher) -> None:
    wait_until(lambda: len(watcher.events) == 1)
    server.publish(Levels("c", -1.0, -2.0))
    wait_until(lambda: len(watcher.events) == 2)
    assert [type(e) for e in watcher.events] == [Snapshot, Levels]


def test_commands_before_hello_and_of_another_version(server: Serving, address: str) -> None:
    with raw(address, hello=False) as early:
        assert ask(early, encode(GetSnapshot("1")))["code"] == "bad_message"
        refused = ask(early, b'{"type":"hello","id":"h","version":99}')
        assert (refused["id"], refused["code"]) == ("h", "bad_version")
        server.publish(Levels("c", -1.0, -2.0))
        assert ask(early, b'{"type":"hello","id":"h2"}')["type"] == "ok"


@pytest.mark.parametrize(
    ("data", "reply_id"),
    [
        (b"", ""),
        (b"\x80\x04\x95pickle", ""),
        (b"not json", ""),
        (b'{"type":"dial","id":"7"}', "7"),
        (b'{"type":"levels","call_id":"c","agent_dbfs":1,"far_dbfs":1}', ""),
        (b"[" * 5000, ""),
    ],
)
def test_bad_messages_are_answered_and_harm_nothing(server: Serving, address: str, data: bytes, reply_id: str) -> None:
    with raw(address) as connection:
        answer = ask(connection, data)
        assert (answer["type"], answer["code"], answer["id"]) == ("error", "bad_message", reply_id)
        assert ask(connection, encode(GetSnapshot("2")))["id"] == "2"


def test_a_message_that_is_too_long_ends_its_connection(server: Serving, address: str) -> None:
    with raw(address) as connection, pytest.raises((EOFError, ConnectionError)):
        ask(connection, b"x" * 70_000)
    raw(address).close()


def test_results_errors_and_the_handlers_of_others(server: Serving, watcher: Watcher) -> None:
    assert watcher.client.request(Dial("", "c", "l", "1")) == {"type": "dial"}
    assert watcher.client.request(lambda command_id: Dial(command_id, "c", "l", "1")) == {"type": "dial"}
    assert watcher.client.request(Shutdown("")) == {"bye": True}
    with pytest.raises(LineError) as refused:
        watcher.client.request(HangUp("", "c"))
    assert (refused.value.code, refused.value.message) == ("no_such_call", "none")


@pytest.mark.logs_errors
def test_a_handler_that_fails_is_an_error_not_a_hole(server: Serving, watcher: Watcher) -> None:
    with pytest.raises(LineError) as refused:
        watcher.client.request(SetMute("", "c", True))
    assert "ZeroDivisionError" in refused.value.message
    assert watcher.client.request(Shutdown("")) == {"bye": True}


def test_a_reply_that_does_not_come(server: Serving, watcher: Watcher) -> None:
    start = time.monotonic()
    with pytest.raises(LineError) as refused:
        watcher.client.request(Dial("", "c", "l", "later"), timeout=0.2)
    assert refused.value.code == "away"
    assert time.monotonic() - start < 1
    assert watcher.client.request(Dial("", "c", "l", "1")) == {"type": "dial"}


def test_requests_from_many_threads(server: Serving, watcher: Watcher) -> None:
    results: list[str] = []

    def work() -> None:
        for _ in range(20):
            answer = watcher.client.request(Dial("", "c", "l", "1"))
            results.append(answer["type"])

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["dial"] * 100


def test_a_client_that_does_not_read_is_dropped_and_holds_up_nobody(
    server: Serving, address: str, watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    deaf = raw(address)
    slowest = 0.0
    for number in range(4_000):
        start = time.perf_counter()
        server.publish(Levels(str(number), -1.0, -2.0))
        slowest = max(slowest, time.perf_counter() - start)
        if number % 400 == 0:
            wait_until(lambda number=number: len(watcher.events) > number)  # type: ignore[misc]
    assert slowest < 0.5
    wait_until(lambda: len(watcher.events) == 4_001, 10)
    assert "too slow" in caplog.text
    assert watcher.lost == []
    deaf.close()


def test_a_hanging_handshake_keeps_nobody_out(server: Serving, address: str) -> None:
    silent = [Client(address, "AF_UNIX") for _ in range(3)]
    raw(address).close()
    for connection in silent:
        connection.close()


def test_too_many_clients(server: Serving, address: str) -> None:
    clients = [raw(address) for _ in range(8)]
    with pytest.raises((EOFError, ConnectionError)):
        raw(address)
    clients.pop().close()

    def room() -> bool:
        try:
            clients.append(raw(address))
        except (EOFError, ConnectionError):
            return False
        return True

    wait_until(room)
    for connection in clients:
        connection.close()


def test_the_end_of_the_server_is_told(server: Serving, watcher: Watcher) -> None:
    pending = watcher.client.send(Dial("", "c", "l", "later"))
    server.publish(Stopped("told to"))
    server.stop()
    wait_until(lambda: bool(watcher.lost))
    assert watcher.events[-1] == Stopped("told to")
    with pytest.raises(LineError) as refused:
        pending.result(1)
    assert refused.value.code == "away"
    with pytest.raises(LineError) as gone:
        watcher.client.request(GetSnapshot(""))
    assert gone.value.code == "away"


def test_no_server_a_late_server_and_a_stale_socket(address: str) -> None:
    watcher = Watcher(address)
    with pytest.raises(LineError) as away:
        watcher.client.connect(0.2)
    assert away.value.code == "away"
    first = serving(address)
    with pytest.raises(OSError, match="in use"):
        serving(address)
    first.stop()
    Path(address).parent.mkdir(exist_ok=True)
    stale = Serving(address, {})
    threading.Timer(0.3, stale.server.start).start()
    watcher.client.connect(3)
    watcher.client.close()
    stale.stop()
    assert watcher.lost == []


def test_the_window_crashes_and_a_new_one_takes_the_call_over(line: LineProcess, sipp: Callable[..., Sipp]) -> None:
    far = sipp("answer")
    line.add_line(far.port)
    call_id = line.dial()
    active = line.state("active")
    line.order("record 3")
    line.client.close()  # to the line process a crash looks the same
    time.sleep(0.5)
    events: list[Event] = []
    line.client = line.new_client(events.append)
    line.client.connect()
    wait_until(lambda: bool(events))
    snapshot = events[0]
    assert isinstance(snapshot, Snapshot)
    assert [(c.call_id, c.state, c.answered_at) for c in snapshot.calls] == [(call_id, "active", active.answered_at)]
    assert [r.recording_id for r in snapshot.recordings] == ["r0", "r1", "r2"]
    wait_until(lambda: any(isinstance(e, Levels) for e in events))
    line.client.request(HangUp("", call_id))
    far.finished()


def test_the_line_process_is_killed(line: LineProcess) -> None:
    line.kill()
    assert line.lost == ["the connection to the line process is gone"]
