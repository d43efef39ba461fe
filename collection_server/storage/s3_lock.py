"""Object Lock of a bucket: the service itself refuses to destroy a recording before its time.

Only where the bucket says that it has it. A service that does not know the requests may take one for a plain PUT and
put its XML in the recording's place (OpenStack Swift does), so nothing is ever asked of a bucket that does not say so.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from collection_server.storage.interface import Locked, StoreAway
from collection_server.storage.s3_client import S3Client, S3Refused, s3_errors
from collection_server.storage.settings import StoreSettings

_HELD = datetime(9999, 1, 1, tzinfo=UTC)
"""Nobody knows until when: a legal hold set at the service itself."""


class ObjectLock:
    """Asks the bucket once what it can. Any thread. Each method may raise ``StoreAway``."""

    def __init__(self, client: S3Client, settings: StoreSettings) -> None:
        self._client = client
        self._bucket = settings.s3_bucket
        self._mode = settings.s3_lock_mode
        self._keep = timedelta(days=settings.s3_lock_days)
        self._asking = threading.Lock()
        self._known: tuple[bool, bool] | None = None

    def headers(self) -> dict[str, Any]:
        """What is sent with a new blob."""
        if not self._locks():
            return {}
        until = datetime.now(UTC) + self._keep
        return {"ObjectLockMode": self._mode.upper(), "ObjectLockRetainUntilDate": until}

    def check(self, key: str) -> None:
        """Raise ``StoreAway`` when a new blob is not locked though it should be."""
        if self._locks() and self._until(key) is None:
            raise StoreAway("s3: the bucket has Object Lock and did not lock a blob")

    def protect(self, key: str, until: datetime) -> bool:
        """Have it kept until then at least; False where the bucket has no Object Lock."""
        if not self._locks():
            return False
        now = self._until(key)
        if now is not None and now >= until:
            return True
        with s3_errors():
            self._client.own.put_object_retention(
                Bucket=self._bucket, Key=key, Retention={"Mode": self._mode.upper(), "RetainUntilDate": until}
            )
        kept = self._until(key)
        if kept is None or kept < until - timedelta(seconds=1):
            raise StoreAway("s3: the bucket has Object Lock and did not lock a blob")
        return True

    def delete(self, key: str) -> None:
        """Destroy every version. Raises ``Locked``."""
        if not self._has_versions():
            with s3_errors():
                self._client.own.delete_object(Bucket=self._bucket, Key=key)
            return
        versions = self._versions(key)
        untils = [until for version in versions if (until := self._until(key, version)) is not None]
        if untils and max(untils) > datetime.now(UTC):
            raise Locked(max(untils))
        for version in versions:
            with s3_errors():
                self._client.own.delete_object(Bucket=self._bucket, Key=key, VersionId=version)

    def purge(self, key: str) -> None:
        """Remove what a deletion has left of something that was never locked."""
        if self._has_versions():
            try:
                self.delete(key)
            except Locked:
                return  # the bucket locks everything by itself: it goes when its time is over

    def _locks(self) -> bool:
        return self._mode != "none" and self._abilities()[0]

    def _has_versions(self) -> bool:
        return any(self._abilities())

    def _abilities(self) -> tuple[bool, bool]:
        with self._asking:
            if self._known is None:
                self._known = (self._ask_lock(), self._ask_versions())
            return self._known

    def _ask_lock(self) -> bool:
        try:
            with s3_errors():
                answer = self._client.own.get_object_lock_configuration(Bucket=self._bucket)
        except S3Refused:
            return False
        return bool(answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")

    def _ask_versions(self) -> bool:
        try:
            with s3_errors():
                return "Status" in self._client.own.get_bucket_versioning(Bucket=self._bucket)
        except S3Refused:
            return False

    def _versions(self, key: str) -> list[str]:
        """Ids of the versions of ``key``, markers of deletion included, those first: they hide nothing then."""
        found: list[tuple[bool, str]] = []
        with s3_errors():
            pages = self._client.own.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key)
            for page in pages:
                for kind in ("DeleteMarkers", "Versions"):
                    found += [(kind == "Versions", v["VersionId"]) for v in page.get(kind, []) if v["Key"] == key]
        return [version for _, version in sorted(found)]

    def _until(self, key: str, version: str = "") -> datetime | None:
        """Until when it is locked; None when it is not."""
        which = {"VersionId": version} if version else {}
        try:
            with s3_errors():
                answer = self._client.own.head_object(Bucket=self._bucket, Key=key, **which)
        except S3Refused:
            return None  # a marker of deletion
        if answer.get("ObjectLockLegalHoldStatus") == "ON":
            return _HELD
        until: datetime | None = answer.get("ObjectLockRetainUntilDate")
        return until
