"""Telling sockets about commits. In this process today; another carrier only has to implement ``Broadcaster``.

Messages are hints or whole states: of two with the same key a slow reader needs only the later one, so nothing
piles up.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy.orm import Session

from collection_server.db import pending

Message = dict[str, Any]
_PENDING = "notices"


class Subscription:
    """The messages of some topics for one socket. ``put`` and ``get`` on the event loop that made it."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._waiting: dict[str, Message] = {}
        self._arrived = asyncio.Event()

    def put(self, message: Message) -> None:
        self._waiting[f"{message['type']}:{message.get('seat_id', '')}"] = message
        self._arrived.set()

    async def get(self) -> Message:
        """The next message; waits for it."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.pop(next(iter(self._waiting)))


class Broadcaster(Protocol):
    """``publish`` from any thread; ``subscribe`` on an event loop."""

    def publish(self, topic: str, message: Message) -> None:
        """Hand the message to whoever has subscribed to the topic."""

    def subscribe(self, *topics: str) -> Any:
        """Context manager that gives a ``Subscription``."""


class InProcessBroadcaster:
    """Reaches the sockets of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._topics: dict[str, set[Subscription]] = {}

    def publish(self, topic: str, message: Message) -> None:
        with self._lock:
            readers = tuple(self._topics.get(topic, ()))
        for reader in readers:
            if not reader.loop.is_closed():
                reader.loop.call_soon_threadsafe(reader.put, message)

    @contextmanager
    def subscribe(self, *topics: str) -> Iterator[Subscription]:
        subscription = Subscription()
        with self._lock:
            for topic in topics:
                self._topics.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            with self._lock:
                for topic in topics:
                    self._topics[topic].discard(subscription)
                    if not self._topics[topic]:
                        del self._topics[topic]


def notify(session: Session, topic: str, message: Message) -> None:
    """Publish the message once this unit of work is committed."""
    pending(session, _PENDING).append((topic, message))


def publish_pending(session: Session, broadcaster: Broadcaster) -> None:
    """After the commit: publish what was noted."""
    notices: list[tuple[str, Message]] = pending(session, _PENDING)
    for topic, message in notices:
        broadcaster.publish(topic, message)
    notices.clear()
