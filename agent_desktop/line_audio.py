"""The line process's commands about sound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from telephony.audio.manager import AudioManager
from telephony.engine import Engine
from telephony.hub import Handler, Hub
from telephony.interfaces import Headset
from telephony.messages import AudioConfig, Command, ListDevices, SetAudio


class LineAudio:
    """Which headset the engine has. Any thread."""

    def __init__(self, hub: Callable[[], Hub]) -> None:
        self._manager = AudioManager(lambda state: hub().publish(state))

    @property
    def first(self) -> Headset:
        """What the engine starts with."""
        return self._manager.first

    @property
    def handlers(self) -> dict[type[Command], Handler]:
        """The commands about sound."""
        return {SetAudio: self._on_set_audio, ListDevices: self._on_list_devices}

    def start(self, engine: Engine, config: AudioConfig) -> None:
        """Give the engine its headset; what stands in the way is told as the audio's state."""
        self._manager.start(engine, config)

    def _on_set_audio(self, command: SetAudio) -> dict[str, Any]:
        self._manager.set(command.audio)
        return {}

    def _on_list_devices(self, command: ListDevices) -> dict[str, Any]:
        return dict(self._manager.devices())
