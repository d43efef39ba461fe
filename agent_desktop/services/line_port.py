"""What the desk asks of a line process, and what it gives it to start with."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from agent_desktop.services.listeners import Listeners
from telephony.messages import AudioConfig, Command, Event, LineConfig, LinePolicy


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
    records: Path
    """Journal of the calls' records; sealed under a key that is derived from ``signing_key``."""
    log_file: Path
    lines: tuple[LineConfig, ...]
    audio: AudioConfig
    local_host: str = ""
    local_port: int = 0
    tls_ca_file: str = ""
    """PEM file of the authorities that a TLS line trusts."""
    agent_id: str = ""
    """Who signed in: stands in the records of calls until a client says otherwise."""
    policy: LinePolicy = field(default_factory=LinePolicy)
    recording_policy: str = ""
    """The server's signed recording policy for this seat; empty when it was not asked."""

    @property
    def enrolled(self) -> bool:
        """Somebody has signed in at this seat, so that there are keys to record with."""
        return bool(self.signing_key)

    def to_json(self) -> str:
        """One line of JSON; holds keys and a password, so it is for a pipe only."""
        body: dict[str, Any] = {
            "seat_id": self.seat_id,
            "signing_key": _b64(self.signing_key),
            "store_key": _b64(self.store_key),
            "grant_key": _b64(self.grant_key),
            "spool": str(self.spool),
            "records": str(self.records),
            "log_file": str(self.log_file),
            "lines": [asdict(line) for line in self.lines],
            "audio": asdict(self.audio),
            "local_host": self.local_host,
            "local_port": self.local_port,
            "tls_ca_file": self.tls_ca_file,
            "agent_id": self.agent_id,
            "policy": asdict(self.policy),
            "recording_policy": self.recording_policy,
        }
        return json.dumps(body)

    @classmethod
    def from_json(cls, text: str) -> LineSetup:
        """Back from ``to_json``. Raises ``ValueError``, ``KeyError`` or ``TypeError`` for anything else."""
        body = json.loads(text)
        return cls(
            seat_id=body["seat_id"],
            signing_key=base64.b64decode(body["signing_key"]),
            store_key=base64.b64decode(body["store_key"]),
            grant_key=base64.b64decode(body["grant_key"]),
            spool=Path(body["spool"]),
            records=Path(body["records"]),
            log_file=Path(body["log_file"]),
            lines=tuple(_line(line) for line in body["lines"]),
            audio=AudioConfig(**body["audio"]),
            local_host=body["local_host"],
            local_port=body["local_port"],
            tls_ca_file=body["tls_ca_file"],
            agent_id=body["agent_id"],
            policy=LinePolicy(**body["policy"]),
            recording_policy=body["recording_policy"],
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


def _line(body: dict[str, Any]) -> LineConfig:
    return LineConfig(**{**body, "allowed_peers": tuple(body["allowed_peers"])})
