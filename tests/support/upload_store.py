"""A small HTTP server that speaks the part protocol and misbehaves on request, and an uploader that is watched."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nacl.signing import SigningKey

from recorder.canonical import canonical_json
from recorder.uploader import UploadApi, Uploader, UploadStatus
from tests.support.recording import Seat

PART = 4096
TOKEN = "token-1"

Fault = Callable[["Handler"], bool]
"""Does something instead of the real answer and says so with True."""


@dataclass
class Store:
    """What the server holds, what it was asked, and how it misbehaves. ``faults`` by request, used up in order."""

    key: SigningKey = field(default_factory=SigningKey.generate)
    token: str = TOKEN
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    tokens: dict[str, set[str]] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    receipt_changes: dict[str, Any] = field(default_factory=dict)
    sign_with: SigningKey | None = None
    parts_at: str = ""
    healthy: bool = True
    poison: set[str] = field(default_factory=set)
    """Recordings on whose announcement the server fails."""

    def receipt(self, recording_id: str) -> dict[str, Any]:
        data = self.stored[recording_id]
        body: dict[str, Any] = {
            "recording_id": recording_id,
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "stored_at": "2026-03-02T02:00:00Z",
        }
        body |= self.receipt_changes
        signature = (self.sign_with or self.key).sign(canonical_json(body)).signature
        return body | {"signature": base64.b64encode(signature).decode()}

    def count(self, word: str) -> int:
        return sum(word in line for line in self.requests)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: Store

    def do_GET(self) -> None:
        if self.path == "/v1/health" and self.store.healthy:
            self.answer(200, {"ok": True})
        else:
            self.answer(503)

    def do_POST(self) -> None:
        recording_id, action = self.path.split("/")[3:5]
        if self._misbehaves(action):
            return
        body = self._body()
        if recording_id in self.store.poison:
            self.answer(500, {"code": "server_error"})
            return
        if action == "upload":
            self._announce(recording_id, json.loads(body))
        else:
            self._complete(recording_id)

    def do_PUT(self) -> None:
        if self._misbehaves("part"):
            return
        recording_id, number = self.path.split("/")[-2:]
        data = self._body()
        if hashlib.sha256(data).hexdigest() != self.headers["X-Content-SHA256"]:
            self.answer(422, {"code": "checksum"})
            return
        self.store.parts.setdefault(recording_id, {})[int(number)] = data
        self.answer(204)

    def answer(self, status: int, body: dict[str, Any] | None = None, **headers: str) -> None:
        data = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        return

    def _announce(self, recording_id: str, manifest: dict[str, Any]) -> None:
        store = self.store
        store.manifests[recording_id] = manifest
        size = manifest["size"]
        base = store.parts_at or f"http://{self.headers['Host']}"
        urls = [
            {"number": n, "url": f"{base}/parts/{recording_id}/{n}", "size": min(PART, size - (n - 1) * PART)}
            for n in range(1, -(-size // PART) + 1)
        ]
        receipt = store.receipt(recording_id) if recording_id in store.stored else None
        received = sorted(store.parts.get(recording_id, {}))
        self.answer(
            200,
            {"upload_id": "u", "part_size": PART, "parts": urls, "received": received, "receipt": receipt},
        )

    def _complete(self, recording_id: str) -> None:
        parts = self.store.parts.get(recording_id, {})
        data = b"".join(parts[number] for number in sorted(parts))
        if hashlib.sha256(data).hexdigest() != self.store.manifests[recording_id]["sha256"]:
            self.store.parts.pop(recording_id, None)
            self.answer(422, {"code": "checksum"})
            return
        self.store.stored[recording_id] = data
        self.answer(200, self.store.receipt(recording_id))

    def _misbehaves(self, action: str) -> bool:
        store = self.store
        store.requests.append(f"{action} {self.path}")
        store.tokens.setdefault(action, set()).add(self.headers.get("Authorization", ""))
        queue = store.faults.get(action, [])
        if queue and queue.pop(0)(self):
            return True
        if not store.parts_at and self.headers.get("Authorization") != f"Bearer {store.token}":
            self._body()
            self.answer(401, {"code": "signed_out"})
            return True
        return False

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))


def says(status: int, code: str = "", **headers: str) -> Fault:
    def fault(handler: Handler) -> bool:
        handler._body()
        handler.answer(status, {"code": code}, **headers)
        return True

    return fault


def cuts_in_the_middle(handler: Handler) -> bool:
    handler.rfile.read(min(PART // 2, int(handler.headers.get("Content-Length", 0))))
    handler.close_connection = True
    with suppress(OSError):
        handler.connection.shutdown(socket.SHUT_RDWR)
    return True


def keeps_but_does_not_answer(handler: Handler) -> bool:
    """The part arrives; its answer does not."""
    recording_id, number = handler.path.split("/")[-2:]
    handler.store.parts.setdefault(recording_id, {})[int(number)] = handler._body()
    handler.close_connection = True
    return True


def damages(handler: Handler) -> bool:
    recording_id, number = handler.path.split("/")[-2:]
    handler.store.parts.setdefault(recording_id, {})[int(number)] = handler._body()[::-1]
    handler.answer(204)
    return True


def talks_nonsense(handler: Handler) -> bool:
    handler._body()
    handler.send_response(200)
    handler.send_header("Content-Length", "6")
    handler.end_headers()
    handler.wfile.write(b"<html>")
    return True


def promises(body: dict[str, Any]) -> Fault:
    def fault(handler: Handler) -> bool:
        handler._body()
        handler.answer(200, body)
        return True

    return fault


@dataclass
class Running:
    """A server, an uploader and all that it reported."""

    seat: Seat
    store: Store
    url: str
    states: list[UploadStatus] = field(default_factory=list)
    token: str | None = TOKEN
    uploaders: list[Uploader] = field(default_factory=list)

    def upload(self, **how: Any) -> Uploader:
        api = UploadApi(self.url, lambda: self.token)
        settings: dict[str, Any] = {
            "receipt_key": bytes(self.store.key.verify_key),
            "first_wait": 0.02,
            "look_every": 0.1,
        }
        uploader = Uploader(self.seat.spool, api, self.states.append, **(settings | how))
        self.uploaders.append(uploader)
        uploader.start()
        return uploader

    def wait(self, wanted: Callable[[UploadStatus], bool], timeout: float = 10.0) -> UploadStatus:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for status in list(self.states):
                if wanted(status):
                    return status
            time.sleep(0.01)
        raise AssertionError(f"not reported; the last were {self.states[-3:]}, asked: {self.store.requests[-5:]}")

    def wait_stored(self, recording_id: str) -> UploadStatus:
        return self.wait(lambda s: s.last_done == recording_id and not s.uploading)


def serve(store: Store) -> ThreadingHTTPServer:
    handler = type("Bound", (Handler,), {"store": store})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server
