"""The seat's numbers: one for each recording, without gaps, whatever crashes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from recorder.canonical import canonical_json, strict_object
from recorder.files import locked, write_durably

_log = logging.getLogger(__name__)

MAX_NUMBER = 2**53


class NumberLedger:
    """Hands out 1, 2, 3 … A number belongs to its recording from the moment it is handed out.

    The ledger on disk holds the last number and those handed out whose manifest was not yet seen to be written. Asking
    again for the same recording gives the same number, so a crash between ledger and manifest leaves no gap. A ledger
    that was lost or damaged goes on from the highest number in the folder. Any process and thread; a lock file keeps
    them apart.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "numbers.json"
        self._lock = folder / "numbers.lock"

    def take(self, recording_id: str) -> int:
        """The recording's number, on the disk when this returns. Raises ``OSError``."""
        with locked(self._lock):
            last, held = self._read()
            if recording_id in held:
                return held[recording_id]
            self._write(last + 1, held | {recording_id: last + 1})
            return last + 1

    def settle(self, recording_id: str) -> None:
        """The manifest with the number is on the disk. Raises as ``take``."""
        with locked(self._lock):
            last, held = self._read()
            if held.pop(recording_id, None) is not None:
                self._write(last, held)

    def held(self) -> dict[str, int]:
        """Numbers handed out and not settled, by recording."""
        with locked(self._lock):
            return self._read()[1]

    def _read(self) -> tuple[int, dict[str, int]]:
        try:
            ledger: dict[str, Any] = strict_object(self._path.read_bytes())
            last, held = ledger.get("last"), ledger.get("held")
            if type(last) is not int or not 0 <= last < MAX_NUMBER or not isinstance(held, dict):
                raise ValueError("wrong fields")
            if any(type(number) is not int for number in held.values()):
                raise ValueError("wrong fields")
        except FileNotFoundError:
            return self._highest(), {}
        except ValueError:
            _log.warning("the ledger of the seat's numbers is damaged: going on from the highest number found")
            return self._highest(), {}
        return last, held

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

    def _write(self, last: int, held: dict[str, int]) -> None:
        write_durably(self._path, canonical_json({"held": held, "last": last}))
