"""Offline verification beside the time that the audio takes to be heard, by the commands that a person runs.

A recording goes the whole way: recorded, uploaded, countersigned, exported as a bundle. The file is verified with the
store's private key, which decrypts it all; the bundle with public keys alone.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recorder.evidence import Manifest
    from recorder.spool import Spool
    from tests.support.server_api import Seat

LIMITS = {"file_share_of_real_time": 0.01, "bundle_share_of_real_time": 0.01}
RATE = 16000


def run(*, quick: bool) -> dict[str, Any]:
    """A call of an hour (quick: 10 min)."""
    from recorder.spool import Spool
    from tests.support.server import start_server
    from tests.support.server_api import Seat

    seconds = 600 if quick else 3600
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = start_server(folder)
        try:
            seat = Seat(server.url, "liting")
            spool = Spool(folder / "spool")
            manifest = _record(seat, spool, seconds)
            copy = folder / f"{manifest.recording_id}.rec"
            for path in spool.folder.glob(f"{manifest.recording_id}.*"):
                shutil.copy(path, folder)
            _upload(seat, spool)
            bundle = folder / "bundle.zip"
            answer = Seat(server.url, "shujv").get(f"/v1/recordings/{manifest.recording_id}/bundle")
            assert answer.status_code == 200, answer.text
            bundle.write_bytes(answer.content)
            store_key = next(server.data_dir.rglob("store*.key"))
        finally:
            server.stop()
        seat_key = base64.b64encode(bytes(seat.key.verify_key)).decode()
        by_file = _verify(str(copy), "--seat-key", seat_key, "--store-key-file", str(store_key))
        by_bundle = _verify(str(bundle), "--receipt-key", seat.session["keys"]["receipt"])
    return {
        "audio_s": seconds,
        "file_s": round(by_file, 2),
        "bundle_s": round(by_bundle, 2),
        "file_times_real_time": round(seconds / by_file),
        "bundle_times_real_time": round(seconds / by_bundle),
        "file_share_of_real_time": round(by_file / seconds, 5),
        "bundle_share_of_real_time": round(by_bundle / seconds, 5),
        "limits": LIMITS,
    }


def _verify(*arguments: str) -> float:
    """Seconds that the command takes, its start included."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "recorder.cli", "verify", *arguments], capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - began
    assert done.returncode == 0, done.stdout + done.stderr
    return took


def _record(seat: Seat, spool: Spool, seconds: int) -> Manifest:
    from recorder.evidence import SeatIdentity
    from recorder.session import Recorder
    from tests.benchmarks.speech import speech
    from tests.support.recording import facts, feed
    from tests.support.server_api import new_id

    store_key = base64.b64decode(seat.session["keys"]["store"])
    recorder = Recorder(spool, store_key, SeatIdentity(seat.seat_id, bytes(seat.key)), lambda status: None)
    session = recorder.start(facts(RATE, new_id()))
    minute = [speech(who, RATE, 60) for who in ("collector", "debtor")]
    start = 0
    for _ in range(seconds // 60):
        start = feed(session, *minute, RATE, start)
    session.close("hung_up")
    assert recorder.stop(120)
    (manifest,) = spool.ready()
    return manifest


def _upload(seat: Seat, spool: Spool) -> None:
    from recorder.uploader import UploadApi, Uploader

    done = threading.Event()
    uploader = Uploader(
        spool,
        UploadApi(seat.url, lambda: seat.token),
        lambda status: done.set() if status.last_done else None,
        receipt_key=base64.b64decode(seat.session["keys"]["receipt"]),
    )
    uploader.start()
    assert done.wait(120), uploader.status
    uploader.stop()
    uploader.close()
