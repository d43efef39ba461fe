"""The spool's health as the line process tells it, and the pause code on the keypad."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_desktop.recorder_health import HealthWatch
from agent_desktop.recording_control import CODE_WITHIN_S, PauseCode
from recorder.spool import Spool
from telephony.messages import RecorderHealth

IDS = ("0b7a4e0e-0000-4000-8000-000000000001", "0b7a4e0e-0000-4000-8000-000000000002")


def free(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(Spool, "free_bytes", lambda self: size)


def looked(folder: Path) -> RecorderHealth:
    return HealthWatch(Spool(folder), lambda health: None).look()


def test_a_seat_that_never_recorded_is_well(tmp_path: Path) -> None:
    health = looked(tmp_path / "spool")
    assert (health.spool_ready, health.oldest_ready_at, health.problem) == (0, "", "")
    assert health.free_bytes > 0
    assert health.free_bytes % 1_000_000 == 0


def test_what_is_ready_is_counted_with_the_age_of_the_oldest(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    watch = HealthWatch(spool, lambda health: None)
    for place, recording_id in enumerate(IDS):
        file = spool.folder / f"{recording_id}.manifest.json"
        file.write_text("{}")
        os.utime(file, (1_700_000_000 + place * 60, 1_700_000_000 + place * 60))
        (spool.folder / f"{recording_id}.rec").write_text("sealed")
        assert watch.look().spool_ready == place + 1, "a change is seen at once"
    health = watch.look()
    assert health.oldest_ready_at == "2023-11-14T22:13:20.000Z"
    for recording_id in IDS:
        (spool.folder / f"{recording_id}.manifest.json").unlink()
    assert (watch.look().spool_ready, watch.look().oldest_ready_at) == (0, "")


@pytest.mark.parametrize(
    ("size", "problem"),
    [(500_000_000, ""), (499_999_999, "disk_low"), (1_000_000, "disk_low"), (999_999, "disk_full"), (0, "disk_full")],
)
def test_how_full_the_disk_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, problem: str) -> None:
    free(monkeypatch, size)
    health = looked(tmp_path)
    assert (health.problem, health.free_bytes) == (problem, size // 1_000_000 * 1_000_000)


def test_a_file_in_the_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("no folder")
    assert looked(tmp_path / "spool").problem == "spool_unwritable"


def test_it_tells_once_and_then_only_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 5_000_400_000)
    told: list[RecorderHealth] = []
    looks = threading.Semaphore(0)
    watch = HealthWatch(Spool(tmp_path), told.append, look_s=0.005)
    look = watch.look

    def counted() -> RecorderHealth:
        looks.release()
        return look()

    monkeypatch.setattr(watch, "look", counted)
    watch.start()
    try:
        for size in (5_000_900_000, 5_000_100_000):  # the same megabytes
            free(monkeypatch, size)
            for _ in range(5):
                assert looks.acquire(timeout=10)
        assert [health.free_bytes for health in told] == [5_000_000_000]
        free(monkeypatch, 400_000_000)
        until(lambda: len(told) == 2)
        assert told[1].problem == "disk_low"
    finally:
        watch.stop()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)


# --- the pause code


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("keys", "whole"),
    [("*8", [False, True]), ("**8", [False, False, True]), ("8*", [False, False]), ("*8*8", [False, True] * 2)],
)
def test_the_code_pressed_key_by_key(keys: str, whole: list[bool]) -> None:
    code = PauseCode(Clock())
    assert [code.press("call", key, "*8") for key in keys] == whole


def test_the_code_at_once_or_at_the_end_of_more() -> None:
    code = PauseCode(Clock())
    assert code.press("call", "*8", "*8")
    assert code.press("call", "1234*8", "*8")
    assert not code.press("call", "*81", "*8")


def test_keys_of_another_call_or_after_a_while_do_not_go_together() -> None:
    clock = Clock()
    code = PauseCode(clock)
    assert not code.press("one", "*", "*8")
    assert not code.press("two", "8", "*8")
    assert not code.press("one", "*", "*8")
    clock.now += CODE_WITHIN_S + 0.1
    assert not code.press("one", "8", "*8")


def test_without_a_code_no_keys_are_one() -> None:
    code = PauseCode(Clock())
    assert not any(code.press("call", key, "") for key in "*8#0")
