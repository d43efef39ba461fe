"""What a back-up folder holds.

``blobs/ab/SHA256``: the recordings, each once. ``snapshots/NAME/``: a copy of the database, ``store.json`` (the blobs
that belong to it, and what had been destroyed) and ``snapshot.json``: sums of the other two, ends of the chains, and
the receipt key's signature over all of that. A snapshot without ``snapshot.json`` was never finished.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from collection_server.canonical import canonical_json

FORM = "collection-server backup"
VERSION = 1
SNAPSHOT, STORE = "snapshot.json", "store.json"
_LABEL = b"collection-server backup v1\n"
_NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1024 * 1024
Json = dict[str, Any]


class BadBackup(Exception):
    """The back-up cannot be used; the text is one sentence."""


def blob_path(folder: Path, sha256: str) -> Path:
    if not _SHA256.fullmatch(sha256):
        raise BadBackup("The back-up names a blob that is none.")
    return folder / "blobs" / sha256[:2] / sha256


def names(folder: Path) -> list[str]:
    """The finished snapshots, oldest first."""
    found = (folder / "snapshots").glob(f"*/{SNAPSHOT}")
    return sorted(path.parent.name for path in found if _NAME.fullmatch(path.parent.name))


def sign(body: Json, key: SigningKey) -> Json:
    signature = key.sign(_LABEL + canonical_json(body)).signature
    return {**body, "signature": base64.b64encode(signature).decode()}


def read(folder: Path, name: str, receipt_key: VerifyKey) -> tuple[Json, Json]:
    """``snapshot.json`` and ``store.json``, when the signature and all sums hold. Raises ``BadBackup``."""
    place = folder / "snapshots" / name
    try:
        body = json.loads((place / SNAPSHOT).read_bytes())
        signature = base64.b64decode(body.pop("signature"), validate=True)
        receipt_key.verify(_LABEL + canonical_json(body), signature)
    except CryptoError as error:
        raise BadBackup(f"The snapshot {name} was not signed with these keys, or was changed.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadBackup(f"The snapshot {name} cannot be read.") from error
    if (body.get("form"), body.get("version"), body.get("name")) != (FORM, VERSION, name):
        raise BadBackup(f"The snapshot {name} is of a form that this version does not know.")
    for part in ("database", "store"):
        path = place / Path(body[part]["file"]).name
        if not path.is_file() or (sha256_of(path), path.stat().st_size) != (body[part]["sha256"], body[part]["size"]):
            raise BadBackup(f"{path.name} of the snapshot {name} is damaged or gone.")
    return body, json.loads((place / STORE).read_bytes())


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def described(path: Path) -> Json:
    return {"file": path.name, "sha256": sha256_of(path), "size": path.stat().st_size}


def write_file(path: Path, data: bytes) -> None:
    """New, for this account only, and durable."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
