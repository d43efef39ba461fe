"""Who recorded what: the seat's identity, the signed manifest, the store's receipt."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from recorder.canonical import canonical_json

RECORDING_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MANIFEST_VERSION = 2
VOID = "N"
NOTHING_SHA256 = hashlib.sha256(b"").hexdigest()
_KINDS = {1: ("J", "F"), 2: ("J", "F", VOID)}
_SHA256 = re.compile(r"[0-9a-f]{64}")


class EvidenceError(Exception):
    """A manifest or receipt that proves nothing.

    ``code``: ``malformed``, ``wrong_signature``, ``wrong_recording``, ``wrong_sha256``, ``wrong_size``.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


@dataclass(frozen=True, slots=True)
class SeatIdentity:
    """The seat's name and its Ed25519 key; ``signing_key`` is the 32-byte seed."""

    seat_id: str
    signing_key: bytes = field(repr=False)

    @classmethod
    def generate(cls, seat_id: str) -> SeatIdentity:
        """A new identity with a random key."""
        return cls(seat_id, bytes(SigningKey.generate()))

    @property
    def public_key(self) -> bytes:
        """The 32 raw bytes of the Ed25519 public key."""
        return bytes(SigningKey(self.signing_key).verify_key)

    def sign(self, data: bytes) -> bytes:
        """Detached Ed25519 signature, 64 bytes."""
        return SigningKey(self.signing_key).sign(data).signature


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a seat says of one sealed file, or of a number that has none, signed.

    ``kind``: ``J`` a journal, ``F`` a finalised file, ``N`` nothing: the number was taken and no audio can be shown for
    it (``size`` 0, ``sha256`` of no bytes, ``call_id`` empty when it is not known).

    When ``recovered`` the seat cannot know ``samples``, ``call_samples``, ``lost_frames`` (0) and ``content_sha256``
    (empty). ``samples`` are those of the file's audio, a channel; ``call_samples`` those of the whole call, by the
    sample clock. ``segments`` maps one to the other: ``(first sample in the file, first sample in the call, samples)``.
    Empty texts say "not known" or "none". Version 1 ends with ``ended_at`` and has no ``version``.
    """

    recording_id: str
    call_id: str
    seat_id: str
    number: int
    kind: str
    recovered: bool
    size: int
    sha256: str
    rate: int
    samples: int
    lost_frames: int
    started_at: str
    ended_at: str
    signature: str = ""
    version: int = MANIFEST_VERSION
    codec: str = ""
    content_sha256: str = ""
    """Of the audio file inside of a finalised one."""
    call_samples: int = 0
    segments: tuple[tuple[int, int, int], ...] = ()
    mode: str = ""
    """How the recording was ruled: ``automatic``, ``voice`` or ``manual``."""
    policy_sha256: str = ""
    facts_sha256: str = ""
    """Of the sealed call facts (canonical JSON with a salt), which a bundle may show."""
    monotonic_ms: int = 0
    """How long it lasted by a clock that nobody can set."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", tuple(tuple(segment) for segment in self.segments))

    def signed_bytes(self) -> bytes:
        """The canonical JSON that the signature is over."""
        return canonical_json({k: v for k, v in self.to_json().items() if k != "signature"})

    def to_json(self) -> dict[str, Any]:
        """As it is written and sent: the fields of its version."""
        body = asdict(self) | {"segments": [list(segment) for segment in self.segments]}
        return body if self.version > 1 else {k: v for k, v in body.items() if k not in _SINCE_2}

    @classmethod
    def from_json(cls, value: object) -> Manifest:
        """Raises ``EvidenceError`` (``malformed``) for anything but exactly the fields of version 1 or 2, rightly
        typed.
        """
        if not isinstance(value, dict):
            raise EvidenceError("malformed", "the manifest is not an object")
        second = "version" in value
        wanted = {name: kind for name, kind in _TYPES.items() if second or name not in _SINCE_2}
        if set(value) != set(wanted) or (second and value["version"] != MANIFEST_VERSION):
            raise EvidenceError("malformed", "the manifest has the wrong fields")
        if any(type(value[name]) is not kind for name, kind in wanted.items()):
            raise EvidenceError("malformed", "a value of the manifest has the wrong type")
        if not _are_segments(value.get("segments", [])):
            raise EvidenceError("malformed", "the manifest's segments have the wrong form")
        manifest = cls(**value) if second else cls(**value, version=1)
        manifest._check_values()
        return manifest

    def _check_values(self) -> None:
        digests = [self.content_sha256, self.policy_sha256, self.facts_sha256]
        named = RECORDING_ID.fullmatch(self.recording_id) and _SHA256.fullmatch(self.sha256)
        if any(digest and not _SHA256.fullmatch(digest) for digest in digests):
            raise EvidenceError("malformed", "a hash of the manifest is not one")
        if not named or self.kind not in _KINDS[self.version] or self.number < 1:
            raise EvidenceError("malformed", "a value of the manifest is impossible")
        counts = (self.size, self.rate, self.samples, self.lost_frames, self.call_samples, self.monotonic_ms)
        if min(counts) < 0:
            raise EvidenceError("malformed", "a count of the manifest is negative")
        if self.kind == VOID and (self.size, self.samples, self.sha256) != (0, 0, NOTHING_SHA256):
            raise EvidenceError("malformed", "a void number has no bytes")


def _are_segments(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, list) and len(item) == 3 and all(type(n) is int and n >= 0 for n in item) for item in value
    )


_PLAIN = {"str": str, "int": int, "bool": bool}
_TYPES: dict[str, type] = {f.name: _PLAIN.get(str(f.type), list) for f in fields(Manifest)}
_SINCE_2 = {
    *("version", "codec", "content_sha256", "call_samples", "segments"),
    *("mode", "policy_sha256", "facts_sha256", "monotonic_ms"),
}


def sign_manifest(identity: SeatIdentity, unsigned: Manifest) -> Manifest:
    """The same manifest with the seat's signature."""
    return replace(unsigned, signature=_b64(identity.sign(unsigned.signed_bytes())))


def void_manifest(
    identity: SeatIdentity, recording_id: str, number: int, started_at: str, call_id: str = "", ended_at: str = ""
) -> Manifest:
    """The seat's signed word that ``number`` was taken and that it has no audio to show for it.

    ``started_at`` is when the number was taken, ``ended_at`` when its audio was found missing.
    """
    unsigned = Manifest(
        recording_id=recording_id,
        call_id=call_id,
        seat_id=identity.seat_id,
        number=number,
        kind=VOID,
        recovered=True,
        size=0,
        sha256=NOTHING_SHA256,
        rate=0,
        samples=0,
        lost_frames=0,
        started_at=started_at,
        ended_at=ended_at,
    )
    return sign_manifest(identity, unsigned)


def verify_manifest(manifest: Manifest, seat_public_key: bytes) -> None:
    """Raises ``EvidenceError`` (``wrong_signature``) unless that seat signed exactly this."""
    _verify(seat_public_key, manifest.signed_bytes(), manifest.signature)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The store's word that it has a file, checked."""

    recording_id: str
    sha256: str
    size: int
    stored_at: str
    signature: str


def verify_receipt(receipt: object, receipt_public_key: bytes, *, recording_id: str, sha256: str, size: int) -> Receipt:
    """Check the store's signature over the receipt's other fields, then that it is for this very file.

    Raises ``EvidenceError``: ``malformed``, ``wrong_signature``, ``wrong_recording``, ``wrong_sha256``, ``wrong_size``.
    """
    if not isinstance(receipt, Mapping):
        raise EvidenceError("malformed", "the receipt is not an object")
    wanted: dict[str, type] = {"recording_id": str, "sha256": str, "size": int, "stored_at": str, "signature": str}
    if any(type(receipt.get(name)) is not hint for name, hint in wanted.items()):
        raise EvidenceError("malformed", "the receipt has the wrong fields")
    try:
        signed = canonical_json({k: v for k, v in receipt.items() if k != "signature"})
    except ValueError as error:
        raise EvidenceError("malformed", "the receipt has no canonical form") from error
    _verify(receipt_public_key, signed, receipt["signature"])
    for name, value in (("recording_id", recording_id), ("sha256", sha256), ("size", size)):
        if receipt[name] != value:
            raise EvidenceError("wrong_recording" if name == "recording_id" else f"wrong_{name}")
    return Receipt(**{name: receipt[name] for name in wanted})


def public_key(text: str) -> bytes:
    """A 32-byte key from base64. Raises ``EvidenceError`` (``malformed``)."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError as error:
        raise EvidenceError("malformed", "the key is not base64") from error
    if len(key) != 32:
        raise EvidenceError("malformed", "the key is not 32 bytes long")
    return key


def _verify(key: bytes, data: bytes, signature: str) -> Literal[True]:
    try:
        VerifyKey(key).verify(data, base64.b64decode(signature, validate=True))
    except (CryptoError, ValueError) as error:
        raise EvidenceError("wrong_signature") from error
    return True


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
