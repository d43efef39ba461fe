"""The seat's secrets: the store's key, the seat's signing key and its id, in the OS keyring or under a passphrase.

Light to import: the keyring and the cryptography are imported when used. Nothing here is ever logged.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from agent_desktop.services.errors import DeskError, Problem

SERVICE = "agent-desktop"
KEY_BYTES = 32
KEY_FILE = "seat.keys"
MIN_PASSPHRASE = 12
MEMORY_BYTES = 64 * 1024 * 1024
MAX_MEMORY_BYTES = 1024 * 1024 * 1024
MAX_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class SeatKeys:
    """What only this seat holds. ``signing_seed`` is the seed of its Ed25519 key."""

    seat_id: str
    store_key: bytes = field(repr=False)
    signing_seed: bytes = field(repr=False)

    @property
    def public_key(self) -> bytes:
        """The seat's Ed25519 public key, 32 bytes."""
        from nacl.signing import SigningKey

        return bytes(SigningKey(self.signing_seed).verify_key)

    @classmethod
    def fresh(cls) -> SeatKeys:
        return cls(str(uuid.uuid4()), secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES))

    def to_json(self) -> str:
        body = {"seat_id": self.seat_id, "store_key": _b64(self.store_key), "signing_seed": _b64(self.signing_seed)}
        return json.dumps(body)

    @classmethod
    def from_json(cls, text: str | bytes) -> SeatKeys:
        """Raises ``ValueError`` for anything that ``to_json`` did not write."""
        try:
            body = json.loads(text)
            keys = cls(
                str(uuid.UUID(body["seat_id"])),
                base64.b64decode(body["store_key"], validate=True),
                base64.b64decode(body["signing_seed"], validate=True),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not the keys of a seat") from error
        if len(keys.store_key) != KEY_BYTES or len(keys.signing_seed) != KEY_BYTES:
            raise ValueError("a key has the wrong length")
        return keys


class KeyringAway(DeskError):
    """There is no usable keyring: a passphrase is needed. ``first_time``: it is to be chosen, not just typed."""

    def __init__(self, first_time: bool) -> None:
        super().__init__(Problem.STORE_LOCKED, "no usable keyring")
        self.first_time = first_time


class WrongPassphrase(DeskError):
    """The passphrase does not open the seat's keys, or is too short to be taken."""

    def __init__(self, too_short: bool = False) -> None:
        super().__init__(Problem.STORE_LOCKED, "passphrase too short" if too_short else "wrong passphrase")
        self.too_short = too_short


class StoreKeys(Protocol):
    """Where a seat's keys come from."""

    def load(self, passphrase: str | None = None) -> SeatKeys:
        """The seat's keys, made at the first call. Raises ``KeyringAway``, ``WrongPassphrase``, ``DeskError``."""


class KeptKeys:
    """Keys of the seat that ``data_dir`` belongs to: in the keyring, else in a file sealed under a passphrase.

    Once a passphrase file is there it is used, whatever the keyring says later: two sets of keys would lose the first
    one's store. May take a second (Argon2id); not for the Qt main thread.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._file = data_dir / KEY_FILE

    def load(self, passphrase: str | None = None) -> SeatKeys:
        """See ``StoreKeys.load``."""
        if self._file.exists():
            if passphrase is None:
                raise KeyringAway(first_time=False)
            return self._open(passphrase)
        kept = self._from_keyring()
        if kept is not None:
            return kept
        if passphrase is None:
            raise KeyringAway(first_time=True)
        if len(passphrase) < MIN_PASSPHRASE:
            raise WrongPassphrase(too_short=True)
        keys = SeatKeys.fresh()
        self._seal(keys, passphrase)
        return keys

    def _from_keyring(self) -> SeatKeys | None:
        """The keyring's keys, made and kept there when it has none; None when there is no usable keyring."""
        import keyring
        import keyring.errors

        try:
            text = keyring.get_password(SERVICE, self._name())
            if text is None:
                keys = SeatKeys.fresh()
                keyring.set_password(SERVICE, self._name(), keys.to_json())
                # Some back ends take everything and keep nothing.
                return keys if keyring.get_password(SERVICE, self._name()) == keys.to_json() else None
        except (keyring.errors.KeyringError, OSError, RuntimeError):
            return None
        try:
            return SeatKeys.from_json(text)
        except ValueError as error:
            raise DeskError(Problem.STORE_LOCKED, "the keyring's entry is damaged") from error

    def _name(self) -> str:
        """The entry's name: one for each data directory, without telling its path."""
        place = str(self._data_dir.resolve())
        return f"seat {hashlib.sha256(place.encode()).hexdigest()[:16]}"

    def _seal(self, keys: SeatKeys, passphrase: str) -> None:
        from nacl import pwhash, secret, utils

        salt = utils.random(pwhash.argon2id.SALTBYTES)
        box = secret.SecretBox(_derive(passphrase, salt, pwhash.argon2id.OPSLIMIT_MODERATE, MEMORY_BYTES))
        body = {
            "version": 1,
            "salt": _b64(salt),
            "opslimit": pwhash.argon2id.OPSLIMIT_MODERATE,
            "memlimit": MEMORY_BYTES,
            "sealed": _b64(bytes(box.encrypt(keys.to_json().encode()))),
        }
        self._data_dir.mkdir(parents=True, exist_ok=True)
        write_private(self._file, json.dumps(body).encode())

    def _open(self, passphrase: str) -> SeatKeys:
        from nacl.exceptions import CryptoError
        from nacl.secret import SecretBox

        try:
            body: dict[str, Any] = json.loads(self._file.read_bytes())
            salt, sealed = base64.b64decode(body["salt"]), base64.b64decode(body["sealed"])
            memory, rounds = int(body["memlimit"]), int(body["opslimit"])
            if not (0 < memory <= MAX_MEMORY_BYTES and 0 < rounds <= MAX_ROUNDS):
                raise ValueError("limits out of range")
            key = _derive(passphrase, salt, rounds, memory)
        except (OSError, ValueError, KeyError, TypeError, CryptoError) as error:
            raise DeskError(Problem.STORE_DAMAGED, "the seat's key file cannot be read") from error
        try:
            return SeatKeys.from_json(SecretBox(key).decrypt(sealed))
        except CryptoError:
            raise WrongPassphrase from None


class ThrowAwayKeys:
    """Keys of a demo: made once, kept in memory only."""

    def __init__(self) -> None:
        self._keys = SeatKeys.fresh()

    def load(self, passphrase: str | None = None) -> SeatKeys:
        """See ``StoreKeys.load``; needs no passphrase."""
        return self._keys


def _derive(passphrase: str, salt: bytes, rounds: int, memory: int) -> bytes:
    """Argon2id, as libsodium has it."""
    from nacl import pwhash

    return pwhash.argon2id.kdf(KEY_BYTES, passphrase.encode(), salt, opslimit=rounds, memlimit=memory)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
