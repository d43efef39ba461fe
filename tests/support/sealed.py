"""Sealed recordings made by hand, from docs/guides/recording-format.md alone: the recorder's code is not used."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import soundfile
from nacl import bindings
from nacl.public import PublicKey, SealedBox
from nacl.signing import SigningKey

from tests.support.server_api import new_id

_FINAL = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_MESSAGE = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def tone(seconds: float, rate: int = 8000) -> np.ndarray[Any, Any]:
    """Two channels of 16-bit samples: 300 Hz left, 700 Hz at half the level right."""
    t = np.arange(int(seconds * rate)) / rate
    left, right = 8000 * np.sin(2 * np.pi * 300 * t), 4000 * np.sin(2 * np.pi * 700 * t)
    return np.stack([left, right], axis=1).astype("<i2")


def ogg(pcm: np.ndarray[Any, Any], rate: int = 8000) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, pcm, rate, format="OGG", subtype="OPUS")
    return out.getvalue()


@dataclass
class Sealed:
    """A recording to be made: change what a test is about, then ``finalised`` or ``journal``, then ``manifest``."""

    store_key: bytes
    seat_id: str
    signing_key: SigningKey
    number: int
    seconds: float = 3.0
    rate: int = 8000
    recording_id: str = field(default_factory=new_id)
    call_id: str = field(default_factory=new_id)
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat().replace("+00:00", "Z"))
    kind: str = "F"
    data: bytes = b""
    content: bytes = b""
    facts: bytes = b""
    """Canonical JSON for the ``facts`` event, when there is to be one."""

    def _open(self, kind: str) -> tuple[bytes, Any, bytes]:
        self.kind = kind
        key = bindings.crypto_secretstream_xchacha20poly1305_keygen()
        state = bindings.crypto_secretstream_xchacha20poly1305_state()
        start = bindings.crypto_secretstream_xchacha20poly1305_init_push(state, key)
        header = {
            "recording_id": self.recording_id,
            "call_id": self.call_id,
            "seat_id": self.seat_id,
            "line_id": "line-1",
            "direction": "outbound",
            "started_at": self.started_at,
            "rate": self.rate,
            "channels": ["agent", "far"],
            "sealed_key": base64.b64encode(SealedBox(PublicKey(self.store_key)).encrypt(key)).decode(),
            "store_key_id": hashlib.sha256(self.store_key).hexdigest()[:16],
            "stream_header": base64.b64encode(start).decode(),
        }
        body = canonical(header)
        prefix = b"ADREC" + kind.encode() + struct.pack("<HI", 1, len(body)) + body
        return prefix, state, hashlib.sha256(prefix).digest()

    def _pieces(self, kind: str, bodies: list[tuple[str, bytes]], *, final: bool = True) -> bytes:
        prefix, state, bound = self._open(kind)
        out = [prefix]
        for index, (letter, body) in enumerate(bodies):
            tag = _FINAL if final and index == len(bodies) - 1 else _MESSAGE
            sealed = bindings.crypto_secretstream_xchacha20poly1305_push(state, letter.encode() + body, bound, tag)
            out.append(struct.pack("<I", len(sealed)) + sealed)
        self.data = b"".join(out)
        return self.data

    def _closing(self, content: bytes, **changes: Any) -> bytes:
        body = {
            "samples": int(self.seconds * self.rate),
            "rate": self.rate,
            "lost_frames": 2,
            "cause": "hung_up",
            "ended_at": self.started_at,
            "content_sha256": hashlib.sha256(content).hexdigest() if content else "",
            "codec": "opus" if content else "pcm_s16le",
            "left_dbfs": -15.2,
            "right_dbfs": -21.3,
        }
        return canonical(body | changes)

    def _facts(self) -> list[tuple[str, bytes]]:
        if not self.facts:
            return []
        told = {"start": 0, "kind": "facts", "at": self.started_at, "facts": json.loads(self.facts)}
        return [("E", canonical(told))]

    def finalised(self, content: bytes | None = None, **closing: Any) -> bytes:
        content = ogg(tone(self.seconds, self.rate), self.rate) if content is None else content
        self.content = content
        runs = [content[i : i + 65_536] for i in range(0, len(content), 65_536)]
        event = canonical({"start": 0, "kind": "answered", "at": self.started_at})
        bodies = [("E", event), *self._facts(), *(("O", run) for run in runs), ("C", self._closing(content, **closing))]
        return self._pieces("F", bodies)

    def journal(self, *, closed: bool = False, gap_at: float | None = None) -> bytes:
        """Pieces of 0.2 s, without an end unless ``closed``; ``gap_at`` leaves out one second from there."""
        pcm, step = tone(self.seconds, self.rate), self.rate // 5
        bodies: list[tuple[str, bytes]] = []
        for start in range(0, len(pcm), step):
            if gap_at is not None and gap_at * self.rate <= start < (gap_at + 1) * self.rate:
                continue
            bodies.append(("A", struct.pack("<Q", start) + pcm[start : start + step].tobytes()))
        if closed:
            bodies.append(("C", self._closing(b"")))
        return self._pieces("J", bodies, final=closed)

    def manifest(self, *, version: int = 1, **changes: Any) -> dict[str, Any]:
        """The signed manifest of ``data``; ``changes`` are signed too."""
        recovered = self.kind == "J"
        samples = 0 if recovered else int(self.seconds * self.rate)
        body = {
            "recording_id": self.recording_id,
            "call_id": self.call_id,
            "seat_id": self.seat_id,
            "number": self.number,
            "kind": self.kind,
            "recovered": recovered,
            "size": len(self.data),
            "sha256": hashlib.sha256(self.data).hexdigest(),
            "rate": self.rate,
            "samples": samples,
            "lost_frames": 0 if recovered else 2,
            "started_at": self.started_at,
            "ended_at": self.started_at,
        }
        if version > 1:
            body |= {
                "version": version,
                "codec": "pcm_s16le" if recovered else "opus",
                "content_sha256": hashlib.sha256(self.content).hexdigest() if self.content else "",
                "call_samples": samples,
                "segments": [[0, 0, samples]] if samples else [],
                "mode": "automatic",
                "policy_sha256": "",
                "facts_sha256": hashlib.sha256(self.facts).hexdigest() if self.facts else "",
                "monotonic_ms": int(self.seconds * 1000),
            }
        return self.signed(body | changes)

    def void(self, **changes: Any) -> dict[str, Any]:
        """The signed word that the number has no audio."""
        self.kind, self.data, self.content, self.facts = "N", b"", b"", b""
        nothing = {"recovered": True, "rate": 0, "samples": 0, "lost_frames": 0, "call_samples": 0, "segments": []}
        return self.manifest(version=2, **nothing | {"codec": "", "mode": "", "monotonic_ms": 0} | changes)

    def signed(self, body: dict[str, Any]) -> dict[str, Any]:
        signature = self.signing_key.sign(canonical(body)).signature
        return {**body, "signature": base64.b64encode(signature).decode()}
