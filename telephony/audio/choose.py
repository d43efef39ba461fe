"""From the configuration to a headset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from telephony.audio.card import CardHeadset
from telephony.audio.files import FileHeadset, NullHeadset
from telephony.interfaces import Headset
from telephony.messages import AudioConfig, AudioState


def make_headset(config: AudioConfig, *, strict: bool = True, on_change: Callable[[], None] = lambda: None) -> Headset:
    """The headset that ``config`` asks for, not started.

    ``auto`` is the default sound card; while there is none, its ``state`` is that of no headset with the problem
    ``no_sound_card``. Missing devices and bad files show at the headset's ``start``; unless ``strict``, the default
    devices stand in for missing ones. ``on_change``: see ``CardHeadset``. Raises ``ValueError`` for an unknown kind.
    """
    if config.kind == "auto":
        return CardHeadset(strict=False, on_change=on_change)
    if config.kind == "device":
        return CardHeadset(config.microphone, config.speaker, config.ringer, strict=strict, on_change=on_change)
    if config.kind == "files":
        return FileHeadset(_path(config.microphone), _path(config.speaker), ringer=_path(config.ringer))
    if config.kind == "null":
        return NullHeadset()
    raise ValueError(f"unknown kind of headset: {config.kind!r}")


def state_of(headset: Headset) -> AudioState:
    """What to tell clients of a headset that was started. Any thread."""
    if isinstance(headset, CardHeadset):
        return headset.state
    kind = "files" if isinstance(headset, FileHeadset) else "null"
    return AudioState(kind=kind, description=headset.describe())


def _path(text: str) -> Path | None:
    return Path(text) if text else None
