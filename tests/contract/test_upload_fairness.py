"""Many recordings at once: order, the share of the line, one that nobody can store, two uploaders on one spool (R6)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from agent_desktop.services.context import Policy
from recorder.throttle import Throttle
from recorder.upload_queue import LONE_TRIES, SERVER_TRIES, UploadQueue
from tests.support.recording import Seat, tone
from tests.support.upload_store import Handler, Running, Store, says, serve


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    made = Seat(tmp_path / "spool")
    yield made
    made.recorder.stop(5)


@pytest.fixture
def server(seat: Seat) -> Iterator[ThreadingHTTPServer]:
    made = serve(Store())
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def running(seat: Seat, server: ThreadingHTTPServer) -> Iterator[Running]:
    made = Running(seat, server.RequestHandlerClass.store, f"http://127.0.0.1:{server.server_address[1]}")  # type: ignore[attr-defined]
    yield made
    for uploader in made.uploaders:
        uploader.stop()
        uploader.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits stay short, however often something fails."""
    monkeypatch.setattr("recorder.upload_queue.LONGEST_WAIT", 0.01)


def record(seat: Seat, count: int) -> list[str]:
    return [seat.record(tone(440, 0.2), tone(440, 0.2)) for _ in range(count)]


def until(wanted: Callable[[], bool], timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while not wanted():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


@pytest.mark.usefixtures("impatient")
def test_one_that_the_server_fails_on_holds_up_nobody_and_is_set_aside(running: Running) -> None:
    bad, *good = record(running.seat, 4)
    running.store.poison.add(bad)
    running.upload()
    until(lambda: set(good) <= set(running.store.stored))
    running.wait(lambda s: s.refused == 1 and s.problem == "refused" and not s.uploading, timeout=30)
    reason = json.loads((running.seat.spool.refused / f"{bad}.reason.json").read_bytes())
    assert reason["code"] == "server_error"
    assert (running.seat.spool.refused / f"{bad}.rec").exists()
    assert SERVER_TRIES <= running.store.count(f"{bad}/upload") <= SERVER_TRIES + 1
    asked = running.store.count("upload ")
    time.sleep(0.3)
    assert running.store.count("upload ") == asked
    assert running.seat.names() == set()


@pytest.mark.usefixtures("impatient")
def test_a_server_that_fails_on_everything_is_to_blame_itself(running: Running) -> None:
    ids = record(running.seat, 2)
    running.store.poison.update(ids)
    running.upload()
    until(lambda: running.store.count("upload ") > 2 * SERVER_TRIES + 10)
    assert running.seat.spool.refused_count() == 0
    assert running.wait(lambda s: s.problem == "refused").waiting == 2  # "put off again and again"
    running.store.poison.clear()
    until(lambda: set(running.store.stored) == set(ids))


@pytest.mark.usefixtures("impatient")
def test_a_single_one_is_not_tried_for_ever(running: Running) -> None:
    [bad] = record(running.seat, 1)
    running.store.poison.add(bad)
    running.upload()
    running.wait(lambda s: s.refused == 1 and not s.uploading)
    assert running.store.count(f"{bad}/upload") == LONE_TRIES


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_not_well_is_waited_for_and_nothing_held_against_a_recording(running: Running) -> None:
    record(running.seat, 2)
    running.store.healthy = False
    running.store.faults["upload"] = [says(500)] * (3 * SERVER_TRIES)
    running.upload(lanes=1)
    until(lambda: not running.store.faults["upload"])
    assert running.seat.spool.refused_count() == 0
    assert any(s.problem == "server_away" for s in running.states)
    until(lambda: len(running.store.stored) == 2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("code", ["number_reused", "conflict"])
def test_one_that_is_put_off_again_and_again_is_set_aside_with_the_servers_code(running: Running, code: str) -> None:
    bad, good = record(running.seat, 2)
    running.store.faults["upload"] = [says(409, code)]
    running.upload(lanes=1)
    until(lambda: good in running.store.stored)
    running.wait(lambda s: s.last_done == bad)  # once does not matter
    [bad] = record(running.seat, 1)
    running.store.faults["upload"] = [says(409, code)] * LONE_TRIES
    running.uploaders[0].wake()
    running.wait(lambda s: s.refused == 1)
    assert json.loads((running.seat.spool.refused / f"{bad}.reason.json").read_bytes())["code"] == code


def test_the_newest_go_first_where_the_policy_says_so(running: Running) -> None:
    ids = record(running.seat, 4)
    running.upload(order="newest", lanes=1)
    until(lambda: len(running.store.stored) == 4)
    assert list(running.store.stored) == ids[::-1]


def test_one_that_is_sealed_meanwhile_does_not_wait_behind_older_ones(running: Running) -> None:
    ids = record(running.seat, 3)
    reached, go = threading.Event(), threading.Event()

    def holds(_: Handler) -> bool:
        reached.set()
        return not go.wait(10)

    running.store.faults["upload"] = [holds]
    uploader = running.upload(order="newest", lanes=1)
    assert reached.wait(10)
    [newer] = record(running.seat, 1)
    uploader.wake()
    go.set()
    until(lambda: len(running.store.stored) == 4)
    assert list(running.store.stored) == [ids[2], newer, ids[1], ids[0]]


def test_the_order_can_be_changed_on_the_way(seat: Seat) -> None:
    ids = record(seat, 3)
    queue = UploadQueue(seat.spool, "oldest")
    queue.load()
    first = queue.take()
    queue.order = "newest"
    second = queue.take()
    assert first is not None
    assert second is not None
    assert (first.recording_id, second.recording_id) == (ids[0], ids[2])


def test_order_and_limit_come_from_the_policy() -> None:
    told = Policy.from_json({"upload_order": "newest", "upload_bytes_per_second": 125_000})
    assert (told.newest_first, told.upload_bytes_per_second) == (True, 125_000)
    for body in ({}, {"upload_order": 7, "upload_bytes_per_second": -1}):
        silent = Policy.from_json(dict(body))
        assert (silent.newest_first, silent.upload_bytes_per_second) == (False, 0)


def test_several_are_under_way_at_once(running: Running) -> None:
    record(running.seat, 3)
    together = threading.Barrier(3)

    def meets(_: Handler) -> bool:
        together.wait(10)
        return False

    running.store.faults["upload"] = [meets] * 3
    running.upload(lanes=3)
    until(lambda: len(running.store.stored) == 3)
    assert not together.broken


def test_all_of_them_together_use_no_more_of_the_line_than_allowed(running: Running) -> None:
    for _ in range(4):
        running.seat.record(tone(440, 6), tone(1000, 6))
    total = sum(manifest.size for manifest in running.seat.spool.ready())
    limit = total // 2
    began = time.monotonic()
    running.upload(bytes_per_second=limit, lanes=3)
    until(lambda: len(running.store.stored) == 4)
    rate = total / (time.monotonic() - began)
    assert rate < 1.1 * limit


def test_the_limit_is_used_and_not_passed() -> None:
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds + 0.004  # as late as a busy machine wakes a thread

    throttle = Throttle(1_000_000, lambda: now[0], sleep)
    for _ in range(1000):
        throttle.wait(16_384)
    assert 0.9e6 < 1000 * 16_384 / (now[0] - 100.0) < 1.1e6
    now[0] += 60
    began = now[0]
    for _ in range(100):
        throttle.wait(16_384)
    assert 100 * 16_384 / (now[0] - began) < 1.1e6  # a rest is not saved up
    throttle.bytes_per_second = 0
    began = now[0]
    throttle.wait(10**9)
    assert now[0] == began


def test_two_uploaders_on_one_spool_send_each_recording_once(running: Running) -> None:
    ids = record(running.seat, 12)
    running.upload(look_every=0.02)
    running.upload(look_every=0.02)
    until(lambda: len(running.store.stored) == 12)
    until(lambda: running.seat.names() == set())
    assert {running.store.count(f"upload /v1/recordings/{id_}/upload") for id_ in ids} == {1}
    assert {running.store.count(f"{id_}/complete") for id_ in ids} == {1}
    assert {p.stem for p in running.seat.spool.receipts.iterdir()} == set(ids)
    assert running.seat.spool.refused_count() == 0
    assert not any(s.problem == "spool_unreadable" for s in running.states)


def test_a_second_one_takes_over_when_the_first_process_is_killed(running: Running) -> None:
    ids = record(running.seat, 2)
    code = (
        "import sys, time, pathlib\n"
        "from recorder.uploader_lock import UploaderLock\n"
        "lock = UploaderLock(pathlib.Path(sys.argv[1]))\n"
        "assert lock.take()\nprint('held', flush=True)\ntime.sleep(60)\n"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(running.seat.folder)], stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        running.upload(look_every=0.05)
        assert running.wait(lambda s: s.problem == "another_uploader").waiting == 0
        assert running.store.requests == []
        os.kill(other.pid, signal.SIGKILL)
        until(lambda: set(running.store.stored) == set(ids))
        running.wait(lambda s: s.last_done in ids and s.problem == "" and not s.uploading)
    finally:
        other.kill()
        other.communicate()
