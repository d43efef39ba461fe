"""``agent-desktop demo --headless``, as a new user would run it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

LIMIT_S = 90


@pytest.mark.slow
def test_the_whole_job_is_played_and_proved(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "agent_desktop", "demo", "--headless", "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=2 * LIMIT_S,
        check=False,
    )
    took = time.monotonic() - started
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "✗" not in done.stdout
    assert took < LIMIT_S, f"took {took:.0f} s"

    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["ok"] is True
    assert len(report["steps"]) == done.stdout.count("✓") >= 16
    assert report["notes_synced"] == 1
    assert 0 < report["screen_pop_ms"] < 2000
    assert [call["direction"] for call in report["calls"]] == ["outbound", "inbound"]
    assert report["calls"][0]["talk_seconds"] >= 8
    for call in report["calls"]:
        _check_recording(out, call)
    for picture in ("collector", "lead", "qa", "screen-pop", "wrap-up"):
        assert (out / f"{picture}.png").stat().st_size > 20_000


def _check_recording(out: Path, call: dict[str, object]) -> None:
    recording = call["recording"]
    assert isinstance(recording, dict)
    info = soundfile.info(out / recording["file"])
    assert (info.channels, info.format, info.subtype) == (2, "OGG", "OPUS")
    assert abs(info.duration - float(str(call["talk_seconds"]))) < 0.5
    assert recording["lost_frames"] == 0
    assert recording["receipt_verified"] is True
    assert min(recording["left_dbfs"], recording["right_dbfs"]) > -45


def test_a_failed_step_is_said_and_gives_status_1(tmp_path: Path) -> None:
    """With a folder in the way of the results, the first step fails; nothing hangs and nothing is left running."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = subprocess.run(
        [sys.executable, "-m", "agent_desktop", "demo", "--headless", "--out", str(blocked / "demo")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "✗" in done.stdout
