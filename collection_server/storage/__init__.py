"""Where sealed recordings are kept: a small interface with a disk behind it."""

from collection_server.storage.disk import DiskStore
from collection_server.storage.interface import Assembled, BlobMissing, BlobStore, Locked, StagedPartMissing, WrongSum

__all__ = ["Assembled", "BlobMissing", "BlobStore", "DiskStore", "Locked", "StagedPartMissing", "WrongSum"]
