"""The headset of a line process: chosen, changed without touching a call, and told of. Any thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from telephony.audio.choose import make_headset, state_of
from telephony.audio.devices import DeviceLists, list_devices
from telephony.audio.files import NullHeadset
from telephony.errors import CommandError
from telephony.interfaces import Headset, HeadsetError
from telephony.messages import AudioConfig, AudioState

log = logging.getLogger(__name__)

_SWAP_S = 10.0


class HeadsetSocket(Protocol):
    """The engine, as far as headsets go."""

    def swap_headset(self, headset: Headset) -> Future[dict[str, Any]]: ...


class AudioManager:
    """Opens headsets away from the engine's thread, and has the engine take them."""

    def __init__(self, publish: Callable[[AudioState], None]) -> None:
        self.first: Headset = NullHeadset()
        """What the engine starts with."""
        self._publish = publish
        self._headset: Headset = self.first
        self._engine: HeadsetSocket | None = None
        self._lock = threading.RLock()

    def start(self, engine: HeadsetSocket, config: AudioConfig) -> None:
        """Give the engine its headset, or what stands in for it; what is wrong is told as the audio's state."""
        self._engine = engine
        try:
            self._use(config, strict=False)
        except CommandError as error:
            log.warning("no headset: %s", error.code)
            self._publish(AudioState("null", self.first.describe(), error.code))

    def set(self, config: AudioConfig) -> None:
        """Change the headset. Raises ``CommandError`` when it cannot be opened; then the old one stays in use."""
        self._use(config, strict=True)

    def devices(self) -> DeviceLists:
        """See ``devices.list_devices``; with the devices in use, which a system may not list while they are held."""
        found, state = list_devices(), state_of(self._headset)
        for key, name in (("microphones", state.microphone), ("speakers", state.speaker), ("ringers", state.ringer)):
            if name and name not in found[key]:
                found[key] = [*found[key], name]
        return found

    def _use(self, config: AudioConfig, *, strict: bool) -> None:
        with self._lock:
            try:
                new = make_headset(config, strict=strict, on_change=lambda: self._changed(new))
            except ValueError as error:
                raise CommandError("no_such_device", str(error)) from error
            try:
                self._open(new)
            except HeadsetError as error:
                raise CommandError(error.code, error.detail) from error
            self._publish(state_of(new))

    def _open(self, new: Headset) -> None:
        """Open ``new`` beside the old headset. Where the old one holds a device that only one may hold, as ALSA's
        hardware devices, it is closed first, and opened again when ``new`` cannot be.
        """
        old = self._headset
        try:
            new.start()
        except HeadsetError as error:
            if error.code != "device_busy" or old is self.first:
                raise
            self._swap(self.first)
            try:
                new.start()
            except HeadsetError:
                self._swap(old)
                raise
        self._swap(new)

    def _swap(self, headset: Headset) -> None:
        assert self._engine is not None
        self._engine.swap_headset(headset).result(_SWAP_S)
        self._headset = headset

    def _changed(self, headset: Headset) -> None:
        """A device has gone or is back."""
        if headset is self._headset:
            self._publish(state_of(headset))
