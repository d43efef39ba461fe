"""The server's three private keys, made once and kept in files that only the server's account can read."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from pathlib import Path

from nacl.public import PrivateKey
from nacl.signing import SigningKey

NAMES = ("store", "receipt", "grant")


class BadKeys(Exception):
    """A key file is missing, damaged or open to others; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Keys:
    """``store`` (X25519) opens recordings; ``receipt`` and ``grant`` (Ed25519) sign."""

    store: PrivateKey = field(repr=False)
    receipt: SigningKey = field(repr=False)
    grant: SigningKey = field(repr=False)

    def public(self) -> dict[str, str]:
        """The public halves in base64, as a seat gets them at sign-in."""
        raw = {
            "store": bytes(self.store.public_key),
            "receipt": bytes(self.receipt.verify_key),
            "grant": bytes(self.grant.verify_key),
        }
        return {name: base64.b64encode(key).decode() for name, key in raw.items()}


def make_keys(folder: Path) -> None:
    """Write three new keys. Raises ``FileExistsError`` rather than replace one: old recordings need it."""
    write_keys(folder, Keys(PrivateKey.generate(), SigningKey.generate(), SigningKey.generate()))


def write_keys(folder: Path, keys: Keys) -> None:
    """Raises ``FileExistsError`` rather than replace a key."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, secret in zip(NAMES, (bytes(keys.store), bytes(keys.receipt), bytes(keys.grant)), strict=True):
        descriptor = os.open(folder / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secret) + b"\n")
            file.flush()
            os.fsync(file.fileno())


def load_keys(folder: Path) -> Keys:
    """Read the keys. Raises ``BadKeys``."""
    raw = {name: _read(folder / f"{name}.key") for name in NAMES}
    return Keys(PrivateKey(raw["store"]), SigningKey(raw["receipt"]), SigningKey(raw["grant"]))


def _read(path: Path) -> bytes:
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise BadKeys(f"The key file {path} can be read by other accounts; its mode must be 0600.")
        secret = base64.b64decode(path.read_bytes().strip(), validate=True)
    except OSError as error:
        raise BadKeys(f"The key file {path} cannot be read; run `collection-server init` first.") from error
    except binascii.Error as error:
        raise BadKeys(f"The key file {path} is damaged.") from error
    if len(secret) != 32:
        raise BadKeys(f"The key file {path} is damaged.")
    return secret
