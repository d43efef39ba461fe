"""Opus at the rules' bit rate, FLAC without loss; what is written is what both readers open, of either version."""

from __future__ import annotations

import hashlib
import io
import random
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from collection_server.recordings.audio import media_type, playable
from collection_server.recordings.check import examine
from recorder import codec, finalise, pcm
from recorder.codec import CodecError, FlacEncoder, OpusEncoder
from recorder.container import ContainerReader
from recorder.evidence import Manifest
from recorder.rules import DEFAULT_BIT_RATES, RecordingRules
from recorder.verify import check_decrypted
from tests.support.recording import RATE, Seat, facts, feed, speech, tone
from tests.support.sealed import Sealed

FLAC = RecordingRules(codec="flac")


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    made = Seat(tmp_path / "spool")
    yield made
    made.recorder.stop(10)


def noise(seconds: float, rate: int) -> bytes:
    """What an encoder cannot guess."""
    chance = random.Random(7)
    return array("h", (chance.randrange(-32768, 32768) for _ in range(round(seconds * rate)))).tobytes()


def encoded(make: Callable[[Callable[[bytes], None]], codec.Encoder], stereo: bytes, rate: int) -> bytes:
    out = bytearray()
    encoder = make(out.extend)
    for start in range(0, len(stereo), 4 * rate):
        encoder.write(stereo[start : start + 4 * rate])
    encoder.close()
    return bytes(out)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_flac_is_the_very_samples_to_both_readers(seat: Seat, rate: int) -> None:
    agent, far = noise(2.5, rate), speech("debtor_m_delay", rate)[: round(2.5 * 2 * rate)]
    recording_id = seat.record(agent, far, rate, rules=FLAC)
    (manifest,) = seat.spool.ready()
    assert (manifest.codec, manifest.samples, manifest.call_samples) == ("flac", 5 * rate // 2, 5 * rate // 2)
    assert manifest.segments == ((0, 0, 5 * rate // 2),)
    opened = seat.open(manifest)
    assert manifest.content_sha256 == hashlib.sha256(opened.content).hexdigest()
    left, right = opened.channels()
    assert (left.tobytes(), right.tobytes()) == (agent, far)
    path = seat.spool.payload(recording_id, "F")
    assert all(check.passed for check in check_decrypted(path, bytes(seat.store), manifest))
    found = examine(io.BytesIO(path.read_bytes()), manifest.to_json(), seat.store)
    assert (found.state, found.codec, found.samples) == ("verified", "flac", manifest.samples)
    assert playable(io.BytesIO(path.read_bytes()), seat.store) == opened.content
    assert media_type(opened.content) == "audio/flac"


def test_flac_holds_lost_frames_as_silence(seat: Seat) -> None:
    session = seat.recorder.start(facts(), FLAC)
    reached = feed(session, tone(440, 1), tone(1000, 1))
    feed(session, tone(440, 1), tone(1000, 1), start=reached + RATE)
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    left, right = seat.open(manifest).channels()
    assert left.tobytes() == tone(440, 1) + bytes(2 * RATE) + tone(440, 1)
    assert right.tobytes() == tone(1000, 1) + bytes(2 * RATE) + tone(1000, 1)


def test_a_call_without_a_frame_is_whole_in_flac_too(seat: Seat) -> None:
    seat.record(b"", b"", rules=FLAC)
    (manifest,) = seat.spool.ready()
    assert (manifest.kind, manifest.samples, manifest.segments) == ("F", 0, ())
    path = seat.spool.payload(manifest.recording_id, "F")
    assert all(check.passed for check in check_decrypted(path, bytes(seat.store), manifest))
    assert examine(io.BytesIO(path.read_bytes()), manifest.to_json(), seat.store).state == "verified"


@pytest.mark.parametrize("rate", [8000, 16000])
def test_the_opus_bit_rate_is_the_rules(seat: Seat, rate: int) -> None:
    talk = speech("debtor_f_missed_call", rate)
    for bits in (40_000, 96_000):
        seat.record(talk, talk, rate, rules=RecordingRules(bit_rates={rate: bits}))
    thin, thick = sorted(seat.spool.ready(), key=lambda m: m.number)
    seconds = thin.samples / rate
    assert len(seat.open(thin).content) * 8 / seconds == pytest.approx(40_000, rel=0.25)
    assert len(seat.open(thick).content) * 8 / seconds == pytest.approx(96_000, rel=0.25)


def test_impossible_bit_rates_are_brought_into_range() -> None:
    assert RecordingRules(bit_rates={8000: 1, 16000: 10**9}).bit_rate(8000) == 12_000
    assert RecordingRules(bit_rates={8000: 1, 16000: 10**9}).bit_rate(16000) == 256_000
    assert RecordingRules(bit_rates={}).bit_rate(8000) == DEFAULT_BIT_RATES[8000]
    assert RecordingRules(codec="mp3").codec == "opus"


def test_a_lossless_file_that_lost_something_gives_way_to_its_journal(
    seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deaf(FlacEncoder):
        def write(self, stereo: bytes) -> None:
            super().write(bytes(4) + stereo[4:])

    def deaf(sink: Callable[[bytes], None], rate: int, samples: int, _: RecordingRules) -> FlacEncoder:
        return Deaf(sink, rate, samples)

    monkeypatch.setattr("recorder.transcribe.encoder", deaf)
    talk = noise(1, RATE)
    seat.record(talk, talk, rules=FLAC)
    (manifest,) = seat.spool.ready()
    assert (manifest.kind, manifest.codec) == ("J", "pcm_s16le")


def test_flac_says_its_length_at_its_start() -> None:
    stereo = noise(3, RATE)
    samples = len(stereo) // 4
    content = encoded(lambda sink: FlacEncoder(sink, RATE, samples), stereo, RATE)
    assert codec.content_samples(io.BytesIO(content)) == (samples, RATE)
    assert b"".join(codec.decode(io.BytesIO(content))) == stereo
    with pytest.raises(CodecError):
        FlacEncoder(lambda _: None, RATE, 1 << 36)


def test_opus_keeps_its_length() -> None:
    stereo = pcm.interleave(tone(440, 2), tone(1000, 2))
    content = encoded(lambda sink: OpusEncoder(sink, RATE, 40_000), stereo, RATE)
    assert codec.content_samples(io.BytesIO(content)) == (2 * RATE, RATE)


@pytest.mark.parametrize("kind", ["F", "J"])
def test_version_1_stays_readable(tmp_path: Path, kind: str) -> None:
    """Made by hand from the document of version 1, not by the recorder."""
    store = PrivateKey.generate()
    sealed = Sealed(bytes(store.public_key), "seat-1", SigningKey.generate(), 1)
    data = sealed.finalised() if kind == "F" else sealed.journal(closed=True)
    told = sealed.manifest()
    path = tmp_path / f"{sealed.recording_id}.rec"
    path.write_bytes(data)
    with path.open("rb") as stream:
        header = ContainerReader(stream).header
    assert (header.version, header.kind, header.facts.mode, header.facts.rate) == (1, kind, "", 8000)
    manifest = Manifest.from_json(told)
    assert manifest.version == 1
    assert all(check.passed for check in check_decrypted(path, bytes(store), manifest))
    assert examine(io.BytesIO(data), told, store).state == ("verified" if kind == "F" else "recovered")


def test_a_finalised_file_is_sealed_by_the_rules_of_its_call(seat: Seat) -> None:
    """Two calls at once, each under its own policy."""
    rules = [RecordingRules(codec="flac", policy_sha256="1" * 64), RecordingRules(policy_sha256="2" * 64)]
    sessions = [seat.recorder.start(facts(call_id=f"call-{n}"), rule) for n, rule in enumerate(rules)]
    for session in sessions:
        feed(session, tone(440, 0.5), tone(440, 0.5))
        session.close("hung_up")
    assert seat.recorder.stop(15)
    found = {m.call_id: (m.codec, m.policy_sha256, m.mode) for m in seat.spool.ready()}
    assert found == {"call-0": ("flac", "1" * 64, "automatic"), "call-1": ("opus", "2" * 64, "automatic")}
    assert finalise.FinishedJournal.__slots__  # its key goes with it
