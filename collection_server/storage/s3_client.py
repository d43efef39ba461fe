"""The connection to an S3-compatible store. Only this module imports boto3, and only when there is such a store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from collection_server.storage.interface import StoreAway
from collection_server.storage.settings import StoreSettings

CONNECT_SECONDS = 5
READ_SECONDS = 60
CONNECTIONS = 32


class S3Client:
    """Makes boto3's clients when they are first needed. Any thread."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    @property
    def own(self) -> Any:
        """For the server's own requests."""
        return self._client(self._settings.s3_endpoint)

    @property
    def seats(self) -> Any:
        """For addresses that seats use."""
        return self._client(self._settings.s3_seat_endpoint or self._settings.s3_endpoint)

    def _client(self, endpoint: str) -> Any:
        with self._lock, s3_errors():
            if endpoint not in self._clients:
                self._clients[endpoint] = self._make(endpoint)
            return self._clients[endpoint]

    def _make(self, endpoint: str) -> Any:
        import boto3
        from botocore.config import Config

        settings = self._settings
        return boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint or None,
            region_name=settings.s3_region,
            aws_access_key_id=settings.s3_access_key or None,
            aws_secret_access_key=settings.s3_secret_key.get_secret_value() or None,
            verify=str(settings.s3_ca_file) if settings.s3_ca_file else None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if settings.s3_path_style else "virtual"},
                # SHA-256 is named where it matters; the CRC trailers that would be added are not known everywhere.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                retries={"mode": "standard", "max_attempts": 3},
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                max_pool_connections=CONNECTIONS,
            ),
        )


class S3Refused(Exception):
    """An answer that means something to the caller; ``code`` is S3's."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"{status} {code}")
        self.code = code
        self.status = status


@contextmanager
def s3_errors() -> Iterator[None]:
    """Raises ``S3Refused`` for 404, 409 and 412 and what is not implemented, ``StoreAway`` for everything else."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code != "NoSuchBucket" and (status in (404, 405, 409, 412, 501) or code in _MEANINGS):
            raise S3Refused(code, status) from error
        raise StoreAway(f"s3: {status} {code}") from error
    except (BotoCoreError, OSError) as error:
        raise StoreAway(f"s3: {type(error).__name__}") from error


_MEANINGS = {
    "InvalidPart",
    "InvalidPartOrder",
    "EntityTooSmall",
    "BadDigest",
    "InvalidDigest",
    "XAmzContentSHA256Mismatch",
}
