"""The line process's headset: chosen, changed, watched."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from telephony.audio.choose import make_headset, problem_of
from telephony.audio.files import NullHeadset
from telephony.engine import Engine
from telephony.errors import CommandError
from telephony.hub import Handler, Hub
from telephony.interfaces import Headset
from telephony.messages import AudioConfig, AudioState, Command, ListDevices, SetAudio

log = logging.getLogger(__name__)


class LineAudio:
    """Which headset the engine has. Any thread, one at a time."""

    def __init__(self, hub: Callable[[], Hub]) -> None:
        self.first = NullHeadset()
        """What the engine starts with."""
        self._hub = hub
        self._headset: Headset = self.first
        self._engine: Engine | None = None

    @property
    def handlers(self) -> dict[type[Command], Handler]:
        """The commands about sound."""
        return {SetAudio: self._on_set_audio, ListDevices: self._on_list_devices}

    def start(self, engine: Engine, config: AudioConfig) -> None:
        """Give the engine its headset; what stands in the way is told as the audio's state."""
        self._engine = engine
        try:
            self._use(config)
        except CommandError as error:
            log.warning("no headset: %s", error.code)
            self._hub().publish(AudioState("null", self.first.describe(), error.code))

    def watch(self) -> None:
        """Tell of a headset that has gone or is back."""
        audio = self._hub().snapshot().audio
        problem = problem_of(self._headset)
        if problem != audio.problem and "device_lost" in (problem, audio.problem):
            self._hub().publish(AudioState(audio.kind, audio.description, problem))

    def _use(self, config: AudioConfig) -> None:
        assert self._engine is not None
        try:
            headset, state = make_headset(config)
        except ValueError as error:
            raise CommandError("no_such_device", str(error)) from error
        self._engine.swap_headset(headset).result(5)
        self._headset = headset
        self._hub().publish(state)

    def _on_set_audio(self, command: SetAudio) -> dict[str, Any]:
        self._use(command.audio)
        return {}

    def _on_list_devices(self, command: ListDevices) -> dict[str, Any]:
        from telephony.audio.card import list_devices

        return dict(list_devices())
