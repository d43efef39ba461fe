"""What the desk asks of a line process, and what it gives it to start with."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from agent_desktop.services.listeners import Listeners
from telephony.messages import AudioConfig, Command, Event, LineConfig


@dataclass(frozen=True, slots=True)
class LineSetup:
    """Everything the line process needs; crosses to it on its standard input, never on its command line."""

    seat_id: str
    signing_key: bytes = field(repr=False)
    """The seat's Ed25519 seed, 32 bytes."""
    store_key: bytes
    """The store's X25519 public key, to which recordings are sealed."""
    grant_key: bytes
    """The server's Ed25519 public key for monitoring grants."""
    spool: Path
    log_file: Path
    line: LineConfig | None
    audio: AudioConfig
    local_host: str = ""
    local_port: int = 0
    tls_ca_file: str = ""
    """PEM file of the authorities that a TLS line trusts."""

    def to_json(self) -> str:
        """One line of JSON; holds keys and a password, so it is for a pipe only."""
        body: dict[str, Any] = {
            "seat_id": self.seat_id,
            "signing_key": _b64(self.signing_key),
            "store_key": _b64(self.store_key),
            "grant_key": _b64(self.grant_key),
            "spool": str(self.spool),
            "log_file": str(self.log_file),
            "line": None if self.line is None else _as_dict(self.line),
            "audio": _as_dict(self.audio),
            "local_host": self.local_host,
            "local_port": self.local_port,
            "tls_ca_file": self.tls_ca_file,
        }
        return json.dumps(body)

    @classmethod
    def from_json(cls, text: str) -> LineSetup:
        """Back from ``to_json``. Raises ``ValueError`` or ``KeyError`` for anything else."""
        body = json.loads(text)
        line = body["line"]
        if line is not None:
            line = LineConfig(**{**line, "allowed_peers": tuple(line["allowed_peers"])})
        return cls(
            seat_id=body["seat_id"],
            signing_key=base64.b64decode(body["signing_key"]),
            store_key=base64.b64decode(body["store_key"]),
            grant_key=base64.b64decode(body["grant_key"]),
            spool=Path(body["spool"]),
            log_file=Path(body["log_file"]),
            line=line,
            audio=AudioConfig(**body["audio"]),
            local_host=body["local_host"],
            local_port=body["local_port"],
            tls_ca_file=body["tls_ca_file"],
        )


class LinePort(Protocol):
    """A line process that is running or being restarted. Thread-safe."""

    events: Listeners[Event]
    """Called on the line client's thread. After a restart or a take-over a ``Snapshot`` comes first."""
    lost: Listeners[str]
    """The line process has gone; the text is for the log. It is being restarted unless ``stop`` was called."""

    def request(self, command: Callable[[str], Command], timeout: float = 2.0) -> dict[str, Any]:
        """Send ``command(id)`` and wait for its reply's result.

        Raises ``telephony.client.LineError``, with code ``away`` when the process is not there.
        """

    def stop(self) -> None:
        """Hang up, let recordings finish, end the process; some seconds at most."""


class LineStarter(Protocol):
    """Starts the line process of a seat, or takes over one that is running. May take seconds; not the main thread."""

    def __call__(self, setup: LineSetup) -> LinePort: ...


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _as_dict(config: LineConfig | AudioConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.__dataclass_fields__}
