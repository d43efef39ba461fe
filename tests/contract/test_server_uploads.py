"""Recordings from the seat into the store: parts, sums, signatures, numbers, receipts, and what is found inside."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from nacl.signing import SigningKey, VerifyKey

from tests.support.sealed import Sealed, canonical
from tests.support.server import RunningServer, start_server
from tests.support.server_api import Seat, call_op, new_id

SignIn = Callable[..., Seat]
NUMBERS = itertools.count(1)


def sealed(seat: Seat, **changes: Any) -> Sealed:
    store_key = base64.b64decode(seat.session["keys"]["store"])
    fields = {"number": next(NUMBERS), "signing_key": seat.key, "store_key": store_key} | changes
    return Sealed(seat_id=seat.seat_id, **fields)


def announce(seat: Seat, recording: Sealed, **changes: Any) -> requests.Response:
    return seat.post(f"/v1/recordings/{recording.recording_id}/upload", recording.manifest(**changes))


def put_part(seat: Seat, url: str, data: bytes, sha256: str | None = None) -> requests.Response:
    headers = {"X-Content-SHA256": sha256 or hashlib.sha256(data).hexdigest()}
    return seat.call("PUT", url, data=data, headers=headers)


def chunks(upload: dict[str, Any], data: bytes) -> Iterator[tuple[int, str, bytes]]:
    for part in upload["parts"]:
        start = (part["number"] - 1) * upload["part_size"]
        yield part["number"], part["url"], data[start : start + part["size"]]


def complete(seat: Seat, recording: Sealed) -> requests.Response:
    return seat.post(f"/v1/recordings/{recording.recording_id}/complete")


def send(seat: Seat, recording: Sealed) -> dict[str, Any]:
    """Upload as a seat does; returns the receipt."""
    answer = announce(seat, recording)
    assert answer.status_code == 200, answer.text
    upload = answer.json()
    for number, url, data in chunks(upload, recording.data):
        if number not in upload["received"]:
            assert put_part(seat, url, data).status_code == 204
    done = complete(seat, recording)
    assert done.status_code == 200, done.text
    return dict(done.json())


def row_of(reviewer: Seat, recording: Sealed) -> dict[str, Any]:
    rows = reviewer.get("/v1/recordings", params={"limit": 500}).json()["recordings"]
    return dict(next(row for row in rows if row["id"] == recording.recording_id))


def check_receipt(seat: Seat, recording: Sealed, receipt: dict[str, Any]) -> None:
    body = dict(receipt)
    signature = base64.b64decode(body.pop("signature"))
    VerifyKey(base64.b64decode(seat.session["keys"]["receipt"])).verify(canonical(body), signature)
    assert body["recording_id"] == recording.recording_id
    assert body["sha256"] == hashlib.sha256(recording.data).hexdigest()
    assert body["size"] == len(recording.data)


def test_a_finalised_recording_is_verified_and_receipted(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    recording = sealed(seat)
    recording.finalised()
    receipt = send(seat, recording)
    check_receipt(seat, recording, receipt)
    row = row_of(sign_in("chenyu"), recording)
    assert (row["state"], row["number"], row["seconds"]) == ("verified", recording.number, 3.0)
    assert (row["agent_name"], row["direction"]) == ("", "outbound")  # its call has not arrived yet
    assert complete(seat, recording).json() == receipt
    again = announce(seat, recording).json()
    assert (again["receipt"], again["parts"]) == (receipt, [])


def test_the_only_part_may_complete_its_upload(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    recording = sealed(seat)
    recording.finalised()
    [(_, url, data)] = chunks(announce(seat, recording).json(), recording.data)
    other = data[:-1] + bytes([data[-1] ^ 1])
    headers = {"X-Complete": "1", "X-Content-SHA256": hashlib.sha256(other).hexdigest()}
    refused = seat.call("PUT", url, data=other, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "checksum")
    headers["X-Content-SHA256"] = hashlib.sha256(data).hexdigest()
    done = seat.call("PUT", url, data=data, headers=headers)
    assert done.status_code == 200
    check_receipt(seat, recording, done.json())
    assert complete(seat, recording).json() == done.json() == announce(seat, recording).json()["receipt"]
    assert row_of(sign_in("chenyu"), recording)["state"] == "verified"


def send_whole(seat: Seat, recording: Sealed, data: bytes | None = None, **changes: Any) -> requests.Response:
    text = base64.b64encode(canonical(recording.manifest() | changes)).decode()
    path = f"/v1/recordings/{recording.recording_id}/whole"
    return seat.call("PUT", path, data=recording.data if data is None else data, headers={"X-Manifest": text})


def test_a_small_one_goes_at_once(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    recording = sealed(seat)
    recording.finalised()
    done = send_whole(seat, recording)
    assert done.status_code == 200, done.text
    check_receipt(seat, recording, done.json())
    assert send_whole(seat, recording).json() == done.json() == announce(seat, recording).json()["receipt"]
    assert row_of(sign_in("chenyu"), recording)["state"] == "verified"


def test_one_that_was_announced_may_go_at_once_after_all(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    recording = sealed(seat)
    recording.finalised()
    [(_, url, data)] = chunks(announce(seat, recording).json(), recording.data)
    assert put_part(seat, url, data).status_code == 204
    check_receipt(seat, recording, send_whole(seat, recording).json())
    assert put_part(seat, url, data).status_code == 404


def test_what_is_sent_at_once_is_checked_as_what_is_announced(sign_in: SignIn) -> None:
    seat, other = sign_in("liting"), sign_in("liting")
    recording, later = sealed(seat), sealed(seat)
    recording.finalised()
    later.finalised()
    damaged_data = recording.data[:-1] + bytes([recording.data[-1] ^ 1])
    answers = [
        (send_whole(seat, recording, damaged_data), 422, "checksum"),
        (send_whole(seat, recording, recording.data[:-1]), 422, "checksum"),
        (send_whole(seat, recording, recording.data + b"x"), 413, "too_large"),
        (send_whole(seat, recording, number=recording.number + 1), 422, "bad_signature"),
        (send_whole(seat, recording, recording_id=new_id()), 400, "bad_request"),
        (send_whole(seat, recording, size=64 * 1024 * 1024), 413, "too_large"),
        (send_whole(other, recording), 403, "forbidden"),
    ]
    for answer, status, code in answers:
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    bad = {"X-Manifest": "not base64"}
    path = f"/v1/recordings/{recording.recording_id}/whole"
    assert seat.call("PUT", path, data=recording.data, headers=bad).status_code == 400
    assert send_whole(seat, recording).status_code == 200
    later.number = recording.number
    assert send_whole(seat, later).json()["code"] == "number_reused"


def test_a_large_one_goes_in_parts_in_any_order(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    recording = sealed(seat, seconds=300.0, rate=8000)
    recording.journal(closed=True)
    upload = announce(seat, recording).json()
    assert [p["number"] for p in upload["parts"]] == [1, 2, 3]
    assert upload["part_size"] == 4 * 1024 * 1024
    parts = list(chunks(upload, recording.data))
    assert put_part(seat, parts[2][1], parts[2][2]).status_code == 204
    assert announce(seat, recording).json()["received"] == [3]
    missing = complete(seat, recording)
    assert (missing.status_code, missing.json()["code"], missing.json()["missing"]) == (409, "incomplete", [1, 2])
    for _, url, data in (parts[1], parts[1], parts[0]):
        assert put_part(seat, url, data).status_code == 204
    check_receipt(seat, recording, complete(seat, recording).json())


def test_an_upload_goes_on_after_the_server_was_killed(private_data: Path) -> None:
    first = start_server(private_data, data_dir=private_data)
    try:
        seat = Seat(first.url, "liting")
        recording = sealed(seat, seconds=300.0)
        recording.journal()
        parts = list(chunks(announce(seat, recording).json(), recording.data))
        assert put_part(seat, parts[0][1], parts[0][2]).status_code == 204
    finally:
        first.stop(kill=True)
    second = start_server(private_data, data_dir=private_data)
    try:
        seat.url = second.url
        upload = announce(seat, recording).json()
        assert upload["received"] == [1]
        check_receipt(seat, recording, send(seat, recording))
    finally:
        second.stop(kill=True)
    third = start_server(private_data, data_dir=private_data)
    try:
        seat.url = third.url
        check_receipt(seat, recording, complete(seat, recording).json())
        reviewer = Seat(third.url, "chenyu")
        assert row_of(reviewer, recording)["seconds"] == 300.0
        assert reviewer.get(f"/v1/recordings/{recording.recording_id}/audio").content[:4] == b"OggS"
    finally:
        third.stop()


def test_a_part_with_the_wrong_sum_is_not_kept(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    recording = sealed(seat)
    recording.finalised()
    [(_, url, data)] = chunks(announce(seat, recording).json(), recording.data)
    wrong = put_part(seat, url, data, "0" * 64)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "checksum")
    short = put_part(seat, url, data[:-1])
    assert (short.status_code, short.json()["code"]) == (422, "wrong_size")
    long = put_part(seat, url, data + b"x")
    assert (long.status_code, long.json()["code"]) == (413, "too_large")
    assert put_part(seat, url, data, "short").status_code == 400
    assert announce(seat, recording).json()["received"] == []
    assert put_part(seat, url.rsplit("/", 1)[0] + "/2", data).status_code == 404


def test_a_file_that_is_not_what_its_manifest_says_starts_again(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    recording = sealed(seat)
    recording.finalised()
    [(_, url, data)] = chunks(announce(seat, recording).json(), recording.data)
    other = data[:-1] + bytes([data[-1] ^ 1])
    assert put_part(seat, url, other).status_code == 204
    refused = complete(seat, recording)
    assert (refused.status_code, refused.json()["code"]) == (422, "checksum")
    assert announce(seat, recording).json()["received"] == []
    check_receipt(seat, recording, send(seat, recording))


def test_a_manifest_must_be_signed_by_the_seat_itself(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    recording = sealed(seat, signing_key=SigningKey.generate())
    recording.finalised()
    forged = announce(seat, recording)
    assert (forged.status_code, forged.json()["code"]) == (422, "bad_signature")
    good = sealed(seat)
    good.finalised()
    manifest = good.manifest()
    for change in ({"number": good.number + 1}, {"size": 1}, {"extra": "field"}, {"signature": "AAAA"}):
        answer = seat.post(f"/v1/recordings/{good.recording_id}/upload", manifest | change)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_signature"), change
    assert announce(sign_in("liting"), good).status_code == 403  # from another seat
    assert seat.post(f"/v1/recordings/{new_id()}/upload", manifest).status_code == 400


@pytest.mark.parametrize(
    "wrong", [{"number": 0}, {"number": 1.0}, {"size": "7"}, {"kind": "X"}, {"started_at": "today"}, {"sha256": "0"}]
)
def test_a_manifest_that_is_none_is_refused(sign_in: SignIn, wrong: dict[str, Any]) -> None:
    seat = sign_in("liting")
    recording = sealed(seat)
    recording.finalised()
    answer = announce(seat, recording, **wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_number_belongs_to_one_recording(sign_in: SignIn) -> None:
    seat, elsewhere = sign_in("liting"), sign_in("guowei")
    first, second = sealed(seat, number=7), sealed(seat, number=7)
    first.finalised()
    second.finalised()
    assert announce(seat, first).status_code == 200
    in_progress = announce(seat, second)
    assert (in_progress.status_code, in_progress.json()["code"]) == (409, "number_reused")
    send(seat, first)
    assert announce(seat, second).json()["code"] == "number_reused"
    same_number = sealed(elsewhere, number=7)
    same_number.finalised()
    send(elsewhere, same_number)


def test_a_recording_that_is_stored_cannot_be_replaced(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    recording = sealed(seat)
    recording.finalised()
    send(seat, recording)
    recording.finalised()  # sealed under another key: other bytes
    answer = announce(seat, recording)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_recording_sealed_anew_before_it_was_complete_starts_again(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    recording = sealed(seat)
    recording.finalised()
    [(_, url, data)] = chunks(announce(seat, recording).json(), recording.data)
    assert put_part(seat, url, data).status_code == 204
    recording.finalised()
    assert announce(seat, recording).json()["received"] == []
    assert put_part(seat, url, data).status_code == 404
    check_receipt(seat, recording, send(seat, recording))


def test_a_journal_without_an_end_is_recovered_as_far_as_it_goes(sign_in: SignIn) -> None:
    seat, reviewer = sign_in("liting"), sign_in("chenyu")
    recording = sealed(seat, seconds=6.0)
    recording.journal()
    recording.data = recording.data[:-1500]  # the last of the pieces of 0.2 s was being written
    check_receipt(seat, recording, send(seat, recording))
    row = row_of(reviewer, recording)
    assert (row["state"], row["seconds"]) == ("recovered", 5.8)


def damaged(recording: Sealed, how: str) -> None:
    if how == "tampered":
        middle = len(recording.data) // 2
        recording.data = recording.data[:middle] + bytes([recording.data[middle] ^ 1]) + recording.data[middle + 1 :]
    elif how == "truncated":
        recording.data = recording.data[:-40]
    elif how == "header":
        recording.data = recording.data.replace(b'"direction":"outbound"', b'"direction":"inbound "')
    elif how == "garbage":
        recording.data = b"not a recording at all"
    elif how == "trailing":
        recording.data += b"x"


@pytest.mark.parametrize("how", ["tampered", "truncated", "header", "garbage", "trailing"])
def test_a_damaged_file_is_kept_receipted_and_called_failed(sign_in: SignIn, how: str) -> None:
    seat, reviewer = sign_in("liting"), sign_in("chenyu")
    recording = sealed(seat)
    recording.finalised()
    damaged(recording, how)
    check_receipt(seat, recording, send(seat, recording))
    assert row_of(reviewer, recording)["state"] == "failed"
    audio = reviewer.get(f"/v1/recordings/{recording.recording_id}/audio")
    assert (audio.status_code, audio.json()["code"]) == (409, "damaged")


@pytest.mark.parametrize(
    ("closing", "content"),
    [
        ({"content_sha256": "0" * 64}, None),
        ({"samples": 5}, None),
        ({"samples": "many"}, None),
        ({}, b"this is no audio"),
    ],
)
def test_contents_that_contradict_their_closing_fail(
    sign_in: SignIn, closing: dict[str, Any], content: bytes | None
) -> None:
    seat = sign_in("liting")
    recording = sealed(seat)
    recording.finalised(content, **closing)
    send(seat, recording)
    assert row_of(sign_in("chenyu"), recording)["state"] == "failed"


def test_a_file_sealed_to_another_store_fails(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    recording = sealed(seat, store_key=bytes(SigningKey.generate().verify_key.to_curve25519_public_key()))
    recording.finalised()
    send(seat, recording)
    assert row_of(sign_in("chenyu"), recording)["state"] == "failed"


def test_a_recording_of_somebody_elses_manifest_fails(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    recording = sealed(seat)
    recording.finalised()
    recording.call_id = new_id()  # the manifest now names another call than the sealed header
    send(seat, recording)
    assert row_of(sign_in("chenyu"), recording)["state"] == "failed"


def test_the_store_keeps_nothing_in_the_clear(server: RunningServer, sign_in: SignIn) -> None:
    seat, reviewer = sign_in("liting"), sign_in("chenyu")
    recording = sealed(seat)
    recording.finalised()
    send(seat, recording)
    assert reviewer.get(f"/v1/recordings/{recording.recording_id}/audio").status_code == 200
    files = [p for p in (server.data_dir / "recordings").rglob("*") if p.is_file()]
    blob = [p for p in files if p.name == hashlib.sha256(recording.data).hexdigest()]
    assert blob and blob[0].read_bytes() == recording.data
    assert not any(b"OggS" in p.read_bytes() for p in files)
    assert not [p for p in files if p.name.startswith(".")]


def test_a_call_may_come_after_its_recording(sign_in: SignIn) -> None:
    seat, reviewer = sign_in("liting"), sign_in("chenyu")
    recording = sealed(seat)
    recording.finalised()
    send(seat, recording)
    case = seat.case(70)
    seat.operate(call_op(seat.user_id, case["id"], id=recording.call_id, recording_id=recording.recording_id))
    row = row_of(reviewer, recording)
    assert (row["agent_name"], row["case_number"], row["number_masked"]) == ("李婷", case["number"], "138****6021")
    assert json.dumps(row, ensure_ascii=False).count("13801386021") == 0
