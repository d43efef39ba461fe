"""The push channel: hints to pull, and seat states for the wallboard, over one WebSocket."""

from __future__ import annotations

import json
import logging
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_desktop.domain.models import SeatState
from agent_desktop.sync import shapes
from agent_desktop.sync.backoff import Backoff

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

log = logging.getLogger(__name__)

PING_S = 15.0
"""A side that has not answered a ping for as long is gone."""
NOT_SIGNED_IN = 4401
"""Close code of a channel whose token is not, or no longer, good."""
QUIET_S = 0.5
"""How often a quiet channel looks whether it is to stop."""


@dataclass(frozen=True, slots=True)
class PushHandlers:
    """Called on the channel's thread; must not block for long.

    ``ready``: the channel is up, and something may have been missed. ``hint``: pull. ``seat``: a seat's new state.
    ``signed_out``: the token is no longer good. ``lost``: the channel is down and will be tried again.
    """

    ready: Callable[[], None]
    hint: Callable[[], None]
    seat: Callable[[SeatState], None]
    signed_out: Callable[[], None]
    lost: Callable[[], None]


class PushChannel:
    """A thread that keeps the channel up while there is a token. Nothing depends on it but promptness."""

    def __init__(
        self,
        base_url: str,
        token: Callable[[], str | None],
        verify: bool | str,
        handlers: PushHandlers,
        *,
        backoff: Backoff | None = None,
    ) -> None:
        self._url = "ws" + base_url.removeprefix("http") + "/v1/events"
        self._token = token
        self._ssl = _context(verify) if self._url.startswith("wss:") else None
        self._handlers = handlers
        self._backoff = backoff or Backoff()
        self._socket: ClientConnection | None = None
        self._stopping = threading.Event()
        self._try_now = threading.Event()
        self._thread = threading.Thread(target=self._run, name="push", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def retry(self) -> None:
        """Do not wait any longer before the next attempt: the server has been heard of, or there is a new token."""
        self._try_now.set()

    @property
    def up(self) -> bool:
        """The server has taken our token and nothing has ended the channel since."""
        return self._socket is not None

    def publish(self, state: dict[str, object]) -> bool:
        """Send this seat's state; False when the channel is not up, so that another way must be taken. Any thread."""
        from websockets.exceptions import WebSocketException

        socket = self._socket
        if socket is None:
            return False
        try:
            socket.send(json.dumps({"type": "seat_state", **state}))
        except (OSError, WebSocketException):
            return False
        return True

    def stop(self, timeout: float = 5.0) -> None:
        """Close the channel. May be called twice."""
        self._stopping.set()
        self._try_now.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            token = self._token()
            if token is not None and self._refused(token):
                self._handlers.signed_out()
                self._wait_for_other_token(token)
                continue
            self._try_now.wait(self._backoff.next())
            self._try_now.clear()

    def _refused(self, token: str) -> bool:
        """Keep the channel up as long as it goes; True when it ended because the token is not good."""
        from websockets.exceptions import ConnectionClosed, WebSocketException

        refused = False
        try:
            self._connected(token)
        except ConnectionClosed as error:
            refused = error.rcvd is not None and error.rcvd.code == NOT_SIGNED_IN
            log.info("push channel closed: %s", error.rcvd.code if error.rcvd else "no reason")
        except (OSError, WebSocketException, ValueError) as error:
            log.info("push channel: %s", type(error).__name__)
        finally:
            self._socket = None
        if not self._stopping.is_set():
            self._handlers.lost()
        return refused and not self._stopping.is_set()

    def _wait_for_other_token(self, refused: str) -> None:
        while not self._stopping.is_set() and self._token() == refused:
            self._try_now.wait(5.0)
            self._try_now.clear()

    def _connected(self, token: str) -> None:
        """Be connected until the end of the channel, which raises."""
        from websockets.sync.client import connect

        with connect(
            self._url,
            ssl=self._ssl,
            proxy=None,
            compression=None,
            open_timeout=5,
            close_timeout=1,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            max_size=1 << 20,
        ) as socket:
            socket.send(json.dumps({"type": "auth", "token": token}))
            while not self._stopping.is_set():
                try:
                    text = socket.recv(timeout=QUIET_S)
                except TimeoutError:
                    continue
                self._handle(socket, text)

    def _handle(self, socket: ClientConnection, text: str | bytes) -> None:
        """Act on one message; what is not understood is left out."""
        try:
            message: dict[str, Any] = json.loads(text)
            kind = message["type"]
            if kind == "ready":
                self._backoff.reset()
                self._socket = socket
                self._handlers.ready()
            elif kind == "sync":
                self._handlers.hint()
            elif kind == "seat":
                self._handlers.seat(shapes.seat_state(message.get("seat") or message))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.info("push message not understood: %s", type(error).__name__)


def _context(verify: bool | str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
