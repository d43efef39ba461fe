"""Where sealed recordings are kept: a small interface with a disk or an S3 object store behind it."""

from __future__ import annotations

from pathlib import Path

from collection_server.storage.disk import DiskStore
from collection_server.storage.interface import (
    Address,
    Assembled,
    BlobMissing,
    BlobStore,
    Locked,
    PartSums,
    StagedPartMissing,
    Staging,
    StoreAway,
    WrongSum,
)
from collection_server.storage.settings import StoreSettings

__all__ = [
    "Address",
    "Assembled",
    "BlobMissing",
    "BlobStore",
    "DiskStore",
    "Locked",
    "PartSums",
    "StagedPartMissing",
    "Staging",
    "StoreAway",
    "WrongSum",
    "open_store",
]


def open_store(settings: StoreSettings, folder: Path) -> BlobStore:
    """The store that the settings choose; ``folder`` is the one on disk."""
    if settings.store == "disk":
        return DiskStore(folder)
    from collection_server.storage.s3 import S3Store

    return S3Store(settings)
