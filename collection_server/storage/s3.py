"""A store in a bucket of an S3-compatible service.

Parts go to the multipart upload ``staging/UPLOAD``. Joined, they are read through once; only when their SHA-256 is the
one that the seat has signed are they copied to ``blobs/ab/abcdef…``. So a blob's name is true at every moment, and
nothing is locked that is not what it should be. An ETag, and S3's own sum of a multipart object, say nothing of the
whole file.
"""

from __future__ import annotations

import base64
import hashlib
import re
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from collection_server.storage.interface import (
    Address,
    Assembled,
    BlobMissing,
    PartSums,
    StagedPartMissing,
    Staging,
    StoreAway,
    StoreKind,
    WrongSum,
)
from collection_server.storage.s3_client import S3Client, S3Refused, s3_errors
from collection_server.storage.s3_lock import ObjectLock
from collection_server.storage.settings import StoreSettings

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1024 * 1024
_IN_MEMORY = 8 * 1024 * 1024


class S3Store:
    """Blobs and parts in one bucket, which must be there."""

    kind: StoreKind = "s3"

    def __init__(self, settings: StoreSettings) -> None:
        self._bucket = settings.s3_bucket
        self._prefix = settings.s3_prefix
        self._client = S3Client(settings)
        self._lock = ObjectLock(self._client, settings)

    # --- uploads ---

    def begin(self, upload_id: str) -> str:
        with s3_errors():
            made = self._client.own.create_multipart_upload(
                **self._staged(upload_id), ContentType="application/octet-stream"
            )
        return str(made["UploadId"])

    def put_part(self, upload: Staging, number: int, data: bytes, sha256: str) -> None:
        try:
            with s3_errors():
                self._client.own.upload_part(
                    **self._multipart(upload), PartNumber=number, Body=data, ChecksumSHA256=_base64(sha256)
                )
        except S3Refused as error:
            raise (WrongSum if error.status == 400 else StagedPartMissing)(upload.upload_id) from error

    def addresses(self, upload: Staging, parts: Sequence[PartSums], seconds: int) -> dict[int, Address] | None:
        return {part.number: self._address(upload, part, seconds) for part in parts}

    def _address(self, upload: Staging, part: PartSums, seconds: int) -> Address:
        """Sums and length are signed into it: the store takes these very bytes and no others. Content-MD5 is for
        services that do not know the other one.
        """
        sha256, md5 = _base64(part.sha256), _base64(part.md5)
        signed = {"PartNumber": part.number, "ChecksumSHA256": sha256, "ContentMD5": md5, "ContentLength": part.size}
        with s3_errors():
            url = self._client.seats.generate_presigned_url(
                "upload_part", Params=self._multipart(upload) | signed, ExpiresIn=seconds
            )
        return Address(url, {"x-amz-checksum-sha256": sha256, "Content-MD5": md5})

    def received(self, upload: Staging, sizes: Mapping[int, int], sha256: str) -> set[int] | None:
        if not upload.reference:
            return set()
        known = self._parts(upload)
        found = {number for number, (_, size) in (known or {}).items() if sizes.get(number) == size}
        if found != set(sizes) and self._is_joined(upload, sum(sizes.values()), sha256):
            return set(sizes)
        if known is None:
            raise StagedPartMissing(upload.upload_id)
        return found

    def assemble(self, upload: Staging, parts: Mapping[int, str], sha256: str) -> Assembled:
        key = self._key(sha256)
        size = self._size(key)
        if size is not None:
            return Assembled(sha256, size)
        self._join(upload, parts)
        with ExitStack() as open_files:
            file = open_files.enter_context(_temporary())
            found, etag = self._fetch(self._staged(upload.upload_id), file)
            if found is None:
                raise StagedPartMissing(upload.upload_id)
            if found.sha256 != sha256:
                return found
            self._copy(upload, key, found.size, etag)
            open_files.pop_all()
        file.seek(0)
        return replace(found, file=file)

    def _join(self, upload: Staging, parts: Mapping[int, str]) -> None:
        """Make one object of the parts; one that is there already, from a try before this one, is the same."""
        known = self._parts(upload) or {}
        if set(parts) - set(known):
            if self._size(self._staged(upload.upload_id)["Key"]) is None:
                raise StagedPartMissing(upload.upload_id)
            return
        wanted = [{"PartNumber": number, "ETag": known[number][0]} for number in sorted(parts)]
        try:
            with s3_errors():
                self._client.own.complete_multipart_upload(
                    **self._multipart(upload), MultipartUpload={"Parts": wanted}, IfNoneMatch="*"
                )
        except S3Refused as error:
            if self._size(self._staged(upload.upload_id)["Key"]) is None:
                raise StagedPartMissing(upload.upload_id) from error

    def _copy(self, upload: Staging, key: str, size: int, etag: str) -> None:
        source = self._staged(upload.upload_id)
        try:
            with s3_errors():
                self._client.own.copy_object(
                    Bucket=self._bucket, Key=key, CopySource=source, CopySourceIfMatch=etag, **self._lock.headers()
                )
        except S3Refused as error:
            raise StagedPartMissing(upload.upload_id) from error
        if self._size(key) != size:
            raise StoreAway("s3: a copy is not as long as what was copied")
        self._lock.check(key)

    def drop_parts(self, upload: Staging) -> None:
        with s3_errors():
            client = self._client.own
        if upload.reference:
            with suppress(S3Refused), s3_errors():
                client.abort_multipart_upload(**self._multipart(upload))
        with suppress(S3Refused), s3_errors():
            client.delete_object(**self._staged(upload.upload_id))
        self._lock.purge(self._staged(upload.upload_id)["Key"])

    # --- blobs ---

    def open(self, sha256: str) -> BinaryIO:
        """A copy in a temporary file without a name: it is still sealed. What is not what its name says is missing."""
        with ExitStack() as open_files:
            file = open_files.enter_context(_temporary())
            found, _ = self._fetch({"Bucket": self._bucket, "Key": self._key(sha256)}, file)
            if found is None or found.sha256 != sha256:
                raise BlobMissing(sha256)
            open_files.pop_all()
        file.seek(0)
        return file

    def stat(self, sha256: str) -> int:
        size = self._size(self._key(sha256))
        if size is None:
            raise BlobMissing(sha256)
        return size

    def list(self) -> Iterator[str]:
        with s3_errors():
            pages = self._client.own.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._prefix}blobs/"
            )
            for page in pages:
                for item in page.get("Contents", []):
                    name = item["Key"].rsplit("/", 1)[1]
                    if _SHA256.fullmatch(name):
                        yield name

    def put_file(self, path: Path, sha256: str) -> None:
        key = self._key(sha256)
        if self._size(key) is not None:
            return
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise WrongSum(sha256)
            file.seek(0)
            try:
                with s3_errors():
                    self._client.own.put_object(
                        Bucket=self._bucket,
                        Key=key,
                        Body=file,
                        ChecksumSHA256=_base64(sha256),
                        IfNoneMatch="*",
                        **self._lock.headers(),
                    )
            except S3Refused as error:
                if error.status != 412:  # somebody else has just stored the same
                    raise WrongSum(sha256) from error
        self._lock.check(key)

    def delete(self, sha256: str) -> None:
        self._lock.delete(self._key(sha256))

    def protect(self, sha256: str, until: datetime) -> bool:
        self.stat(sha256)
        return self._lock.protect(self._key(sha256), until)

    # --- helpers ---

    def _parts(self, upload: Staging) -> dict[int, tuple[str, int]] | None:
        """ETag and size by number; None when the store does not know the upload."""
        if not upload.reference:
            return None
        found: dict[int, tuple[str, int]] = {}
        try:
            with s3_errors():
                for page in self._client.own.get_paginator("list_parts").paginate(**self._multipart(upload)):
                    for part in page.get("Parts", []):
                        found[part["PartNumber"]] = (part["ETag"], part["Size"])
        except S3Refused:
            return None
        return found

    def _is_joined(self, upload: Staging, size: int, sha256: str) -> bool:
        return size in (self._size(self._key(sha256)), self._size(self._staged(upload.upload_id)["Key"]))

    def _size(self, key: str) -> int | None:
        try:
            with s3_errors():
                return int(self._client.own.head_object(Bucket=self._bucket, Key=key)["ContentLength"])
        except S3Refused:
            return None

    def _fetch(self, where: dict[str, Any], into: BinaryIO) -> tuple[Assembled | None, str]:
        digest, size = hashlib.sha256(), 0
        try:
            with s3_errors():
                answer = self._client.own.get_object(**where)
                with closing(answer["Body"]) as body:
                    while chunk := body.read(_CHUNK):
                        digest.update(chunk)
                        size += into.write(chunk)
        except S3Refused:
            return None, ""
        return Assembled(digest.hexdigest(), size), answer["ETag"]

    def _staged(self, upload_id: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}staging/{uuid.UUID(upload_id)}"}

    def _multipart(self, upload: Staging) -> dict[str, Any]:
        return {**self._staged(upload.upload_id), "UploadId": upload.reference}

    def _key(self, sha256: str) -> str:
        if not _SHA256.fullmatch(sha256):
            raise ValueError("not a SHA-256 in hex")
        return f"{self._prefix}blobs/{sha256[:2]}/{sha256}"


def _temporary() -> BinaryIO:
    return cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))


def _base64(digest: str) -> str:
    return base64.b64encode(bytes.fromhex(digest)).decode()
