"""The envelope: what goes in comes out, and nothing else is ever taken for a recording."""

from __future__ import annotations

import io
import json
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey

from recorder.container import (
    AUDIO,
    CLOSING,
    CONTENT,
    EVENT,
    FINALISED,
    JOURNAL,
    MAX_CONTENT,
    MAX_PIECE,
    ContainerError,
    ContainerReader,
    ContainerWriter,
    HeaderFacts,
    Piece,
    raw_pieces,
    store_key_id,
)
from tests.support.recording import tampered

STORE = PrivateKey(bytes(range(32)))
PUBLIC = bytes(STORE.public_key)
FACTS = HeaderFacts(
    "0b6d3f0e-5b1e-4a8e-9d53-0a3b6c2e1f4d", "call", "seat-7", "line-1", "inbound", "2026-03-02T01:02:03Z", 8000
)
BODIES = [(AUDIO, bytes(8) + b"\1\2\3\4" * 100), (EVENT, b'{"start":0,"kind":"hold","at":""}'), (AUDIO, bytes(12))]


def sealed_file(bodies: list[tuple[str, bytes]] | None = None, *, closed: bool = True) -> tuple[bytes, list[bytes]]:
    writer = ContainerWriter(JOURNAL, FACTS, PUBLIC)
    pieces = [writer.seal(kind, body) for kind, body in (BODIES if bodies is None else bodies)]
    if closed:
        pieces.append(writer.seal(CLOSING, b"{}", final=True))
    return writer.preamble, pieces


def read(data: bytes, key: PrivateKey = STORE) -> tuple[list[Piece], ContainerReader]:
    reader = ContainerReader(io.BytesIO(data))
    reader.unlock(bytes(key))
    return list(reader.pieces()), reader


def code_of(data: bytes, key: PrivateKey = STORE) -> str:
    with pytest.raises(ContainerError) as caught:
        read(data, key)
    return caught.value.code


def whole() -> bytes:
    preamble, pieces = sealed_file()
    return preamble + b"".join(pieces)


def with_header(change: dict[str, object]) -> bytes:
    """A file whose header was rewritten, in canonical form, by someone without the key."""
    data = whole()
    (length,) = struct.unpack_from("<I", data, 8)
    fields = json.loads(data[12 : 12 + length]) | change
    fields = {k: v for k, v in fields.items() if v is not ...}
    body = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return data[:8] + struct.pack("<I", len(body)) + body + data[12 + length :]


def test_what_was_sealed_is_read_with_the_stores_key() -> None:
    pieces, reader = read(whole())
    assert [(p.kind, p.body) for p in pieces] == [*BODIES, (CLOSING, b"{}")]
    assert [p.final for p in pieces] == [False, False, False, True]
    assert reader.header.facts == FACTS
    assert reader.header.store_key_id == store_key_id(PUBLIC)
    assert reader.complete
    assert reader.good_bytes == len(whole())


def test_the_layout_is_the_documented_one() -> None:
    data = whole()
    magic, kind, version, length = struct.unpack_from("<5scHI", data)
    assert (magic, kind, version) == (b"ADREC", b"J", 2)
    header = json.loads(data[12 : 12 + length])
    assert header["channels"] == ["agent", "far"]
    assert set(header) == {
        *("recording_id", "call_id", "seat_id", "line_id", "direction", "started_at", "rate", "channels"),
        *("mode", "policy_sha256", "sealed_key", "store_key_id", "stream_header"),
    }
    (first,) = struct.unpack_from("<I", data, 12 + length)
    assert first == 17 + 1 + len(BODIES[0][1])


def test_nothing_of_the_audio_is_in_clear() -> None:
    marker = b"the debtor's voice" * 4
    preamble, pieces = sealed_file([(AUDIO, bytes(8) + marker)])
    assert marker[:16] not in preamble + b"".join(pieces)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_a_recording"),
        (b"RIFF" + bytes(100), "not_a_recording"),
        (b"ADRE", "truncated"),
        (b"ADRECJ", "truncated"),
        (b"ADRECJ\x03\x00" + bytes(100), "unsupported_version"),
        (b"ADRECX\x01\x00\x05\x00\x00\x00{}{}{", "damaged_header"),
        (b"ADRECJ\x01\x00" + struct.pack("<I", 65_537) + bytes(70_000), "damaged_header"),
        (b"ADRECJ\x01\x00" + struct.pack("<I", 0), "damaged_header"),
        (b"ADRECJ\x01\x00" + struct.pack("<I", 50) + b"{}", "truncated"),
        (b"ADRECJ\x01\x00" + struct.pack("<I", 2) + b"{}", "damaged_header"),
        (b"ADRECJ\x01\x00" + struct.pack("<I", 60_000) + b"[" * 60_000, "damaged_header"),
        (b"ADRECJ\x01\x00" + struct.pack("<I", 4) + b"\xff\xfe\x00\x01", "damaged_header"),
    ],
)
def test_what_is_no_recording_is_refused_with_a_reason(data: bytes, code: str) -> None:
    assert code_of(data) == code


@pytest.mark.parametrize(
    "change",
    [
        {"rate": "8000"},
        {"rate": True},
        {"rate": 7},
        {"rate": 8001},
        {"channels": ["far", "agent"]},
        {"call_id": 5},
        {"call_id": ...},
        {"more": "of it"},
        {"sealed_key": "AAAA"},
        {"sealed_key": "not base64!"},
        {"sealed_key": None},
        {"stream_header": "AAAA"},
    ],
)
def test_a_header_of_the_wrong_shape_is_damaged(change: dict[str, object]) -> None:
    assert code_of(with_header(change)) == "damaged_header"


def test_a_header_that_is_not_canonical_is_damaged() -> None:
    data = whole()
    (length,) = struct.unpack_from("<I", data, 8)
    body = data[12 : 12 + length].replace(b'"rate":8000', b'"rate": 8000')
    assert code_of(data[:8] + struct.pack("<I", len(body)) + body + data[12 + length :]) == "damaged_header"


@pytest.mark.parametrize("change", [{"call_id": "other"}, {"seat_id": "seat-8"}, {"rate": 16000}, {"line_id": ""}])
def test_a_header_cannot_be_swapped(change: dict[str, object]) -> None:
    assert code_of(with_header(change)) == "damaged_piece"


def test_another_store_key_does_not_open_it() -> None:
    assert code_of(whole(), PrivateKey.generate()) == "wrong_key"
    other = PrivateKey.generate()
    claimed = with_header({"store_key_id": store_key_id(bytes(other.public_key))})
    assert code_of(claimed, other) == "wrong_key"


def test_a_locked_file_gives_no_pieces() -> None:
    with pytest.raises(ContainerError, match="wrong_key"):
        list(ContainerReader(io.BytesIO(whole())).pieces())


def test_every_changed_byte_is_found() -> None:
    for at, data in tampered(whole()):
        with pytest.raises(ContainerError):
            read(data)
        assert at < len(data)


def test_pieces_cannot_be_reordered_dropped_repeated_or_taken_from_another_file() -> None:
    preamble, pieces = sealed_file()
    _, others = sealed_file()
    a, b, c, end = pieces
    for wrong in ([b, a, c, end], [a, c, end], [a, a, b, c, end], [a, others[1], c, end], [a, b, c, others[3]]):
        assert code_of(preamble + b"".join(wrong)) == "damaged_piece"


def test_a_cut_file_says_how_much_is_good() -> None:
    preamble, pieces = sealed_file()
    data = preamble + b"".join(pieces)
    ends = [len(preamble) + sum(map(len, pieces[:n])) for n in range(len(pieces))]
    for cut in range(len(preamble), len(data)):
        reader = ContainerReader(io.BytesIO(data[:cut]))
        reader.unlock(bytes(STORE))
        with pytest.raises(ContainerError, match="truncated"):
            list(reader.pieces())
        assert reader.good_bytes == max(end for end in ends if end <= cut)
        assert not reader.complete


def test_a_tail_of_zeros_ends_the_good_part() -> None:
    preamble, pieces = sealed_file(closed=False)
    reader = ContainerReader(io.BytesIO(preamble + b"".join(pieces) + bytes(4096)))
    reader.unlock(bytes(STORE))
    with pytest.raises(ContainerError, match="damaged_piece"):
        list(reader.pieces())
    assert reader.good_bytes == len(preamble) + sum(map(len, pieces))


def test_bytes_after_the_end_are_found() -> None:
    assert code_of(whole() + b"\0") == "damaged_piece"


def test_a_piece_of_impossible_length_takes_no_memory() -> None:
    preamble, _ = sealed_file()
    for length in (0, 17, MAX_PIECE + 1, 0xFFFF_FFFF):
        stream = io.BytesIO(preamble + struct.pack("<I", length) + bytes(64))
        ContainerReader(stream)
        with pytest.raises(ContainerError, match="damaged_piece"):
            list(raw_pieces(stream))


def test_pieces_out_of_place_are_not_written() -> None:
    writer = ContainerWriter(FINALISED, FACTS, PUBLIC)
    for kind, body, final in (
        (AUDIO, b"", False),
        ("X", b"", False),
        (CONTENT, bytes(MAX_CONTENT + 1), False),
        (CONTENT, b"", True),
        (CLOSING, b"", False),
    ):
        with pytest.raises(ValueError, match="piece"):
            writer.seal(kind, body, final=final)
    writer.seal(CLOSING, b"{}", final=True)
    with pytest.raises(ValueError, match="out of place"):
        writer.seal(CONTENT, b"x")


def test_pieces_out_of_place_are_not_read() -> None:
    """Even from a writer that has the key but not our rules."""
    writer = ContainerWriter(JOURNAL, FACTS, PUBLIC)
    writer._kind = FINALISED
    data = writer.preamble + writer.seal(CONTENT, b"content in a journal")
    assert code_of(data) == "damaged_piece"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=400), keep=st.integers(0, 700), at=st.integers(0, 700))
def test_no_input_makes_the_reader_fail_otherwise(data: bytes, keep: int, at: int) -> None:
    good = whole()
    for candidate in (data, good[:keep] + data, good[:at] + data + good[at + len(data) :]):
        try:
            read(candidate)
        except ContainerError as error:
            assert error.code in {
                *("not_a_recording", "unsupported_version", "damaged_header", "damaged_piece"),
                *("truncated", "wrong_key"),
            }
        else:
            assert candidate[:12] == good[:12]
