"""Recordings of 3 MiB into the store: the uploader, from sealed file to deleted copy, against ``curl -T``.

curl does a part of the work only: it sends the same files to addresses announced before, and asks for no receipts.
Both send to the same server, in turns, so that what else the machine does is shared by both.
"""

from __future__ import annotations

import base64
import hashlib
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recorder.evidence import Manifest
    from recorder.uploader import UploadStatus
    from tests.support.server_api import Seat

LIMITS = {"curl_over_uploader": 1.25}
"""The uploader's rate is at least 0.8 of curl's."""
ROUND = 25


def run(*, quick: bool) -> dict[str, Any]:
    """MB/s of both for 200 recordings (quick: 50)."""
    from tests.support.server import start_server

    with tempfile.TemporaryDirectory() as folder:
        server = start_server(Path(folder))
        try:
            rounds = _Rounds(server.url, Path(folder) / "seat")
            for _ in range(2 if quick else 8):
                rounds.once()
            rounds.stop()
        finally:
            server.stop()
    curl, uploader = rounds.bytes / rounds.curl / 1e6, rounds.bytes / rounds.uploader / 1e6
    return {
        "recordings": rounds.count,
        "curl_mb_s": round(curl, 1),
        "uploader_mb_s": round(uploader, 1),
        "ratio": round(uploader / curl, 2),
        "curl_over_uploader": round(curl / uploader, 2),
        "limits": LIMITS,
    }


@dataclass
class _File:
    path: Path
    manifest: Manifest
    url: str
    headers: dict[str, str]


class _Rounds:
    """Two seats with the same files: one's go by curl, the other's by the uploader."""

    def __init__(self, url: str, folder: Path) -> None:
        from recorder.spool import Spool
        from recorder.uploader import UploadApi, Uploader
        from tests.support.server_api import Seat

        self.bytes = self.count = 0
        self.curl = self.uploader = 0.0
        self._folder = folder / "files"
        self._folder.mkdir(parents=True)
        self._by_curl, self._by_uploader = Seat(url, "liting"), Seat(url, "guowei")
        self._content = _content()
        self._number = 0
        self._spool = Spool(folder / "spool")
        self._spool.prepare()
        self._left = 0
        self._empty = threading.Event()
        self._sender = Uploader(
            self._spool,
            UploadApi(url, lambda: self._by_uploader.token),
            self._on_state,
            receipt_key=base64.b64decode(self._by_uploader.session["keys"]["receipt"]),
            look_every=60.0,
        )
        self._sender.start()

    def once(self) -> None:
        from tests.support.curl import put_all

        files = [self._make() for _ in range(ROUND)]
        began = time.perf_counter()
        put_all([(file.path, file.url) for file in files], [file.headers for file in files])
        self.curl += time.perf_counter() - began
        for file in files:
            file.path.replace(self._spool.payload(file.manifest.recording_id, file.manifest.kind))
            self._spool.publish(file.manifest)
        self._empty.clear()
        began = time.perf_counter()
        self._sender.wake()
        assert self._empty.wait(300), self._sender.status
        self.uploader += time.perf_counter() - began
        assert not self._spool.ready()
        assert not self._spool.has_refused()
        self.bytes += sum(file.manifest.size for file in files)
        self.count += len(files)

    def stop(self) -> None:
        self._sender.stop()
        self._sender.close()

    def _on_state(self, status: UploadStatus) -> None:
        if not status.uploading and not status.waiting and status.last_done:
            self._empty.set()

    def _make(self) -> _File:
        """A sealed recording in a file, announced by one seat, and the other seat's manifest of it."""
        from recorder.evidence import Manifest

        self._number += 1
        sealed = self._sealed(self._by_uploader)
        data = sealed.finalised(self._content)
        path = self._folder / f"{self._number}.rec"
        path.write_bytes(data)
        twin = self._sealed(self._by_curl)
        twin.data, twin.kind = data, "F"
        plan = self._by_curl.post(f"/v1/recordings/{twin.recording_id}/upload", twin.manifest()).json()
        assert len(plan["parts"]) == 1
        headers = {
            "Authorization": f"Bearer {self._by_curl.token}",
            "X-Content-SHA256": hashlib.sha256(data).hexdigest(),
            "Expect": "",
        }
        return _File(path, Manifest.from_json(sealed.manifest()), plan["parts"][0]["url"], headers)

    def _sealed(self, seat: Seat) -> Any:
        from tests.support.sealed import Sealed

        store_key = base64.b64decode(seat.session["keys"]["store"])
        return Sealed(store_key, seat.seat_id, seat.key, self._number, seconds=_SECONDS, rate=_RATE)


_SECONDS, _RATE = 303.0, 16_000


def _content() -> bytes:
    """An Ogg/Opus file that makes a sealed one of about 3 MiB."""
    import io

    import numpy as np
    import soundfile

    made = np.random.default_rng(1).integers(-8000, 8000, (int(_SECONDS * _RATE), 2), dtype=np.int16)
    out = io.BytesIO()
    with soundfile.SoundFile(out, "w", _RATE, 2, format="OGG", subtype="OPUS", compression_level=0.86) as ogg:
        ogg.write(made)
    return out.getvalue()
