"""One recording on its way to the store: sums, parts, receipt."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any, BinaryIO

from recorder.evidence import VOID, EvidenceError, Manifest, Receipt, verify_receipt
from recorder.finalise import file_digest
from recorder.spool import Spool
from recorder.throttle import Throttle
from recorder.uploader_api import AddressExpired, Api, Part, PartRefused, PartSums, Refused, UploadPlan

_IN_MEMORY = 16 * 1024 * 1024


class ReceiptWrong(Exception):
    """The store's receipt does not prove that it has the file."""


class Damaged(Exception):
    """The local file is not what its manifest says."""


class UploadJob:
    """Sends one recording, once. On one thread.

    ``stopping`` is asked between parts. ``progress`` becomes true when the server took a part.
    """

    def __init__(
        self, spool: Spool, api: Api, manifest: Manifest, key: bytes, throttle: Throttle, stopping: Callable[[], bool]
    ) -> None:
        self._spool = spool
        self._api = api
        self._manifest = manifest
        self._key = key
        self._throttle = throttle
        self._stopping = stopping
        self.progress = False
        self._raw: dict[str, Any] | None = None
        """The receipt, where it came with the only part."""

    def run(self) -> Receipt | None:
        """Send what is missing, check the receipt, keep it, and only then let the local copy go.

        None when it was stopped. Raises ``UploadError``, ``Damaged``, ``ReceiptWrong``, ``SpoolError``, ``OSError``.
        """
        manifest = self._manifest
        with self._open() as file:
            raw = self._send_whole(file) or self._announced(file)
        if raw is None:
            return None
        try:
            receipt = verify_receipt(
                raw, self._key, recording_id=manifest.recording_id, sha256=manifest.sha256, size=manifest.size
            )
        except EvidenceError as error:
            raise ReceiptWrong from error
        self._spool.keep_receipt(manifest, receipt, raw)
        self._spool.drop_stored(manifest.recording_id)
        return receipt

    def _send_whole(self, file: BinaryIO) -> dict[str, Any] | None:
        if self._manifest.kind == VOID or not isinstance(file, io.BytesIO):
            return None
        try:
            return self._api.put_whole(self._manifest, file.getvalue(), self._throttle)
        except Refused as error:
            if error.status == 422 and error.code == "checksum":
                raise PartRefused(error.status, error.code) from error
            if error.status not in (404, 405, 413):
                raise
            return None  # another server than before: it is announced

    def _announced(self, file: BinaryIO) -> dict[str, Any] | None:
        plan = self._api.begin(self._manifest)
        if plan.receipt is not None:
            return plan.receipt
        if not self._send_parts(file, plan):
            return None
        return self._raw or self._api.complete(self._manifest.recording_id)

    def _open(self) -> BinaryIO:
        """The file, which is what its manifest says; small ones from memory, so that they are read and summed once."""
        manifest = self._manifest
        if manifest.kind == VOID:
            return io.BytesIO()
        path = self._spool.payload(manifest.recording_id, manifest.kind)
        if path.stat().st_size != manifest.size:
            raise Damaged
        if manifest.size <= _IN_MEMORY:
            data = path.read_bytes()
            if (hashlib.sha256(data).hexdigest(), len(data)) != (manifest.sha256, manifest.size):
                raise Damaged
            return io.BytesIO(data)
        if file_digest(path) != (manifest.sha256, manifest.size):
            raise Damaged
        return path.open("rb")

    def _send_parts(self, file: BinaryIO, plan: UploadPlan) -> bool:
        """Send the missing parts; False when the uploader is to stop."""
        offset = 0
        for part in plan.parts:
            if self._stopping():
                return False
            if part.number not in plan.received:
                self._send_part(_read(file, offset, part.size), plan, part)
                self.progress = True
            offset += part.size
        return True

    def _send_part(self, data: bytes, plan: UploadPlan, part: Part) -> None:
        whole = part.size == self._manifest.size
        sha256 = self._manifest.sha256 if whole else hashlib.sha256(data).hexdigest()
        if not plan.direct:
            self._raw = self._api.put_part(part, data, sha256, self._throttle)
            return
        sums = PartSums(part.number, sha256, hashlib.md5(data, usedforsecurity=False).hexdigest())
        try:
            self._api.put_part(self._api.addresses(plan, [sums])[part.number], data, sha256, self._throttle)
        except AddressExpired:  # the line was too slow for the address: another one, once
            self._api.put_part(self._api.addresses(plan, [sums])[part.number], data, sha256, self._throttle)


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    data = file.read(size)
    if len(data) != size:
        raise Damaged
    return data
