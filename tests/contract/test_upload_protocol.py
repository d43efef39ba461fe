"""The uploader against a small HTTP server that speaks the part protocol and misbehaves on request (R6)."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from recorder.evidence import Manifest, verify_manifest
from recorder.files import SpoolError
from recorder.upload_queue import LONGEST_WAIT, TRIES, BackOff
from tests.support.recording import RATE, Seat, facts, feed, tone
from tests.support.upload_store import (
    PART,
    TOKEN,
    Fault,
    Handler,
    Running,
    Store,
    cuts_in_the_middle,
    damages,
    keeps_but_does_not_answer,
    promises,
    says,
    serve,
    talks_nonsense,
)


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    made = Seat(tmp_path / "spool")
    yield made
    made.recorder.stop(5)


@pytest.fixture
def running(seat: Seat) -> Iterator[Running]:
    store = Store()
    server = serve(store)
    made = Running(seat, store, f"http://127.0.0.1:{server.server_address[1]}")
    yield made
    for uploader in made.uploaders:
        uploader.stop()
        uploader.close()
    server.shutdown()
    server.server_close()


@pytest.fixture
def recording(seat: Seat) -> Manifest:
    """A finalised recording of several parts."""
    seat.record(tone(440, 3), tone(1000, 3))
    (manifest,) = seat.spool.ready()
    assert manifest.size > 3 * PART
    return manifest


def test_a_recording_is_sent_in_parts_and_dropped_on_its_receipt(running: Running, recording: Manifest) -> None:
    path = running.seat.spool.payload(recording.recording_id, "F")
    data = path.read_bytes()
    running.upload()
    done = running.wait_stored(recording.recording_id)
    assert (done.waiting, done.uploading, done.problem) == (0, False, "")
    assert done.receipt is not None
    assert (done.receipt.sha256, done.receipt.size) == (recording.sha256, recording.size)
    assert running.store.stored == {recording.recording_id: data}
    verify_manifest(
        Manifest.from_json(running.store.manifests[recording.recording_id]), running.seat.identity.public_key
    )
    assert running.seat.names() == set()
    kept = json.loads((running.seat.spool.receipts / f"{recording.recording_id}.json").read_bytes())
    assert kept["receipt"]["signature"] == done.receipt.signature
    assert kept["manifest"] == recording.to_json()
    assert any(s.uploading and s.waiting == 1 for s in running.states)


def test_several_go_in_the_order_of_their_numbers(running: Running) -> None:
    ids = [running.seat.record(tone(440, 0.2), tone(440, 0.2)) for _ in range(3)]
    running.upload(lanes=1)
    running.wait_stored(ids[-1])
    assert list(running.store.stored) == ids
    assert {s.waiting for s in running.states} == {0, 1, 2, 3}


def test_a_journal_goes_as_it_is(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    session = running.seat.recorder.start(facts())
    feed(session, tone(440, 1), tone(1000, 1))
    session.close("hung_up")
    running.seat.recorder._stopping.set()  # there is no time left to encode
    running.seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = running.seat.spool.ready()
    data = running.seat.spool.payload(manifest.recording_id, "J").read_bytes()
    running.upload()
    running.wait_stored(manifest.recording_id)
    assert running.store.stored[manifest.recording_id] == data
    assert (manifest.kind, manifest.samples) == ("J", RATE)


def test_what_is_being_recorded_is_not_touched(running: Running, recording: Manifest) -> None:
    session = running.seat.recorder.start(facts())
    feed(session, tone(440, 1), tone(1000, 1))
    running.seat.wait_for(lambda s: s.sealed_ms == 1000)
    running.upload()
    running.wait_stored(recording.recording_id)
    assert running.seat.names() == {f"{session.recording_id}.journal"}
    assert list(running.store.stored) == [recording.recording_id]


@pytest.mark.parametrize(
    ("action", "faults"),
    [
        ("upload", [says(500), says(503), says(502)]),
        ("part", [cuts_in_the_middle]),
        ("part", [says(500), cuts_in_the_middle, says(408)]),
        ("part", [keeps_but_does_not_answer]),
        ("part", [says(422, "checksum"), says(422, "checksum")]),
        ("part", [says(404, "not_found")]),
        ("part", [damages]),
        ("complete", [says(500)]),
        ("complete", [cuts_in_the_middle]),
        ("complete", [says(409, "conflict"), says(425)]),
        ("upload", [talks_nonsense]),
        ("complete", [talks_nonsense]),
        ("upload", [promises({}), promises({"parts": [], "received": [], "receipt": None})]),
        ("upload", [promises({"parts": [{"number": 1, "url": "x", "size": 10**12}], "received": []})]),
        ("upload", [says(302, Location="http://127.0.0.1:9/")]),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} faults",
)
def test_it_gets_through_all_the_same(running: Running, recording: Manifest, action: str, faults: list[Fault]) -> None:
    running.store.faults[action] = faults
    data = running.seat.spool.payload(recording.recording_id, "F").read_bytes()
    running.upload()
    running.wait_stored(recording.recording_id)
    assert running.store.stored[recording.recording_id] == data
    assert running.store.faults[action] == []
    assert running.seat.names() == set()


def test_it_resumes_with_the_missing_parts_only(running: Running, recording: Manifest) -> None:
    total = -(-recording.size // PART)
    running.store.faults["part"] = [lambda _: False, lambda _: False, cuts_in_the_middle]
    running.upload()
    running.wait_stored(recording.recording_id)
    assert running.store.count("part ") == total + 1


def test_a_new_process_resumes_what_an_old_one_began(running: Running, recording: Manifest) -> None:
    reached = threading.Event()

    def hangs(handler: Handler) -> bool:
        reached.set()
        return cuts_in_the_middle(handler)

    running.store.faults["part"] = [lambda _: False, hangs]
    first = running.upload(first_wait=60.0)
    assert reached.wait(5)
    first.stop()
    assert running.store.stored == {}
    running.upload()
    running.wait_stored(recording.recording_id)
    assert running.store.count(f"/{recording.recording_id}/1") == 1


def test_a_server_that_is_away_is_waited_for(seat: Seat, recording: Manifest) -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = Running(seat, Store(), f"http://127.0.0.1:{port}")
    uploader = running.upload()
    status = running.wait(lambda s: s.problem == "server_away")
    assert (status.waiting, status.uploading) == (1, False)
    time.sleep(0.3)
    handler = type("Bound", (Handler,), {"store": running.store})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    uploader.wake()
    assert running.wait_stored(recording.recording_id).problem == ""
    uploader.stop()
    uploader.close()
    server.shutdown()
    server.server_close()


def test_it_backs_off_and_spreads() -> None:
    back_off = BackOff(1.0)
    waits = [back_off.next() for _ in range(12)]
    assert all(0.5 * 2**i <= wait <= 2**i for i, wait in enumerate(waits[:6]))
    assert max(waits) <= LONGEST_WAIT
    assert len(set(waits)) == 12


def test_the_servers_wish_to_be_left_alone_is_kept(running: Running, recording: Manifest) -> None:
    running.store.faults["upload"] = [says(429, Retry_After="1")]
    began = time.monotonic()
    running.upload()
    running.wait_stored(recording.recording_id)
    assert time.monotonic() - began >= 1.0


def test_without_a_token_it_waits_for_the_next_one(running: Running, recording: Manifest) -> None:
    running.token = None
    uploader = running.upload(look_every=30.0)
    assert running.wait(lambda s: s.problem == "signed_out").waiting == 1
    assert running.store.requests == []
    running.token = "stale"
    uploader.wake()
    deadline = time.monotonic() + 5
    while not running.store.requests and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running.store.stored == {}
    running.token = TOKEN
    uploader.wake()
    running.wait_stored(recording.recording_id)


def test_a_token_that_ends_in_mid_upload_costs_nothing(running: Running, recording: Manifest) -> None:
    def ends(handler: Handler) -> bool:
        handler.store.token = "token-2"
        return False

    running.store.faults["part"] = [lambda _: False, ends]
    uploader = running.upload(look_every=30.0)
    running.wait(lambda s: s.problem == "signed_out")
    running.token = "token-2"
    uploader.wake()
    running.wait_stored(recording.recording_id)
    assert running.store.count(f"/{recording.recording_id}/1") == 1


def test_without_a_receipt_key_nothing_is_sent(running: Running, recording: Manifest) -> None:
    key: list[bytes] = []
    uploader = running.upload(receipt_key=lambda: key[0] if key else None)
    running.wait(lambda s: s.problem == "signed_out")
    assert running.store.requests == []
    key.append(bytes(running.store.key.verify_key))
    uploader.wake()
    running.wait_stored(recording.recording_id)


@pytest.mark.parametrize(
    ("changes", "other_key"),
    [({}, True), ({"sha256": "00" * 32}, False), ({"size": 1}, False), ({"stored_at": 5}, False)],
)
def test_a_wrong_receipt_keeps_the_local_copy(
    running: Running, recording: Manifest, changes: dict[str, Any], other_key: bool
) -> None:
    running.store.receipt_changes = changes
    running.store.sign_with = SigningKey.generate() if other_key else None
    running.upload()
    status = running.wait(lambda s: s.problem == "receipt_wrong")
    assert (status.waiting, status.last_done) == (1, None)
    assert len(running.seat.names()) == 2
    assert list(running.seat.spool.receipts.iterdir()) == []
    running.store.receipt_changes, running.store.sign_with = {}, None
    running.wait_stored(recording.recording_id)
    assert running.seat.names() == set()


def test_a_wrong_receipt_does_not_hold_up_the_others(running: Running, recording: Manifest) -> None:
    later = running.seat.record(tone(440, 0.2), tone(440, 0.2))
    bad = promises({"recording_id": recording.recording_id})
    running.store.faults["complete"] = [bad]
    running.upload(first_wait=2.0, lanes=1)
    running.wait(lambda s: s.last_done == later)
    assert running.wait(lambda s: s.problem == "receipt_wrong" and not s.uploading).waiting == 1
    assert recording.recording_id in {m.recording_id for m in running.seat.spool.ready()}


@pytest.mark.parametrize(
    ("action", "status", "code"),
    [("upload", 422, "bad_signature"), ("upload", 413, "too_large"), ("complete", 400, "bad_request")],
)
def test_a_refused_recording_is_set_aside_whole_and_not_tried_again(
    running: Running, recording: Manifest, action: str, status: int, code: str
) -> None:
    running.store.faults[action] = [says(status, code)]
    good = running.seat.record(tone(440, 0.2), tone(440, 0.2))
    data = running.seat.spool.payload(recording.recording_id, "F").read_bytes()
    running.upload(lanes=1)
    running.wait(lambda s: s.last_done == good and s.problem == "refused" and not s.uploading)
    refused = running.seat.spool.refused
    name = recording.recording_id
    assert {p.name for p in refused.iterdir()} == {f"{name}.rec", f"{name}.manifest.json", f"{name}.reason.json"}
    assert (refused / f"{name}.rec").read_bytes() == data
    assert json.loads((refused / f"{name}.reason.json").read_bytes())["code"] == code
    asked = running.store.count(f"{name}/upload")
    time.sleep(0.4)
    assert running.store.count(f"{name}/upload") == asked == 1


def test_somebody_who_may_not_upload_does_not_get_the_recording_set_aside(
    running: Running, recording: Manifest
) -> None:
    running.store.faults["upload"] = [says(403, "forbidden"), says(403, "forbidden")]
    running.upload()
    running.wait_stored(recording.recording_id)
    assert not running.seat.spool.has_refused()


def test_a_part_that_never_arrives_whole_is_given_up_in_the_end(running: Running, recording: Manifest) -> None:
    running.store.faults["part"] = [says(422, "checksum")] * 100
    running.upload()
    running.wait(lambda s: s.problem == "refused" and not s.uploading)
    assert running.store.count("part ") == TRIES
    assert len(list(running.seat.spool.refused.iterdir())) == 3


def test_a_file_that_was_damaged_on_the_seat_is_not_sent(running: Running, recording: Manifest) -> None:
    path = running.seat.spool.payload(recording.recording_id, "F")
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    running.upload()
    running.wait(lambda s: s.problem == "refused")
    assert running.store.requests == []
    reason = json.loads((running.seat.spool.refused / f"{recording.recording_id}.reason.json").read_bytes())
    assert reason["code"] == "damaged"


def test_a_crash_between_receipt_and_deletion_is_finished(running: Running, recording: Manifest) -> None:
    drop, spool = running.seat.spool.drop_stored, running.seat.spool

    def crash(recording_id: str) -> None:
        raise SpoolError("spool_unwritable", "test")

    spool.drop_stored = crash  # type: ignore[method-assign]
    running.upload()
    running.wait(lambda s: s.problem == "spool_unreadable")
    assert spool.has_receipt(recording.recording_id)
    assert len(running.seat.names()) == 2
    spool.drop_stored = drop  # type: ignore[method-assign]
    deadline = time.monotonic() + 5
    while running.seat.names() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running.seat.names() == set()
    assert running.store.count("/complete") == 1


def test_the_token_never_goes_to_an_object_store(running: Running, recording: Manifest) -> None:
    objects = Store(parts_at="elsewhere")
    objects.parts = running.store.parts
    server = serve(objects)
    running.store.parts_at = f"http://127.0.0.1:{server.server_address[1]}"
    running.upload()
    running.wait_stored(recording.recording_id)
    assert objects.tokens == {"part": {""}}
    assert running.store.tokens == {"upload": {f"Bearer {TOKEN}"}, "complete": {f"Bearer {TOKEN}"}}
    server.shutdown()
    server.server_close()


def test_the_line_is_used_no_faster_than_allowed(running: Running) -> None:
    recording_id = running.seat.record(tone(440, 6), tone(1000, 6))
    (manifest,) = running.seat.spool.ready()
    began = time.monotonic()
    running.upload(bytes_per_second=manifest.size * 2)
    running.wait_stored(recording_id)
    assert time.monotonic() - began > 0.25


def test_a_spool_that_cannot_be_read_is_told(running: Running, tmp_path: Path) -> None:
    in_the_way = tmp_path / "nowhere"
    in_the_way.write_bytes(b"")
    seat = Seat(in_the_way / "spool")
    other = Running(seat, running.store, running.url)
    uploader = other.upload()
    other.wait(lambda s: s.problem == "spool_unreadable")
    in_the_way.unlink()
    other.wait(lambda s: s.problem == "" and s in other.states[1:])
    uploader.stop()
    uploader.close()
