"""Who recorded what: the seat's identity, the signed manifest, the store's receipt."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from recorder.canonical import canonical_json

RECORDING_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
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
    """What a seat says of one sealed file, signed.

    ``samples`` and ``lost_frames`` are 0 when ``recovered``: the seat cannot know them.
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

    def signed_bytes(self) -> bytes:
        """The canonical JSON that the signature is over."""
        return canonical_json({k: v for k, v in asdict(self).items() if k != "signature"})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: object) -> Manifest:
        """Raises ``EvidenceError`` (``malformed``) for anything but exactly these fields with the right types."""
        types = {"str": str, "int": int, "bool": bool}
        hints = {f.name: types[str(f.type)] for f in fields(cls)}
        if not isinstance(value, dict) or set(value) != set(hints):
            raise EvidenceError("malformed", "the manifest has the wrong fields")
        if any(type(value[name]) is not hint for name, hint in hints.items()):
            raise EvidenceError("malformed", "a value of the manifest has the wrong type")
        manifest = cls(**value)
        good = RECORDING_ID.fullmatch(manifest.recording_id) and _SHA256.fullmatch(manifest.sha256)
        if not good or manifest.kind not in ("J", "F") or manifest.number < 1:
            raise EvidenceError("malformed", "a value of the manifest is impossible")
        if min(manifest.size, manifest.rate, manifest.samples, manifest.lost_frames) < 0:
            raise EvidenceError("malformed", "a count of the manifest is negative")
        return manifest


def sign_manifest(identity: SeatIdentity, unsigned: Manifest) -> Manifest:
    """The same manifest with the seat's signature."""
    values = unsigned.to_json()
    values["signature"] = _b64(identity.sign(unsigned.signed_bytes()))
    return Manifest(**values)


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
