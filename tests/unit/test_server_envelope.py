"""The store's reader of sealed recordings: against the document, against the recorder, and against damage."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from collection_server.recordings.audio import playable
from collection_server.recordings.check import Findings, examine
from collection_server.recordings.envelope import Damaged, pieces, read_header
from recorder.container import ContainerWriter, HeaderFacts
from tests.support.sealed import Sealed, canonical

STORE = PrivateKey.generate()


def made(kind: str = "F", **changes: Any) -> Sealed:
    recording = Sealed(bytes(STORE.public_key), "seat-1", SigningKey.generate(), 1, seconds=1.0, **changes)
    recording.finalised() if kind == "F" else recording.journal(closed=True)
    return recording


def look(recording: Sealed, data: bytes | None = None, **changes: Any) -> Findings:
    manifest = recording.manifest(**changes)
    return examine(io.BytesIO(recording.data if data is None else data), manifest, STORE)


FINALISED, JOURNAL = made("F"), made("J")


def test_findings_of_a_good_one() -> None:
    found = look(FINALISED)
    assert (found.state, found.reason, found.codec, found.direction) == ("verified", "", "opus", "outbound")
    assert (found.samples, found.rate, found.lost_frames) == (8000, 8000, 2)
    assert (found.left_dbfs, found.right_dbfs) == (-15.2, -21.3)


def test_findings_of_a_journal_measure_its_levels() -> None:
    found = look(JOURNAL)
    assert (found.state, found.reason, found.samples) == ("recovered", "", 8000)
    assert found.left_dbfs == pytest.approx(-15.3, abs=0.1)  # 8000 of 32768, a sine
    assert found.right_dbfs == pytest.approx(-21.3, abs=0.1)


def test_a_whole_journal_that_its_seat_vouches_for_is_verified() -> None:
    assert look(JOURNAL, recovered=False, samples=8000).state == "verified"
    assert look(JOURNAL, recovered=False, samples=7999).state == "recovered"
    assert look(JOURNAL, JOURNAL.data[:-10], recovered=False, samples=8000).reason == "truncated"


def test_a_call_without_media_is_verified() -> None:
    recording = made()
    recording.seconds = 0.0
    recording.finalised()
    assert (look(recording).state, look(recording).samples) == ("verified", 0)


def test_a_gap_of_both_sides_counts_and_one_sides_does_not() -> None:
    recording = made("J")
    audio = bytes(8) + b"\x10\x00" * 3200
    gaps = [{"channel": "far", "start": 0, "samples": 9000}, {"channel": "both", "start": 1600, "samples": 800}]
    recording._pieces("J", [("A", audio), *(("G", canonical(gap)) for gap in gaps)], final=False)
    assert look(recording).samples == 2400


@pytest.mark.parametrize(
    "bodies",
    [
        [("A", (800).to_bytes(8, "little") + b"\0" * 400), ("A", bytes(8) + b"\0" * 400)],  # goes back
        [("A", bytes(8) + b"\0" * 401)],
        [("A", b"")],
        [("G", canonical({"channel": "both", "start": -1, "samples": 2**70}))],
        [("G", b"[]")],
    ],
)
def test_pieces_that_cannot_be_are_where_the_good_part_ends(bodies: list[tuple[str, bytes]]) -> None:
    recording = made("J")
    recording._pieces("J", bodies, final=False)
    found = look(recording)
    assert found.reason == "bad_piece"
    assert found.samples <= 900


def test_a_tag_that_does_not_fit_its_piece_is_damage() -> None:
    recording = made("J")
    recording._pieces("J", [("A", bytes(8) + b"\0" * 400)], final=True)
    assert look(recording).state == "failed"


@pytest.mark.parametrize("recording", [FINALISED, JOURNAL], ids=["finalised", "journal"])
def test_every_truncation_is_noticed(recording: Sealed) -> None:
    whole = look(recording)
    for length in range(0, len(recording.data), max(1, len(recording.data) // 150)):
        found = look(recording, recording.data[:length])
        assert found != whole
        assert found.state == "failed" or (recording is JOURNAL and found.reason == "truncated")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_changed_byte_is_noticed(data: st.DataObject) -> None:
    recording = data.draw(st.sampled_from([FINALISED, JOURNAL]))
    at = data.draw(st.integers(0, len(recording.data) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = bytearray(recording.data)
    changed[at] ^= flip
    found = look(recording, bytes(changed))
    assert found.state == "failed" or (found.state == "recovered" and found.reason)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_findings_and_no_crash(data: bytes) -> None:
    assert look(FINALISED, data).state == "failed"
    assert look(FINALISED, b"ADRECF\x01\x00" + data).state == "failed"


def test_pieces_in_another_order_are_noticed() -> None:
    file = io.BytesIO(JOURNAL.data)
    read_header(file)
    start = file.tell()
    first = 4 + int.from_bytes(JOURNAL.data[start : start + 4], "little")
    second = JOURNAL.data[start + first : start + 2 * first]
    swapped = JOURNAL.data[:start] + second + JOURNAL.data[start : start + first] + JOURNAL.data[start + 2 * first :]
    assert look(JOURNAL, swapped) == Findings(
        "failed", "tampered", rate=8000, samples=0, lost_frames=0, direction="outbound"
    )


def test_a_sample_number_far_away_is_damage_and_not_hours_of_silence() -> None:
    recording = made("J")
    recording._pieces("J", [("A", (2**60).to_bytes(8, "little") + b"\0" * 400)])
    assert look(recording).reason == "bad_piece"


def test_another_stores_key_does_not_open_it() -> None:
    file = io.BytesIO(FINALISED.data)
    header = read_header(file)
    with pytest.raises(Damaged, match="other_store_key"):
        next(pieces(file, header, PrivateKey.generate()))


def test_what_the_recorder_writes_this_reads() -> None:
    facts = HeaderFacts(JOURNAL.recording_id, JOURNAL.call_id, "seat-1", "line-1", "inbound", JOURNAL.started_at, 8000)
    writer = ContainerWriter("J", facts, bytes(STORE.public_key))
    data = writer.preamble + writer.seal("A", bytes(8) + b"\x10\x00" * 3200)
    found = look(JOURNAL, data)
    assert (found.state, found.reason, found.samples, found.direction) == ("recovered", "truncated", 1600, "inbound")
    assert playable(io.BytesIO(data), STORE)[:4] == b"OggS"
