"""What was chosen in the window for this seat and is no matter of its configuration file: the sound devices."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, fields
from pathlib import Path

from telephony.messages import AudioConfig

log = logging.getLogger(__name__)


class SeatChoices:
    """A small JSON file in the seat's data directory: devices belong to the seat, whoever sits there.

    Without a path what is chosen holds while the program runs. Any thread.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._audio = self._read()

    @property
    def audio(self) -> AudioConfig | None:
        """The devices that were chosen last; None when none were, or the file cannot be understood."""
        return self._audio

    def keep_audio(self, audio: AudioConfig) -> None:
        """Remember the devices; a file that cannot be written is logged: the choice holds until the program ends."""
        self._audio = audio
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps({"audio": asdict(audio)}, ensure_ascii=False), "utf-8")
            new.replace(self._path)
        except OSError as error:
            log.warning("chosen sound devices not remembered: %s", type(error).__name__)

    def _read(self) -> AudioConfig | None:
        if self._path is None:
            return None
        try:
            kept = json.loads(self._path.read_text("utf-8"))["audio"]
            values = {f.name: kept[f.name] for f in fields(AudioConfig) if f.name in kept}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("chosen sound devices not read: %s", type(error).__name__)
            return None
        return AudioConfig(**values) if all(isinstance(value, str) for value in values.values()) else None
