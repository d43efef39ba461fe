"""What a request needs of the server, made once by ``create_app`` and handed in; there are no globals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from collection_server.auth.passwords import Passwords
from collection_server.db import Database
from collection_server.keys import Keys
from collection_server.monitoring.presence import Presence
from collection_server.recordings.cache import AudioCache
from collection_server.settings import Settings
from collection_server.storage import BlobStore
from collection_server.sync.broadcast import Broadcaster


@dataclass(frozen=True, slots=True)
class Server:
    """The parts of a running server. All are thread-safe."""

    settings: Settings
    db: Database
    keys: Keys
    blobs: BlobStore
    broadcaster: Broadcaster
    passwords: Passwords
    presence: Presence
    audio_cache: AudioCache
    checks: threading.BoundedSemaphore
    """How many uploads are opened and read through at the same time: each may take its own size in memory."""
    clock: Callable[[], datetime]


def get_server(connection: HTTPConnection) -> Server:
    server = connection.app.state.server
    assert isinstance(server, Server)
    return server


ServerDep = Annotated[Server, Depends(get_server)]
