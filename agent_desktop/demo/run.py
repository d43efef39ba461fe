"""``agent-desktop demo``: the whole product on this machine, in a window or as a played scenario."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_desktop.config import resources_dir
from agent_desktop.demo.embedded import COLLECTOR, LEAD, PASSWORD, QA
from agent_desktop.demo.hearing import measure_export, measure_heard
from agent_desktop.demo.report import Report
from telephony.messages import AudioConfig

if TYPE_CHECKING:
    from agent_desktop.demo.stage import DemoStage
    from agent_desktop.services.calls import CallView
    from agent_desktop.ui.demo.cast import Cast
    from agent_desktop.ui.demo.scenario import Played

log = logging.getLogger(__name__)

THROW_AWAY = "The demo's data is invented; its keys are thrown away at the end, with everything but build/demo."


def run_demo(folder: Path, *, headless: bool) -> int:
    """Exit status: 1 when a step of the played scenario failed."""
    faulthandler.enable()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if headless or not has_display():
        return _run_headless(folder)
    return _run_window(folder)


def has_display() -> bool:
    """Whether a window can be opened here."""
    if sys.platform != "linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _run_headless(folder: Path) -> int:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    print(f"• {THROW_AWAY}", flush=True)
    from agent_desktop.demo.stage import DemoStage
    from agent_desktop.ui.demo.scenario import Scenario
    from agent_desktop.ui.demo.windows import make_cast

    heard = folder / "lead-heard.wav"
    stage = DemoStage(folder, lambda login: _audio_files(login, heard))
    report = Report()
    cast: Cast | None = None
    try:
        if report.step("start server and practice line", lambda: _start(stage)):
            cast = make_cast(stage.sign_in, stage.server_url, PASSWORD, (COLLECTOR, LEAD, QA))
            scenario = Scenario(stage, cast, folder)
            report.play(scenario.steps())
            report.notes_synced = scenario.played.notes_synced
            report.screen_pop_ms = scenario.played.screen_pop_ms
            report.step("recordings exported and measured", lambda: _measure(stage, scenario.played, report))
            if scenario.played.listened:
                cast.lead.close()
                report.step("the lead heard both sides", lambda: _heard(heard, folder, report))
    finally:
        if cast is not None:
            cast.close()
        stage.stop()
    try:
        report.write(folder / "report.json")
    except OSError as error:
        print(f"• The report cannot be written to {folder}: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"• {'All well' if report.ok else 'FAILED'}: see {folder}/report.json, pictures and recordings.", flush=True)
    return 0 if report.ok else 1


def _run_window(folder: Path) -> int:
    from agent_desktop.demo.stage import DemoStage
    from agent_desktop.ui.demo.windows import run_windows

    print(f"• {THROW_AWAY}", flush=True)
    print("• Starting server and practice line …", flush=True)
    stage = DemoStage(folder, _audio_at_hand)
    try:
        stage.start()
        return run_windows(stage, PASSWORD, (COLLECTOR, LEAD, QA))
    finally:
        stage.stop()


def _start(stage: DemoStage) -> str:
    stage.start()
    return stage.server_url


def _audio_files(login: str, heard: Path) -> AudioConfig:
    if login == COLLECTOR:
        return AudioConfig("files", str(_collector_voice()))
    return AudioConfig("files", "", str(heard))


def _audio_at_hand(login: str) -> AudioConfig:
    """The sound card; where there is none, the collector still has a voice, so that there is something to record."""
    from telephony.audio.devices import list_devices

    devices = list_devices()
    if login == COLLECTOR and not (devices["microphones"] and devices["speakers"]):
        print("• No sound card: the collector's voice comes from a file, and nothing is heard.", flush=True)
        return AudioConfig("files", str(_collector_voice()))
    return AudioConfig("auto")


def _collector_voice() -> Path:
    return resources_dir() / "sounds" / "collector_take.wav"


def _measure(stage: DemoStage, played: Played, report: Report) -> str:
    for view in played.calls.values():
        report.calls.append(_measured_call(stage, view))
    bad = [call["id"] for call in report.calls if not _sound(call)]
    if bad or len(report.calls) != 2:
        raise ValueError(f"{len(report.calls)} calls, not sound: {bad}")
    return ", ".join(f"{call['recording']['seconds']:.1f} s" for call in report.calls)


def _measured_call(stage: DemoStage, view: CallView) -> dict[str, Any]:
    exported = stage.export(view.recording_id)
    measured = measure_export(exported)
    talk = (view.ended_at - view.answered_at).total_seconds() if view.ended_at and view.answered_at else 0.0
    verified = stage.receipt_verified(view.recording_id)
    return {
        "id": view.id,
        "direction": str(view.direction),
        "talk_seconds": round(talk, 2),
        "recording": {
            "file": exported.name,
            "seconds": round(measured.seconds, 2),
            "channels": measured.channels,
            "left_dbfs": measured.left_dbfs,
            "right_dbfs": measured.right_dbfs,
            "lost_frames": stage.lost_frames(view.recording_id),
            "uploaded": True,
            "receipt_verified": verified,
        },
    }


def _sound(call: dict[str, Any]) -> bool:
    recording = call["recording"]
    audible = min(recording["left_dbfs"], recording["right_dbfs"]) > -50
    whole = abs(recording["seconds"] - call["talk_seconds"]) < 0.5
    return bool(audible and whole and recording["channels"] == 2 and recording["receipt_verified"])


def _heard(heard: Path, folder: Path, report: Report) -> str:
    inbound = next(call for call in report.calls if call["direction"] == "inbound")
    levels = measure_heard(heard, folder / inbound["recording"]["file"])
    detail = f"agent {levels.agent_dbfs:.0f} dBFS, debtor {levels.far_dbfs:.0f}, nobody {levels.nobody_dbfs:.0f}"
    if not levels.both:
        raise ValueError(detail)
    return detail
