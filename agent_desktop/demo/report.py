"""Plays the steps one by one, prints a line for each, and writes report.json."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of the scenario."""

    name: str
    ok: bool
    ms: int
    detail: str


@dataclass
class Report:
    """What ``report.json`` holds."""

    steps: list[StepResult] = field(default_factory=list)
    screen_pop_ms: float = -1.0
    calls: list[dict[str, Any]] = field(default_factory=list)
    notes_synced: int = 0

    @property
    def ok(self) -> bool:
        return bool(self.steps) and all(step.ok for step in self.steps)

    def play(self, steps: Sequence[tuple[str, Callable[[], str]]]) -> bool:
        """Run the steps in order; after one that failed the rest are not tried. True when all went well."""
        return all(self.step(name, step) for name, step in steps)

    def step(self, name: str, step: Callable[[], str]) -> bool:
        """Run one step and print its line."""
        started = time.monotonic()
        try:
            detail, ok = step(), True
        except Exception as error:
            log.debug("step failed", exc_info=True)
            detail, ok = f"{type(error).__name__}: {error}", False
        ms = round((time.monotonic() - started) * 1000)
        self.steps.append(StepResult(name, ok, ms, detail))
        print(f"{'✓' if ok else '✗'} {ms / 1000:6.2f} s  {name}{f' – {detail}' if detail else ''}", flush=True)
        return ok

    def write(self, path: Path) -> None:
        """Save as JSON."""
        body = {
            "ok": self.ok,
            "steps": [asdict(step) for step in self.steps],
            "screen_pop_ms": self.screen_pop_ms,
            "calls": self.calls,
            "notes_synced": self.notes_synced,
        }
        path.write_text(json.dumps(body, ensure_ascii=False, indent=2) + "\n", "utf-8")
