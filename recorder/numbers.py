"""The seat's numbers: one for each recording, without gaps, whatever crashes."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recorder.canonical import canonical_json, strict_object
from recorder.files import O_BINARY, locked, try_lock, write_durably

_log = logging.getLogger(__name__)

MAX_NUMBER = 2**53


@dataclass(frozen=True, slots=True)
class Taken:
    """A number that was handed out. ``holder`` names the ledger that did; all but ``number`` may be empty."""

    number: int
    at: str = ""
    call_id: str = ""
    holder: str = ""


class NumberLedger:
    """Hands out 1, 2, 3 … A number belongs to its recording from the moment it is handed out.

    The ledger on disk holds the last number and those handed out whose manifest was not yet seen to be written. Asking
    again for the same recording gives the same number, so a crash between ledger and manifest leaves no gap. A ledger
    that was lost or damaged goes on from the highest number in the folder. Any process and thread; a lock file keeps
    them apart, and another one, held as long as this object lives, says that its numbers are still in use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "numbers.json"
        self._lock = folder / "numbers.lock"
        self._holders = folder / "holders"
        self._holder = ""
        self._release: weakref.finalize[..., NumberLedger] | None = None

    def take(self, recording_id: str, call_id: str = "") -> int:
        """The recording's number, on the disk when this returns. Raises ``OSError``."""
        with locked(self._lock):
            last, held = self._read()
            if recording_id not in held:
                at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
                last += 1
                held[recording_id] = Taken(last, at, call_id, self._hold())
                self._write(last, held)
            return held[recording_id].number

    def settle(self, recording_id: str) -> None:
        """The manifest with the number is on the disk. Raises as ``take``."""
        with locked(self._lock):
            last, held = self._read()
            if held.pop(recording_id, None) is not None:
                self._write(last, held)
            if not any(taken.holder == self._holder for taken in held.values()):
                self.let_go()

    def held(self) -> dict[str, int]:
        """Numbers handed out and not settled, by recording."""
        with locked(self._lock):
            return {recording_id: taken.number for recording_id, taken in self._read()[1].items()}

    def abandoned(self) -> dict[str, Taken]:
        """Those of ``held`` whose process is gone. Also forgets processes that hold nothing any more."""
        with locked(self._lock):
            held = self._read()[1]
            for path in list(self._holders.glob("*.lock")):
                if self._is_free(path):
                    path.unlink(missing_ok=True)
            alive = {path.name for path in self._holders.glob("*.lock")}
            return {recording_id: taken for recording_id, taken in held.items() if taken.holder not in alive}

    def _hold(self) -> str:
        """Called with the ledger locked, so that nobody takes a holder's file away before it is locked itself."""
        if not self._holder or not (self._holders / self._holder).exists():
            self._holders.mkdir(mode=0o700, exist_ok=True)
            name = f"{secrets.token_hex(8)}.lock"
            fd = os.open(self._holders / name, os.O_RDWR | os.O_CREAT | os.O_EXCL | O_BINARY, 0o600)
            if not try_lock(fd):
                os.close(fd)
                raise OSError("a new file cannot be locked")
            self.let_go()
            self._release = weakref.finalize(self, os.close, fd)
            self._holder = name
        return self._holder

    def let_go(self) -> None:
        """Nobody here works on the numbers that were handed out and not settled: they are the next start's."""
        if self._release is not None:
            self._release()
            with contextlib.suppress(OSError):
                (self._holders / self._holder).unlink(missing_ok=True)
        self._release, self._holder = None, ""

    @staticmethod
    def _is_free(path: Path) -> bool:
        try:
            fd = os.open(path, os.O_RDWR | O_BINARY)
        except OSError:
            return False
        try:
            return try_lock(fd)
        finally:
            os.close(fd)

    def _read(self) -> tuple[int, dict[str, Taken]]:
        try:
            ledger: dict[str, Any] = strict_object(self._path.read_bytes())
            last, held, details = ledger.get("last"), ledger.get("held"), ledger.get("taken", {})
            if type(last) is not int or not 0 <= last < MAX_NUMBER or not isinstance(held, dict):
                raise ValueError("wrong fields")
            if any(type(number) is not int for number in held.values()) or not isinstance(details, dict):
                raise ValueError("wrong fields")
            return last, {name: _taken(number, details.get(name)) for name, number in held.items()}
        except FileNotFoundError:
            return self._highest(), {}
        except ValueError:
            _log.warning("the ledger of the seat's numbers is damaged: going on from the highest number found")
            return self._highest(), {}

    def _highest(self) -> int:
        found = [0]
        for path in (*self._folder.glob("**/*.manifest.json"), *self._folder.glob("receipts/*.json")):
            try:
                body = strict_object(path.read_bytes())
            except (OSError, ValueError):
                continue
            number = body.get("manifest", body).get("number")
            if type(number) is int and number < MAX_NUMBER:
                found.append(number)
        return max(found)

    def _write(self, last: int, held: Mapping[str, Taken]) -> None:
        numbers = {name: taken.number for name, taken in held.items()}
        details = {name: {"at": t.at, "call_id": t.call_id, "holder": t.holder} for name, t in held.items()}
        write_durably(self._path, canonical_json({"held": numbers, "last": last, "taken": details}))


def _taken(number: int, details: object) -> Taken:
    known = details if isinstance(details, dict) else {}
    told = {name: value for name in ("at", "call_id", "holder") if isinstance(value := known.get(name), str)}
    return Taken(number, **told)
