"""The server's private keys in one file, sealed under a passphrase: kept apart from the back-up that they open."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from nacl import pwhash
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey
from nacl.secret import SecretBox
from nacl.signing import SigningKey
from nacl.utils import random

from collection_server.keys import NAMES, Keys

FORM = "collection-server keys"
SHORTEST_PASSPHRASE = 12
# Argon2id as for a seat's key file: 64 MiB and three passes.
_MEMORY = 64 * 1024 * 1024
_PASSES = 3
_MOST_MEMORY = 1024 * 1024 * 1024
_MOST_PASSES = 16


class BadKeyFile(Exception):
    """The file is damaged, or the passphrase is another one; the text is one sentence."""


def seal(keys: Keys, passphrase: str) -> bytes:
    """Raises ``BadKeyFile`` for a passphrase that is too short."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise BadKeyFile(f"The passphrase must have {SHORTEST_PASSPHRASE} characters or more.")
    secrets = (bytes(keys.store), bytes(keys.receipt), bytes(keys.grant))
    plain = json.dumps({name: _b64(secret) for name, secret in zip(NAMES, secrets, strict=True)})
    salt = random(pwhash.argon2id.SALTBYTES)
    box = SecretBox(_derive(passphrase, salt, _PASSES, _MEMORY))
    body = {"form": FORM, "version": 1, "kdf": "argon2id", "passes": _PASSES, "memory": _MEMORY, "salt": _b64(salt)}
    return json.dumps({**body, "sealed": _b64(box.encrypt(plain.encode()))}, indent=1).encode() + b"\n"


def unseal(data: bytes, passphrase: str) -> Keys:
    """Raises ``BadKeyFile``."""
    try:
        body = json.loads(data)
        if (body["form"], body["version"], body["kdf"]) != (FORM, 1, "argon2id"):
            raise BadKeyFile("The file is no key file of a collection server.")
        passes, memory = int(body["passes"]), int(body["memory"])
        if not (1 <= passes <= _MOST_PASSES and 8192 <= memory <= _MOST_MEMORY):
            raise BadKeyFile("The key file is damaged.")
        box = SecretBox(_derive(passphrase, base64.b64decode(body["salt"], validate=True), passes, memory))
        found = json.loads(box.decrypt(base64.b64decode(body["sealed"], validate=True)))
        store, receipt, grant = (base64.b64decode(found[name], validate=True) for name in NAMES)
        return Keys(PrivateKey(store), SigningKey(receipt), SigningKey(grant))
    except CryptoError as error:
        raise BadKeyFile("The passphrase is not that of the key file.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadKeyFile("The key file is damaged.") from error


def write(path: Path, keys: Keys, passphrase: str) -> None:
    """A new file. Raises ``BadKeyFile``, ``FileExistsError``."""
    sealed = seal(keys, passphrase)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())


def _derive(passphrase: str, salt: bytes, passes: int, memory: int) -> bytes:
    return pwhash.argon2id.kdf(SecretBox.KEY_SIZE, passphrase.encode(), salt, opslimit=passes, memlimit=memory)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
