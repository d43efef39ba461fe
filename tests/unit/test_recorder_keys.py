"""R4: nothing that is on the seat opens what the seat recorded; only the store's private key does."""

from __future__ import annotations

import base64
import gc
import io
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.signing import SigningKey

from recorder.container import FINALISED, JOURNAL, ContainerError, ContainerReader
from recorder.finalise import FinaliseError
from tests.support.recording import Seat, facts, feed, open_recording, tone

MARKER = b"\x11\x22" * 160


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    made = Seat(tmp_path / "spool")
    yield made
    made.recorder.stop(10)


def stream_key(path: Path, store: PrivateKey) -> bytes:
    with path.open("rb") as stream:
        return SealedBox(store).decrypt(ContainerReader(stream).header.sealed_key)


def keys_on_the_seat(seat: Seat) -> Iterator[bytes]:
    """All 32-byte strings that somebody with the seat's disk and keyring could try."""
    signing = SigningKey(seat.identity.signing_key)
    yield seat.identity.signing_key
    yield seat.identity.public_key
    yield bytes(signing.to_curve25519_private_key())
    yield bytes(signing.verify_key.to_curve25519_public_key())
    yield seat.store_public
    yield bytes(32)
    for path in seat.folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        for at in range(min(len(data), 2000) - 31):
            yield data[at : at + 32]


@pytest.fixture(params=[FINALISED, JOURNAL])
def path(seat: Seat, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A recording of either kind."""
    if request.param == JOURNAL:

        def no_encoder(*_: object) -> None:
            raise FinaliseError("test")

        monkeypatch.setattr("recorder.session.finalise", no_encoder)
    recording_id = seat.record(tone(440, 0.4), tone(1000, 0.4))
    return seat.spool.payload(recording_id, request.param)


def test_only_the_stores_private_key_opens_it(seat: Seat, path: Path) -> None:
    assert open_recording(path, seat.store).closing["samples"] == 3200
    tried = 0
    for key in keys_on_the_seat(seat):
        with path.open("rb") as stream:
            reader = ContainerReader(stream)
            with pytest.raises(ContainerError, match="wrong_key"):
                reader.unlock(key)
            with pytest.raises(CryptoError):
                SealedBox(PrivateKey(key)).decrypt(reader.header.sealed_key)
            reader.unlock_with(key)
            with pytest.raises(ContainerError, match="damaged_piece"):
                next(reader.pieces())
        tried += 1
    assert tried > 500


def test_the_stream_key_is_nowhere_on_the_disk(seat: Seat, path: Path) -> None:
    key = stream_key(path, seat.store)
    for form in (key, base64.b64encode(key)[:40], key.hex().encode()):
        assert not any(form in p.read_bytes() for p in seat.folder.rglob("*") if p.is_file())


def test_the_recorder_forgets_the_key_when_the_recording_is_sealed(
    seat: Seat, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both keys of a finalised recording: the journal's too, whose file is gone."""
    keys: list[str] = []  # in hex, so that the test holds none
    create = seat.spool.create_journal

    def noted(recording_id: str, preamble: bytes) -> object:
        header = ContainerReader(io.BytesIO(preamble)).header
        keys.append(SealedBox(seat.store).decrypt(header.sealed_key).hex())
        return create(recording_id, preamble)

    monkeypatch.setattr(seat.spool, "create_journal", noted)
    seat.record(tone(440, 0.4), tone(1000, 0.4))
    keys.append(stream_key(path, seat.store).hex())
    assert len(keys) == 2
    for key in keys:
        deadline = time.monotonic() + 2  # the finaliser reports before it turns to the next
        while holders_of(bytes.fromhex(key)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert holders_of(bytes.fromhex(key)) == []


def holders_of(key: bytes) -> list[object]:
    gc.collect()
    holders = [o for o in gc.get_objects() if isinstance(o, dict | list | tuple) and _holds(o, key)]
    slots = [
        o
        for o in gc.get_objects()
        if str(type(o).__module__).startswith("recorder.") and getattr(o, "key", None) == key
    ]
    return [*holders, *slots]


def _holds(container: object, key: bytes) -> bool:
    values = container.values() if isinstance(container, dict) else container
    return any(type(value) is bytes and value == key for value in values)  # type: ignore[attr-defined]


def test_every_file_has_a_key_of_its_own(seat: Seat) -> None:
    paths = [seat.spool.payload(seat.record(tone(440, 0.1), tone(440, 0.1)), FINALISED) for _ in range(3)]
    keys = [stream_key(p, seat.store) for p in paths]
    assert all(a != b for a, b in itertools.combinations(keys, 2))


def test_the_audio_is_sealed_from_the_first_byte_on_the_disk(seat: Seat) -> None:
    """Looked at while the call is up, after each piece, and at its end."""
    session = seat.recorder.start(facts())
    for step in range(20):
        session.frames(step * 160, MARKER, MARKER)
    seat.wait_for(lambda s: s.sealed_ms > 0)
    feed(session, MARKER * 50, MARKER * 50, start=20 * 160)
    seen = [p.read_bytes() for p in seat.folder.rglob("*") if p.is_file()]
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    seen += [p.read_bytes() for p in seat.folder.rglob("*") if p.is_file()]
    assert len(seen) >= 3
    assert not any(MARKER[:16] in data or MARKER[:2] * 2 + MARKER[:2] * 6 in data or b"OggS" in data for data in seen)
